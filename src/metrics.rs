//! What this process counts and times, for Prometheus: since its start, and of its own work only. What the database
//! knows of all processes is read when someone asks ([`crate::monitor`]).
//!
//! Labels have few values, all of them known here: no address, no domain, no text of anyone's. `docs/metrics.md` lists
//! every name, and a test holds it to the program.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::Time;

/// Of mails: from a second, as SES takes, to days, for which one may be tried.
const MAIL_SECONDS: [f64; 13] =
    [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 43_200.0, 86_400.0];

/// Of requests: a page takes milliseconds, and no more than ten seconds.
const REQUEST_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What became of a try to send a mail.
pub const TRIES: [&str; 4] = ["accepted", "deferred", "failed", "unknown"];

/// The classes of a mail server's reply; none where it said nothing.
const REPLIES: [&str; 4] = ["2xx", "4xx", "5xx", "none"];

/// SES's kinds of events, in its words and in ours.
const EVENTS: [(&str, &str); 9] = [
    ("Send", "send"),
    ("Delivery", "delivery"),
    ("DeliveryDelay", "delay"),
    ("Bounce", "bounce"),
    ("Complaint", "complaint"),
    ("Reject", "reject"),
    ("Open", "open"),
    ("Click", "click"),
    ("", "other"),
];

/// The ways that events come.
const SOURCES: [&str; 3] = ["sqs", "sns", "import"];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Routes = Vec<(&'static str, String)>;

/// What this process counts.
pub struct Process {
    registry: Registry,
    tries: Family<Labels<2>, Counter>,
    lost: Counter,
    accepted: Histogram,
    delivered: Histogram,
    events: Family<Labels<1>, Counter>,
    stored: Family<Labels<1>, Counter>,
    orphans: Family<Labels<1>, Counter>,
    pages: Family<Labels<1>, Counter>,
    requests: Family<Routes, Counter>,
    request_seconds: Family<Routes, Histogram, fn() -> Histogram>,
    database_errors: Family<Labels<1>, Counter>,
}

static PROCESS: LazyLock<Process> = LazyLock::new(Process::new);

/// This process's.
#[must_use]
pub fn process() -> &'static Process {
    &PROCESS
}

impl Process {
    fn new() -> Self {
        let requests: fn() -> Histogram = || Histogram::new(REQUEST_SECONDS);
        let mut process = Self {
            registry: Registry::with_prefix("verifydesk"),
            tries: Family::default(),
            lost: Counter::default(),
            accepted: Histogram::new(MAIL_SECONDS),
            delivered: Histogram::new(MAIL_SECONDS),
            events: Family::default(),
            stored: Family::default(),
            orphans: Family::default(),
            pages: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(requests),
            database_errors: Family::default(),
        };
        process.register();
        process
    }

    #[rustfmt::skip]
    fn register(&mut self) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let registry = &mut self.registry;
        registry.register("build", "The program", version);
        registry.register("mail_tries", "Tries to send a mail whose result is recorded, by result and by the class of the reply", self.tries.clone());
        registry.register("results_lost", "Results of mails that the database refused for what is in them", self.lost.clone());
        registry.register_with_unit("mail_accepted", "From queueing a mail until the mail server took it", Unit::Seconds, self.accepted.clone());
        registry.register_with_unit("mail_delivered", "From queueing a mail until the recipient's server took it, as SES reports", Unit::Seconds, self.delivered.clone());
        registry.register("events", "Events of SES's taken in, by kind, repeated ones included", self.events.clone());
        registry.register("events_stored", "Events that were not there before, by the way they came", self.stored.clone());
        registry.register("events_orphaned", "Those of them that are about no mail that is known", self.orphans.clone());
        registry.register("pages", "Pages that people were shown, by what they are about", self.pages.clone());
        registry.register("http_requests", "Requests answered, by route and by the class of the status", self.requests.clone());
        registry.register_with_unit("http_request", "How long a request took, by route", Unit::Seconds, self.request_seconds.clone());
        registry.register("database_errors", "Statements and connections that failed, by what was wrong", self.database_errors.clone());
        // From zero, so that the first of a kind is seen as one.
        for result in TRIES {
            for reply in REPLIES.into_iter().filter(|reply| (result == "accepted") == (*reply == "2xx")) {
                drop(self.tries.get_or_create(&[("result", result), ("reply", reply)]));
            }
        }
        for source in SOURCES {
            drop(self.stored.get_or_create(&[("source", source)]));
            drop(self.orphans.get_or_create(&[("source", source)]));
        }
        for (_, kind) in EVENTS {
            drop(self.events.get_or_create(&[("kind", kind)]));
        }
    }

    /// All of it.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A try to send a mail has this result, one of [`TRIES`], and brought this reply.
    pub fn mail_tried(&self, result: &'static str, reply: Option<&str>) {
        self.tries.get_or_create(&[("result", result), ("reply", reply_class(reply))]).inc();
    }

    /// A mail that was queued then was accepted just now.
    pub fn mail_accepted(&self, queued_at: Time) {
        self.accepted.observe(seconds(queued_at, chrono::Utc::now()));
    }

    /// A result was lost.
    pub fn result_lost(&self) {
        self.lost.inc();
    }

    /// SES reports something of this kind about a mail that was queued then, if it is ours.
    pub fn event(&self, kind: &str, queued_at: Option<Time>, occurred_at: Time) {
        let known = EVENTS.iter().find(|(theirs, _)| *theirs == kind).map_or("other", |(_, ours)| ours);
        self.events.get_or_create(&[("kind", known)]).inc();
        if kind == "Delivery"
            && let Some(queued_at) = queued_at
        {
            self.delivered.observe(seconds(queued_at, occurred_at));
        }
    }

    /// So many events came in, and so many of them are about no mail that is known.
    pub fn events_stored(&self, source: &'static str, stored: i64, orphans: i64) {
        self.stored.get_or_create(&[("source", source)]).inc_by(u64::try_from(stored).unwrap_or_default());
        self.orphans.get_or_create(&[("source", source)]).inc_by(u64::try_from(orphans).unwrap_or_default());
    }

    /// A page was shown.
    pub fn page(&self, page: &'static str) {
        self.pages.get_or_create(&[("page", page)]).inc();
    }

    /// A request to a route was answered.
    pub fn request(&self, route: &str, status: u16, took: Duration) {
        let class = format!("{}xx", status / 100);
        self.requests.get_or_create(&vec![("route", route.to_owned()), ("status", class)]).inc();
        self.request_seconds.get_or_create(&vec![("route", route.to_owned())]).observe(took.as_secs_f64());
    }

    /// The database, or the way to it, failed.
    pub fn database_error(&self, kind: &'static str) {
        self.database_errors.get_or_create(&[("kind", kind)]).inc();
    }
}

/// Hosts' clocks differ a little: none takes less than no time.
fn seconds(from: Time, until: Time) -> f64 {
    (until - from).to_std().unwrap_or_default().as_secs_f64()
}

/// A reply as the server gave it begins with three digits.
fn reply_class(reply: Option<&str>) -> &'static str {
    match reply.and_then(|reply| reply.as_bytes().first()) {
        Some(b'2') => "2xx",
        Some(b'4') => "4xx",
        Some(b'5') => "5xx",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_no_labels() {
        let process = Process::new();
        process.mail_tried("failed", Some("550 5.1.1 <mina@example.com> unknown"));
        process.mail_tried("deferred", Some("mina"));
        process.event("Mina", None, chrono::Utc::now());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, process.registry()).unwrap();
        for line in [
            "verifydesk_mail_tries_total{result=\"failed\",reply=\"5xx\"} 1",
            "verifydesk_mail_tries_total{result=\"deferred\",reply=\"none\"} 1",
            "verifydesk_mail_tries_total{result=\"accepted\",reply=\"2xx\"} 0",
            "verifydesk_events_total{kind=\"other\"} 1",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(!text.to_lowercase().contains("mina"), "{text}");
    }

    #[test]
    fn no_mail_takes_less_than_no_time() {
        let now = chrono::Utc::now();
        assert!(seconds(now, now - chrono::Duration::seconds(5)).abs() < f64::EPSILON);
        assert!((seconds(now, now + chrono::Duration::milliseconds(1_500)) - 1.5).abs() < 1e-9);
    }
}
