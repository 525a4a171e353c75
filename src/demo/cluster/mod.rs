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
mod place;

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use nix::unistd::{Pid, Uid};
use sha2::{Digest as _, Sha256};
use sqlx::migrate::MigrateDatabase as _;

use self::account::Account;
pub use self::binaries::{Binaries, VERSION_MIN};
pub use self::error::ClusterError;
use self::place::Place;

/// The cluster's one role: its superuser.
pub const ROLE: &str = "verifydesk";

/// The demo's directory in `/var/lib`, for root.
const ROOTS_DEMO: &str = "verifydesk-demo";

/// Names the socket; nothing listens on the network.
const PORT: u16 = 5432;

/// Longest directory for a socket: `sun_path` holds 104 bytes on macOS, 108 on Linux, and `/.s.PGSQL.5432` follows.
const SOCKET_DIRECTORY_MAX: usize = 85;

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
    /// account cannot enter, `/var/lib/verifydesk-demo/postgres`.
    pub fn demo() -> Result<Self, ClusterError> {
        let directory = if Uid::effective().is_root() {
            Path::new("/var/lib").join(ROOTS_DEMO).join("postgres")
        } else {
            let base = etcetera::choose_base_strategy().map_err(|_| ClusterError::NoHome)?;
            base.data_dir().join("verifydesk").join("demo")
        };
        Ok(Self { directory, durable: true })
    }

    /// A cluster that no one will miss, for tests.
    pub fn throwaway(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), durable: false }
    }

    /// The URL of one of the cluster's databases, whatever account runs it: for sqlx as well as for psql.
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

    /// Where what is one's own and not the server's is kept: in the directory, or, where another account owns that, in the
    /// one around it. In the server's own, its account could put a link in the place of any file.
    pub fn own_directory(&self) -> Result<PathBuf, ClusterError> {
        if !Account::choose()?.is_another() {
            return Ok(self.directory.clone());
        }
        let around = self.directory.parent().unwrap_or(&self.directory).to_owned();
        let is = std::fs::symlink_metadata(&around).map_err(|source| ClusterError::Io {
            doing: "looking at",
            path: around.clone(),
            source,
        })?;
        // Owned by this account, and no other may put anything into it.
        if is.is_dir() && is.uid() == Uid::effective().as_raw() && is.mode() & 0o022 == 0 {
            Ok(around)
        } else {
            Err(ClusterError::Unsafe { path: around })
        }
    }

    /// The demo's directory, where the server's account owns all of it, as an earlier version had it.
    fn owned_by_server(&self) -> Option<PathBuf> {
        let (account, around) = (Account::choose().ok()?, self.directory.parent()?);
        let is = std::fs::symlink_metadata(around).ok()?;
        let is_so = account.is_another() && is.is_dir() && account.owns(&is) && around.ends_with(ROOTS_DEMO);
        is_so.then(|| around.to_owned())
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
        let version = Account::choose().ok()?.read(&self.data().join("PG_VERSION")).ok()?;
        std::str::from_utf8(&version).ok()?.trim().parse().ok()
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
        if let Some(before) = options.owned_by_server() {
            Self::reset(&Options { directory: before, ..options.clone() })?;
        }
        if std::fs::symlink_metadata(directory).is_err() {
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
        self.place.server().map(Pid::as_raw)
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
}
