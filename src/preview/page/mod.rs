//! A page on this machine that shows a mail in a browser, with the toggles of the workbench.
//!
//! ```text
//! GET /<token>/          the page: toggles and a frame
//! GET /<token>/page.js   its script; /<token>/page.css its style
//! GET /<token>/stock     templates, languages, fixtures; JSON
//! GET /<token>/about?…   subject, text part, links, or what is wrong; JSON
//! GET /<token>/mail?…    the mail's HTML, for the frame
//! GET /<token>/events    says when templates have changed; server-sent events
//! ```
//! It is off until asked for, listens on the loopback address only, and answers no one who does not know the random
//! token in its path, or calls it by another name: a page on the web whose name leads to 127.0.0.1 must not read it
//! ("DNS rebinding"). The mail is in a sandboxed frame under a policy that lets it do nothing but look: no script, no
//! form, no navigation, and nothing from the network. `serve` knows nothing of all this.

mod frame;
mod guard;
mod routes;
mod source;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::contain;
use crate::listen::{self, Bounds};
use crate::text::plain;

pub use source::{Files, Shown, Source};

/// Bytes of the token: no one guesses 128 bits.
const TOKEN_BYTES: usize = 16;

/// Connections held at once: a few windows.
const CONNECTIONS_MAX: usize = 64;

/// How long answers in progress may take when it ends.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

/// How long a browser may take nothing of an answer; the way to it may be a slow one.
const WRITE_MAX: Duration = Duration::from_mins(1);

/// The running page. It ends when this is dropped.
#[derive(Debug)]
pub struct Handle {
    url: String,
    address: SocketAddr,
    serving: JoinHandle<Result<(), contain::Broke>>,
    running: DropGuard,
}

/// Starts it at `127.0.0.1:port`; at any free port where none is named. Whatever is sent over `changes` means that
/// what `source` returns may have changed.
///
/// # Errors
/// Of listening: the port is taken, most likely. Of the system's random numbers.
pub async fn start(source: Arc<dyn Source>, changes: watch::Receiver<u64>, port: Option<u16>) -> io::Result<Handle> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await?;
    let address = listener.local_addr()?;
    let mut token = [0; TOKEN_BYTES];
    getrandom::fill(&mut token).map_err(io::Error::other)?;
    let token = URL_SAFE_NO_PAD.encode(token);
    let url = format!("http://{address}/{token}/");
    let shutdown = CancellationToken::new();
    let router = routes::router(source, changes, guard::Door::new(address.port(), token), shutdown.clone());
    let bounds = Bounds {
        connections: CONNECTIONS_MAX,
        shutdown: SHUTDOWN_MAX,
        write: WRITE_MAX,
        // One answer reports changes for as long as the page is open.
        answer: None,
        life: None,
    };
    let serving = contain::spawn(listen::serve(listener, router, bounds, shutdown.clone()));
    Ok(Handle { url, address, serving, running: shutdown.drop_guard() })
}

impl Handle {
    /// Where it is. Anyone who knows this can see the templates: it is for the person who asked for it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to type on one's own machine to reach it there under the same address, where this runs on `host`.
    #[must_use]
    pub fn ssh_line(&self, host: &str) -> String {
        let port = self.address.port();
        format!("ssh -N -L {port}:127.0.0.1:{port} {host}")
    }

    /// Both, where this runs on [`host`].
    #[must_use]
    pub fn page_address(&self) -> PageAddress {
        PageAddress { url: self.url.clone(), ssh: self.ssh_line(&host()) }
    }

    /// Ends it, within a bounded time.
    pub async fn stop(self) {
        drop(self.running);
        // It ends by itself; a panic in it concerns no one any more.
        let _ = self.serving.await;
    }
}

/// How the page is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAddress {
    /// Anyone who knows it sees the templates.
    pub url: String,
    /// What to type on another machine to reach it there under the same address.
    pub ssh: String,
}

/// How this machine is called from where its user sits: by the address that they came to, or by its name.
#[must_use]
pub fn host() -> String {
    let connection = std::env::var("SSH_CONNECTION").unwrap_or_default();
    let host = connection.split(' ').nth(2).filter(|host| !host.is_empty()).map(ToOwned::to_owned);
    let own = || nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned());
    plain(&host.or_else(own).unwrap_or_else(|| "HOST".to_owned())).into_string()
}

#[cfg(test)]
mod tests;
