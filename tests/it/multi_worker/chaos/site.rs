//! Two database servers, a way to each that can forget, a relay that can refuse, and workers.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};

use super::watch::Watch;
use crate::mail_servers::Counter;
use crate::multi_worker::ending::{self, Row};
use crate::multi_worker::{Fleet, pid, queue};
use crate::support::node::Node;
use crate::support::place::{Place, account};
use crate::support::tcp_proxy::TcpProxy;

const DATABASE: &str = "chaos";

/// By the name of the database role that each connects as.
pub const WORKERS: [&str; 3] = ["worker_1", "worker_2", "worker_3"];

/// How large the disk is that fills.
const DISK: &str = "size=400m";

/// Longest wait until mails go again after a trouble is over.
const RECOVERY_MAX: Duration = Duration::from_mins(1);

/// How long all mails would take if nothing went wrong.
const UNDISTURBED: usize = 45;

/// Time-outs, and with them leases, are short; a relay is asked again soon.
const SETTINGS: [(&str, &str); 6] = [
    ("VERIFYDESK_SMTP__TIMEOUT", "2s"),
    ("VERIFYDESK_SMTP__DATA_TIMEOUT", "3s"),
    ("VERIFYDESK_WORKER__UNKNOWN_AFTER", "1s"),
    ("VERIFYDESK_WORKER__LANES", "20"),
    ("VERIFYDESK_BRAKE__PROBE_AFTER", "500ms"),
    ("RUST_LOG", "info"),
];

pub struct Site {
    pub server: Counter,
    pub fleet: Fleet,
    pub proxies: Vec<TcpProxy>,
    pub nodes: Vec<Node>,
    /// Which of them is the primary.
    pub primary: usize,
    /// The primary's disk, where this user may mount one.
    pub disk: Option<Disk>,
    watch: Option<Watch>,
    started: Instant,
}

/// A small file system of its own. Unmounted when dropped.
pub struct Disk {
    place: Place,
}

impl Disk {
    /// `None` where this user may not mount.
    fn mount() -> Option<Self> {
        let place = Place::new();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(place.path()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            return None;
        }
        let disk = Self { place };
        if let Some(account) = account() {
            std::os::unix::fs::chown(disk.path(), Some(account.uid.as_raw()), Some(account.gid.as_raw())).unwrap();
        }
        Some(disk)
    }

    pub fn path(&self) -> &Path {
        self.place.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

impl Site {
    /// Everything is well yet; so many mails wait.
    pub async fn start(sends: usize) -> Self {
        let disk = Disk::mount();
        let mut primary = Node::primary(&["synchronous_standby_names = 'second'"]);
        primary.own_clock();
        primary.start();
        prepare(&primary, disk.as_ref()).await;
        let standby = Node::standby(&primary, "second", disk.as_ref().map(Disk::path));
        standby.configure(&["synchronous_standby_names = ''"]);
        standby.start();
        let proxies = vec![TcpProxy::new(&primary.url(DATABASE)).await, TcpProxy::new(&standby.url(DATABASE)).await];
        let server = Counter::start(Duration::from_millis(5), Duration::from_millis(20));
        let rate = (sends / UNDISTURBED).to_string();
        let settings: Vec<_> = SETTINGS.into_iter().chain([("VERIFYDESK_PACE__RATE", &*rate)]).collect();
        let fleet = Fleet::new(&url("verifydesk", &proxies), &server, &settings);
        let migrated = fleet.program.run(&["migrate"]);
        assert_eq!(migrated.code, 0, "{}", migrated.err);
        let nodes = vec![primary, standby];
        let mut site = Self { server, fleet, proxies, nodes, primary: 0, disk, watch: None, started: Instant::now() };
        queue(&mut site.admin().await, sends).await;
        for role in WORKERS {
            let mut command = site.fleet.command(&["worker"]);
            command.env("DATABASE_URL", url(role, &site.proxies));
            site.fleet.spawn(command);
        }
        site.started = Instant::now();
        site.watch = Some(Watch::over(&site));
        site
    }

    /// A connection to the primary past the proxies, and by its own clock's leave.
    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.nodes[self.primary].url(DATABASE)).await.unwrap()
    }

    /// Waits until so many mails have come.
    pub async fn wait_for(&self, count: usize) {
        let came = self.server.wait(count, RECOVERY_MAX);
        if came < count {
            let states: Vec<String> = sqlx::query_scalar(
                "select concat_ws(' ', count(*), state, 'due in', max(due_at) - now(), 'changed', max(changed_at) - now())
                from sends
                group by state",
            )
            .fetch_all(&mut self.admin().await)
            .await
            .unwrap();
            panic!("only {came} of {count} mails came in {RECOVERY_MAX:?}: {states:#?}\n{}", self.log());
        }
    }

    /// Sends a worker a signal.
    pub fn signal(&self, worker: usize, signal: Signal) {
        nix::sys::signal::kill(self.worker(worker), signal).unwrap();
    }

    fn worker(&self, number: usize) -> Pid {
        pid(&self.fleet.workers[number].0)
    }

    /// What `verifydesk queue` answers.
    pub fn queue_command(&self) -> Command {
        self.fleet.program.command(&["queue", "--json"])
    }

    /// The sends when nothing more becomes of any, and how long all took; the workers end without errors.
    pub async fn settled(&mut self) -> (Vec<Row>, Duration) {
        let rows = ending::settled(&mut self.admin().await, &self.fleet).await;
        let took = self.started.elapsed();
        self.fleet.end();
        (rows, took)
    }

    /// When nothing went and `queue` did not say why.
    pub fn silences(&mut self) -> Vec<String> {
        self.watch.take().map(Watch::end).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        format!("{}\nthe primary says\n{}", self.fleet.log(), self.nodes[self.primary].log())
    }
}

/// Both servers, as an operator would write them.
fn url(role: &str, proxies: &[TcpProxy]) -> String {
    let hosts: Vec<String> = proxies.iter().map(|proxy| format!("127.0.0.1:{}", proxy.port())).collect();
    format!("postgres://{role}@{}/{DATABASE}?target_session_attrs=read-write&sslmode=disable", hosts.join(","))
}

/// The roles and the database, on the small disk if there is one.
async fn prepare(primary: &Node, disk: Option<&Disk>) {
    let mut connection = PgConnection::connect(&primary.url("postgres")).await.unwrap();
    let mut statements: Vec<String> =
        WORKERS.iter().map(|role| format!("create role {role} superuser login")).collect();
    let mut create = format!("create database {DATABASE}");
    if let Some(disk) = disk {
        statements.push(format!("create tablespace small location '{}'", disk.path().display()));
        create.push_str(" tablespace small");
    }
    statements.push(create);
    for statement in statements {
        // No standby answers yet.
        let statement = format!("set synchronous_commit = local; {statement}");
        for part in statement.split("; ") {
            sqlx::raw_sql(sqlx::AssertSqlSafe(part)).execute(&mut connection).await.unwrap();
        }
    }
}
