//! One mail in a lane: composed, sent in its slot, and the server's answer judged once ([`super::reply`]).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::preparer::{Preparer, Ready};
use super::redact;
use super::refusal::Refusal;
use super::reply::{Class, judge};
use super::retry::{self, Tried};
use super::slot::Lag;
use crate::config::Settings;
use crate::contain::contained;
use crate::domain::address::EmailAddress;
use crate::domain::id::{SendId, VerificationId};
use crate::mail::link::Link;
use crate::mail::message::{Composed, Composer};
use crate::mail::templates::Templates;
use crate::mail::transport::{Cause, Failure, Lane, Lease};
use crate::mail::verification::{self, VerificationMail};
use crate::store::Store;
use crate::store::outbox::begin::Attempt;
use crate::store::outbox::result::{Outcome, SendResult};

/// What every lane shares.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) preparer: Preparer,
    pub(super) templates: Templates,
    pub(super) composer: Composer,
    pub(super) settings: Settings,
    pub(super) public_url: Url,
    pub(super) lag: Lag,
}

/// How far a mail came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server took it.
    Accepted,
    /// The server did not, or could not be asked, or its answer was lost.
    Failed(Class),
    /// No mail could be made of it.
    Unmade,
    /// Nothing was sent, for this reason: the lease was about to end.
    Unbegun(String),
    /// The lane broke on it: a fault of this program.
    Broke,
}

/// What came of a mail in a lane.
#[derive(Debug)]
pub(super) struct LaneResult {
    pub(super) id: SendId,
    pub(super) answer: Answer,
    /// What is to be recorded; `None` where the send is to be put back.
    pub(super) outcome: Option<Outcome>,
    /// What it counts as where the server takes no mail at all; `None` if it does not.
    pub(super) refusal: Option<Refusal>,
    /// How long the server took, where it took the mail.
    pub(super) took: Duration,
}

impl Shared {
    /// Sends one mail, not before `at`.
    pub(super) async fn send(self: Arc<Self>, lane: &mut Lane, ready: Ready, at: Instant, lease: Lease) -> LaneResult {
        let begun = Instant::now();
        let composed = self.compose(&ready);
        let opened = if composed.is_ok() { lane.open().await } else { Ok(()) };
        let early = at.saturating_duration_since(Instant::now());
        // A server that cannot be reached is told of at once, and makes no other mail late.
        if opened.is_ok() {
            self.lag.wait_for(at).await;
        }
        let (id, verification, attempt) = (ready.id, ready.verification, ready.attempt);
        let tried =
            Tried { attempt: attempt.counted, attempts_min: self.settings.worker.attempts, is_old: ready.is_old };
        let outcome = |result, reply| Some(Outcome { id, verification, attempt, result, reply });
        let mail = match composed {
            Ok(mail) => mail,
            Err(reason) => {
                let reason = redact::text(&reason, &ready.key);
                let refusal = Some(Refusal::unmade(&reason, &ready, tried.is_old));
                let outcome = outcome(SendResult::Failed { reason }, None);
                return LaneResult { id, answer: Answer::Unmade, outcome, refusal, took: Duration::ZERO };
            }
        };
        let sent = match opened {
            Ok(()) => lane.send(&mail, id, &lease).await,
            Err(failure) => Err(failure),
        };
        let answer = redact::answer(sent, &ready.key);
        let took = begun.elapsed().saturating_sub(early);
        match answer {
            Ok(receipt) => {
                let result = SendResult::Accepted { ses_id: receipt.ses_id.map(|id| id.raw().to_owned()) };
                let outcome = outcome(result, Some(receipt.reply.raw().to_owned()));
                LaneResult { id, answer: Answer::Accepted, outcome, refusal: None, took }
            }
            Err(failure @ Failure { cause: Cause::LeaseEnds, .. }) => {
                LaneResult { id, answer: Answer::Unbegun(failure.to_string()), outcome: None, refusal: None, took }
            }
            Err(failure) => {
                let verdict = judge(&failure, &mail.from, &mail.to);
                let result = retry::result_of(&verdict, tried);
                let is_final = matches!(result, SendResult::Failed { .. }) && tried.is_old;
                let refusal = Refusal::of(&failure, &verdict, &mail.to, is_final);
                let outcome = outcome(result, failure.answer().map(|answer| answer.raw().to_owned()));
                LaneResult { id, answer: Answer::Failed(verdict.class), outcome, refusal, took }
            }
        }
    }

    fn compose(&self, ready: &Ready) -> Result<Composed, String> {
        contained(|| self.try_to_compose(ready))
            .unwrap_or_else(|broke| Err(format!("no mail could be made from it: {broke}")))
    }

    fn try_to_compose(&self, ready: &Ready) -> Result<Composed, String> {
        let recipient = EmailAddress::parse(ready.user.email.raw())
            .map_err(|why| format!("the stored address cannot be mailed: {why}; sign the user up with a right one"))?;
        let mail = VerificationMail {
            recipient,
            name: ready.user.name.clone(),
            locale: ready.user.locale,
            link: Link::new(&self.public_url, &ready.key),
            expires_at: ready.expires_at,
            lifetime: self.preparer.lifetime,
        };
        let context = mail.context(&self.settings.site);
        let rendered =
            self.templates.render(verification::TEMPLATE, mail.locale, &context).map_err(|error| error.to_string())?;
        self.composer
            .compose(ready.id, ready.lost + 1, &mail.recipient, mail.name.raw(), &rendered, chrono::Utc::now())
            .map_err(|error| error.to_string())
    }
}

impl LaneResult {
    /// Of a lane that broke or was ended: where the mail's content was begun, no one knows whether it went out; where
    /// not, it did not.
    pub(super) fn broke(id: SendId, verification: VerificationId, attempt: Attempt, lease: &Lease, why: &str) -> Self {
        let result = if lease.has_begun() {
            SendResult::Unknown { reason: format!("{why}; the mail may or may not have gone out") }
        } else {
            SendResult::Failed { reason: format!("{why}; nothing was sent") }
        };
        let outcome = Some(Outcome { id, verification, attempt, result, reply: None });
        Self { id, answer: Answer::Broke, outcome, refusal: None, took: Duration::ZERO }
    }
}
