//! postfix's `smtp-sink`: a mail server that this project did not write, with faults of its own.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::PATIENCE;

/// A running `smtp-sink`, in clear text on 127.0.0.1. Ends when dropped, or with the test's process.
pub struct Sink {
    shell: Child,
    port: u16,
    dir: TempDir,
}

impl Sink {
    /// Starts one with these flags, such as `-r rcpt`, and waits until it listens.
    pub fn start(flags: &[&str]) -> Self {
        loop {
            if let Some(sink) = Self::try_start(flags) {
                return sink;
            }
        }
    }

    /// `None` if another process took the port first: `smtp-sink` cannot choose one itself.
    fn try_start(flags: &[&str]) -> Option<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        if nix::unistd::Uid::effective().is_root() {
            // It refuses to stay root, and then has to be let into the directory.
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            std::fs::set_permissions(dir.path(), open).unwrap();
            arguments.extend(["-u", "nobody"].map(ToOwned::to_owned));
        }
        arguments.extend(["-d".to_owned(), format!("{}/mail.", dir.path().display())]);
        arguments.extend([format!("127.0.0.1:{port}"), "100".to_owned()]);
        // The shell ends the sink by its number when its own input ends: with this value, or with the whole process.
        let shell = Command::new("sh")
            .args(["-c", r#"out=$1; shift; "$@" 2>"$out" & sink=$!; cat; kill $sink; wait"#, "sink"])
            .arg(dir.path().join("told"))
            .arg(program())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let sink = Self { shell, port, dir };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(sink);
            }
            let told = std::fs::read_to_string(sink.dir.path().join("told")).unwrap_or_default();
            if told.contains("Address already in use") {
                return None;
            }
            assert!(told.is_empty() && Instant::now() < deadline, "smtp-sink did not start: {told}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails whose content came to it, whatever it answered, in no order.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mails = files.filter(|file| file.file_name().is_some_and(|name| name != "told"));
        mails.map(|file| std::fs::read(file).unwrap()).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Debian keeps it out of the path of all but root.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let mut programs = places.map(|place| place.join("smtp-sink"));
    programs.find(|program| program.exists()).expect("postfix's smtp-sink; scripts/install-test-tools.sh installs it")
}
