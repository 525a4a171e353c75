//! Why a message is not taken, and what SNS is answered.
//!
//! SNS takes any status below 500 for delivered, and tries again after any other. So what is forged, foreign or broken
//! gets one of 4xx, and what may be this program's own fault gets 503. Nothing that was posted is repeated.

use super::FetchError;
use super::envelope::BODY_MAX;

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is longer than {BODY_MAX} bytes")]
    TooLong,
    #[error("it is not signed: raw message delivery is on, and has to be turned off for this subscription")]
    Raw,
    #[error("it is no message of SNS")]
    NotSns,
    #[error("it is of a type that SNS does not have")]
    Type,
    #[error("its signature is of a version other than 1 and 2")]
    Version,
    #[error("its topic is none of SNS's")]
    Topic,
    #[error("its topic is not allowed here")]
    ForeignTopic,
    #[error("its certificate does not lie at SNS, in its topic's region")]
    CertificateUrl,
    #[error("its subscription is not confirmed at SNS, in its topic's region")]
    SubscribeUrl,
    #[error("it is older than an hour")]
    Old,
    #[error("its time lies ahead: is the clock here slow?")]
    Ahead,
    #[error("it is not signed by SNS, or was altered")]
    Signature,
    #[error("the certificate that it names is not valid at this time: is the clock here right?")]
    Expired,
    #[error("its certificate cannot be had: {0}")]
    NoCertificate(#[from] FetchError),
}

impl Refusal {
    /// The status of HTTP that it gets.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLong => 413,
            Self::Raw | Self::NotSns | Self::Type | Self::Version | Self::Topic => 400,
            Self::ForeignTopic | Self::CertificateUrl | Self::SubscribeUrl | Self::Old | Self::Signature => 403,
            Self::Ahead | Self::Expired | Self::NoCertificate(_) => 503,
        }
    }

    /// Short and always the same, for counting.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Raw => "raw",
            Self::NotSns => "not-sns",
            Self::Type => "type",
            Self::Version => "version",
            Self::Topic => "topic",
            Self::ForeignTopic => "foreign-topic",
            Self::CertificateUrl => "certificate-url",
            Self::SubscribeUrl => "subscribe-url",
            Self::Old => "old",
            Self::Ahead => "ahead",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NoCertificate(_) => "no-certificate",
        }
    }
}
