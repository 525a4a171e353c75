//! Changing data, in the operator's name. An act that was begun is never cancelled.

use super::Answer;
use crate::desk::{Resent, SignUp, SignedUp};
use crate::domain::account::identity_name::IdentityName;
use crate::domain::address::EmailAddress;
use crate::domain::id::{JobId, VerificationId};
use crate::domain::job::{JobPlan, JobScope};
use crate::domain::undo::Which;
use crate::store::account_acts::ListChange;

#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Mails a link again.
    Resend {
        id: VerificationId,
        /// Where the address takes no mail.
        reason: Option<String>,
    },
    /// Does to a verification what the audit log wants a reason for.
    Reasoned {
        what: Reasoned,
        id: VerificationId,
        reason: String,
    },
    /// Changes a user's address, and mails a new link there.
    ChangeAddress {
        id: VerificationId,
        address: String,
        reason: String,
    },
    /// Has a user erased, after a while in which that can be taken back.
    Delete {
        id: VerificationId,
        reason: String,
    },
    SignUp(SignUp),
    /// Starts a bulk resend, as planned and agreed to.
    StartJob {
        scope: JobScope,
        plan: Box<JobPlan>,
    },
    /// Pauses, resumes or cancels a job.
    ChangeJob {
        id: JobId,
        change: JobChange,
    },
    /// Stops the outbox or lets it go; letting it go needs no reason.
    SetBrake {
        change: BrakeChange,
        reason: String,
    },
    /// Lets a topic of SNS post events, or does not.
    DecideTopic {
        topic: String,
        is_approved: bool,
    },
    /// Has all webhooks tried again that were given up.
    RetryWebhooks,
    /// Has an identity added at SES.
    AddIdentity {
        name: IdentityName,
        reason: Option<String>,
    },
    /// Has an address taken off SES's suppression list, or put on it.
    ChangeList {
        address: EmailAddress,
        change: ListChange,
        reason: String,
    },
    /// Takes an act back.
    Undo {
        which: Which,
    },
}

/// The answers, in the same order.
#[derive(Clone, Debug)]
pub enum Acted {
    Resent {
        id: VerificationId,
        answer: Answer<Resent>,
    },
    Reasoned {
        what: Reasoned,
        id: VerificationId,
        answer: Answer<()>,
    },
    /// With the new address, and the verification that is mailed there.
    AddressChanged {
        id: VerificationId,
        answer: Answer<(String, VerificationId)>,
    },
    Deleting {
        id: VerificationId,
        answer: Answer<()>,
    },
    SignedUp(Answer<SignedUp>),
    JobStarted(Answer<JobStarted>),
    JobChanged {
        id: JobId,
        change: JobChange,
        answer: Answer<()>,
    },
    BrakeSet {
        change: BrakeChange,
        answer: Answer<()>,
    },
    TopicDecided {
        topic: String,
        is_approved: bool,
        answer: Answer<()>,
    },
    /// How many.
    WebhooksRetried(Answer<i64>),
    /// It is asked for.
    IdentityAsked {
        name: IdentityName,
        answer: Answer<()>,
    },
    /// It is asked for.
    ListChangeAsked {
        address: EmailAddress,
        change: ListChange,
        answer: Answer<()>,
    },
    Undone {
        which: Which,
        answer: Answer<()>,
    },
}

impl Acted {
    /// Whether something was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Resent { answer, .. } => answer.is_ok(),
            Self::AddressChanged { answer, .. } => answer.is_ok(),
            Self::SignedUp(answer) => answer.is_ok(),
            Self::JobStarted(answer) => answer.is_ok(),
            Self::WebhooksRetried(answer) => answer.is_ok(),
            Self::Reasoned { answer, .. }
            | Self::Deleting { answer, .. }
            | Self::JobChanged { answer, .. }
            | Self::BrakeSet { answer, .. }
            | Self::TopicDecided { answer, .. }
            | Self::IdentityAsked { answer, .. }
            | Self::ListChangeAsked { answer, .. }
            | Self::Undone { answer, .. } => answer.is_ok(),
        }
    }
}

/// What is done to one verification with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reasoned {
    /// Verifies without the link.
    ForceVerify,
    /// Takes back that the user is verified.
    Unverify,
    /// The link stops working.
    Revoke,
    /// The link works for its whole lifetime again.
    Extend,
    /// The address is taken off SES's suppression list, and the link mailed again.
    Unlist,
}

/// A bulk resend that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobStarted {
    pub id: JobId,
    /// In how many seconds its first mail is made.
    pub starts_in: i64,
}

/// What an operator does to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// It makes no more mails for now.
    Pause,
    /// It goes on.
    Resume,
    /// It ends, and what it has waiting is not mailed.
    Cancel,
}

/// What an operator does to the whole outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakeChange {
    /// Nothing goes out any more.
    Pause,
    /// What is queued goes out, then nothing.
    Drain,
    /// It goes again.
    Resume,
}

impl BrakeChange {
    /// Whether the audit log wants to know why.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        self != Self::Resume
    }
}
