//! Workers as their heartbeats show them, and the outbox that they work off.

use chrono::Duration;
use uuid::Uuid;

use super::Time;
use super::alert::Alert;
use super::amazon::{EventQueue, SesAccount};
use super::brake::Brake;
use super::hook::HookEndpoint;
use super::job::JobRow;
use super::pace::PaceView;
use super::reputation::Reputation;
use super::serve::ServeRow;
use super::webhook::WebhookView;
use crate::text::Untrusted;

/// How often a worker writes its heartbeat.
pub const BEAT_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// After how long without a heartbeat a worker counts as gone, in seconds.
pub const GONE_AFTER_SECONDS: i64 = 20;

/// How far ahead a heartbeat may seem to a console whose notion of the database's time lags, in seconds.
const AHEAD_MAX_SECONDS: i64 = 5;

/// Waiting sends are counted up to here; one more stands for any number.
pub const QUEUED_MAX: i64 = 10_000;

/// A worker's last heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerRow {
    /// Its run's id.
    pub id: Uuid,
    /// The machine it runs on.
    pub host: Untrusted,
    /// Its process.
    pub pid: i32,
    /// `smtp` or `capture`.
    pub transport: Untrusted,
    /// Where mail goes: relay host and port, or the capture directory.
    pub target: Untrusted,
    /// Of the server secret it makes keys with; workers must agree.
    pub secret_fingerprint: Untrusted,
    /// Of the secret before it, which it still knows.
    pub secret_previous_fingerprint: Option<Untrusted>,
    /// The worker for which it waits, since their secrets do not fit together.
    pub waits_for: Option<Uuid>,
    pub started_at: Time,
    /// Its last heartbeat.
    pub beat_at: Time,
    /// When it stopped, and it said so.
    pub stopped_at: Option<Time>,
    /// Mails accepted since it started.
    pub sent: i64,
    /// Mails given up since it started.
    pub failed: i64,
    /// Mails a second since the heartbeat before the last.
    pub rate: f64,
    /// Mails that it sends at once, at most.
    pub lanes: i32,
    /// Mails a second that its settings wish for; the smallest wish holds for all.
    pub pace_rate: Option<f64>,
    /// Mails in 24 hours, likewise; `None` for no limit.
    pub pace_quota: Option<i64>,
    /// What keeps mails waiting, if anything does; of a worker that stopped, why.
    pub last_error: Option<Untrusted>,
    /// Its program's, such as `0.1.0+70`; `None` of those that do not tell it yet.
    pub version: Option<Untrusted>,
}

impl WorkerRow {
    /// Whether it runs. `now` by the database's clock. A heartbeat from the future is none: a clock that was set
    /// back would keep a dead worker alive.
    #[must_use]
    pub fn is_alive(&self, now: Time) -> bool {
        let since = now - self.beat_at;
        self.stopped_at.is_none()
            && (Duration::seconds(-AHEAD_MAX_SECONDS)..Duration::seconds(GONE_AFTER_SECONDS)).contains(&since)
    }

    /// Whether it is at work: it runs, and waits for no other.
    #[must_use]
    pub fn works(&self, now: Time) -> bool {
        self.is_alive(now) && self.waits_for.is_none()
    }
}

/// The outbox and who works it off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboxView {
    /// When this was so, by the database's clock, which wrote the heartbeats too.
    pub as_of: Time,
    /// Whether the database takes no writes: a standby, or set to read-only.
    pub is_read_only: bool,
    /// Sends that wait; `QUEUED_MAX` + 1 if there are more than that.
    pub queued: i64,
    /// Sends in a worker's hands.
    pub sending: i64,
    /// Since when the longest waiting one is due, but for those of paused jobs.
    pub due_since: Option<Time>,
    /// Sends whose answer was lost and that wait for an operator or for another try; `QUEUED_MAX` + 1 if there are
    /// more.
    pub unknown: i64,
    /// How fast mails may go out.
    pub pace: PaceView,
    /// What stops them, if anything does.
    pub brake: Option<Brake>,
    /// How mail is received, beside the limits from which on it stops.
    pub reputation: Reputation,
    /// Jobs that are not over, and the last few that are; the newest first.
    pub jobs: Vec<JobRow>,
    /// Workers of the last day, the newest heartbeat first.
    pub workers: Vec<WorkerRow>,
    /// The queues that SES's events come by, if any.
    pub event_queues: Vec<EventQueue>,
    /// What SNS asks of `serve`.
    pub webhook: WebhookView,
    /// The SES account, if a worker asks about it.
    pub account: Option<SesAccount>,
    /// What someone was to be told of, and that goes on.
    pub alerts: Vec<Alert>,
    /// Where the site is told by webhooks, if anywhere.
    pub hooks: Vec<HookEndpoint>,
    /// Each `serve` that was heard of in the last day, the newest heartbeat first.
    pub serves: Vec<ServeRow>,
}

impl OutboxView {
    /// Whether workers at work wish for different paces; the smallest wish holds.
    #[must_use]
    pub fn paces_differ(&self) -> bool {
        let alive = self.workers.iter().filter(|worker| worker.is_alive(self.as_of));
        let mut wishes = alive.filter_map(|worker| Some((worker.pace_rate?, worker.pace_quota)));
        wishes.next().is_some_and(|first| wishes.any(|other| other != first))
    }

    /// How many mails are to go out, those that running jobs are still to make included; more than that if more than
    /// [`QUEUED_MAX`] are queued.
    #[must_use]
    pub fn to_go(&self) -> i64 {
        self.queued + self.sending + self.jobs.iter().map(JobRow::unmade).sum::<i64>()
    }

    /// Whether anyone was sending.
    #[must_use]
    pub fn is_worked(&self) -> bool {
        self.workers.iter().any(|w| w.works(self.as_of))
    }
}
