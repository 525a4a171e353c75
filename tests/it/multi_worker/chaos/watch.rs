//! Looks on while mails go. When none has gone for a while although some wait, `verifydesk queue` must say why.

use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::Site;

/// How long nothing may go before it must be said why: a heartbeat every five seconds says how many went since the
/// last.
const SILENCE_MAX: Duration = Duration::from_secs(12);

const LOOK_EVERY: Duration = Duration::from_millis(250);

pub struct Watch {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Vec<String>>,
}

impl Watch {
    /// Begins to look, on a thread of its own.
    pub fn over(site: &Site) -> Self {
        let (stop, stopped) = mpsc::channel();
        let (arrived, mut queue) = (site.server.arrived(), site.queue_command());
        let thread = std::thread::spawn(move || {
            let (mut silences, mut last, mut since) = (Vec::new(), 0, Instant::now());
            while stopped.recv_timeout(LOOK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                let now = arrived();
                if now != last {
                    (last, since) = (now, Instant::now());
                } else if since.elapsed() > SILENCE_MAX {
                    let why = why(&mut queue);
                    // Mails may have gone while it was asked.
                    if arrived() == last {
                        eprintln!("nothing went for {:.1?}: {}", since.elapsed(), why.as_deref().unwrap_or("SILENCE"));
                        if why.is_none() {
                            silences
                                .push(format!("nothing went for {:.1?} and `queue` did not say why", since.elapsed()));
                        }
                    }
                    since = Instant::now();
                }
            }
            silences
        });
        Self { stop, thread }
    }

    /// Every silence.
    pub fn end(self) -> Vec<String> {
        let _ = self.stop.send(());
        self.thread.join().unwrap()
    }
}

/// Why nothing goes, as `queue` says; `None` if it says that all is well though mails wait.
fn why(queue: &mut Command) -> Option<String> {
    let output = queue.output().unwrap();
    if !output.status.success() {
        return Some(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned());
    }
    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    if view["due_since"].is_null() {
        return Some("none is due".to_owned());
    }
    view["why_waiting"].as_str().map(ToOwned::to_owned)
}
