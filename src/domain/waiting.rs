//! Why mails that are due do not go.

use chrono::Duration;

use super::brake::{Brake, BrakeState};
use super::worker::{OutboxView, WorkerRow};

/// How long a mail must be due before it counts as one that does not go: heartbeats say every five seconds how many
/// went.
const DUE_FOR_SECONDS: i64 = 10;

impl OutboxView {
    /// Why mails that are due do not go, in words for an operator. `None` while they go, or none is due.
    #[must_use]
    pub fn why_waiting(&self) -> Option<String> {
        if self.queued == 0 {
            return None;
        }
        if self.is_read_only {
            return Some("the database takes no writes: it is a standby, or was set to read-only".into());
        }
        if let Some(brake) = &self.brake {
            return Some(by_brake(brake));
        }
        let alive: Vec<&WorkerRow> = self.workers.iter().filter(|worker| worker.works(self.as_of)).collect();
        if alive.is_empty() {
            let is_ahead = |worker: &WorkerRow| worker.stopped_at.is_none() && worker.beat_at > self.as_of;
            return Some(if self.workers.iter().any(is_ahead) {
                "the database's clock was set back; workers are seen again with their next heartbeat".into()
            } else {
                "no worker is running".into()
            });
        }
        if self.pace.left() == Some(0) {
            return Some("the mails of 24 hours are used up".into());
        }
        let is_long = |since| self.as_of - since > Duration::seconds(DUE_FOR_SECONDS);
        // One that has begun just now has not said yet how many went.
        let is_at_it = |worker: &&WorkerRow| worker.rate > 0.0 || !is_long(worker.started_at);
        if !self.due_since.is_some_and(is_long) || alive.iter().any(is_at_it) {
            return None;
        }
        let reported = alive.iter().find_map(|worker| Some((worker, worker.last_error.as_ref()?)));
        Some(reported.map_or_else(
            || "no worker takes them; see the workers' logs".into(),
            |(worker, error)| format!("the worker on {} reports: {}", worker.host.plain(), error.plain()),
        ))
    }
}

fn by_brake(brake: &Brake) -> String {
    let what = match brake.state {
        BrakeState::Draining => "only what was queued before goes",
        _ => "sending is paused",
    };
    format!("{what}, by {}: {}", brake.set_by.plain(), brake.reason.plain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Time;
    use crate::domain::brake::BrakeCause;
    use crate::domain::pace::PaceView;

    fn worker(beat_ago: i64, rate: f64) -> WorkerRow {
        WorkerRow {
            id: uuid::Uuid::nil(),
            host: "bastion".into(),
            pid: 1,
            transport: "smtp".into(),
            target: "relay".into(),
            secret_fingerprint: "abc".into(),
            secret_previous_fingerprint: None,
            waits_for: None,
            started_at: now() - Duration::hours(1),
            beat_at: now() - Duration::seconds(beat_ago),
            stopped_at: None,
            sent: 0,
            failed: 0,
            rate,
            lanes: 1,
            pace_rate: Some(14.0),
            pace_quota: None,
            last_error: None,
            version: None,
        }
    }

    fn now() -> Time {
        Time::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn waiting(workers: Vec<WorkerRow>) -> OutboxView {
        let due_since = Some(now() - Duration::minutes(1));
        OutboxView { as_of: now(), queued: 3, due_since, workers, ..OutboxView::default() }
    }

    #[test]
    fn says_why_nothing_goes() {
        let brake = Brake {
            state: BrakeState::Paused,
            cause: BrakeCause::Operator,
            set_by: "kim".into(),
            reason: "maintenance".into(),
            set_at: now(),
            until: None,
            probe_at: None,
            as_of: now(),
        };
        let failing = WorkerRow { last_error: Some("no route to host".into()), ..worker(1, 0.0) };
        let used_up = PaceView { daily_quota: Some(200), used: 200, ..PaceView::default() };
        let table = [
            (waiting(vec![worker(1, 14.0)]), None),
            (OutboxView { queued: 0, ..waiting(vec![]) }, None),
            (OutboxView { due_since: None, ..waiting(vec![worker(1, 0.0)]) }, None),
            (waiting(vec![]), Some("no worker is running")),
            (waiting(vec![worker(21, 14.0)]), Some("no worker is running")),
            (waiting(vec![worker(-3_600, 14.0)]), Some("clock was set back")),
            (waiting(vec![worker(1, 0.0)]), Some("no worker takes them")),
            (waiting(vec![WorkerRow { started_at: now() - Duration::seconds(3), ..worker(1, 0.0) }]), None),
            (waiting(vec![failing]), Some("bastion reports: no route")),
            (OutboxView { pace: used_up, ..waiting(vec![worker(1, 0.0)]) }, Some("24 hours are used up")),
            (OutboxView { is_read_only: true, ..waiting(vec![worker(1, 14.0)]) }, Some("takes no writes")),
            (OutboxView { brake: Some(brake), ..waiting(vec![worker(1, 14.0)]) }, Some("paused, by kim: maintenance")),
        ];
        for (view, expected) in table {
            let why = view.why_waiting();
            match expected {
                Some(words) => assert!(why.as_ref().is_some_and(|why| why.contains(words)), "{why:?} for {words}"),
                None => assert_eq!(why, None),
            }
        }
    }
}
