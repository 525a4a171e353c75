//! What becomes of a mail by what the server says, or does not say, at each stage: one table, against aiosmtpd with
//! that fault; and the same kinds of fault against postfix's `smtp-sink`. And what becomes of a result that the
//! database refuses.

#[cfg(feature = "aws")]
mod api;
pub mod database;
mod late_refusals;
mod lost;
mod refusals;
mod sink;
mod table;

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use verifydesk::domain::brake::{Brake, BrakeCause, BrakeState};
use verifydesk::domain::pace::PaceView;
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::domain::worker::WorkerRow;
use verifydesk::outbox::worker::{Mode, Tally};
use verifydesk::text::Untrusted;

use crate::mail_servers::PATIENCE;
use crate::support::world::{World, reason};

pub const RECIPIENT: &str = "mina@example.com";

/// What follows for the worker and for the mails behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// They go on.
    GoesOn,
    /// They go slower.
    Slower,
    /// The whole outbox is paused.
    Pauses(BrakeCause),
    /// This worker stops.
    Stops,
}

/// What is expected of a mail that met a fault.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub state: SendState,
    /// Tries that count.
    pub attempts: i16,
    /// How many seconds after that it is tried again; from and to.
    pub again: (f64, f64),
    /// What the operator reads, among other things.
    pub words: &'static str,
    pub then: Then,
}

/// What is there after one try.
pub struct Seen {
    send: SendRow,
    lost: i16,
    /// How many seconds after the result it is tried again.
    again: Option<f64>,
    brake: Option<Brake>,
    pace: PaceView,
    worker: WorkerRow,
    tally: Tally,
}

/// Signs a user up and has a worker try the mail once, from a clean start; more than once where it must be accepted in
/// the end.
pub async fn try_once(site: &World, state: SendState) -> Seen {
    for statement in [
        "delete from sends",
        "delete from users",
        "delete from workers",
        "update brake
        set state = 'off', cause = null, set_by = null, reason = null, set_at = null, until = null, probe_at = null",
        "update pace set rate = limit_rate, next_at = now(), lowered_at = null",
    ] {
        site.execute(statement).await;
    }
    site.sign_up(RECIPIENT).await;
    let signed_up = site.one_send().await.changed_at;
    let running = site.start(Mode::Forever);
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    loop {
        looks.tick().await;
        let send = site.one_send().await;
        let is_again = send.state == SendState::Queued && state == SendState::Accepted;
        if send.changed_at > signed_up && send.state != SendState::Sending && !is_again {
            break;
        }
        assert!(Instant::now() < deadline, "the mail was not tried: {send:?}");
    }
    let tally = running.end().await;
    let query = "select
            lost,
            extract(epoch from case when state = 'queued' then due_at else retry_at end - changed_at)::float8
        from sends";
    let (lost, again) = sqlx::query_as(query).fetch_one(site.pool()).await.unwrap();
    let mut outbox = site.store().outbox().await.unwrap();
    let send = site.one_send().await;
    Seen { send, lost, again, brake: outbox.brake, pace: outbox.pace, worker: outbox.workers.remove(0), tally }
}

impl Expected {
    /// What is not as expected; empty if all is.
    pub fn differs(&self, seen: &Seen) -> Vec<String> {
        let mut found = Vec::new();
        let mut see = |is_so: bool, what: String| {
            if !is_so {
                found.push(what);
            }
        };
        let (send, words) = (&seen.send, self.words);
        let says_so = |text: Option<&str>| text.is_some_and(|text| text.contains(words));
        see(send.state == self.state, format!("it is {}", send.state));
        see(send.attempts == self.attempts, format!("{} attempts", send.attempts));
        see(
            seen.lost == i16::from(self.state == SendState::Unknown),
            format!("its answer was lost {} times", seen.lost),
        );
        see(
            send.state == SendState::Accepted || reason(send).contains(words),
            format!("the reason is {:?}", reason(send)),
        );
        let again = RangeInclusive::new(self.again.0 - 0.001, self.again.1 + 0.001);
        match self.state {
            SendState::Queued | SendState::Unknown => {
                see(seen.again.is_some_and(|seconds| again.contains(&seconds)), format!("again in {:?} s", seen.again));
            }
            _ => see(seen.again.is_none(), format!("again in {:?} s", seen.again)),
        }
        let is_slower = seen.pace.rate < seen.pace.limit && seen.pace.lowered_at.is_some();
        see(is_slower == (self.then == Then::Slower), format!("the pace is {:?}", seen.pace));
        let stopped_by = seen.tally.stopped_by.as_deref();
        if self.then == Then::Stops {
            let error = seen.worker.last_error.as_ref().map(Untrusted::raw);
            see(
                says_so(stopped_by) && says_so(error),
                format!("the worker stopped by {stopped_by:?}, shows {error:?}"),
            );
        } else {
            see(stopped_by.is_none(), format!("the worker stopped by {stopped_by:?}"));
        }
        match (self.then, &seen.brake) {
            (Then::Pauses(cause), Some(brake)) => {
                let minutes = brake.until.map(|until| (until - brake.set_at).num_seconds().div_euclid(60));
                let is_so = (brake.state, brake.cause) == (BrakeState::Paused, cause)
                    && says_so(Some(brake.reason.raw()))
                    && brake.set_by.raw().starts_with("worker@")
                    && minutes == (cause == BrakeCause::Quota).then_some(15);
                see(is_so, format!("the brake is {brake:?}"));
            }
            (Then::Pauses(_), None) => see(false, "the brake is off".into()),
            (_, brake) => see(brake.is_none(), format!("the brake is {brake:?}")),
        }
        found
    }
}
