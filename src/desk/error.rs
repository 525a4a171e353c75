//! Why an act was not done.

use chrono::SecondsFormat;

use crate::config::SettingError;
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::brake::BrakeState;
use crate::domain::hook::DeliveryState;
use crate::domain::id::VerificationId;
use crate::domain::job::JobState;
use crate::domain::resend::Block;
use crate::domain::undo::NotUndone;
use crate::store;
use crate::text::Plain;

/// Why an act was not done. `Display` says what happened and to what, [`Error::hint`] what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(Plain),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(Plain),
    /// There is no such template, or no such fixture of it.
    #[error("{0}")]
    NoTemplate(Plain),
    /// No mail can be made of the template.
    #[error("{0}")]
    Template(Plain),
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(store::Error),
    /// A setting that the act needs.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// The rule that forbids an act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The user's address is verified already.
    #[error("this user is verified already")]
    AlreadyVerified,
    /// There is no approval to take back.
    #[error("this user is not verified")]
    NotVerified,
    /// The user is verified, but not by this verification.
    #[error("this user is verified by {}, not by this one", .by.map_or_else(|| "no verification".into(), |by| format!("verification {by}")))]
    VerifiedByAnother {
        /// By which, if by one.
        by: Option<VerificationId>,
    },
    /// The link does not work any more.
    #[error("this verification is revoked already")]
    AlreadyRevoked,
    /// Another user has this address.
    #[error("another user has this address")]
    AddressTaken,
    /// The key of a request that was done before came with another request.
    #[error("this idempotency key came with another request before")]
    KeyReused,
    /// The program was started so that it changes nothing.
    #[error("this verifydesk is read-only")]
    ReadOnly,
    /// A key that this host makes no worker could make again.
    #[error("the server secret of this host is not that of the workers")]
    SecretDiffers,
    /// An act that is not taken back.
    #[error("this cannot be taken back ({act}): {}", .why.in_words())]
    NotUndone {
        /// What was done, in a word or two.
        act: Plain,
        why: NotUndone,
    },
    /// Nothing else is done about a user who is being deleted.
    #[error("this user is being deleted")]
    BeingDeleted,
    /// The user has this address.
    #[error("this user has this address already")]
    SameAddress,
    /// A mail went out a moment ago.
    #[error("a mail to this user was queued less than the cool-down ago; the next is possible at {}", .until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    CoolDown {
        /// From when on another mail is possible.
        until: Time,
        /// What time it was when that was found out, by the same clock: the database's.
        now: Time,
    },
    /// The user got as many mails in the last 24 hours as one address may get.
    #[error("this address got the day's mails; the next is possible at {}", .until.to_rfc3339_opts(SecondsFormat::Secs, true))]
    DailyCap {
        /// From when on another mail is possible.
        until: Time,
        /// What time it was when that was found out, by the same clock: the database's.
        now: Time,
    },
    /// The address takes no mail, and no reason is given to try all the same.
    #[error("{}", .block.in_words())]
    Blocked { block: Block },
    /// A worker is sending the mail at this moment.
    #[error("a mail to this user is being sent at this moment")]
    BeingSent,
    /// An act that needs a reason, without one.
    #[error("{act} needs a reason: {} characters or more that say something", super::REASON_MIN)]
    ReasonMissing {
        /// Which act, with its article.
        act: &'static str,
    },
    /// Nothing stops the outbox.
    #[error("sending is not paused")]
    NotPaused,
    /// A job has nothing left that could be paused, resumed or cancelled.
    #[error("this job is {state}")]
    JobOver {
        /// How it ended.
        state: JobState,
    },
    /// A test mail to someone who has not asked for tests.
    #[error("test mails may not go to {}", .address.shown())]
    NotAllowListed {
        /// The recipient.
        address: EmailAddress,
    },
    /// Nothing is sent at this moment.
    #[error("sending is {state}: {reason}")]
    Stopped {
        /// How far.
        state: BrakeState,
        reason: Plain,
    },
    /// The workers use up the pace of mails a second.
    #[error("no send slot is free: the workers use all that the pace allows")]
    NoMoment,
    /// The mails of 24 hours are used up.
    #[error("the mails of 24 hours are used up")]
    QuotaUsed,
    /// A job is in the state that was asked for.
    #[error("this job is {state} already")]
    JobAlready { state: JobState },
    /// The webhook is tried without that, or was taken.
    #[error("this webhook is {} there", .state.title())]
    NotGivenUp { state: DeliveryState },
    /// The site knows better by now.
    #[error("a later webhook has told the site how this user stands")]
    WebhookOvertaken,
    /// No webhook can be tried again.
    #[error("no webhook was given up that can be tried again")]
    NoneGivenUp,
    /// The receiver has answered that it wants nothing any more.
    #[error("the endpoint {name} is switched off: its receiver answered 410 (gone)")]
    EndpointOff { name: Plain },
    /// Too much is to be done at AWS already.
    #[error("a thousand acts wait for a worker that has AWS's keys")]
    ActsFull,
    /// The link of another user was to be mailed.
    #[error("that verification is of no user who has this address")]
    NotTheirs,
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Invalid(_) => "correct it and try again; nothing was changed".into(),
            Self::NotFound(_) => {
                "look for it with `verifydesk list --search TEXT`, for a job with `verifydesk jobs`, for a topic with \
                 `verifydesk events subscriptions`, for a webhook with `verifydesk webhooks list` or `endpoints`"
                    .into()
            }
            Self::NoTemplate(_) => "use one of these; nothing was sent".into(),
            Self::Template(_) => "correct the template; nothing was sent".into(),
            Self::Refused(refusal) => refusal.hint().into(),
            Self::Store(error) => error.hint().into(),
            Self::Setting(error) => error.hint.clone(),
        }
    }
}

impl Refusal {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::AlreadyVerified
            | Self::NotPaused
            | Self::JobAlready { .. }
            | Self::NotUndone { why: NotUndone::Nothing | NotUndone::Already, .. } => "nothing needs to be done",
            Self::NotVerified => "look at what has happened since; nothing was changed",
            Self::VerifiedByAnother { .. } => "look at how they were verified, and take that one back if it is wrong",
            Self::AlreadyRevoked => "a resend mails a new link",
            Self::AddressTaken => "look for it with `/` or `verifydesk list --search`; nothing was changed",
            Self::KeyReused => "send a new key with each request, and the same one only when you send it again",
            Self::SecretDiffers => "set VERIFYDESK_SECRET to the workers'; no link was made",
            Self::ReadOnly => "leave out --read-only, or the setting `read_only`",
            Self::NotUndone { .. } => "nothing was changed; `verifydesk show ID` says how things are now",
            Self::BeingDeleted => "`verifydesk undo`, or `z` in the console, takes that back until they are erased",
            Self::SameAddress => "to mail the link again, resend it",
            Self::CoolDown { .. } => "wait, and ask them to check their spam folder",
            Self::DailyCap { .. } => "look at what became of the mails; the cap is `verification.daily_cap`",
            Self::BeingSent => "look at its result in a moment",
            Self::Blocked { .. } => "ask for the right address; if you know that this one works, say why with --reason",
            Self::ReasonMissing { .. } => "say why; the audit log keeps it",
            Self::NotAllowListed { .. } => {
                "put the address, or its domain as \"@example.org\", into `test_send.allow`; the mailbox simulator of \
                 Amazon SES needs no entry (`--simulator success`)"
            }
            Self::Stopped { .. } => "fix what stopped it, then `verifydesk queue resume`; see `verifydesk queue`",
            Self::NoMoment => "try again in a moment; see `verifydesk queue` for the pace",
            Self::QuotaUsed => "see `verifydesk queue` for when the next place comes back",
            Self::JobOver { .. } => "see `verifydesk jobs` for those that are not over",
            Self::NotGivenUp { .. } => "`verifydesk webhooks show ID` says what was answered",
            Self::WebhookOvertaken => "it stays given up, since it would tell the site what is not so any more",
            Self::NoneGivenUp => "`verifydesk webhooks list --state given-up` shows those that were",
            Self::EndpointOff { .. } => "`verifydesk webhooks test NAME` switches it on again",
            Self::ActsFull => "see whether such a worker runs (`verifydesk account`); SES takes one call a second",
            Self::NotTheirs => "look for the user's own with `verifydesk list --search TEXT`",
        }
    }

    /// How long until the act is possible, in whole seconds, at least one. This machine's clock does not matter.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::CoolDown { until, now } | Self::DailyCap { until, now } => {
                Some((*until - *now).num_seconds().saturating_add(1).max(1))
            }
            Self::BeingSent | Self::NoMoment => Some(1),
            Self::AlreadyVerified
            | Self::NotVerified
            | Self::VerifiedByAnother { .. }
            | Self::AlreadyRevoked
            | Self::AddressTaken
            | Self::BeingDeleted
            | Self::SameAddress
            | Self::KeyReused
            | Self::ReadOnly
            | Self::SecretDiffers
            | Self::NotUndone { .. }
            | Self::Blocked { .. }
            | Self::ReasonMissing { .. }
            | Self::NotPaused
            | Self::NotAllowListed { .. }
            | Self::Stopped { .. }
            | Self::QuotaUsed
            | Self::JobOver { .. }
            | Self::JobAlready { .. }
            | Self::NotGivenUp { .. }
            | Self::WebhookOvertaken
            | Self::NoneGivenUp
            | Self::EndpointOff { .. }
            | Self::ActsFull
            | Self::NotTheirs => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::BeingDeleted(_) => Refusal::BeingDeleted.into(),
            other => Self::Store(other),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        store::Error::from(error).into()
    }
}
