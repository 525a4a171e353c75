//! CPU time and memory of other processes: by `getrusage` for children that have ended, by `/proc` for those that run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use nix::unistd::{SysconfVar, sysconf};

/// CPU time, user's and system's, in seconds.
#[derive(Clone, Copy)]
pub struct Usage(f64);

impl Usage {
    /// Of all children that have ended and were waited for.
    pub fn of_children() -> anyhow::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let micros = (usage.user_time() + usage.system_time()).num_microseconds();
        Ok(Self(Duration::from_micros(u64::try_from(micros)?).as_secs_f64()))
    }

    /// Of a running process and its children, ended or not; zero where there is no `/proc`.
    pub fn of(pid: i32) -> Self {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let running: f64 =
            children.split_whitespace().filter_map(|child| child.parse().ok()).map(|child| ticks(child, 2)).sum();
        Self((ticks(pid, 4) + running) / ticks_a_second())
    }

    pub fn seconds(self) -> f64 {
        self.0
    }
}

/// The first so many of utime, stime, cutime, cstime.
fn ticks(pid: i32, fields: usize) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is the program's name, and may have anything in it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().skip(11).take(fields).filter_map(|field| field.parse::<f64>().ok()).sum()
}

fn ticks_a_second() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "it is 100")]
    sysconf(SysconfVar::CLK_TCK).ok().flatten().map_or(100.0, |ticks| ticks as f64)
}

/// The largest resident set of a process so far, looked at every now and then.
pub struct Peak(Arc<AtomicU64>);

impl Peak {
    /// Watches a process until it has ended.
    pub fn watch(pid: u32) -> Self {
        let kib = Arc::new(AtomicU64::new(0));
        let status = PathBuf::from(format!("/proc/{pid}/status"));
        let seen = Arc::clone(&kib);
        std::thread::spawn(move || {
            let peak = || {
                let status = std::fs::read_to_string(&status).ok()?;
                let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
                line.split_whitespace().next()?.parse().ok()
            };
            while let Some(peak) = peak() {
                seen.store(peak, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self(kib)
    }

    /// In MiB; `None` if it could not be measured.
    pub fn mib(&self) -> Option<f64> {
        let kib = self.0.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 KiB")]
        (kib > 0).then_some(kib as f64 / 1024.0)
    }
}
