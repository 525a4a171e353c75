//! What the database knows of all processes together, as metrics. Each process that is asked shows the same: rules and
//! dashboards take the greatest of them.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::amazon::{DeadLetters, Depth};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::reputation::Rate;
use crate::domain::worker::{OutboxView, WorkerRow};
use crate::store::Figures;

type Value = Gauge<f64, AtomicU64>;
type Label = [(&'static str, &'static str); 1];

/// Takes figures down in a registry.
pub(super) struct Gauges<'a>(&'a mut Registry);

impl<'a> Gauges<'a> {
    pub(super) fn new(registry: &'a mut Registry) -> Self {
        Self(registry)
    }

    fn one(&mut self, name: &str, help: &str, value: f64) {
        self.0.register(name, help, gauge(value));
    }

    pub(super) fn flag(&mut self, name: &str, help: &str, is: bool) {
        self.one(name, help, flag(is));
    }

    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) {
        self.0.register_with_unit(name, help, Unit::Seconds, gauge(value));
    }

    fn by(&mut self, label: &'static str, name: &str, help: &str, values: &[(&'static str, f64)]) {
        let family: Family<Label, Value> = Family::default();
        for (of, value) in values {
            family.get_or_create(&[(label, of)]).set(*value);
        }
        self.0.register(name, help, family);
    }
}

fn gauge(value: f64) -> Value {
    let gauge = Value::default();
    gauge.set(value);
    gauge
}

/// All figures that are known. What is not, such as the quota of an account without one, has no value.
pub(super) fn register(gauges: &mut Gauges<'_>, figures: &Figures) {
    let outbox = &figures.outbox;
    queue(gauges, outbox);
    pace(gauges, outbox);
    workers(gauges, outbox);
    reputation(gauges, outbox);
    events(gauges, outbox);
    webhooks(gauges, figures);
    gauges.by(
        "status",
        "verifications",
        "Verifications, by status; open ones are pending or expired",
        &[("open", number(figures.open)), ("verified", number(figures.verified)), ("revoked", number(figures.revoked))],
    );
}

fn queue(gauges: &mut Gauges<'_>, outbox: &OutboxView) {
    gauges.by(
        "state",
        "outbox_mails",
        "Mails in the outbox, by state; 10001 stands for more of them",
        &[("queued", number(outbox.queued)), ("sending", number(outbox.sending)), ("unknown", number(outbox.unknown))],
    );
    let waits = outbox.due_since.map_or(0.0, |since| (outbox.as_of - since).as_seconds_f64().max(0.0));
    gauges.seconds("outbox_oldest_due", "How long the mail that waits longest has been due; 0 if none is", waits);
    let state = outbox.brake.as_ref().map_or(BrakeState::Off, |brake| brake.state);
    let states = BrakeState::ALL.map(|one| (one.as_str(), flag(one == state)));
    gauges.by("state", "outbox_brake", "1 for the state that the outbox's brake is in", &states);
    let cause = outbox.brake.as_ref().map(|brake| brake.cause);
    let causes = BrakeCause::ALL.map(|one| (one.as_str(), flag(Some(one) == cause)));
    gauges.by("cause", "outbox_brake_cause", "1 for what has set the brake, if it is on", &causes);
}

fn pace(gauges: &mut Gauges<'_>, outbox: &OutboxView) {
    let pace = &outbox.pace;
    gauges.one("pace_mails_per_second", "How many mails a second may go out just now", pace.rate);
    gauges.one("pace_limit_mails_per_second", "How many mails a second the account may send", pace.limit);
    gauges.one("quota_used_mails", "Mails of the last 24 hours", number(pace.used));
    if let Some(quota) = pace.daily_quota {
        gauges.one("quota_mails", "Mails in any 24 hours that the account may send", number(quota));
    }
}

fn workers(gauges: &mut Gauges<'_>, outbox: &OutboxView) {
    let count = |is: &dyn Fn(&WorkerRow) -> bool| {
        number(i64::try_from(outbox.workers.iter().filter(|worker| is(worker)).count()).unwrap_or(i64::MAX))
    };
    let now = outbox.as_of;
    gauges.by("state", "workers", "Workers by their heartbeats: at work, waiting since their secrets differ, or silent for 20 seconds without having ended, within a day", &[
        ("working", count(&|worker| worker.works(now))),
        ("waiting", count(&|worker| worker.is_alive(now) && !worker.works(now))),
        ("silent", count(&|worker| !worker.is_alive(now) && worker.stopped_at.is_none())),
    ]);
}

fn reputation(gauges: &mut Gauges<'_>, outbox: &OutboxView) {
    let reputation = &outbox.reputation;
    gauges.one(
        "reputation_mails",
        "Of how many of the last mails the results are known by which the brake judges",
        number(reputation.sends),
    );
    let (bounces, complaints) = (reputation.bounces, reputation.complaints);
    let both = |of: fn(Rate) -> f64| [("bounce", of(bounces)), ("complaint", of(complaints))];
    gauges.by(
        "kind",
        "reputation_ratio",
        "Which part of them bounced for good or was reported as spam",
        &both(Rate::part),
    );
    gauges.by(
        "kind",
        "reputation_limit_ratio",
        "From which part on the brake stops the outbox",
        &both(|rate| rate.limit),
    );
}

fn events(gauges: &mut Gauges<'_>, outbox: &OutboxView) {
    let depths = outbox.event_queues.iter().filter_map(|queue| queue.depth.as_ref());
    let sum = |of: &dyn Fn(&Depth) -> i64| number(depths.clone().map(of).sum());
    let dead = |depth: &Depth| match depth.dead_letters {
        DeadLetters::Count(count) => count,
        DeadLetters::NoQueue | DeadLetters::Unknown => 0,
    };
    if !outbox.event_queues.is_empty() {
        gauges.by(
            "state",
            "event_queue_messages",
            "Messages in the queues that SES's events come by: waiting, taken and not deleted yet, given up by SQS",
            &[
                ("waiting", sum(&|depth| depth.waiting)),
                ("in_flight", sum(&|depth| depth.in_flight)),
                ("dead", sum(&dead)),
            ],
        );
        let failing = outbox.event_queues.iter().filter(|queue| queue.error.is_some()).count();
        gauges.one(
            "event_queues_failing",
            "Queues of events that cannot be read",
            number(i64::try_from(failing).unwrap_or(i64::MAX)),
        );
    }
    if let Some(standing) = outbox.account.as_ref().and_then(|account| account.standing.as_ref()) {
        gauges.one("account_can_send", "1 while Amazon lets the account send", flag(standing.can_send));
    }
}

/// Nothing where there is no endpoint.
fn webhooks(gauges: &mut Gauges<'_>, figures: &Figures) {
    let endpoints = &figures.endpoints;
    if endpoints.is_empty() {
        return;
    }
    gauges.one(
        "webhook_waiting_messages",
        "Messages to the site that wait to be delivered, ten thousand of each endpoint at most",
        number(endpoints.iter().map(|endpoint| endpoint.waiting).sum()),
    );
    let oldest = endpoints.iter().filter_map(|endpoint| endpoint.oldest).min();
    let waits = oldest.map_or(0.0, |since| (figures.outbox.as_of - since).as_seconds_f64().max(0.0));
    gauges.seconds("webhook_oldest_waiting", "How long the oldest of them has waited; 0 if none does", waits);
    gauges.one(
        "webhook_given_up_messages",
        "Messages to the site that were given up in the last 24 hours, ten thousand of each endpoint at most",
        number(endpoints.iter().map(|endpoint| endpoint.given_up_lately).sum()),
    );
    let failing = endpoints.iter().filter(|endpoint| endpoint.is_failing()).count();
    gauges.one(
        "webhook_endpoints_failing",
        "Endpoints of webhooks that take nothing, or want nothing any more",
        number(i64::try_from(failing).unwrap_or(i64::MAX)),
    );
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn number(count: i64) -> f64 {
    count as f64
}
