//! What the tests talk to: programs of others, and one server that only counts.

pub mod counter;
mod sink;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use counter::Counter;
pub use sink::Sink;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A private certificate authority and a server certificate of its making for 127.0.0.1 and localhost.
pub struct Authority {
    dir: TempDir,
}

impl Authority {
    /// One with openssl; each has keys of its own.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let extensions = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n";
        std::fs::write(dir.path().join("server.ext"), extensions).unwrap();
        for command in [
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.pem",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem",
        ] {
            let made = Command::new("openssl").args(command.split(' ')).current_dir(dir.path()).output().unwrap();
            assert!(made.status.success(), "openssl {command}: {}", String::from_utf8_lossy(&made.stderr));
        }
        Self { dir }
    }

    /// A certificate that has signed itself and calls itself an authority, as `openssl req -x509` makes them; the
    /// server shows this very one.
    pub fn self_signed() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
                       -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.pem";
        let made = Command::new("openssl").args(options.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::copy(dir.path().join("server.pem"), dir.path().join("ca.pem")).unwrap();
        Self { dir }
    }

    /// One for all tests of this run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// The authority's own certificate: what `smtp.ca_file` takes.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }
}

/// aiosmtpd with faults on demand; see `tests/mail_servers/smtp_server.py`.
pub struct SmtpServer {
    process: Child,
    port: u16,
    reported: Arc<Reported>,
    dir: TempDir,
}

/// What the server has printed so far.
#[derive(Default)]
struct Reported {
    lines: Mutex<Vec<Value>>,
    more: Condvar,
}

/// How a server is to behave.
pub struct SmtpServerOptions {
    tls: &'static str,
    certificate: PathBuf,
    arguments: Vec<String>,
}

impl SmtpServerOptions {
    fn new(tls: &'static str) -> Self {
        Self { tls, certificate: Authority::shared().dir.path().to_owned(), arguments: Vec::new() }
    }

    /// It asks user and password, where there are any.
    pub fn sign_in(mut self, user: &str, password: &str) -> Self {
        self.arguments.extend(["--user", user, "--password", password].map(ToOwned::to_owned));
        self
    }

    /// It offers this AUTH mechanism only.
    pub fn mechanism(mut self, mechanism: &str) -> Self {
        self.arguments.extend(["--mechanism", mechanism].map(ToOwned::to_owned));
        self
    }

    /// It shows the certificate of this authority instead of the shared one's.
    pub fn certificate(mut self, authority: &Authority) -> Self {
        authority.dir.path().clone_into(&mut self.certificate);
        self
    }

    /// A fault, such as `rcpt=drop` or `mail=reply:553 no`; see the server's own description.
    pub fn fault(mut self, fault: &str) -> Self {
        self.arguments.push(format!("--fault={fault}"));
        self
    }

    /// How long it waits for a command before it closes.
    pub fn idle(mut self, limit: Duration) -> Self {
        self.arguments.push(format!("--idle={}", limit.as_secs_f32()));
        self
    }

    /// Starts it, and waits until it listens.
    pub fn start(self) -> SmtpServer {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = python(root);
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        command
            .arg(root.join("tests/mail_servers/smtp_server.py"))
            .args(["--tls", self.tls])
            .arg("--dir")
            .arg(dir.path());
        if self.tls != "none" {
            command.arg("--certificate").arg(self.certificate.join("server.pem"));
            command.arg("--key").arg(self.certificate.join("server.key"));
        }
        let mut process = command.args(self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let reported = Arc::new(Reported::default());
        let output = BufReader::new(process.stdout.take().unwrap());
        let listener = Arc::clone(&reported);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                listener.lines.lock().unwrap().push(value);
                listener.more.notify_all();
            }
        });
        let mut server = SmtpServer { process, port: 0, reported, dir };
        let first = server.wait_for(|line| line.get("port").is_some());
        server.port = first["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap();
        server
    }
}

impl SmtpServer {
    /// One that speaks STARTTLS and takes mail only after it.
    pub fn starttls() -> SmtpServerOptions {
        SmtpServerOptions::new("starttls")
    }

    /// One that speaks TLS from the first byte.
    pub fn tls() -> SmtpServerOptions {
        SmtpServerOptions::new("tls")
    }

    /// One that speaks in clear text only.
    pub fn plain() -> SmtpServerOptions {
        SmtpServerOptions::new("none")
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes these faults instead of all others.
    pub fn set_faults(&mut self, faults: &[String]) {
        let is_set = |line: &Value| line["event"] == "faults";
        let before = self.reports().iter().filter(|line| is_set(line)).count();
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "{}", serde_json::to_string(faults).unwrap()).unwrap();
        self.wait_until(|lines| (lines.iter().filter(|line| is_set(line)).count() > before).then_some(()));
    }

    /// All that it has reported so far.
    pub fn reports(&self) -> Vec<Value> {
        self.reported.lines.lock().unwrap().clone()
    }

    /// Waits for something that it reports, or has reported.
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_until(|lines| lines.iter().find(|line| wanted(line)).cloned())
    }

    fn wait_until<T>(&self, wanted: impl Fn(&[Value]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.reported.lines.lock().unwrap();
        loop {
            if let Some(found) = wanted(&lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the mail server did not report it in time; it reported: {lines:?}");
            lines = self.reported.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits until a fault has struck.
    pub fn wait_for_fault(&self, stage: &str) {
        self.wait_for(|line| line["event"] == "fault" && line["stage"] == stage);
    }

    /// Waits until so many lines on the wire, or about it, had this in them.
    pub fn wait_for_lines(&self, text: &str, count: usize) {
        self.wait_until(|lines| (lines.iter().filter(|line| is_line_with(line, text)).count() >= count).then_some(()));
    }

    /// The mails that it has taken, oldest first.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
    }

    /// How often a line on the wire had this in it.
    pub fn lines_with(&self, text: &str) -> usize {
        self.reports().iter().filter(|line| is_line_with(line, text)).count()
    }
}

fn is_line_with(reported: &Value, text: &str) -> bool {
    reported["event"] == "line" && reported["text"].as_str().is_some_and(|line| line.contains(text))
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The interpreter that has their Python packages; made ready where it is not.
pub fn python(root: &Path) -> PathBuf {
    ready(root);
    root.join("target/tools/venv/bin/python")
}

/// The program of a package of npm's; made ready where it is not.
#[cfg(feature = "aws")]
pub fn of_npm(root: &Path, package: &str, program: &str) -> Command {
    ready(root);
    let mut command = Command::new(root.join("target/tools/node"));
    command.arg(root.join("target/tools").join(package).join("node_modules").join(package).join(program));
    command
}

fn ready(root: &Path) {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        let made = Command::new(root.join("tests/peers.sh")).output().unwrap();
        let _ = std::io::stderr().write_all(&made.stderr);
        assert!(made.status.success(), "tests/peers.sh failed");
    });
}
