//! One private PostgreSQL a run, shared by all its test processes.
//!
//! `cargo test` is one process, `cargo nextest` one for each test, and any of them may be killed. So no process counts:
//! each process holds a shared lock on one file for as long as it lives, and a process of its own, the reaper, waits
//! until it can have that lock alone. Then no process is left, and it removes the cluster.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use verifydesk::demo::cluster::{Cluster, Options};

/// Set for the reaper alone.
const REAPER: &str = "VERIFYDESK_TEST_REAPER";

/// How long the cluster outlives its last holder: runs of single tests have gaps between their processes.
const GRACE: Duration = Duration::from_secs(5);

/// The cluster of this checkout's tests: two checkouts tested at once do not meet.
fn options() -> Options {
    let root = nix::unistd::Uid::effective().is_root();
    // Root's server runs as another user, who may not enter root's own TMPDIR.
    let parent = if root { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let digest = Sha256::digest(env!("CARGO_TARGET_TMPDIR"));
    let number = u32::from_be_bytes(digest[..4].try_into().unwrap());
    Options::throwaway(parent.join(format!("vdtest-{}-{number:08x}", nix::unistd::Uid::effective())))
}

/// Locked while the cluster or its template is being made.
fn making() -> File {
    open("postgres.making")
}

/// Locked by the reaper.
fn reaping() -> File {
    open("postgres.reaping")
}

/// Locked, shared, by everyone who uses the cluster.
fn holders() -> File {
    open("postgres.holders")
}

fn open(name: &str) -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    file.unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()))
}

/// The run's server, running; `template` is called once a process, with no other process making anything.
pub fn join(template: impl FnOnce(&Options)) -> Options {
    static HOLDING: OnceLock<(Options, File)> = OnceLock::new();
    let (options, _) = HOLDING.get_or_init(|| {
        let making = making();
        making.lock().unwrap();
        let holders = holders();
        // Waits here while the reaper removes the last run's cluster.
        holders.lock_shared().unwrap();
        holders.set_modified(SystemTime::now()).unwrap();
        let options = options();
        if !options.is_running() {
            Cluster::start(options.clone()).unwrap_or_else(|error| panic!("{error}")).leave_running();
        }
        start_reaper();
        template(&options);
        making.unlock().unwrap();
        (options, holders)
    });
    options.clone()
}

#[expect(clippy::zombie_processes, reason = "it is there to outlive this process")]
fn start_reaper() {
    if reaping().try_lock().is_err() {
        return;
    }
    Command::new(std::env::current_exe().unwrap())
        .args(["support::server::reaper", "--exact", "--ignored"])
        .env(REAPER, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C ends the tests, and the reaper is needed after them.
        .process_group(0)
        .spawn()
        .unwrap();
}

/// Not a test, but the only way into this program besides its tests.
#[test]
#[ignore = "the process that removes the cluster after the run"]
fn reaper() {
    if std::env::var_os(REAPER).is_none() {
        return;
    }
    let reaping = reaping();
    if reaping.try_lock().is_err() {
        return;
    }
    let holders = holders();
    loop {
        holders.lock().unwrap();
        let last_joined = holders.metadata().unwrap().modified().unwrap();
        holders.unlock().unwrap();
        std::thread::sleep(GRACE);
        // A process that joined in between has left the time of it.
        if holders.try_lock().is_ok() && holders.metadata().unwrap().modified().unwrap() == last_joined {
            Cluster::reset(&options()).unwrap();
            return;
        }
        holders.unlock().unwrap();
    }
}
