//! Serves the pages and the API for as long as it is asked to.

use std::io;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::guard::REQUEST_MAX;
use super::{Context, router};
use crate::contain;
use crate::listen::{self, Bounds};

/// Connections held at once.
const CONNECTIONS_MAX: usize = 2_000;

/// Open files to hold them, and the database's connections, and some to spare.
const FILES: u64 = 4_096;

/// How long requests in flight may take after the end was asked for: their own limit, and a moment for the answer.
const SHUTDOWN_MAX: Duration = REQUEST_MAX.saturating_add(Duration::from_secs(2));

/// How long a reader may take nothing of an answer. A page fits into the system's buffers, so only who asks for many
/// and reads none is ever waited for.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// How long a reader may take for all that waits for it.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// How long a connection may last: a proxy opens another, and a client that never closes one does not hold it.
const LIFE_MAX: Duration = Duration::from_mins(5);

/// Serves until `shutdown` is cancelled: then takes no more connections, lets the requests in flight finish within a
/// bound, and returns.
pub async fn serve(listener: TcpListener, context: Context, shutdown: CancellationToken) -> io::Result<()> {
    raise_file_limit();
    tracing::info!(address = %listener.local_addr()?, api = context.has_api(), "listening");
    let bounds = Bounds {
        connections: CONNECTIONS_MAX,
        shutdown: SHUTDOWN_MAX,
        write: WRITE_MAX,
        answer: Some(ANSWER_MAX),
        life: Some(LIFE_MAX),
    };
    let (working, shown, last) = (context.clone(), context.clone(), context.clone());
    let events = contain::spawn(async move { working.work().await });
    let presence = contain::spawn(async move { shown.show().await });
    listen::serve(listener, router(context), bounds, shutdown).await;
    events.abort();
    presence.abort();
    last.finish().await;
    Ok(())
}

/// Many systems allow 1,024 files at first, to spare programs that use select(2), and many more on demand.
fn raise_file_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = soft.max(FILES.min(hard));
        if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
            tracing::warn!(%error, "the limit of open files stays at {soft}");
        }
    }
}
