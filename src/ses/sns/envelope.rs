//! A message as SNS posts it, not yet known to be SNS's, and what of it is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{CheckedUrl, Refusal, TopicArn};
use crate::domain::Time;

/// Longest body, in bytes.
pub const BODY_MAX: usize = 256 * 1024;

/// Longest id, subject, time and token; SNS's are much shorter.
const FIELD_MAX: usize = 1_024;

/// Longest signature: that of a key of 8192 bits.
const SIGNATURE_MAX: usize = 1_024;

/// How deep a body may be nested; SNS's are flat.
const DEPTH_MAX: usize = 32;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something was published.
    Notification,
    /// A topic asks whether its messages are wanted here.
    SubscriptionConfirmation,
    /// A topic's messages come no more. Opening its address would subscribe to it again.
    UnsubscribeConfirmation,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation];

    /// As SNS names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }
}

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The default of a topic.
    Sha1,
    Sha256,
}

impl Version {
    /// As SNS numbers it.
    pub(super) fn number(self) -> i16 {
        match self {
            Self::Sha1 => 1,
            Self::Sha256 => 2,
        }
    }
}

/// A message, of which only the form has been checked.
pub(super) struct Envelope {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) topic: TopicArn,
    pub(super) sent_at: Time,
    pub(super) text: String,
    pub(super) subscribe_url: Option<CheckedUrl>,
    pub(super) certificate_url: CheckedUrl,
    pub(super) signature: Vec<u8>,
    pub(super) version: Version,
    subject: Option<String>,
    timestamp: String,
    token: Option<String>,
}

/// The fields as they stand there. A field that stands there twice is refused: one might be checked, the other used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields {
    r#type: String,
    message_id: String,
    topic_arn: String,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    certificate_url: String,
    subject: Option<String>,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
}

impl Envelope {
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        if body.len() > BODY_MAX {
            return Err(Refusal::TooLong);
        }
        if depth(body) > DEPTH_MAX {
            return Err(Refusal::NotSns);
        }
        let fields: Fields = serde_json::from_slice(body).map_err(|_| Refusal::NotSns)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == fields.r#type).ok_or(Refusal::Type)?;
        // What is signed is lines. A line break in any field but the message could make two messages of the same lines.
        let lines = [Some(&fields.message_id), Some(&fields.timestamp), fields.subject.as_ref(), fields.token.as_ref()];
        let is_line = |text: &String| text.len() <= FIELD_MAX && !text.contains(char::is_control);
        if !lines.into_iter().flatten().all(is_line) || fields.message_id.is_empty() {
            return Err(Refusal::NotSns);
        }
        let version = match fields.signature_version.as_str() {
            "1" => Version::Sha1,
            "2" => Version::Sha256,
            _ => return Err(Refusal::Version),
        };
        let topic = TopicArn::parse(&fields.topic_arn).ok_or(Refusal::Topic)?;
        let certificate_url =
            CheckedUrl::of_certificate(&fields.certificate_url, &topic).ok_or(Refusal::CertificateUrl)?;
        let subscribe_url = if kind == Kind::Notification {
            None
        } else {
            let (Some(url), Some(_)) = (&fields.subscribe_url, &fields.token) else { return Err(Refusal::NotSns) };
            Some(CheckedUrl::of_subscription(url, &topic).ok_or(Refusal::SubscribeUrl)?)
        };
        let signature = STANDARD.decode(&fields.signature).map_err(|_| Refusal::Signature)?;
        if signature.len() > SIGNATURE_MAX {
            return Err(Refusal::Signature);
        }
        let sent_at = fields.timestamp.parse().ok().filter(|time| crate::domain::is_kept(*time));
        Ok(Self {
            kind,
            id: fields.message_id,
            topic,
            sent_at: sent_at.ok_or(Refusal::NotSns)?,
            text: fields.message,
            subscribe_url,
            certificate_url,
            signature,
            version,
            subject: fields.subject,
            timestamp: fields.timestamp,
            token: fields.token,
        })
    }

    /// What SNS signs: names and values of these fields, each on a line of its own, with a line break after the last.
    pub(super) fn to_sign(&self) -> String {
        let (subject, confirm) = match &self.subscribe_url {
            None => (self.subject.as_deref(), None),
            Some(url) => (None, self.token.as_deref().map(|token| (url.as_str(), token))),
        };
        let fields = [
            ("Message", Some(self.text.as_str())),
            ("MessageId", Some(&self.id)),
            ("Subject", subject),
            ("SubscribeURL", confirm.map(|(url, _)| url)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", confirm.map(|(_, token)| token)),
            ("TopicArn", Some(self.topic.as_str())),
            ("Type", Some(self.kind.as_str())),
        ];
        let there = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        there.flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
    }
}

/// How deep a JSON text is nested. `serde_json` skips what is not asked for, however deep it is.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests;
