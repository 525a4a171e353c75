//! One mail, from its claim to its recorded fate.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::backoff;
use super::prepare::{Prepared, Preparer, Ready};
use super::redact;
use super::reply::{Class, judge};
use crate::config::Settings;
use crate::domain::address::EmailAddress;
use crate::domain::change::Change;
use crate::domain::id::{SendId, VerificationId};
use crate::mail::link::Link;
use crate::mail::message::{Composed, Composer};
use crate::mail::templates::Templates;
use crate::mail::transport::{Failure, Lane, Receipt, Stage};
use crate::mail::verification::{self, VerificationMail};
use crate::store::Store;
use crate::store::outbox::{Claimed, Fate};

/// How long a result is kept trying to be recorded while the database is away.
const RECORD_FOR: Duration = Duration::from_mins(2);

/// What every lane shares.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) preparer: Preparer,
    pub(super) templates: Templates,
    pub(super) composer: Composer,
    pub(super) settings: Settings,
    pub(super) public_url: Url,
}

/// Whether the mails behind a deferred one are held back as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// They may go.
    No,
    /// They would meet the same.
    For(Duration),
    /// They may go a moment later, fewer at a time.
    Slower(Duration),
    /// The server could not be reached, or not spoken to.
    Unreachable,
}

/// What handling a send came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server took it.
    Sent,
    /// Given up, for a reason that lies in this mail or recipient.
    Failed(String),
    /// Tried again later.
    Deferred { reason: String, pause: Pause },
    /// Nobody knows whether it went out.
    Unknown(String),
    /// No longer wanted.
    Cancelled,
    /// Somebody else's.
    Lost,
    /// The database went away before the mail server was spoken to.
    Unbegun(String),
    /// This worker cannot send at all until a person mends something.
    Misconfigured(String),
}

impl Shared {
    /// Handles one claimed send. An error is the database's, and one that another try at once would meet again, or of
    /// which nobody knows what the mail server said before; the send then waits until its lease ends.
    pub(super) async fn handle(
        self: &Arc<Self>,
        lane: &mut Lane,
        claimed: Claimed,
    ) -> Result<Outcome, crate::store::Error> {
        let ready = match self.preparer.prepare(&self.store, claimed.id).await {
            Ok(Prepared::Ready(ready)) => ready,
            Ok(Prepared::Lost) => return Ok(Outcome::Lost),
            Ok(Prepared::Cancelled(verification)) => {
                self.tell(verification).await;
                return Ok(Outcome::Cancelled);
            }
            Err(error) if error.is_away() => return Ok(Outcome::Unbegun(error.to_string())),
            Err(error) => return Err(error),
        };
        for changed in [Some(ready.verification), ready.superseded].into_iter().flatten() {
            self.store.notify(Change::Verification(changed)).await;
        }
        let (fate, reply, outcome) = match self.compose(claimed.id, &ready) {
            Ok(mail) => {
                let answer = redact::answer(lane.send(&mail, claimed.id).await, &ready.key);
                fate_of(answer, &mail, claimed.attempts + 1, self.settings.worker.attempts)
            }
            Err(reason) => {
                let reason = redact::text(&reason, &ready.key);
                (Fate::Failed { reason: reason.clone() }, None, Outcome::Failed(reason))
            }
        };
        self.record(claimed.id, &fate, reply.as_deref()).await?;
        self.tell(Some(ready.verification)).await;
        Ok(outcome)
    }

    fn compose(&self, id: SendId, ready: &Ready) -> Result<Composed, String> {
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
            .compose(id, &mail.recipient, mail.name.raw(), &rendered, chrono::Utc::now())
            .map_err(|error| error.to_string())
    }

    /// Records a result. The mail server has spoken already, so the database gets a second and a tenth chance before
    /// what it said is lost; should it stay away, the log has it, and the send becomes *unknown* at its lease's end.
    async fn record(&self, id: SendId, fate: &Fate, reply: Option<&str>) -> Result<(), crate::store::Error> {
        let until = tokio::time::Instant::now() + RECORD_FOR;
        let mut failures = 0;
        loop {
            match self.store.record(id, self.preparer.worker, fate, reply).await {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    tracing::warn!(send = %id, state = %fate.state(), "the lease was lost before the result was recorded");
                    return Ok(());
                }
                Err(error) if error.is_away() && tokio::time::Instant::now() < until => {
                    failures += 1;
                    tokio::time::sleep(backoff::unreachable(failures)).await;
                }
                Err(error) => {
                    tracing::error!(send = %id, state = %fate.state(), %error, "the result could not be recorded");
                    return Err(error);
                }
            }
        }
    }

    async fn tell(&self, verification: Option<VerificationId>) {
        self.store.notify(verification.map_or(Change::Many, Change::Verification)).await;
    }
}

/// What the server's answer means for the send, and for the worker.
fn fate_of(
    result: Result<Receipt, Failure>,
    mail: &Composed,
    attempt: i16,
    attempts_max: i16,
) -> (Fate, Option<String>, Outcome) {
    let failure = match result {
        Ok(receipt) => {
            let ses_id = receipt.ses_id.map(|id| id.raw().to_owned());
            return (Fate::Accepted { ses_id }, Some(receipt.reply.raw().to_owned()), Outcome::Sent);
        }
        Err(failure) => failure,
    };
    let reply = failure.reply().map(|reply| reply.whole().raw().to_owned());
    let verdict = judge(&failure, &mail.from, &mail.to);
    let mut reason = verdict.reason();
    let class = verdict.class;
    // A server that cannot be reached is nobody's fault who is named in the mail.
    let is_unreachable = matches!(class, Class::Transient { .. }) && failure.stage < Stage::Mail;
    let counts = class.counts() && !is_unreachable;
    let is_over = !class.is_retried() || (counts && attempt >= attempts_max);
    let (fate, outcome) = match class {
        Class::Unknown => (Fate::Unknown { reason: reason.clone() }, Outcome::Unknown(reason)),
        _ if is_over => {
            if class.is_retried() {
                reason = format!("given up after {attempt} attempts: {reason}");
            }
            (Fate::Failed { reason: reason.clone() }, Outcome::Failed(reason))
        }
        _ => {
            // Where nothing can be reached it is the worker that pauses, longer each time.
            let after = class.wait().unwrap_or_else(|| {
                if is_unreachable { backoff::unreachable(1) } else { backoff::after(if counts { attempt } else { 1 }) }
            });
            let fate = Fate::Again { after, counts, reason: reason.clone() };
            let outcome = match class {
                Class::Configuration => Outcome::Misconfigured(reason),
                Class::DailyQuota => Outcome::Deferred { reason, pause: Pause::For(after) },
                Class::Rate => Outcome::Deferred { reason, pause: Pause::Slower(backoff::jittered(after)) },
                _ if is_unreachable => Outcome::Deferred { reason, pause: Pause::Unreachable },
                _ => Outcome::Deferred { reason, pause: Pause::No },
            };
            (fate, outcome)
        }
    };
    (fate, reply, outcome)
}
