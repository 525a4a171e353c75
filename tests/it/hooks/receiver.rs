//! A receiver of webhooks; see `tests/webhooks/receiver.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use verifydesk::config::{Secret, Webhook};

use crate::mail_servers::{Authority, PATIENCE, python};

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const NEW_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD5/0ePN3HZsg=";

#[derive(Default)]
struct Told {
    lines: Mutex<Vec<Value>>,
    more: Condvar,
}

/// Ends when dropped.
pub struct Receiver {
    process: Child,
    input: Mutex<ChildStdin>,
    told: Arc<Told>,
    port: u64,
    with_tls: bool,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Receiver {
    /// One without TLS.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// One with a certificate of the tests' authority.
    pub fn with_tls() -> Self {
        Self::start_with(true)
    }

    fn start_with(with_tls: bool) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python(root));
        command.arg(root.join("tests/webhooks/receiver.py"));
        if with_tls {
            let dir = Authority::shared().ca_file();
            command.args(["server.pem", "server.key"].map(|name| dir.with_file_name(name)));
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let told = Arc::new(Told::default());
        let (output, listener) = (BufReader::new(process.stdout.take().unwrap()), Arc::clone(&told));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                listener.lines.lock().unwrap().push(serde_json::from_str(&line).unwrap());
                listener.more.notify_all();
            }
        });
        let input = Mutex::new(process.stdin.take().unwrap());
        let mut receiver = Self { process, input, told, port: 0, with_tls };
        receiver.port = receiver.until(|lines| lines.first()?["port"].as_u64());
        receiver.set(&json!({ "secrets": [SECRET, NEW_SECRET] }));
        receiver
    }

    /// What it does with the next requests; the last of them it does with all others.
    pub fn then(&mut self, what: &Value) {
        self.set(&json!({ "then": what }));
    }

    pub fn set(&mut self, state: &Value) {
        self.say(state);
    }

    fn say(&self, state: &Value) {
        let count = |lines: &[Value]| lines.iter().filter(|line| line["event"] == "set").count();
        let mut input = self.input.lock().unwrap();
        let before = count(&self.told.lines.lock().unwrap());
        writeln!(input, "{state}").unwrap();
        self.until(|lines| (count(lines) > before).then_some(()));
    }

    /// What it has told so far: it tells of a request before it answers, and of what is set behind all that.
    fn lines(&self) -> Vec<Value> {
        self.say(&json!({}));
        self.told.lines.lock().unwrap().clone()
    }

    /// What it has got so far.
    pub fn got(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["event"] == "got").collect()
    }

    /// Each as "user type", in the order in which they came.
    pub fn in_short(&self) -> Vec<String> {
        self.got().iter().map(short).collect()
    }

    /// Waits until it has got so many.
    pub fn wait(&self, count: usize) -> Vec<Value> {
        self.until(|lines| {
            let got: Vec<Value> = lines.iter().filter(|line| line["event"] == "got").cloned().collect();
            (got.len() >= count).then_some(got)
        })
    }

    /// Whether this happened.
    pub fn has(&self, event: &str) -> bool {
        self.lines().iter().any(|line| line["event"] == event)
    }

    fn until<T>(&self, wanted: impl Fn(&[Value]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.told.lines.lock().unwrap();
        loop {
            if let Some(found) = wanted(&lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the receiver has told only {lines:#?}");
            lines = self.told.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    pub fn url(&self) -> String {
        let scheme = if self.with_tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}/hooks?from=desk", self.port)
    }

    /// As settings have it.
    pub fn webhook(&self) -> Webhook {
        Webhook {
            url: Some(Secret::new(self.url())),
            secret: Some(Secret::new(SECRET)),
            allow_private: true,
            ca_file: self.with_tls.then(|| Authority::shared().ca_file()),
            ..Webhook::default()
        }
    }
}

pub fn short(got: &Value) -> String {
    let body: Value = serde_json::from_str(got["body"].as_str().unwrap()).unwrap();
    format!("{} {}", body["data"]["user_id"], body["type"].as_str().unwrap())
}
