//! A PostgreSQL server that can have a standby, a clock of its own and a disk that fills, reached by its socket only.
//!
//! The demo's cluster is made for one owner who wants no set-up; this one is made to be broken.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use verifydesk::demo::cluster::{Binaries, ROLE};

use super::place::{Place, account};

/// Names the socket; nothing listens on the network.
const PORT: &str = "5432";

const OWN: [&str; 9] = [
    "listen_addresses = ''",
    "port = 5432",
    "max_connections = 200",
    "shared_buffers = 64MB",
    "jit = off",
    "timezone = UTC",
    "log_timezone = UTC",
    "fsync = off",
    "max_parallel_workers_per_gather = 0",
];

/// A server's directory: `data/`, the socket, the log, and what it is made to believe about time. Stopped when dropped.
pub struct Node {
    place: Place,
    /// The library by which the clock is moved; none where the clock stays as it is.
    faketime: Option<PathBuf>,
}

impl Node {
    /// A new primary that takes these settings, and standbys.
    pub fn primary(settings: &[&str]) -> Self {
        let node = Self { place: Place::new(), faketime: None };
        let data = node.data();
        node.run("initdb", |command| {
            command.arg("--pgdata").arg(&data);
            command.args(["--username", ROLE, "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "trust"]);
            command.args(["--no-sync", "--no-instructions"]);
        });
        node.configure(&OWN);
        node.configure(settings);
        node.set_sockets();
        node
    }

    /// A copy of a running primary that follows it under this name. What is in a tablespace of the primary's comes to
    /// the standby's own place.
    pub fn standby(of: &Self, name: &str, tablespace: Option<&Path>) -> Self {
        let node = Self { place: Place::new(), faketime: of.faketime.clone() };
        node.run("pg_basebackup", |command| {
            command.arg("--pgdata").arg(node.data()).args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"]);
            command.args(["--wal-method=stream", "--dbname"]);
            let host = of.place.path().display();
            command.arg(format!("host={host} port={PORT} user={ROLE} application_name={name}"));
            if let Some(from) = tablespace {
                let to = node.place.path().join("tablespace");
                command.arg(format!("--tablespace-mapping={}={}", from.display(), to.display()));
            }
        });
        node.set_sockets();
        node
    }

    /// Has the clock moved by [`Node::set_clock`] from the next start on.
    pub fn own_clock(&mut self) {
        self.faketime = Some(libfaketime());
        self.set_clock("+0");
    }

    /// Moves the clock by an offset as libfaketime writes it, such as `-1h`, for all that runs.
    pub fn set_clock(&self, offset: &str) {
        let (clock, new) = (self.clock(), self.place.path().join("clock.new"));
        std::fs::write(&new, format!("{offset}\n")).unwrap();
        std::fs::rename(new, clock).unwrap();
    }

    /// Starts the server, and waits until it lets someone in.
    pub fn start(&self) {
        self.run("pg_ctl", |command| {
            command.args(["start", "--silent", "--wait", "--timeout", "60", "--pgdata"]).arg(self.data());
            command.arg("--log").arg(self.place.path().join("log"));
            if let Some(library) = &self.faketime {
                command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", self.clock());
                command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            }
        });
    }

    /// Stops it as a crash would: sessions end, nothing is written any more.
    pub fn crash(&self) {
        self.control(&["stop", "--silent", "--wait", "--mode", "immediate"]);
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["promote", "--silent", "--wait", "--timeout", "60"]);
    }

    /// Starts what was a primary as a standby, which follows no one.
    pub fn start_as_standby(&self) {
        std::fs::write(self.data().join("standby.signal"), "").unwrap();
        self.start();
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}@localhost:{PORT}/{database}?host={}", self.place.path().display())
    }

    /// The end of its log, for a failure's message.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    pub fn directory(&self) -> &Path {
        self.place.path()
    }

    fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn clock(&self) -> PathBuf {
        self.place.path().join("clock")
    }

    /// Adds settings, of which the last of a name counts, from the next start on.
    pub fn configure(&self, settings: &[&str]) {
        let mut text = String::new();
        for setting in settings {
            writeln!(text, "{setting}").unwrap();
        }
        let mut file = File::options().append(true).open(self.data().join("postgresql.conf")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn set_sockets(&self) {
        self.configure(&[&format!("unix_socket_directories = '{}'", self.place.path().display())]);
    }

    fn control(&self, arguments: &[&str]) {
        self.run("pg_ctl", |command| {
            command.args(arguments).arg("--pgdata").arg(self.data());
        });
    }

    fn run(&self, tool: &'static str, fill: impl FnOnce(&mut Command)) {
        let mut command = Command::new(Binaries::find(None).unwrap().tool(tool));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.current_dir(self.place.path()).stdin(Stdio::null());
        if let Some(account) = account() {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        fill(&mut command);
        // The server keeps what it is given as standard output open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success(), "{tool} ended with {status}; the server's log says\n{}", self.log());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.crash();
        }
    }
}

/// What moves a program's clock, to be preloaded.
pub fn libfaketime() -> PathBuf {
    let places = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let multiarch = places[0].join(format!("{}-linux-gnu", std::env::consts::ARCH));
    let libraries = places.into_iter().chain([multiarch]).map(|dir| dir.join("faketime/libfaketimeMT.so.1"));
    let library = libraries.into_iter().find(|library| library.exists());
    library.expect("libfaketime; scripts/install-test-tools.sh installs it")
}

mod tests {
    use sqlx::{Connection as _, PgConnection};
    use verifydesk::domain::Time;

    use super::*;
    use crate::support::tcp_proxy::TcpProxy;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_standby_takes_over_with_all_that_was_committed() {
        let mut primary = Node::primary(&["synchronous_standby_names = 'second'"]);
        primary.own_clock();
        primary.start();
        let second = Node::standby(&primary, "second", None);
        second.start();
        let mut connection = PgConnection::connect(&primary.url("postgres")).await.unwrap();
        sqlx::raw_sql("create table kept as select 42 as n").execute(&mut connection).await.unwrap();
        primary.crash();
        second.promote();
        let mut connection = PgConnection::connect(&second.url("postgres")).await.unwrap();
        let kept: i32 = sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap();
        assert_eq!(kept, 42);
        second.set_clock("-1h");
        let now: Time = sqlx::query_scalar("select clock_timestamp()").fetch_one(&mut connection).await.unwrap();
        assert!((chrono::Utc::now() - now).num_minutes() >= 59, "{now}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_gate_forgets_what_is_open_and_lets_new_ones_pass() {
        let db = crate::support::TestDb::new().await;
        let proxy = TcpProxy::new(&db.url).await;
        let mut old = PgConnection::connect(&proxy.url).await.unwrap();
        proxy.forget();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(300), old.ping()).await;
        assert!(waited.is_err(), "{waited:?}");
        PgConnection::connect(&proxy.url).await.unwrap().ping().await.unwrap();
    }
}
