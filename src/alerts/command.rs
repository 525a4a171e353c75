//! Tells by running a program: the alert in its arguments and, as JSON, on its standard input.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::message;
use crate::config;
use crate::store::alerts::Notice;
use crate::text::plain;

/// What it inherits: no setting of ours, of which some are secret.
const INHERITED: [&str; 7] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// How much of what it complains of is read, in bytes; and kept, in characters.
const READ_MAX: u64 = 64 * 1024;
const KEPT_MAX: usize = 300;

/// For how long after its end.
const HEARD_FOR: Duration = Duration::from_millis(200);

/// Runs it to its end, or until its time is over. The error says why no one was told.
pub(super) async fn run(settings: &config::Alert, site: &str, notice: &Notice) -> Result<(), String> {
    let Some((program, arguments)) = settings.command.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args([&notice.phase, notice.kind.plain().as_str(), notice.subject.plain().as_str()])
        .arg(notice.summary.plain().as_str())
        .env_clear()
        .envs(INHERITED.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // With all that it starts.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("alert.command cannot be started: {error}"))?;
    let group = Group::of(&child);
    let input = format!("{}\n", message(site, notice));
    let done = timeout(settings.timeout, finish(&mut child, &input)).await;
    // What it has started goes with it.
    drop(group);
    match done {
        Ok(result) => result,
        Err(_) => Err(format!("alert.command was not over after {}", humantime::format_duration(settings.timeout))),
    }
}

async fn finish(child: &mut Child, input: &str) -> Result<(), String> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let exited = CancellationToken::new();
    let give = async {
        // One that reads nothing may end before it has all.
        if let Some(mut stdin) = stdin {
            drop(stdin.write_all(input.as_bytes()).await);
        }
    };
    let end = async {
        let status = child.wait().await;
        exited.cancel();
        status
    };
    let hear = async {
        let mut bytes = Vec::new();
        let Some(stderr) = stderr else { return bytes };
        let mut stderr = stderr.take(READ_MAX);
        tokio::select! {
            // Who says more is not read any further.
            _ = stderr.read_to_end(&mut bytes) => {}
            // What it has left behind may keep this open.
            () = async { exited.cancelled().await; sleep(HEARD_FOR).await } => {}
        }
        bytes
    };
    let ((), status, said) = tokio::join!(give, end, hear);
    let said = in_a_line(&said);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if said.is_empty() => Err(format!("alert.command ended with {status}")),
        Ok(status) => Err(format!("alert.command ended with {status}: {said}")),
        Err(error) => Err(format!("alert.command was not heard of: {error}")),
    }
}

fn in_a_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text.split_whitespace().collect();
    plain(&words.join(" ")).as_str().chars().take(KEPT_MAX).collect()
}

/// The processes that a command has started; dropped, they are killed.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Mostly none is left.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}
