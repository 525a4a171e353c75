//! Three sockets in a private directory, behind which lies whichever server is wanted.
//!
//! Servers are tried in their order, beginning with the one that did last time. One that is reached and is not of the
//! kind that is wanted (a standby) sends the client back, who comes again and is led to the next. Once a primary has
//! been found, what is connected to another server is cut: it was a primary, and is one no more. So is a connection to
//! a server that reports while it is used that it is not as wanted any more.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::unistd::Uid;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::directory::Directory;
use super::dsn::{Server, Wanted};
use super::pump::pump;
use super::startup::{Began, Reported, Wire, begin, first_message, message_of, refusal};
use super::tls::{Connector, Failed};
use super::{OTHER_KIND, Purpose, UNTRUSTED};
use crate::contain::{self, Broke};
use crate::dial::Dialer;

/// The socket of those who can wait: a server that is restarted is back in a moment.
pub(super) const PATIENT: u16 = 1;

/// The socket of those who want to know.
pub(super) const DIRECT: u16 = 2;

/// The socket of those who want to know, and whose statements may take long.
pub(super) const LONG: u16 = 3;

/// How long a patient client's servers are tried: less than a pool waits for a connection, so that it learns why there
/// is none.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long to wait before the servers are tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one of several servers may take to let a connection in, protect it and say its first word.
const EACH_OF_SEVERAL: Duration = Duration::from_millis(1_500);

/// How long the only one may take.
const ONLY: Duration = Duration::from_secs(4);

/// How long the whole beginning of a session may take, however often the server says a word: less than any client
/// waits. With one of several, so much less that the next can be tried.
const BEGINNING: Duration = Duration::from_millis(4_500);
const BEGINNING_OF_SEVERAL: Duration = Duration::from_secs(3);

/// How long a client may take for its first message, which it sends at once.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);

/// SQLSTATE: the server is about to start or to stop; sqlx's pool tries again for as long as it has time.
const COME_AGAIN: &str = "57P03";

/// SQLSTATE: no connection can be made.
const UNREACHED: &str = "08001";

/// When the system asks a silent server whether it is still there, how often, and how far apart.
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(10), Duration::from_secs(5), 3);

/// How long what was sent may remain without any acknowledgement.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// The servers, and what is known of them.
#[derive(Debug)]
pub(super) struct Servers {
    all: Vec<Server>,
    wanted: Wanted,
    tls: Option<Connector>,
    dialer: Dialer,
    /// Which is tried first.
    first: AtomicUsize,
    /// Which one alone is right; none where several are.
    only_right: watch::Sender<Option<usize>>,
}

impl Servers {
    pub(super) fn new(all: Vec<Server>, wanted: Wanted, tls: Option<Connector>, dialer: Dialer) -> Self {
        Self { all, wanted, tls, dialer, first: AtomicUsize::new(0), only_right: watch::Sender::new(None) }
    }

    /// How long one server may take until its first word.
    fn limit(&self) -> Duration {
        if self.all.len() > 1 { EACH_OF_SEVERAL } else { ONLY }
    }

    /// Whether a server is asked what it is: where that matters.
    fn asks(&self) -> bool {
        self.wanted != Wanted::Any
    }

    /// How long the whole beginning of a session may take.
    fn beginning(&self) -> Duration {
        if self.all.len() > 1 { BEGINNING_OF_SEVERAL } else { BEGINNING }
    }

    /// A connection to a server, protected as is wanted, and the address that it has led to.
    async fn reach(&self, server: &Server, until: Instant) -> Result<(Box<dyn Wire>, Option<SocketAddr>), Failed> {
        let silent = |_| Failed::from(silent());
        if server.is_socket() {
            let path = Path::new(&server.name).join(format!(".s.PGSQL.{}", server.port));
            let socket = timeout_at(until, UnixStream::connect(path)).await.map_err(silent)??;
            return Ok((Box::new(socket), None));
        }
        let host = server.address.as_ref().unwrap_or(&server.name);
        let socket = self.dialer.connect(host, server.port, until - Instant::now()).await?;
        let address = socket.peer_addr().ok();
        keep_alive(&socket)?;
        let Some(tls) = &self.tls else { return Ok((Box::new(socket), address)) };
        match timeout_at(until, tls.protect(&server.name, socket)).await.map_err(silent).flatten() {
            Ok(protected) => Ok((protected, address)),
            Err(failed) => {
                // Another of its addresses may do better.
                address.inspect(|address| self.dialer.shun(*address));
                Err(failed)
            }
        }
    }

    /// What is wrong with a server that reports this of itself, if anything is.
    fn complaint(&self, reported: Reported) -> Option<&'static str> {
        let is_standby = reported.in_hot_standby;
        // A standby only reads, whatever its default is.
        let reads = if is_standby == Some(true) { is_standby } else { reported.default_read_only };
        match self.wanted {
            Wanted::Primary if is_standby == Some(true) => Some("is a standby"),
            Wanted::ReadWrite if reads == Some(true) => Some("takes no writes"),
            Wanted::Standby if is_standby == Some(false) => Some("is no standby"),
            Wanted::ReadOnly if reads == Some(false) => Some("takes writes"),
            _ => None,
        }
    }

    /// Which to try, in order.
    fn in_order(&self) -> impl Iterator<Item = (usize, &Server)> {
        let first = self.first.load(Ordering::Relaxed);
        (0..self.all.len()).map(move |n| (first + n) % self.all.len()).map(|at| (at, &self.all[at]))
    }

    /// This one is as wanted.
    fn found(&self, at: usize) {
        self.first.store(at, Ordering::Relaxed);
        if matches!(self.wanted, Wanted::Primary | Wanted::ReadWrite) {
            let moved = self.only_right.send_if_modified(|right| right.replace(at) != Some(at));
            if moved && self.all.len() > 1 {
                tracing::info!(server = %self.all[at], "the database that takes writes");
            }
        }
    }

    /// Whether one in use that reports this of itself still is as wanted.
    fn is_still_right(&self, at: usize, reported: Reported) -> bool {
        let Some(complaint) = self.complaint(reported) else { return true };
        tracing::warn!(server = %self.all[at], "the database {complaint} from now on: it is left");
        self.passed_over(at);
        false
    }

    fn passed_over(&self, at: usize) {
        // Another may have found the right one in the meantime; then it is found again.
        self.first.store((at + 1) % self.all.len(), Ordering::Relaxed);
    }

    /// Ends once another server is the only right one.
    async fn left(&self, at: usize) {
        let mut right = self.only_right.subscribe();
        let is_other = |right: &Option<usize>| right.is_some_and(|right| right != at);
        if right.wait_for(is_other).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn silent() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it took the connection and says nothing")
}

fn unready() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it accepted the connection and does not get it ready")
}

/// The system itself notices that the other end is gone.
fn keep_alive(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (idle, interval, count) = KEEP_ALIVE;
    let socket = SockRef::from(socket);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(count))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// Listens for this process's own connections until it is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    directory: Directory,
    listening: [JoinHandle<Result<(), Broke>>; 3],
}

impl Relay {
    /// Begins to listen; the patient clients are a pool of that purpose.
    pub(super) fn start(servers: Servers, purpose: Purpose) -> io::Result<Self> {
        let directory = Directory::make()?;
        let servers = Arc::new(servers);
        let listen = |number: u16, patience: Duration, silence: Option<Duration>| {
            let listener = UnixListener::bind(directory.path().join(format!(".s.PGSQL.{number}")))?;
            let servers = Arc::clone(&servers);
            io::Result::Ok(contain::spawn(async move {
                loop {
                    match listener.accept().await {
                        Ok((client, _)) if is_ours(&client) => {
                            contain::spawn(lead(client, Arc::clone(&servers), patience, silence));
                        }
                        Ok(_) => {}
                        Err(error) => {
                            tracing::warn!(%error, "a connection to the database could not be relayed");
                            sleep(PAUSE).await;
                        }
                    }
                }
            }))
        };
        let listening = [
            listen(PATIENT, PATIENCE, Some(purpose.silence()))?,
            listen(DIRECT, Duration::ZERO, None)?,
            listen(LONG, Duration::ZERO, Some(Purpose::Long.silence()))?,
        ];
        Ok(Self { directory, listening })
    }

    /// Where its sockets are.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.iter().for_each(JoinHandle::abort);
    }
}

/// The directory keeps others out; root may enter every directory.
fn is_ours(client: &UnixStream) -> bool {
    client.peer_cred().is_ok_and(|peer| peer.uid() == Uid::effective().as_raw())
}

/// One connection, from its first word to its last. If it fails, the client has been informed.
async fn lead(mut client: UnixStream, servers: Arc<Servers>, patience: Duration, silence: Option<Duration>) {
    let Ok(Ok(first)) = timeout(FIRST_MESSAGE, first_message(&mut client)).await else { return };
    let reported = match connect(&mut client, &servers, &first, patience).await {
        Ok(Some(Ready { at, server, reported })) => {
            let is_right = |reported| servers.is_still_right(at, reported);
            pump(client, server, silence, reported, is_right, servers.left(at)).await;
            return;
        }
        Ok(None) => return,
        Err(refusal) => refusal,
    };
    let _ = client.write_all(&reported).await;
    let _ = client.shutdown().await;
}

/// A session with a server, begun.
struct Ready {
    at: usize,
    server: Box<dyn Wire>,
    reported: Reported,
}

/// What became of one server.
enum Tried {
    /// What it has said last of its beginning is still to be passed on.
    Ready(Ready, Vec<u8>),
    /// Its own refusal, or ours in its stead: for the client.
    Refused(Vec<u8>),
    /// The next may do better.
    Failed(Failed),
}

/// A session with a server, begun; or what to send to the client. `None` if the client has got all there is.
async fn connect(
    client: &mut UnixStream,
    servers: &Servers,
    first: &[u8],
    patience: Duration,
) -> Result<Option<Ready>, Vec<u8>> {
    let deadline = Instant::now() + patience;
    loop {
        let mut failures: Vec<(&Server, Failed)> = Vec::new();
        for (at, server) in servers.in_order() {
            match attempt(client, servers, (at, server), first, patience).await {
                Tried::Ready(ready, last) => {
                    servers.found(at);
                    return Ok(client.write_all(&last).await.is_ok().then_some(ready));
                }
                Tried::Refused(refusal) => return Err(refusal),
                Tried::Failed(failed) => failures.push((server, failed)),
            }
        }
        let decisive = failures.iter().find_map(|(_, failed)| failed.code.filter(|code| *code != COME_AGAIN));
        if decisive.is_some() || Instant::now() + PAUSE >= deadline {
            let code = if failures.iter().any(|(_, failed)| failed.code == Some(UNTRUSTED)) {
                UNTRUSTED
            } else {
                decisive.unwrap_or(UNREACHED)
            };
            let each = failures.iter().map(|(server, failed)| format!("{server}: {}", failed.what));
            return Err(refusal(code, &each.collect::<Vec<_>>().join("; ")));
        }
        sleep(PAUSE).await;
    }
}

async fn attempt(
    client: &mut UnixStream,
    servers: &Servers,
    (at, server): (usize, &Server),
    first: &[u8],
    patience: Duration,
) -> Tried {
    let until = Instant::now() + servers.limit();
    let (mut stream, address) = match servers.reach(server, until).await {
        Ok(reached) => reached,
        Err(failed) => return Tried::Failed(failed),
    };
    let mut passed = false;
    let began = begin(client, &mut *stream, first, until - Instant::now(), servers.asks(), &mut passed);
    let began = timeout(servers.beginning(), began).await.unwrap_or_else(|_| Err(unready()));
    let come_again = if patience.is_zero() { OTHER_KIND } else { COME_AGAIN };
    match began {
        Ok(Began::Ready(reported, last)) => match servers.complaint(reported) {
            None => Tried::Ready(Ready { at, server: stream, reported }, last),
            Some(complaint) => {
                servers.passed_over(at);
                Tried::Refused(refusal(come_again, &format!("{server} {complaint}")))
            }
        },
        // It starts or stops: another may be there already.
        Ok(Began::Refused(refusal, code)) if code == COME_AGAIN && !passed => {
            Tried::Failed(Failed { code: Some(COME_AGAIN), what: message_of(&refusal) })
        }
        Ok(Began::Refused(refusal, _)) => Tried::Refused(refusal),
        // The client has heard some of it, and must begin again.
        Err(error) if passed => {
            servers.passed_over(at);
            let code = if servers.all.len() > 1 { come_again } else { UNREACHED };
            Tried::Refused(refusal(code, &format!("{server}: {error}")))
        }
        Err(error) => {
            address.inspect(|address| servers.dialer.shun(*address));
            Tried::Failed(error.into())
        }
    }
}
