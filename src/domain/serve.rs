//! `serve` processes, as their heartbeats show them.

use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use super::Time;
use crate::text::Untrusted;

/// How often one writes its heartbeat.
pub const BEAT_EVERY: Duration = Duration::from_secs(10);

/// After how long without one it counts as gone.
const GONE_AFTER: TimeDelta = TimeDelta::seconds(40);

/// The header of its answers that names it.
pub const HEADER: &str = "verifydesk-serve";

/// A `serve`.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeRow {
    /// Its run's id, which its answers bear.
    pub id: Uuid,
    pub host: Untrusted,
    pub pid: i32,
    /// Such as `0.1.0+70`.
    pub version: Untrusted,
    pub started_at: Time,
    pub beat_at: Time,
    /// When it ended, and said so.
    pub stopped_at: Option<Time>,
}

impl ServeRow {
    /// Whether it runs. `now` by the database's clock. A heartbeat from the future is none.
    #[must_use]
    pub fn is_alive(&self, now: Time) -> bool {
        let since = now - self.beat_at;
        self.stopped_at.is_none() && (TimeDelta::seconds(-5)..GONE_AFTER).contains(&since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_silent_or_has_stopped_is_gone() {
        let now = Time::default();
        let row = |ago: i64, stopped_at| ServeRow {
            id: Uuid::nil(),
            host: "web".into(),
            pid: 1,
            version: "0.1.0+70".into(),
            started_at: now,
            beat_at: now - TimeDelta::seconds(ago),
            stopped_at,
        };
        assert!(row(0, None).is_alive(now) && row(39, None).is_alive(now));
        assert!(!row(40, None).is_alive(now) && !row(-60, None).is_alive(now) && !row(0, Some(now)).is_alive(now));
    }
}
