//! Whether the workers' secrets fit together. A worker revokes a link whose key it cannot make when that link is to be
//! mailed again, so each must be able to make the keys that the others make today. While a secret is changed, workers
//! know two: they make keys with the one, and can make those of the other.

use super::Time;
use super::worker::{OutboxView, WorkerRow};

/// What to do about secrets that do not fit together.
pub const HINT: &str = "set the same VERIFYDESK_SECRET on every worker";

/// Workers whose secrets do not fit together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SecretTrouble<'a> {
    /// One waits until others have stopped.
    Waits {
        /// The one that waits.
        worker: &'a WorkerRow,
        /// For this one, if it is still known.
        other: Option<&'a WorkerRow>,
    },
    /// Both are at work all the same: of a version that did not look, or one returned after it counted as gone.
    Differ(&'a WorkerRow, &'a WorkerRow),
}

impl WorkerRow {
    /// Whether both can make the keys that the other makes today.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        let knows = |worker: &Self, made_by: &Self| {
            worker.secret_fingerprint == made_by.secret_fingerprint
                || worker.secret_previous_fingerprint.as_ref() == Some(&made_by.secret_fingerprint)
        };
        knows(self, other) && knows(other, self)
    }
}

impl OutboxView {
    /// Workers whose secrets do not fit together, the first of them. `now` by the database's clock.
    #[must_use]
    pub fn secret_trouble(&self, now: Time) -> Option<SecretTrouble<'_>> {
        let alive: Vec<&WorkerRow> = self.workers.iter().filter(|worker| worker.is_alive(now)).collect();
        if let Some((worker, id)) = alive.iter().find_map(|worker| Some((*worker, worker.waits_for?))) {
            return Some(SecretTrouble::Waits { worker, other: self.workers.iter().find(|other| other.id == id) });
        }
        let pairs =
            alive.iter().enumerate().flat_map(|(n, one)| alive[n + 1..].iter().map(move |other| (*one, *other)));
        pairs.into_iter().find(|(one, other)| !one.fits(other)).map(|(one, other)| SecretTrouble::Differ(one, other))
    }
}

impl SecretTrouble<'_> {
    /// What is wrong, the longest words first.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::Waits { worker, other } => {
                let host = worker.host.plain();
                let others = other.map_or_else(
                    || "that of another worker".to_owned(),
                    |other| format!("that of the worker on {}, process {}", other.host.plain(), other.pid),
                );
                vec![
                    format!("The worker on {host}, process {}, waits: its secret does not fit {others}", worker.pid),
                    format!("The worker on {host} waits: its secret does not fit"),
                    "A worker waits: its secret does not fit".into(),
                ]
            }
            Self::Differ(..) => vec![
                "The workers have different secrets, so they make different links for one user".into(),
                "The workers have different secrets".into(),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use uuid::Uuid;

    use super::*;
    use crate::domain::worker::GONE_AFTER_SECONDS;

    fn worker(secret: &str, previous: Option<&str>) -> WorkerRow {
        WorkerRow {
            id: Uuid::now_v7(),
            host: "mail-1".into(),
            pid: 1,
            transport: "smtp".into(),
            target: "relay".into(),
            secret_fingerprint: secret.into(),
            secret_previous_fingerprint: previous.map(Into::into),
            waits_for: None,
            started_at: Time::default(),
            beat_at: Time::default(),
            stopped_at: None,
            sent: 0,
            failed: 0,
            rate: 0.0,
            lanes: 1,
            pace_rate: None,
            pace_quota: None,
            last_error: None,
            version: None,
        }
    }

    #[test]
    fn secrets_fit_where_each_makes_the_keys_of_the_other() {
        let table = [
            (("a", None), ("a", None), true),
            (("a", None), ("b", None), false),
            // The safe order: the new one becomes known everywhere, then is used everywhere, then the old one goes.
            (("a", None), ("a", Some("b")), true),
            (("a", Some("b")), ("b", Some("a")), true),
            (("b", Some("a")), ("b", None), true),
            // Steps left out.
            (("a", None), ("b", Some("a")), false),
            (("a", Some("b")), ("b", None), false),
            (("a", Some("c")), ("b", Some("c")), false),
        ];
        for (one, other, fits) in table {
            let (one, other) = (worker(one.0, one.1), worker(other.0, other.1));
            assert_eq!((one.fits(&other), other.fits(&one)), (fits, fits), "{one:?} {other:?}");
        }
    }

    #[test]
    fn trouble_is_of_living_workers_only() {
        let now = Time::default();
        let (one, mut other) = (worker("a", None), worker("b", None));
        let view = |one: &WorkerRow, other: &WorkerRow| OutboxView {
            workers: vec![one.clone(), other.clone()],
            ..OutboxView::default()
        };
        assert!(view(&one, &other).secret_trouble(now).unwrap().words()[0].contains("different secrets"));
        other.waits_for = Some(one.id);
        let waiting = view(&one, &other);
        let words = waiting.secret_trouble(now).unwrap().words();
        assert!(
            words[0].ends_with("waits: its secret does not fit that of the worker on mail-1, process 1"),
            "{words:?}"
        );
        other.beat_at -= Duration::seconds(GONE_AFTER_SECONDS);
        assert_eq!(view(&one, &other).secret_trouble(now), None);
    }
}
