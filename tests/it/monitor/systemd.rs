//! What systemd hears, at a socket as it has one.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, program};
use crate::support::{Program, Running, TestDb};

/// In the place of systemd.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Systemd {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path, _dir: dir }
    }

    fn start(&self, program: &Program, arguments: &[&str], watchdog_us: Option<u64>) -> Running {
        let mut command = program.command(arguments);
        command.env("NOTIFY_SOCKET", &self.path).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some(us) = watchdog_us {
            command.env("WATCHDOG_USEC", us.to_string());
        }
        Running(command.spawn().unwrap())
    }

    /// The next that it hears.
    fn hears(&self) -> String {
        let mut bytes = [0; 512];
        let length = self.socket.recv(&mut bytes).expect("it is told in time");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// How often it hears that the service lives, until it hears something else; gives that.
    fn hears_beside_life(&self) -> (usize, String) {
        let mut alive = 0;
        loop {
            match self.hears() {
                said if said == "WATCHDOG=1\n" => alive += 1,
                said => return (alive, said),
            }
        }
    }
}

fn end(process: &mut Child) -> i32 {
    kill(Pid::from_raw(i32::try_from(process.id()).unwrap()), Signal::SIGTERM).unwrap();
    process.wait().unwrap().code().unwrap()
}

const SERVICES: [&[&str]; 2] = [&["worker"], &["serve", "--listen", "127.0.0.1:0"]];

#[tokio::test(flavor = "multi_thread")]
async fn it_hears_that_a_service_is_ready_lives_and_ends() {
    let db = TestDb::new().await;
    for arguments in SERVICES {
        let systemd = Systemd::new();
        let mut service = systemd.start(&program(&db.url), arguments, Some(60_000));
        assert_eq!(systemd.hears(), "READY=1\n", "{arguments:?}");
        for _ in 0..5 {
            assert_eq!(systemd.hears(), "WATCHDOG=1\n");
        }
        assert_eq!(end(&mut service.0), 0);
        let (_, said) = systemd.hears_beside_life();
        assert_eq!(said, "STOPPING=1\n", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_watchdog_it_hears_no_more_than_that() {
    let db = TestDb::new().await;
    for arguments in SERVICES {
        let systemd = Systemd::new();
        let mut service = systemd.start(&program(&db.url), arguments, None);
        assert_eq!(systemd.hears(), "READY=1\n");
        assert_eq!(end(&mut service.0), 0);
        assert_eq!(systemd.hears_beside_life(), (0, "STOPPING=1\n".into()), "{arguments:?}");
    }
}

/// A worker whose database is not prepared ends before it was ready, so that systemd knows that it has failed.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_is_never_ready() {
    let db = TestDb::empty("").await;
    let systemd = Systemd::new();
    let mut service = systemd.start(&program(&db.url), &["worker"], Some(60_000));
    assert_eq!(service.0.wait().unwrap().code(), Some(1));
    systemd.socket.set_nonblocking(true).unwrap();
    assert!(systemd.socket.recv(&mut [0; 512]).is_err(), "it has heard nothing");
}
