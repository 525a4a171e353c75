//! The operator's editor: which one, how it gets the line, and the wait for it.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::effect::{Answer, Problem};
use super::terminal::signals::Who;
use super::terminal::{Signal, Signals};

/// What is tried where the environment names no editor: POSIX demands it.
const FALLBACK: &str = "vi";

/// How long an editor may take to end.
const END_MAX: Duration = Duration::from_secs(2);

/// Runs the editor on a file, the terminal having been restored. Returns what became of it, and the number of the
/// signal that the console is to end on, if one came.
pub(super) async fn run(signals: &mut Signals, file: &Path, line: usize) -> (Answer<()>, Option<i32>) {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| env::var(name).ok());
    let editor = named.map(|editor| editor.trim().to_owned()).find(|editor| !editor.is_empty());
    let editor = editor.unwrap_or_else(|| FALLBACK.to_owned());
    // By the shell's rules, as git and less have it: quotes and variables in the setting mean what they mean there.
    // `exec`, so that the editor is our child and no shell is in between.
    let mut words = editor.split_whitespace().skip_while(|word| word.contains('='));
    let program = words.next().unwrap_or(FALLBACK).trim_matches(['"', '\'']);
    // Variables before the program are `env`'s business, since `exec` knows none.
    let env = if editor.split_whitespace().next().is_some_and(|word| word.contains('=')) { "env " } else { "" };
    let script = format!("exec {env}{editor} \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).args(place(&program.into(), file, line));
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return (Err(no_editor(file, &format!("{editor}: {error}"))), None),
    };
    loop {
        let signal = tokio::select! {
            biased;
            status = child.wait() => {
                return match status {
                    Ok(status) if status.success() => (Ok(()), None),
                    // As shells report that there is no such program, or that it is none.
                    Ok(status) if matches!(status.code(), Some(126 | 127)) => {
                        (Err(no_editor(file, &format!("{editor}: it cannot be run"))), None)
                    }
                    Ok(status) => (Err(failed(&editor, &status.to_string())), None),
                    Err(error) => (Err(failed(&editor, &error.to_string())), None),
                };
            }
            signal = signals.next() => signal,
        };
        match signal {
            // The terminal sends these to all programs in front of it; the editor has its own use for them.
            Signal::End(number) if is_from_keys(number) => {}
            Signal::End(number) => {
                end(&mut child).await;
                return (Ok(()), Some(number));
            }
            // The editor stops itself, and us along with it, who know that only by the signal.
            Signal::Stop => {
                if let Ok(Signal::End(number)) = signals.stop(Who::Process).await
                    && !is_from_keys(number)
                {
                    end(&mut child).await;
                    return (Ok(()), Some(number));
                }
            }
            Signal::Continue | Signal::Resize => {}
        }
    }
}

/// Ends the editor along with the console, or both would read the same keys. It may save what it has first.
async fn end(child: &mut Child) {
    use nix::sys::signal::{Signal::SIGTERM, kill};
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(nix::unistd::Pid::from_raw(id), SIGTERM);
    }
    if timeout(END_MAX, child.wait()).await.is_err() {
        let _ = child.start_kill();
        let _ = child.wait().await;
    }
}

fn is_from_keys(number: i32) -> bool {
    use nix::sys::signal::Signal::{SIGINT, SIGQUIT};
    number == SIGINT as i32 || number == SIGQUIT as i32
}

fn failed(editor: &str, why: &str) -> Problem {
    Problem {
        what: format!("the editor {} ended with {why}", crate::text::plain(editor)),
        hint: "VISUAL or EDITOR says which one is opened".into(),
        ..Problem::default()
    }
}

/// File and line as an editor wants them.
fn place(program: &OsString, file: &Path, line: usize) -> Vec<OsString> {
    let name = Path::new(program).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let joined = || {
        let mut joined = file.as_os_str().to_owned();
        joined.push(format!(":{line}"));
        joined
    };
    match name.as_str() {
        "code" | "code-insiders" | "codium" | "vscodium" | "cursor" => {
            vec!["--wait".into(), "--goto".into(), joined()]
        }
        "subl" | "sublime_text" | "zed" | "zeditor" => vec!["--wait".into(), joined()],
        "hx" | "helix" => vec![joined()],
        "mate" => vec!["--wait".into(), "--line".into(), line.to_string().into(), file.into()],
        "ed" | "cat" => vec![file.into()],
        _ => vec![format!("+{line}").into(), file.into()],
    }
}

/// Why no editor could be started.
fn no_editor(file: &Path, error: &str) -> Problem {
    let file = crate::text::plain(&file.display().to_string());
    Problem {
        what: format!("no editor could be started for {file}: {error}"),
        hint: "set VISUAL or EDITOR to one that is installed".into(),
        ..Problem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_editor_gets_the_line_its_own_way() {
        let table = [
            ("vi", "+12 a b.html"),
            ("/usr/bin/nano", "+12 a b.html"),
            ("emacsclient", "+12 a b.html"),
            ("code", "--wait --goto a b.html:12"),
            ("subl", "--wait a b.html:12"),
            ("hx", "a b.html:12"),
        ];
        for (program, expected) in table {
            let arguments = place(&program.into(), Path::new("a b.html"), 12);
            let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
            assert_eq!(arguments.join(" "), expected, "{program}");
        }
    }
}
