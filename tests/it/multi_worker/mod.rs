//! Several worker processes at once, before a server that counts.

mod chaos;
mod crash;
mod ending;
mod frozen;
mod pace;
mod secrets;

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::PgConnection;
use tokio::sync::Mutex;

use crate::mail_servers::Counter;
use crate::support::{Program, Running};

/// Held by each of these tests: they measure time, or use all of the machine.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Worker processes of one site, and how to start more.
struct Fleet {
    program: Program,
    workers: Vec<Running>,
}

impl Fleet {
    /// A site without workers yet, that mails to this server, with more settings than those it needs.
    fn new(database_url: &str, server: &Counter, settings: &[(&str, &str)]) -> Self {
        let program = Program::new(database_url)
            .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
            .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_SMTP__HOST", "127.0.0.1")
            .set("VERIFYDESK_SMTP__PORT", server.port().to_string())
            .set("VERIFYDESK_SMTP__TLS", "none");
        let program = settings.iter().fold(program, |program, (name, value)| program.set(name, *value));
        Self { program, workers: Vec::new() }
    }

    /// The command for one more worker, whose log joins the others'.
    fn command(&self, arguments: &[&str]) -> Command {
        let log = File::options().create(true).append(true).open(self.program.home().join("log")).unwrap();
        let mut command = self.program.command(arguments);
        command.stdout(Stdio::null()).stderr(log);
        command
    }

    fn start(&mut self) {
        self.spawn(self.command(&["worker"]));
    }

    fn spawn(&mut self, mut command: Command) {
        self.workers.push(Running(command.spawn().unwrap()));
    }

    /// Kills one without a warning; gives its process number.
    fn kill(&mut self, which: usize) -> i32 {
        let mut worker = self.workers.swap_remove(which);
        let pid = pid(&worker.0);
        worker.0.kill().unwrap();
        worker.0.wait().unwrap();
        pid.as_raw()
    }

    /// Asks all to end, and sees that they do so without errors.
    fn end(&mut self) {
        for worker in &self.workers {
            kill(pid(&worker.0), Signal::SIGTERM).unwrap();
        }
        let ended: Vec<_> = self.workers.drain(..).map(|mut worker| worker.0.wait().unwrap()).collect();
        // One that is started while the database is away says so and ends: what started it starts it again.
        let log = std::fs::read_to_string(self.program.home().join("log")).unwrap_or_default();
        let unreached = log.lines().filter(|line| line.starts_with("error: the database does not answer")).count();
        let failed = ended.iter().filter(|status| !status.success()).count();
        assert!(failed <= unreached, "workers ended with {ended:?}\n{}", self.log());
    }

    /// What the workers logged as errors, and the end of all that they logged, for those who look into a failure.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.program.home().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let errors = lines.iter().filter(|line| line.contains(" ERROR ")).take(30);
        let end = &lines[lines.len().saturating_sub(30)..];
        errors.chain(end).copied().collect::<Vec<_>>().join("\n")
    }
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).unwrap())
}

/// Queues so many mails, each to another user.
async fn queue(connection: &mut PgConnection, count: usize) {
    let count = i64::try_from(count).unwrap();
    sqlx::query(include_str!("../../queue_sends.sql")).bind(count).execute(&mut *connection).await.unwrap();
    sqlx::query("analyze").execute(connection).await.unwrap();
}

/// A size that can be asked for: the suite runs a small test, `make` the full one.
pub fn size<T: FromStr>(variable: &str, usual: T) -> T {
    match std::env::var(variable) {
        Ok(value) => value.parse().unwrap_or_else(|_| panic!("{variable}={value} is no number")),
        Err(_) => usual,
    }
}
