//! The program itself, as a shell would run it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Handle, RuntimeFlavor};

/// A machine's environment for the program: nothing of the caller's but what a test sets.
pub struct Program {
    path: PathBuf,
    variables: Vec<(String, String)>,
    home: TempDir,
}

/// A finished run.
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Run {
    /// The JSON objects that it printed, a line each.
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}

impl Program {
    /// With a database and an empty home.
    pub fn new(database_url: &str) -> Self {
        Self::at(env!("CARGO_BIN_EXE_verifydesk"), database_url)
    }

    /// Another build of it.
    pub fn at(path: impl Into<PathBuf>, database_url: &str) -> Self {
        let program = Self { path: path.into(), variables: Vec::new(), home: tempfile::tempdir().unwrap() };
        program.set("DATABASE_URL", database_url)
    }

    /// Sets a variable.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Its home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs it to its end, which holds up this thread: were it the only one, a transaction that a test has dropped would
    /// stay open meanwhile, and the program might wait for its locks.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        assert!(!matches!(flavor, Ok(RuntimeFlavor::CurrentThread)), "use #[tokio::test(flavor = \"multi_thread\")]");
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    /// Starts it, and waits until a line of its log has this in it; gives the line.
    pub fn start(&self, arguments: &[&str], until: &str) -> (Running, String) {
        let mut process = self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = log.by_ref().map_while(Result::ok).find(|line| line.contains(until));
        // Read on, or the program would stand still when the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        (Running(process), line.unwrap_or_else(|| panic!("it ended before it said \"{until}\"")))
    }
}

/// The address in a line that a service logs when it listens.
pub fn address_in(line: &str) -> &str {
    line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("the line has an address")
}

/// A program that runs until it is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The database as `pg_dump` writes it: schema and data.
pub fn pg_dump(url: &str) -> String {
    let tool = verifydesk::demo::cluster::Binaries::find(None).unwrap().tool("pg_dump");
    let Output { status, stdout, stderr } = Command::new(tool).arg(url).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}
