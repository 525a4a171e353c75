//! The worker as others see it: checked settings, how to run it, and what it did. It claims due sends, keeps its lanes
//! busy, and shows by heartbeats how it fares.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use super::lane::Shared;
use super::preparer::Preparer;
use super::slot::Lag;
use crate::config::{SettingError, Settings};
use crate::domain::audit::{Actor, Origin};
use crate::domain::key::secret_fingerprint;
use crate::domain::locale::Locale;
use crate::mail::made_of;
use crate::mail::message::Composer;
use crate::mail::templates::Templates;
use crate::mail::transport::Transport;
use crate::pulse::Pulse;
use crate::store::Store;
use crate::store::workers::Heartbeat;

/// Shortest time that a lease lasts beyond the longest that a mail's content can take.
const LEASE_MARGIN_MIN: Duration = Duration::from_secs(2);

/// How often a lease is renewed before that margin is used up.
const RENEWALS: u32 = 6;

/// Longest time between two rounds of housekeeping.
const KEEP_EVERY_MAX: Duration = Duration::from_secs(15);

/// How long an ending takes at most: systemd sends SIGKILL 90 s after SIGTERM, unless a unit says otherwise.
const LONGEST_ENDING: Duration = Duration::from_secs(85);

/// How long to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until a signal ends it.
    Forever,
    /// Until nothing is due, nor will be in a few seconds; or until nothing can be sent.
    Drain,
}

/// What a worker did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Mails that the server took.
    pub sent: i64,
    /// Mails given up.
    pub failed: i64,
    /// Mails put off, counted when the worker ended.
    pub deferred: i64,
    /// Mails no longer wanted.
    pub cancelled: i64,
    /// Mails of which no one knows whether they went out.
    pub unknown: i64,
    /// Results that the database did not take: what became of these mails only the mail server knows.
    pub unrecorded: i64,
    /// Why the first of those given up was, where it was not tried again after all.
    pub failed_by: Option<String>,
    /// Why it ended early: nothing can be sent until someone fixes it.
    pub stopped_by: Option<String>,
}

/// A worker, checked and ready.
#[derive(Clone)]
pub struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Transport,
    pub(super) beat: Heartbeat,
    pub(super) pulse: Pulse,
    /// Told of acts at AWS, which others do beside it: it is the one that listens.
    pub(super) acts: Arc<Notify>,
    /// How long its ending takes at most.
    pub(super) longest_ending: Duration,
}

impl Worker {
    /// Checks all that sending needs: secret, public URL, sender, templates, transport. Speaks to no server yet.
    pub fn from_settings(store: Store, settings: &Settings) -> Result<Self, SettingError> {
        let secret = settings.require_secret()?.clone();
        let secret_previous = settings.secret_previous.clone();
        let transport = Transport::from_settings(settings)?;
        let id = Uuid::now_v7();
        let host =
            nix::unistd::gethostname().map_or_else(|_| "unknown".into(), |host| host.to_string_lossy().into_owned());
        let beat = Heartbeat {
            id,
            pid: i32::try_from(std::process::id()).unwrap_or_default(),
            transport: transport.kind().into(),
            target: transport.target(),
            secret_fingerprint: secret_fingerprint(secret.bytes()),
            secret_previous_fingerprint: secret_previous.as_ref().map(|secret| secret_fingerprint(secret.bytes())),
            sent: 0,
            failed: 0,
            rate: 0.0,
            lanes: 0,
            last_error: None,
            stopped: false,
            host,
        };
        let templates = Templates::from_settings(settings)?;
        let preparer = Preparer {
            worker: id,
            actor: Actor::new(format!("worker@{}", beat.host), Origin::Worker),
            secret,
            secret_previous,
            lifetime: settings.verification.lifetime,
            lease: transport.longest_content() + lease_margin(&transport),
            made_of: Locale::ALL.map(|locale| (locale, made_of::of(&templates, settings, locale))),
            server: None,
            old_after: settings.verification.lifetime.mul_f64(settings.worker.give_up_after),
        };
        let shared = Shared {
            lag: Lag::default(),
            store,
            preparer,
            templates,
            composer: Composer::from_settings(settings)?,
            public_url: settings.require_public_url()?,
            settings: settings.clone(),
        };
        let (pulse, acts, longest_ending) = (Pulse::default(), Arc::default(), LONGEST_ENDING);
        Ok(Self { shared: Arc::new(shared), transport, beat, pulse, acts, longest_ending })
    }

    /// The same, ending within another time than what systemd grants.
    #[must_use]
    pub fn ending_within(self, longest_ending: Duration) -> Self {
        Self { longest_ending, ..self }
    }

    /// Under which id its heartbeats are.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.beat.id
    }

    /// By which it shows that it turns.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Told when there is something to do at AWS.
    #[must_use]
    pub fn acts(&self) -> Arc<Notify> {
        Arc::clone(&self.acts)
    }

    /// Where mail goes, to be shown.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{} {}", self.beat.transport, self.beat.target)
    }

    /// How often the lease on what is in progress is renewed.
    pub(super) fn renew_every(&self) -> Duration {
        lease_margin(&self.transport) / RENEWALS
    }

    /// How often it does what any worker may do for all: in time for what waits for it.
    pub(super) fn keep_every(&self) -> Duration {
        let waiting = self.shared.settings.worker.unknown_after.min(self.shared.preparer.lease) / 4;
        waiting.clamp(Duration::from_millis(100), KEEP_EVERY_MAX)
    }
}

/// How much longer than the longest content a lease lasts: the time for everything before it, and for renewals.
fn lease_margin(transport: &Transport) -> Duration {
    (transport.longest_content() * 3 / 4).max(LEASE_MARGIN_MIN)
}
