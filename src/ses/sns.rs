//! Verifies what Amazon SNS posts: that SNS signed it, for a topic of ours, a short while ago (SNS developer guide,
//! "Verifying the signatures of Amazon SNS messages").
//!
//! The signature is checked with a certificate whose address stands in the message itself. So everything that can be
//! checked without it is checked before it is fetched, and how much is fetched is bounded: a flood of forged messages
//! must neither fill the memory nor make this program ask AWS without end.

mod address;
mod certificate;
mod certificates;
mod envelope;
mod https;
mod refusal;
mod topic;

use std::sync::Arc;
use std::time::Duration;

pub use address::CheckedUrl;
pub use certificates::{Fetch, FetchError};
pub use envelope::{BODY_MAX, Kind};
pub use https::Https;
pub use refusal::Refusal;
pub use topic::TopicArn;

use crate::domain::Time;
use certificates::{Bounds, Certificates};
use envelope::Envelope;

/// How old a message may be; SNS tries to deliver one for no longer than this.
const AGE_MAX: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// How far its time may lie ahead: clocks differ.
const AHEAD_MAX: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// For topics that are allowed: SNS changes its certificate about once a year.
const ALLOWED: Bounds = Bounds { kept: 4, at_once: 4, a_minute: 30, wait: Duration::from_secs(6) };

/// For topics that ask for approval; apart, so that strangers use up nothing that the others need.
const ASKING: Bounds = Bounds { kept: 2, at_once: 1, a_minute: 6, wait: Duration::from_secs(6) };

/// A message that SNS has signed. It has no `Debug`: an event may hold a link with its key, and the token of a
/// subscription is a secret too.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    /// The same, however often it is delivered.
    pub id: String,
    pub topic: TopicArn,
    /// Whether the topic is on the list. Without it only a subscription asks to be confirmed.
    pub is_allowed: bool,
    pub sent_at: Time,
    /// How it was signed: 1 is SHA-1, 2 is SHA-256.
    pub signature_version: i16,
    /// What was published, or what SNS says of the subscription.
    pub text: String,
    /// Where the subscription is confirmed; also after it has ended, since it begins again there.
    pub subscribe_url: Option<CheckedUrl>,
}

/// Verifies messages.
pub struct Verifier {
    fetch: Arc<dyn Fetch>,
    of_allowed: Certificates,
    of_asking: Certificates,
}

impl Verifier {
    /// One that fetches certificates this way, and keeps them.
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            of_allowed: Certificates::new(Arc::clone(&fetch), ALLOWED),
            of_asking: Certificates::new(Arc::clone(&fetch), ASKING),
            fetch,
        }
    }

    /// What was posted, if SNS has signed it for a topic that is allowed; or for any other, if it asks whether a
    /// subscription is wanted.
    ///
    /// `is_raw` is whether the header `x-amz-sns-rawdelivery` was there: then nothing is signed.
    pub async fn verify(
        &self,
        body: &[u8],
        is_raw: bool,
        is_allowed: impl Fn(&TopicArn) -> bool,
        now: Time,
    ) -> Result<Message, Refusal> {
        if is_raw {
            return Err(Refusal::Raw);
        }
        let envelope = Envelope::read(body)?;
        let is_allowed = is_allowed(&envelope.topic);
        if !is_allowed && envelope.kind != Kind::SubscriptionConfirmation {
            return Err(Refusal::ForeignTopic);
        }
        if envelope.sent_at < now - AGE_MAX {
            return Err(Refusal::Old);
        }
        if envelope.sent_at > now + AHEAD_MAX {
            return Err(Refusal::Ahead);
        }
        let certificates = if is_allowed { &self.of_allowed } else { &self.of_asking };
        let certificate = certificates.get(&envelope.certificate_url).await?;
        if !certificate.is_valid_at(now) {
            return Err(Refusal::Expired);
        }
        if !certificate.has_signed(envelope.to_sign().as_bytes(), &envelope.signature, envelope.version) {
            return Err(Refusal::Signature);
        }
        certificates.has_proved_good(&envelope.certificate_url, &certificate);
        Ok(Message {
            kind: envelope.kind,
            id: envelope.id,
            topic: envelope.topic,
            is_allowed,
            sent_at: envelope.sent_at,
            signature_version: envelope.version.number(),
            text: envelope.text,
            subscribe_url: envelope.subscribe_url,
        })
    }

    /// Confirms a subscription. SNS's answer says no more than that it did.
    pub async fn confirm(&self, url: &CheckedUrl) -> Result<(), FetchError> {
        self.fetch.fetch(url.clone()).await.map(drop)
    }
}
