//! Sends: one mail to one recipient, through its life.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};
use uuid::Uuid;

use super::Time;
use super::event::words;
use super::id::{SendId, UserId, VerificationId};
use super::locale::Locale;
use super::verdict::SUPPRESSED;
use crate::text::Untrusted;

/// Where a send is in its life.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownSendState, parse_err_fn = UnknownSendState::of)]
pub enum SendState {
    /// Waits in the outbox for its time or for a worker.
    Queued,
    /// In a worker's hands.
    Sending,
    /// Amazon SES (or the relay) has answered 250.
    Accepted,
    /// The recipient's mail server took it.
    Delivered,
    /// SES still tries.
    Delayed,
    /// The recipient's mail server refused it for good.
    Bounced,
    /// The recipient marked it as spam.
    Complained,
    /// SES found a virus in it and dropped it.
    Rejected,
    /// Given up before SES accepted it; the reason says why.
    Failed,
    /// Not sent because it was no longer wanted; the reason says why.
    Cancelled,
    /// The answer was lost: it may or may not have gone out.
    Unknown,
}

/// Not a send state.
#[derive(Debug, thiserror::Error)]
#[error("unknown send state")]
pub struct UnknownSendState;

impl UnknownSendState {
    fn of(_: &str) -> Self {
        Self
    }
}

impl SendState {
    /// Every state, in the order of a send's life.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::Delivered,
        Self::Delayed,
        Self::Bounced,
        Self::Complained,
        Self::Rejected,
        Self::Failed,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the outbox still has work with it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }

    /// Whether a send may go from this state to `next`. SES's events come in any order, and a bounce can follow a
    /// delivery.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use SendState::{
            Accepted, Bounced, Cancelled, Complained, Delayed, Delivered, Failed, Queued, Rejected, Sending, Unknown,
        };
        match self {
            Queued => matches!(next, Sending | Cancelled | Failed),
            Sending => matches!(next, Queued | Accepted | Failed | Cancelled | Unknown),
            Accepted => matches!(next, Delivered | Delayed | Bounced | Complained | Rejected),
            Delayed => matches!(next, Delivered | Bounced | Complained),
            Delivered => matches!(next, Bounced | Complained),
            Bounced => matches!(next, Delivered | Complained),
            // An answer may come late, and SES's events say more.
            Unknown => {
                matches!(next, Queued | Accepted | Failed | Delivered | Delayed | Bounced | Complained | Rejected)
            }
            Complained | Rejected | Failed | Cancelled => false,
        }
    }
}

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Someone waits for this mail: a sign-up, a single resend.
    Person,
    /// One of many.
    Bulk,
}

impl Priority {
    /// As stored; smaller goes first.
    #[must_use]
    pub fn rank(self) -> i16 {
        match self {
            Self::Person => 0,
            Self::Bulk => 10,
        }
    }
}

/// In which way a mail goes out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResentHow {
    /// The same link; its life starts again.
    SameLink,
    /// A new key; the verification it replaces, if it was still open, is superseded.
    NewKey,
    /// A mail was waiting already and was brought forward; no second one goes out.
    BroughtForward,
}

impl ResentHow {
    /// As in JSON and in the audit log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameLink => "same_link",
            Self::NewKey => "new_key",
            Self::BroughtForward => "brought_forward",
        }
    }
}

/// The fate of a verification's newest mail, for a list.
#[derive(Clone, Debug, PartialEq)]
pub struct LastSend {
    /// Which send.
    pub id: SendId,
    /// Where it is.
    pub state: SendState,
    /// When that was recorded.
    pub changed_at: Time,
    /// When it happened: as SES says, or else when it was recorded.
    pub happened_at: Time,
    /// What became of it in a word or two, and of the link in it: [`super::verdict::Told`].
    pub in_short: &'static str,
}

impl LastSend {
    /// The state that it looks like: an address that takes no mail is no success, whatever became of the mail before.
    #[must_use]
    pub fn looks_like(&self) -> SendState {
        if self.in_short == SUPPRESSED { SendState::Bounced } else { self.state }
    }
}

/// A send with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SendRow {
    /// Its UUIDv7.
    pub id: SendId,
    /// For which verification; `None` once the user was deleted, or for a test.
    pub verification_id: Option<VerificationId>,
    /// To which user; `None` once they were deleted, or for a test.
    pub user_id: Option<UserId>,
    /// The address it goes to; empty once the user was deleted.
    pub recipient: Untrusted,
    /// The language it is written in.
    pub locale: Locale,
    /// Where it is in its life.
    pub state: SendState,
    /// When it was queued, or last asked for while it waited.
    pub queued_at: Time,
    /// When the outbox tries next, while queued.
    pub due_at: Time,
    /// When it was last recorded that its state has changed.
    pub changed_at: Time,
    /// How often a worker has tried.
    pub attempts: i16,
    /// How often the answer to it was lost: it may have gone out as often, besides the time that it surely did.
    pub lost: i16,
    /// When it is tried once more if nothing is heard of it; only while *unknown*.
    pub retry_at: Option<Time>,
    /// Amazon SES's message id.
    pub ses_id: Option<Untrusted>,
    /// The server's whole reply, code and text.
    pub reply: Option<Untrusted>,
    /// Why it failed, waits or was cancelled, in words for an operator.
    pub reason: Option<Untrusted>,
    /// Of which template and fixture it is a test; `None` for a mail to someone who signed up.
    pub test_of: Option<Untrusted>,
    /// Whether its user is verified by now; told in lists only.
    pub is_verified: bool,
    /// Whether they are being deleted; told in lists only.
    pub is_leaving: bool,
    /// What it was made of, when it was last begun, if that was recorded.
    pub made_of: Option<MadeOf>,
    /// When the recipient's server took it, as SES says; told in lists only, which have no events of that.
    pub delivered_at: Option<Time>,
    /// What SES reported afterwards, oldest first. Lists have it only of those that were put off, or did not arrive.
    pub events: Vec<SendEvent>,
}

impl SendRow {
    /// When it came to its state: as SES says, or else when that was recorded.
    #[must_use]
    pub fn happened_at(&self) -> Time {
        let last = |kinds: &[&str]| self.events.iter().rev().find(|event| kinds.contains(&event.kind.raw()));
        let event = match self.state {
            SendState::Delivered => last(&["Delivery"]),
            SendState::Delayed => last(&["DeliveryDelay"]),
            // A complaint of a suppression list is a mail that was never sent.
            SendState::Bounced => last(&["Bounce"]).or_else(|| last(&["Complaint"])),
            SendState::Complained => last(&["Complaint"]),
            SendState::Rejected => last(&["Reject", "Rendering Failure"]),
            _ => None,
        };
        let delivered_at = self.delivered_at.filter(|_| self.state == SendState::Delivered);
        event.map(|event| event.occurred_at).or(delivered_at).unwrap_or(self.changed_at)
    }

    /// When it went out, as near as it is known; `None` if it did not, or not yet.
    #[must_use]
    pub fn mailed_at(&self) -> Option<Time> {
        use SendState::{Accepted, Cancelled, Failed, Queued, Sending};
        let begun = self.events.iter().filter(|event| event.kind.raw() == "Send").map(|event| event.occurred_at).min();
        match self.state {
            Queued | Sending | Failed | Cancelled => None,
            Accepted => Some(begun.unwrap_or(self.changed_at)),
            // What was reported since has moved the other time.
            _ => Some(begun.unwrap_or(self.queued_at)),
        }
    }

    /// Whether the person may have got it more than once: it was tried again after an answer was lost.
    #[must_use]
    pub fn is_possible_double(&self) -> bool {
        self.lost > i16::from(self.state == SendState::Unknown)
    }
}

/// Fingerprints of what a mail is made of, besides who it is for: to be compared, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MadeOf {
    /// The templates.
    pub templates: i32,
    /// The settings that are seen in the mail: site, sender, public URL, lifetime.
    pub settings: i32,
}

/// What SES reported about a send.
#[derive(Clone, Debug, PartialEq)]
pub struct SendEvent {
    /// Its UUIDv7.
    pub id: Uuid,
    /// `Send`, `Delivery`, `Bounce`, `Complaint`, `Reject`, `DeliveryDelay` or what SES invents next.
    pub kind: Untrusted,
    /// In SES's words: `Permanent/General`, `MailboxFull`; empty where the kind has none.
    pub sub_kind: Untrusted,
    /// When SES says that it happened.
    pub occurred_at: Time,
    /// The essence in words: bounce type and diagnosis, delay type, the remote server's reply.
    pub detail: Untrusted,
    /// Until when SES goes on trying, of a delay.
    pub until: Option<Time>,
}

impl SendEvent {
    /// What it means, in the words of people. `shown` writes a moment.
    #[must_use]
    pub fn in_words(&self, shown: impl Fn(Time) -> String) -> String {
        let until = self.until.map(shown);
        words::in_words(self.kind.raw(), self.sub_kind.raw(), until.as_deref())
    }

    /// SES's own term for it. Plain.
    #[must_use]
    pub fn term(&self) -> String {
        let kind = self.kind.plain();
        if self.sub_kind.is_empty() { kind.into_string() } else { format!("{kind} {}", self.sub_kind.plain()) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};

    use super::*;

    #[test]
    fn ended_sends_stay_ended() {
        for ended in [SendState::Complained, SendState::Rejected, SendState::Failed, SendState::Cancelled] {
            assert!(SendState::ALL.into_iter().all(|next| !ended.may_become(next)), "{ended}");
        }
    }

    #[test]
    fn every_state_can_be_reached_from_queued() {
        let mut reached = vec![SendState::Queued];
        let mut at = 0;
        while at < reached.len() {
            for next in SendState::ALL {
                if reached[at].may_become(next) && !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        assert_eq!(reached.len(), SendState::ALL.len());
    }

    /// What SES says of a state is when it happened; without that, when it was recorded.
    #[test]
    fn a_state_has_one_time() {
        let at = |minute: u32| Utc.with_ymd_and_hms(2026, 7, 1, 12, minute, 0).unwrap();
        let row = |state, events: &[(&str, u32)], delivered_at| SendRow {
            id: SendId(Uuid::nil()),
            verification_id: None,
            user_id: None,
            recipient: "mina@example.com".into(),
            locale: Locale::En,
            state,
            queued_at: at(0),
            due_at: at(0),
            changed_at: at(59),
            attempts: 1,
            lost: 0,
            retry_at: None,
            ses_id: None,
            reply: None,
            reason: None,
            test_of: None,
            is_verified: false,
            is_leaving: false,
            made_of: None,
            delivered_at,
            events: events
                .iter()
                .map(|(kind, minute)| SendEvent {
                    id: Uuid::nil(),
                    kind: (*kind).into(),
                    sub_kind: "".into(),
                    occurred_at: at(*minute),
                    detail: "".into(),
                    until: None,
                })
                .collect(),
        };
        let table = [
            (SendState::Delivered, &[("Send", 1), ("Delivery", 2)][..], None, 2),
            (SendState::Delivered, &[], Some(at(3)), 3),
            (SendState::Delivered, &[], None, 59),
            (SendState::Delayed, &[("DeliveryDelay", 2), ("DeliveryDelay", 8)], None, 8),
            (SendState::Bounced, &[("Delivery", 2), ("Bounce", 3)], Some(at(2)), 3),
            (SendState::Bounced, &[("Complaint", 4)], None, 4),
            (SendState::Complained, &[("Delivery", 2), ("Complaint", 9)], None, 9),
            (SendState::Rejected, &[("Send", 1), ("Reject", 2)], None, 2),
            (SendState::Rejected, &[("Rendering Failure", 2)], None, 2),
            (SendState::Accepted, &[("Send", 1)], None, 59),
            (SendState::Failed, &[], None, 59),
        ];
        for (state, events, delivered_at, minute) in table {
            assert_eq!(row(state, events, delivered_at).happened_at(), at(minute), "{state} {events:?}");
        }
    }

    #[test]
    fn a_sent_mail_is_never_queued_again() {
        for sent in [SendState::Accepted, SendState::Delivered, SendState::Delayed, SendState::Bounced] {
            assert!(!sent.may_become(SendState::Queued) && !sent.may_become(SendState::Sending));
        }
    }
}
