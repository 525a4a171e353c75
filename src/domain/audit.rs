//! Who did what, to which user, and what came of it. The log is append-only and names users by number only;
//! of addresses it holds those that an operator has changed, until the user is deleted.

mod list;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Time;
use super::id::{SendId, UserId, VerificationId};
use crate::text::Untrusted;

pub use list::{AuditFilter, AuditKind, AuditPlace, AuditRow};

/// Through which door an act came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The terminal console.
    Console,
    /// The command line.
    Cli,
    /// The verification view.
    Web,
    /// The site's own API.
    Api,
    /// The outbox.
    Worker,
    /// The demo's generator.
    Demo,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 6] = [Self::Console, Self::Cli, Self::Web, Self::Api, Self::Worker, Self::Demo];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Web => "web",
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Demo => "demo",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The one who acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// The operator's login and host, or what stands for a machine: `site`, `link`, `worker@host`.
    pub name: String,
    /// Through which door.
    pub origin: Origin,
}

impl Actor {
    /// An actor.
    pub fn new(name: impl Into<String>, origin: Origin) -> Self {
        Self { name: name.into(), origin }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An address was signed up.
    SignUp,
    /// A mail was asked for again.
    Resend,
    /// An operator vouched for the address.
    ForceVerify,
    /// An operator took back that a user is verified.
    Unverify,
    /// An operator revoked a link.
    Revoke,
    /// An operator extended a link's lifetime.
    Extend,
    /// An operator changed a user's address.
    ChangeAddress,
    /// The link was opened, or its button pressed.
    OpenLink,
    /// A verification was replaced by a newer one.
    Supersede,
    /// The outbox was stopped.
    Pause,
    /// The outbox was drained: what waits is finished, then it stops.
    Drain,
    /// The outbox was resumed.
    Resume,
    /// A bulk resend was asked for.
    StartJob,
    /// A job was stopped for a while.
    PauseJob,
    /// A job was resumed.
    ResumeJob,
    /// A job was cancelled.
    CancelJob,
    /// A test mail was sent.
    TestSend,
    /// A topic of SNS may post events.
    ApproveTopic,
    /// A topic of SNS may not.
    RefuseTopic,
    /// An operator took an act back.
    Undo,
    /// An operator made a link by hand.
    MintLink,
    /// An operator asked that a user be deleted.
    Delete,
    /// A user who was to be deleted was erased.
    Erase,
    /// A test message to an endpoint of webhooks was asked for.
    TestWebhook,
    /// Webhooks that were given up are tried again.
    RetryWebhooks,
    /// An address is to be taken off SES's suppression list, or was.
    RemoveSuppression,
    /// An address is to be put on it, or was.
    AddSuppression,
    /// An identity is to be added at SES, or was.
    AddIdentity,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 28] = [
        Self::SignUp,
        Self::Resend,
        Self::ForceVerify,
        Self::Unverify,
        Self::Revoke,
        Self::Extend,
        Self::ChangeAddress,
        Self::OpenLink,
        Self::Supersede,
        Self::Pause,
        Self::Drain,
        Self::Resume,
        Self::StartJob,
        Self::PauseJob,
        Self::ResumeJob,
        Self::CancelJob,
        Self::TestSend,
        Self::ApproveTopic,
        Self::RefuseTopic,
        Self::Undo,
        Self::MintLink,
        Self::Delete,
        Self::Erase,
        Self::TestWebhook,
        Self::RetryWebhooks,
        Self::RemoveSuppression,
        Self::AddSuppression,
        Self::AddIdentity,
    ];

    /// As stored and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Resend => "resend",
            Self::ForceVerify => "force_verify",
            Self::Unverify => "unverify",
            Self::Revoke => "revoke",
            Self::Extend => "extend",
            Self::ChangeAddress => "change_address",
            Self::OpenLink => "open_link",
            Self::Supersede => "supersede",
            Self::Pause => "pause",
            Self::Drain => "drain",
            Self::Resume => "resume",
            Self::StartJob => "start_job",
            Self::PauseJob => "pause_job",
            Self::ResumeJob => "resume_job",
            Self::CancelJob => "cancel_job",
            Self::TestSend => "test_send",
            Self::ApproveTopic => "approve_topic",
            Self::RefuseTopic => "refuse_topic",
            Self::Undo => "undo",
            Self::MintLink => "mint_link",
            Self::Delete => "delete",
            Self::Erase => "erase",
            Self::TestWebhook => "test_webhook",
            Self::RetryWebhooks => "retry_webhooks",
            Self::RemoveSuppression => "remove_suppression",
            Self::AddSuppression => "add_suppression",
            Self::AddIdentity => "add_identity",
        }
    }

    /// For a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::SignUp => "signed up",
            Self::Resend => "resend",
            Self::ForceVerify => "force-verify",
            Self::Unverify => "un-verified",
            Self::Revoke => "link revoked",
            Self::Extend => "link extended",
            Self::ChangeAddress => "address changed",
            Self::OpenLink => "link opened",
            Self::Supersede => "superseded",
            Self::Pause => "sending paused",
            Self::Drain => "sending drained",
            Self::Resume => "sending resumed",
            Self::StartJob => "bulk resend",
            Self::PauseJob => "job paused",
            Self::ResumeJob => "job resumed",
            Self::CancelJob => "job cancelled",
            Self::TestSend => "test mail",
            Self::ApproveTopic => "topic approved",
            Self::RefuseTopic => "topic refused",
            Self::Undo => "taken back",
            Self::MintLink => "link made by hand",
            Self::Delete => "user deleted",
            Self::Erase => "user erased",
            Self::TestWebhook => "webhook test",
            Self::RetryWebhooks => "webhooks tried again",
            Self::RemoveSuppression => "off the suppression list",
            Self::AddSuppression => "on the suppression list",
            Self::AddIdentity => "identity added",
        }
    }

    /// The title of an action as it is stored; what no version up to this one knows is shown as it is.
    #[must_use]
    pub fn title_of(stored: &str) -> &str {
        match Self::ALL.into_iter().find(|action| action.as_str() == stored) {
            Some(action) => action.title(),
            None => stored,
        }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Time,
    /// Who.
    pub actor: Untrusted,
    /// Through which door; as stored, since later versions may have more doors.
    pub origin: Untrusted,
    /// What; as stored.
    pub action: Untrusted,
    /// What came of it: `done`, `verified`, `already_verified`, `expired`, `same_link`, …
    pub outcome: Untrusted,
    /// The operator's reason, or a detail.
    pub reason: Option<Untrusted>,
    /// What it has changed, as it was before: a JSON object, where the act keeps that.
    pub before: Option<Untrusted>,
    /// Who it concerns.
    pub user_id: Option<UserId>,
    /// Which verification.
    pub verification_id: Option<VerificationId>,
    /// Which send.
    pub send_id: Option<SendId>,
    /// The database role that the session had logged in as, whatever the program says of its actor.
    pub login: Option<Untrusted>,
    /// The address that the session came from, as the database saw it; none over a socket of its own machine.
    pub client: Option<Untrusted>,
}
