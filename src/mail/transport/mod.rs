//! Handing a mail over, and saying exactly what came of it.
//!
//! A [`Lane`] sends one mail after the other over at most one connection. Only an answer 250 to the whole mail counts
//! as success. A failure says how far the conversation had come, since a mail whose last answer was lost may have been
//! taken: no one may call it failed, and no one may send it again without thinking.

#[cfg(feature = "aws")]
mod api;
mod capture;
mod connection;
pub mod dialogue;
mod offers;
mod reply;
mod reply_adapter;
mod secret_redactor;
mod sign_in;
mod smtp;
mod tls_verifier;
mod tried;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::message::Composed;
use crate::config::{SettingError, Settings, TransportKind};
use crate::dial::Dialer;
use crate::domain::id::SendId;
use crate::ses::ApiRefusal;
use crate::text::{Untrusted, plain};

#[cfg(feature = "aws")]
use api::Api;
use capture::Capture;
use dialogue::{Dialogue, DialogueLine, Speaker};
pub use reply::Reply;
pub use smtp::Timeouts;
use smtp::{Smtp, SmtpLane};
pub use tried::Tried;

/// A mail was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The server's whole reply, code and text.
    pub reply: Untrusted,
    /// The id under which the server knows the mail: with SES, what its events call `mail.messageId`.
    pub ses_id: Option<Untrusted>,
}

impl Receipt {
    fn new(reply: &Reply) -> Self {
        Self { reply: reply.whole(), ses_id: reply.message_id() }
    }
}

/// How far the conversation had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reaching the server; with TLS from the first byte, the TLS handshake as well.
    Connect,
    /// Its greeting and its answer to EHLO.
    Greeting,
    /// STARTTLS, the TLS handshake, and EHLO again.
    StartTls,
    /// Signing in.
    Auth,
    /// Naming the sender.
    Mail,
    /// Naming the recipient.
    Rcpt,
    /// Asking to send the content.
    Data,
    /// The content, before its end was written: the server cannot have taken it yet.
    Content,
    /// The end of the content, and the answer to the whole mail.
    EndOfData,
}

impl Stage {
    /// What was being done, for an operator.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Greeting => "the greeting",
            Self::StartTls => "STARTTLS",
            Self::Auth => "signing in",
            Self::Mail => "naming the sender",
            Self::Rcpt => "naming the recipient",
            Self::Data => "announcing the mail",
            Self::Content => "sending the mail",
            Self::EndOfData => "ending the mail",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a stage did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The server said so.
    Reply(Reply),
    /// SES's API said so.
    ApiRefusal(ApiRefusal),
    /// There are no credentials for SES's API.
    NoCredentials(Untrusted),
    /// No answer within the time.
    TimedOut(Duration),
    /// The connection broke, could not be made, or carried something that is not SMTP.
    Network(Untrusted),
    /// The server said this when nothing was to be said, so that none of its answers is certain to be what it was asked;
    /// nothing was written behind it. At the end of a mail: all that was said instead of one answer.
    OutOfTurn(Untrusted),
    /// The server's certificate is not trusted.
    Certificate(Untrusted),
    /// The server offers no STARTTLS; nothing was sent in clear text.
    NoStartTls,
    /// The server offers no way to sign in that this program knows.
    NoAuth,
    /// The mail could not be written to the capture directory.
    File(Untrusted),
    /// The lease is about to end: its content was not begun, since another worker might send it as well.
    LeaseEnds,
}

/// A mail was not accepted, or it is not known whether it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// What happened there.
    pub cause: Cause,
}

impl Failure {
    pub(super) fn new(stage: Stage, cause: Cause) -> Self {
        Self { stage, cause }
    }

    /// The mail server's answer, if there was one.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match &self.cause {
            Cause::Reply(reply) => Some(reply),
            _ => None,
        }
    }

    /// What was answered, by the mail server or by SES's API, in one line.
    #[must_use]
    pub fn answer(&self) -> Option<Untrusted> {
        match &self.cause {
            Cause::Reply(reply) => Some(reply.whole()),
            Cause::ApiRefusal(refusal) => Some(refusal.whole()),
            _ => None,
        }
    }

    /// Whether the server still listens, so that leave is taken of it.
    fn is_polite_to_leave(&self) -> bool {
        match &self.cause {
            Cause::Reply(reply) => reply.code != 421,
            cause => *cause == Cause::LeaseEnds,
        }
    }

    /// Whether the mail may have been taken all the same: its content was on the way and the answer was lost.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        // An answer below 400 that is not 250 belongs to nothing that was asked.
        let lost = match &self.cause {
            Cause::TimedOut(_) | Cause::Network(_) | Cause::OutOfTurn(_) => true,
            Cause::Reply(reply) => reply.code < 400,
            Cause::ApiRefusal(refusal) => !refusal.is_certain(),
            _ => false,
        };
        self.stage == Stage::EndOfData && lost
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage;
        match &self.cause {
            Cause::Reply(reply) => write!(f, "refused at {stage}: {}", reply.whole().plain()),
            Cause::ApiRefusal(refusal) => write!(f, "refused by SES's API: {refusal}"),
            Cause::NoCredentials(what) => write!(f, "there are no AWS credentials: {}", what.plain()),
            Cause::TimedOut(limit) => write!(f, "no answer at {stage} within {} s", limit.as_secs_f32()),
            Cause::Network(what) => write!(f, "connection failed at {stage}: {}", what.plain()),
            Cause::OutOfTurn(what) => write!(f, "the server spoke out of turn at {stage}: {}", what.plain()),
            Cause::Certificate(what) => write!(
                f,
                "the server's certificate is not trusted ({}); a private authority goes into `smtp.ca_file`",
                what.plain()
            ),
            Cause::NoStartTls => f.write_str("the server offers no STARTTLS; nothing was sent"),
            Cause::NoAuth => f.write_str("the server offers no way to sign in that is known here"),
            Cause::File(what) => write!(f, "the mail could not be written: {}", what.plain()),
            Cause::LeaseEnds => f.write_str("the lease on the mail was about to end; nothing was sent"),
        }
    }
}

/// Until when a mail is this worker's and no one else's; moves on while the worker renews it.
#[derive(Clone, Debug)]
pub struct Lease {
    end: watch::Receiver<Instant>,
    has_begun: Arc<AtomicBool>,
}

impl Lease {
    /// A lease that ends at the time that this channel holds.
    #[must_use]
    pub fn new(end: watch::Receiver<Instant>) -> Self {
        Self { end, has_begun: Arc::default() }
    }

    /// Whether the content was begun under it, so that the mail may have gone out.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::SeqCst)
    }
}

/// How mail leaves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transport(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Smtp(Smtp),
    #[cfg(feature = "aws")]
    Api(Api),
    Capture(Capture),
}

impl Transport {
    /// Takes what the settings say, and checks it without speaking to any server: credentials, certificates, whether
    /// the capture directory can be written.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self(match settings.mail.transport {
            TransportKind::Smtp => Kind::Smtp(Smtp::from_settings(settings)?),
            #[cfg(feature = "aws")]
            TransportKind::Ses => Kind::Api(Api::from_settings(settings)?),
            #[cfg(not(feature = "aws"))]
            TransportKind::Ses => return Err(without_aws()),
            TransportKind::Capture => Kind::Capture(Capture::open(settings.require_capture_dir()?)?),
        }))
    }

    /// The same with other time-outs for SMTP.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        if let Kind::Smtp(smtp) = self.0 { Self(Kind::Smtp(smtp.with_timeouts(timeouts))) } else { self }
    }

    /// The same with another way to reach the SMTP server.
    #[must_use]
    pub fn with_dialer(self, dialer: Dialer) -> Self {
        if let Kind::Smtp(smtp) = self.0 { Self(Kind::Smtp(smtp.with_dialer(dialer))) } else { self }
    }

    /// A new lane, without a connection yet.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane_with(None)
    }

    /// The same, and the conversation is reported line by line.
    #[must_use]
    pub fn lane_telling(&self, dialogue: Dialogue) -> Lane {
        self.lane_with(Some(dialogue))
    }

    fn lane_with(&self, dialogue: Option<Dialogue>) -> Lane {
        Lane(match &self.0 {
            Kind::Smtp(smtp) => Way::Smtp(Box::new(SmtpLane::new(smtp.clone(), dialogue))),
            #[cfg(feature = "aws")]
            Kind::Api(api) => Way::Api(api.clone(), dialogue),
            Kind::Capture(capture) => Way::Capture(capture.clone(), dialogue),
        })
    }

    /// The word for it in settings: `smtp`, `ses` or `capture`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Smtp(_) => "smtp",
            #[cfg(feature = "aws")]
            Kind::Api(_) => "ses",
            Kind::Capture(_) => "capture",
        }
    }

    /// Where mail goes, to be shown: host and port, or the directory.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.0 {
            Kind::Smtp(smtp) => smtp.target(),
            #[cfg(feature = "aws")]
            Kind::Api(api) => api.target(),
            Kind::Capture(capture) => plain(&capture.dir().display().to_string()).into_string(),
        }
    }

    /// The longest that a mail's content can take once it has begun, every time-out used up: a lease must have as much
    /// left.
    #[must_use]
    pub fn longest_content(&self) -> Duration {
        match &self.0 {
            Kind::Smtp(smtp) => smtp.timeouts().longest_content(),
            #[cfg(feature = "aws")]
            Kind::Api(api) => api.longest_content(),
            Kind::Capture(_) => capture::LONGEST,
        }
    }
}

/// Sends one mail after the other.
#[derive(Debug)]
pub struct Lane(Way);

#[derive(Debug)]
enum Way {
    Smtp(Box<SmtpLane>),
    #[cfg(feature = "aws")]
    Api(Api, Option<Dialogue>),
    Capture(Capture, Option<Dialogue>),
}

impl Lane {
    /// Connects, unless a connection waits that still answers, so that only the mail itself is left to be sent. Where
    /// nothing but a mail opens a connection this does nothing.
    pub async fn open(&mut self) -> Result<(), Failure> {
        match &mut self.0 {
            Way::Smtp(lane) => Box::pin(lane.open()).await,
            #[cfg(feature = "aws")]
            Way::Api(..) => Ok(()),
            Way::Capture(..) => Ok(()),
        }
    }

    /// Hands one mail over. May be cancelled at any point: the connection is gone then, and the next mail gets a new
    /// one. Whether a mail whose sending was cancelled went out is not known. Its content is not begun unless the lease
    /// lasts until it must have ended.
    pub async fn send(&mut self, mail: &Composed, id: SendId, lease: &Lease) -> Result<Receipt, Failure> {
        let reply = match &mut self.0 {
            // The conversation's buffers are large; the caller should not carry them.
            Way::Smtp(lane) => Box::pin(lane.send(mail, id, lease)).await?,
            #[cfg(feature = "aws")]
            Way::Api(api, dialogue) => return Box::pin(api.send(mail, lease, dialogue.as_ref())).await,
            Way::Capture(capture, dialogue) => {
                within_lease(lease, capture::LONGEST, Stage::EndOfData)?;
                let reply = capture.send(mail, id).await?;
                if let Some(dialogue) = dialogue {
                    let text = format!("written into {}", capture.dir().display());
                    let _ = dialogue.send(DialogueLine::new(Speaker::Note, &text));
                }
                reply
            }
        };
        Ok(Receipt::new(&reply))
    }

    /// Sends QUIT to the server, within a bounded time.
    pub async fn close(self) {
        if let Way::Smtp(lane) = self.0 {
            lane.close().await;
        }
    }
}

#[cfg(not(feature = "aws"))]
fn without_aws() -> SettingError {
    SettingError::new(
        "`mail.transport` is \"ses\", but this program was built without Amazon's API (feature `aws`)",
        "set it to \"smtp\", or build verifydesk with its default features",
    )
}

/// Refuses to begin what the lease might not cover.
fn within_lease(lease: &Lease, longest: Duration, stage: Stage) -> Result<(), Failure> {
    if Instant::now() + longest < *lease.end.borrow() {
        lease.has_begun.store(true, Ordering::SeqCst);
        Ok(())
    } else {
        Err(Failure::new(stage, Cause::LeaseEnds))
    }
}
