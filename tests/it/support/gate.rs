//! A way to the database that a test can shut and open again.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Passes TCP connections on to the test's server.
pub struct Gate {
    /// The database's URL, through the gate.
    pub url: String,
    at: SocketAddr,
    socket: Arc<PathBuf>,
    open: Option<(CancellationToken, JoinHandle<()>)>,
    /// How often it has forgotten its connections.
    forgotten: watch::Sender<u32>,
}

impl Gate {
    /// An open gate before the database of that URL.
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
        let mut gate =
            Self { url: url.to_string(), at, socket: Arc::new(socket), open: None, forgotten: watch::Sender::new(0) };
        gate.pass(listener);
        gate
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
        let (socket, shutting, forgotten) = (Arc::clone(&self.socket), shut.clone(), self.forgotten.clone());
        let task = tokio::spawn(async move {
            while let Some(Ok((stream, _))) = shutting.run_until_cancelled(listener.accept()).await {
                let (socket, shutting) = (Arc::clone(&socket), shutting.clone());
                let forgotten = forgotten.subscribe();
                tokio::spawn(async move { shutting.run_until_cancelled(join(stream, &socket, forgotten)).await });
            }
        });
        self.open = Some((shut, task));
    }
}

async fn join(mut from: TcpStream, to: &PathBuf, mut forgotten: watch::Receiver<u32>) -> io::Result<()> {
    let mut to = UnixStream::connect(to).await?;
    tokio::select! {
        result = tokio::io::copy_bidirectional(&mut from, &mut to) => result.map(drop),
        _ = forgotten.changed() => std::future::pending().await,
    }
}
