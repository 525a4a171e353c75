//! A way to the database, or to another server, that a test can shut and open again.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Where connections are passed on to.
enum Behind {
    Socket(PathBuf),
    Port(u16),
}

/// Passes TCP connections on to the test's server.
pub struct TcpProxy {
    /// The database's URL, through the proxy; empty before another server.
    pub url: String,
    at: SocketAddr,
    behind: Arc<Behind>,
    open: Option<(CancellationToken, JoinHandle<()>)>,
    /// How often it has forgotten its connections.
    forgotten: watch::Sender<u32>,
}

impl TcpProxy {
    /// An open proxy before the database of that URL.
    pub async fn new(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let parameter = |name| {
            let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            found.or_else(|| (name == "port").then(|| url.port().unwrap_or(5432).to_string()))
        };
        let directory = parameter("host").expect("the test's server listens on a socket only");
        let socket = PathBuf::from(directory).join(format!(".s.PGSQL.{}", parameter("port").unwrap()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        url.set_query(None);
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(at.port())).unwrap();
        let mut proxy = Self {
            url: url.to_string(),
            at,
            behind: Arc::new(Behind::Socket(socket)),
            open: None,
            forgotten: watch::Sender::new(0),
        };
        proxy.pass(listener);
        proxy
    }

    /// An open proxy before the server that listens on this port.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let behind = Arc::new(Behind::Port(port));
        let mut proxy = Self { url: String::new(), at, behind, open: None, forgotten: watch::Sender::new(0) };
        proxy.pass(listener);
        proxy
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// Breaks every connection and refuses new ones.
    pub async fn shut(&mut self) {
        if let Some((shut, task)) = self.open.take() {
            shut.cancel();
            task.await.unwrap();
        }
    }

    /// Lets connections pass again.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.at).await.unwrap();
        self.pass(listener);
    }

    /// Forgets every connection as a firewall does: neither side learns of it, and nothing passes any more. New ones pass.
    pub fn forget(&self) {
        self.forgotten.send_modify(|times| *times += 1);
    }

    fn pass(&mut self, listener: TcpListener) {
        let shut = CancellationToken::new();
        let (behind, shutting, forgotten) = (Arc::clone(&self.behind), shut.clone(), self.forgotten.clone());
        let task = tokio::spawn(async move {
            while let Some(Ok((stream, _))) = shutting.run_until_cancelled(listener.accept()).await {
                let (behind, shutting) = (Arc::clone(&behind), shutting.clone());
                let forgotten = forgotten.subscribe();
                tokio::spawn(async move { shutting.run_until_cancelled(join(stream, &behind, forgotten)).await });
            }
        });
        self.open = Some((shut, task));
    }
}

async fn join(from: TcpStream, behind: &Behind, forgotten: watch::Receiver<u32>) -> io::Result<()> {
    match behind {
        Behind::Socket(path) => pass_on(from, UnixStream::connect(path).await?, forgotten).await,
        Behind::Port(port) => pass_on(from, TcpStream::connect(("127.0.0.1", *port)).await?, forgotten).await,
    }
}

async fn pass_on(
    mut from: TcpStream,
    mut to: impl AsyncRead + AsyncWrite + Unpin,
    mut forgotten: watch::Receiver<u32>,
) -> io::Result<()> {
    tokio::select! {
        result = tokio::io::copy_bidirectional(&mut from, &mut to) => result.map(drop),
        _ = forgotten.changed() => std::future::pending().await,
    }
}
