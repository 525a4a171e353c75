//! A PostgreSQL cluster of one's own: no set-up, no port, no password.
//!
//! One directory holds it all: `data/`, the server's `log`, and the unix socket. The directory is 0700, and that is the
//! whole authentication: who gets to the socket is trusted. A lock on the directory keeps two owners apart; the server
//! itself lives in a session of its own, so that Ctrl-C in the terminal does not reach it, and what a killed owner left
//! running is stopped by the next one.
//!
//! Everything here blocks, for a second or two when a cluster is made.

mod account;
mod binaries;
mod error;

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use etcetera::BaseStrategy as _;
use nix::sys::signal::kill;
use nix::unistd::{Pid, Uid};
use sha2::{Digest as _, Sha256};
use sqlx::migrate::MigrateDatabase as _;

use self::account::Account;
use self::binaries::Binaries;
pub use self::binaries::VERSION_MIN;
pub use self::error::ClusterError;
use self::error::tail;

/// The cluster's one role: its superuser.
pub const ROLE: &str = "verifydesk";

/// Names the socket; nothing listens on the network.
const PORT: u16 = 5432;

/// Longest directory for a socket: `sun_path` holds 104 bytes on macOS, 108 on Linux, and `/.s.PGSQL.5432` follows.
const SOCKET_DIRECTORY_MAX: usize = 85;

/// How long children of a killed server may keep its shared memory, until they notice.
const LEFTOVERS_MAX: Duration = Duration::from_secs(15);

/// Where a cluster is, and how careful it is with its data.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory; made if it is not there. Nothing else may be kept in it.
    pub directory: PathBuf,
    /// Whether data survives a crash of the machine. Without it everything is faster.
    pub durable: bool,
}

impl Options {
    /// The demo's cluster: `verifydesk/demo` in the user's data directory, or for root, whose home the server's
    /// account cannot enter, `/var/lib/verifydesk-demo`.
    pub fn demo() -> Result<Self, ClusterError> {
        let directory = if Uid::effective().is_root() {
            PathBuf::from("/var/lib/verifydesk-demo")
        } else {
            let base = etcetera::choose_base_strategy().map_err(|_| ClusterError::NoHome)?;
            base.data_dir().join("verifydesk").join("demo")
        };
        Ok(Self { directory, durable: true })
    }

    /// A cluster that nobody will miss, for tests.
    pub fn throwaway(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), durable: false }
    }

    /// The URL of one of the cluster's databases, whoever runs it: for sqlx as well as for psql.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let mut host = url::form_urlencoded::Serializer::new(String::new());
        host.append_pair("host", &self.sockets().to_string_lossy());
        // A slash needs no escape in a query, and people read this.
        let host = host.finish().replace("%2F", "/").replace('+', "%20");
        format!("postgres://{ROLE}@localhost:{PORT}/{database}?{host}")
    }

    /// Whether a server answers on the socket.
    #[must_use]
    pub fn is_running(&self) -> bool {
        UnixStream::connect(self.sockets().join(format!(".s.PGSQL.{PORT}"))).is_ok()
    }

    /// Where the socket is: in the directory, or, where its path is too long for a socket, in a short one that is named
    /// after it.
    fn sockets(&self) -> PathBuf {
        if self.directory.as_os_str().len() <= SOCKET_DIRECTORY_MAX {
            return self.directory.clone();
        }
        let digest = Sha256::digest(self.directory.as_os_str().as_encoded_bytes());
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        PathBuf::from(format!("/tmp/verifydesk-{}-{number:08x}", Uid::effective()))
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// The major version that made the data, if there is any.
    fn made_by(&self) -> Option<u32> {
        std::fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }
}

/// A running cluster. Stops when dropped.
#[derive(Debug)]
pub struct Cluster {
    place: Place,
    running: bool,
}

impl Cluster {
    /// Starts the cluster, making it first if there is none. What an owner that was killed left behind is cleared away.
    pub fn start(options: Options) -> Result<Self, ClusterError> {
        let wanted = options.made_by();
        let binaries = Binaries::find(wanted.map(|major| (major, options.directory.as_path())))?;
        let place = Place::take(options, binaries)?;
        place.stop_leftover()?;
        if place.options.made_by().is_none() {
            place.init()?;
        }
        place.launch()?;
        Ok(Self { place, running: true })
    }

    /// Stops what is running in the directory and removes it with all the data.
    pub fn reset(options: &Options) -> Result<(), ClusterError> {
        let directory = &options.directory;
        if !directory.exists() {
            return Ok(());
        }
        // Whatever version made the data: a running server is stopped by a signal, which any version understands.
        let place = Place::take(options.clone(), Binaries::find(None)?)?;
        place.stop_leftover()?;
        let sockets = options.sockets();
        for path in [directory, &sockets] {
            match std::fs::remove_dir_all(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(ClusterError::Io { doing: "removing", path: path.clone(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The URL of a database, for sqlx as well as for psql.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.place.options.url(database)
    }

    /// Makes a database if there is none of that name. Says whether it made it.
    pub async fn create_database(&self, name: &str) -> Result<bool, sqlx::Error> {
        let url = self.url(name);
        if sqlx::Postgres::database_exists(&url).await? {
            return Ok(false);
        }
        sqlx::Postgres::create_database(&url).await?;
        Ok(true)
    }

    /// The server's process, as long as it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.place.pid().map(Pid::as_raw)
    }

    /// Stops the server: sessions are ended, data is written.
    pub fn stop(mut self) -> Result<(), ClusterError> {
        self.running = false;
        self.place.stop()
    }

    /// Leaves the server running without an owner, until [`Cluster::reset`] or the next [`Cluster::start`].
    pub fn leave_running(mut self) {
        self.running = false;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.running
            && let Err(error) = self.place.stop()
        {
            tracing::warn!(%error, "the private PostgreSQL was left running");
        }
    }
}

/// A directory that this process has to itself.
#[derive(Debug)]
struct Place {
    options: Options,
    account: Account,
    binaries: Binaries,
    /// The open directory, locked.
    _lock: File,
}

impl Place {
    fn take(options: Options, binaries: Binaries) -> Result<Self, ClusterError> {
        let account = Account::choose()?;
        let directory = &options.directory;
        let fail = |source| ClusterError::Io { doing: "opening", path: directory.clone(), source };
        if let Some(parent) = directory.parent() {
            std::fs::create_dir_all(parent).map_err(fail)?;
        }
        let lock = loop {
            account.make_private(directory)?;
            let lock = File::open(directory).map_err(fail)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => {
                    return Err(ClusterError::InUse { directory: directory.clone() });
                }
                Err(std::fs::TryLockError::Error(source)) => return Err(fail(source)),
            }
            // Whoever held the lock may just have removed the directory.
            let locked = lock.metadata().map_err(fail)?;
            if std::fs::metadata(directory).is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino())) {
                break lock;
            }
        };
        account.make_private(&options.sockets())?;
        Ok(Self { options, account, binaries, _lock: lock })
    }

    fn run(&self, tool: &'static str, fill: impl FnOnce(&mut Command)) -> Result<(), ClusterError> {
        let program = self.binaries.tool(tool);
        let mut command = self.account.command(&program);
        fill(&mut command);
        let output = command.output().map_err(|source| ClusterError::Io { doing: "running", path: program, source })?;
        if output.status.success() {
            return Ok(());
        }
        let said = tail(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
        Err(ClusterError::Tool { tool, said })
    }

    /// Makes the data directory, all of it or none.
    fn init(&self) -> Result<(), ClusterError> {
        let unfinished = self.options.directory.join("data.new");
        let mut last = None;
        for locale in utf8_locales() {
            remove(&unfinished)?;
            let made = self.run("initdb", |command| {
                command.arg("--pgdata").arg(&unfinished);
                command.args(["--username", ROLE, "--encoding", "UTF8", "--locale", &locale, "--lc-messages", "C"]);
                command.args(["--auth-local", "trust", "--auth-host", "reject", "--no-instructions", "--no-sync"]);
            });
            match made {
                Ok(()) => {
                    last = None;
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last {
            return Err(error);
        }
        let data = self.options.data();
        remove(&data)?;
        std::fs::rename(&unfinished, &data).map_err(|source| ClusterError::Io { doing: "making", path: data, source })
    }

    fn launch(&self) -> Result<(), ClusterError> {
        let log = self.options.log();
        let since = Instant::now();
        loop {
            remove(&log)?;
            let started = self.run("pg_ctl", |command| {
                command.args(["start", "--silent", "--wait", "--timeout", "60", "--pgdata"]).arg(self.options.data());
                command.arg("--log").arg(&log).arg("--options").arg(self.settings());
            });
            let Err(error) = started else { return Ok(()) };
            let Ok(said) = std::fs::read(&log) else { return Err(error) };
            let said = tail(&said);
            // Shared memory, or the lock file of a server that is just ending.
            let leftover = said.contains("still in use") || said.contains("is another postmaster");
            if !leftover || since.elapsed() > LEFTOVERS_MAX {
                return Err(ClusterError::NotStarted { log, said });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The server's settings as `pg_ctl` hands them on, through a shell.
    fn settings(&self) -> String {
        let sockets = self.options.sockets();
        // A list of quoted names to PostgreSQL, one word to the shell.
        let sockets = format!("\"{}\"", sockets.to_string_lossy().replace('"', "\"\"")).replace('\'', r"'\''");
        let durable = if self.options.durable { "on" } else { "off" };
        [
            "listen_addresses=".to_owned(),
            format!("port={PORT}"),
            format!("unix_socket_directories='{sockets}'"),
            "unix_socket_permissions=0700".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=64MB".to_owned(),
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
            "max_parallel_workers_per_gather=0".to_owned(),
            // Compiling a query costs more than any query on this little data.
            "jit=off".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            format!("synchronous_commit={durable}"),
        ]
        .map(|setting| format!("-c {setting}"))
        .join(" ")
    }

    fn stop(&self) -> Result<(), ClusterError> {
        if self.pid().is_none() {
            return Ok(());
        }
        let stop = |mode: &str| {
            self.run("pg_ctl", |command| {
                command.args(["stop", "--silent", "--wait", "--timeout", "30", "--mode", mode, "--pgdata"]);
                command.arg(self.options.data());
            })
        };
        // A server that hangs loses nothing by an immediate stop: it recovers at the next start.
        stop("fast").or_else(|error| if self.pid().is_none() { Ok(()) } else { stop("immediate").map_err(|_| error) })
    }

    /// Stops the server of an owner that was killed. A lock file that names some other process, as after a restart of
    /// the machine, would keep the server from starting, and goes.
    fn stop_leftover(&self) -> Result<(), ClusterError> {
        let Some(pid) = self.pid() else { return Ok(()) };
        if is_server_of(pid, &self.options.data()) {
            return self.stop();
        }
        remove(&self.options.data().join("postmaster.pid"))
    }

    /// The live process that the server's lock file names.
    fn pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.options.data().join("postmaster.pid")).ok()?;
        let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)?);
        (kill(pid, None) != Err(nix::errno::Errno::ESRCH)).then_some(pid)
    }
}

/// Whether a process is the server of this data directory: it was started with its path.
fn is_server_of(pid: Pid, data: &Path) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).or_else(|_| {
        Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output().map(|output| output.stdout)
    });
    let data = data.as_os_str().as_encoded_bytes();
    line.is_ok_and(|line| line.windows(data.len()).any(|part| part == data))
}

/// Locales that know Korean letters from punctuation, which trigrams need; the first that `initdb` accepts is used.
fn utf8_locales() -> Vec<String> {
    let mut all: Vec<String> = ["C.UTF-8", "en_US.UTF-8", "ko_KR.UTF-8"].map(str::to_owned).into();
    if let Ok(output) = Command::new("locale").arg("-a").output() {
        let known = String::from_utf8_lossy(&output.stdout);
        let is_utf8 = |name: &&str| {
            let charset = name.rsplit('.').next().unwrap_or_default();
            charset.eq_ignore_ascii_case("utf8") || charset.eq_ignore_ascii_case("utf-8")
        };
        all.extend(known.lines().filter(is_utf8).take(3).map(str::to_owned));
    }
    all
}

/// Removes a file or directory that may not be there.
fn remove(path: &Path) -> Result<(), ClusterError> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(is) if is.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ClusterError::Io { doing: "removing", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_the_socket() {
        let options = Options::throwaway("/tmp/a b&c");
        assert_eq!(options.url("x"), "postgres://verifydesk@localhost:5432/x?host=/tmp/a%20b%26c");
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let deep = PathBuf::from("/home/someone").join("deep/".repeat(30));
        let (one, other) = (Options::throwaway(&deep), Options::throwaway(deep.join("x")));
        assert!(one.sockets().as_os_str().len() <= SOCKET_DIRECTORY_MAX);
        assert_ne!(one.sockets(), other.sockets());
        assert_eq!(Options::throwaway("/home/x").sockets(), Path::new("/home/x"));
    }

    #[test]
    fn another_process_is_not_the_server() {
        assert!(!is_server_of(Pid::this(), Path::new("/nowhere/verifydesk/data")));
    }
}
