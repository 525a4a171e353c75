//! Events: what SES reports about a mail after it accepted it, and what follows from that.
//!
//! They come late, twice, and in any order. So nothing here depends on the order: a message's [`Fate`] is the greatest of
//! all that was reported of it, and a send's is the best of its messages (a send whose answer was lost may have two).
//! Until an event comes a send's state is what the worker says; from the first one on it is the fate, but for the moments
//! in which a worker is sending it. The database does the same (`take_events`), and a test compares both.
//!
//! | event | sub-type | fate | counts against us | the address |
//! |---|---|---|---|---|
//! | Send | | accepted | | |
//! | `DeliveryDelay` | any | delayed | | |
//! | Delivery | | delivered | | takes mail |
//! | Reject, Rendering Failure | | rejected | | |
//! | Bounce | `Permanent/General`, `NoEmail` | bounced | yes | refuses mail |
//! | Bounce | Permanent, held by a list | bounced | | is suppressed |
//! | Bounce | Transient/General, Undetermined | bounced, unless it was delivered | | did not take it this time |
//! | Bounce | any other | bounced | | did not take it this time |
//! | Complaint | `OnAccountSuppressionList` | bounced | | is suppressed |
//! | Complaint | not-spam | delivered | | |
//! | Complaint | any other | complained | yes | complained |
//! | Open, Click, Subscription, any other | | | | |
//!
//! Sources: "Contents of event data that Amazon SES publishes to Amazon SNS" and "Understanding your Amazon SES account's
//! reputation" in the SES developer guide: only hard bounces count. A complaint of a suppression list is a mail that was
//! never sent, whatever SES calls it. An out-of-office reply comes as a bounce of *Transient/General* or *Undetermined*
//! behind a delivery: who sends one has got the mail.

pub mod words;

use super::send::SendState;

/// What became of one message, each greater than what it may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    Accepted,
    Delayed,
    /// Bounced, but for a reason that a reply to a mail that was delivered has, too.
    Returned,
    Delivered,
    Rejected,
    Bounced,
    Complained,
}

impl Fate {
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Delayed,
        Self::Returned,
        Self::Delivered,
        Self::Rejected,
        Self::Bounced,
        Self::Complained,
    ];

    /// As stored, from 1.
    #[must_use]
    pub fn rank(self) -> i16 {
        match self {
            Self::Accepted => 1,
            Self::Delayed => 2,
            Self::Returned => 3,
            Self::Delivered => 4,
            Self::Rejected => 5,
            Self::Bounced => 6,
            Self::Complained => 7,
        }
    }

    /// The state of a send that came to this.
    #[must_use]
    pub fn state(self) -> SendState {
        match self {
            Self::Accepted => SendState::Accepted,
            Self::Delayed => SendState::Delayed,
            Self::Delivered => SendState::Delivered,
            Self::Rejected => SendState::Rejected,
            Self::Returned | Self::Bounced => SendState::Bounced,
            Self::Complained => SendState::Complained,
        }
    }

    /// Of a send's messages: who complains about one of them complains; else the one that came furthest counts.
    #[must_use]
    pub fn of_messages(messages: impl IntoIterator<Item = Self>) -> Option<Self> {
        messages.into_iter().max_by_key(|fate| match fate {
            Self::Rejected => 1,
            Self::Returned | Self::Bounced => 2,
            Self::Accepted => 3,
            Self::Delayed => 4,
            Self::Delivered => 5,
            Self::Complained => 6,
        })
    }
}

/// What an event says of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// It took a mail.
    Takes,
    /// It did not take one, and may take the next.
    Soft,
    /// A suppression list holds its mails back.
    Suppressed,
    /// It refuses mail for good.
    Hard,
    /// Its owner called a mail spam.
    Complained,
}

impl Mark {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Takes => "takes",
            Self::Soft => "soft",
            Self::Suppressed => "suppressed",
            Self::Hard => "hard",
            Self::Complained => "complained",
        }
    }
}

/// What follows from an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `None` where it says nothing of the way of the mail.
    pub fate: Option<Fate>,
    /// Whether SES counts it as a bounce or a complaint against the account.
    pub is_against_us: bool,
    pub mark: Option<Mark>,
}

/// Where SES, its account, its tenant or its check of the address held the mail back; the last two are newer than the
/// guide, and seen in the field.
pub const HELD_BACK: [&str; 5] = [
    "Suppressed",
    "OnAccountSuppressionList",
    "OnTenantSuppressionList",
    "EmailValidationSuppressed",
    "UnsubscribedRecipient",
];

/// What follows from an event: its kind and sub-type in SES's words (`Bounce`, `Permanent/General`). Whatever SES invents
/// later changes nothing.
#[must_use]
pub fn judge(kind: &str, sub_kind: &str) -> Verdict {
    let of = |fate| Verdict { fate: Some(fate), ..Verdict::default() };
    match kind {
        "Send" => of(Fate::Accepted),
        "DeliveryDelay" => of(Fate::Delayed),
        "Delivery" => Verdict { mark: Some(Mark::Takes), ..of(Fate::Delivered) },
        "Reject" | "Rendering Failure" => of(Fate::Rejected),
        "Bounce" => {
            let (of_type, sub) = sub_kind.split_once('/').unwrap_or((sub_kind, ""));
            let mark = if HELD_BACK.contains(&sub) {
                Mark::Suppressed
            } else if of_type == "Permanent" {
                Mark::Hard
            } else {
                Mark::Soft
            };
            let is_against_us = of_type == "Permanent" && matches!(sub, "General" | "NoEmail");
            let is_reply = matches!((of_type, sub), ("Transient", "General" | "") | ("Undetermined" | "", _));
            let fate = if is_reply { Fate::Returned } else { Fate::Bounced };
            Verdict { fate: Some(fate), is_against_us, mark: Some(mark) }
        }
        "Complaint" if HELD_BACK.contains(&sub_kind) => Verdict { mark: Some(Mark::Suppressed), ..of(Fate::Bounced) },
        "Complaint" if sub_kind == "not-spam" => of(Fate::Delivered),
        "Complaint" => Verdict { fate: Some(Fate::Complained), is_against_us: true, mark: Some(Mark::Complained) },
        _ => Verdict::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows() {
        let table = [
            ("Send", "", Some(Fate::Accepted), false, None),
            ("DeliveryDelay", "MailboxFull", Some(Fate::Delayed), false, None),
            ("Delivery", "", Some(Fate::Delivered), false, Some(Mark::Takes)),
            ("Reject", "", Some(Fate::Rejected), false, None),
            ("Rendering Failure", "", Some(Fate::Rejected), false, None),
            ("Bounce", "Permanent/General", Some(Fate::Bounced), true, Some(Mark::Hard)),
            ("Bounce", "Permanent/NoEmail", Some(Fate::Bounced), true, Some(Mark::Hard)),
            ("Bounce", "Permanent/Suppressed", Some(Fate::Bounced), false, Some(Mark::Suppressed)),
            ("Bounce", "Permanent/OnAccountSuppressionList", Some(Fate::Bounced), false, Some(Mark::Suppressed)),
            ("Bounce", "Permanent/OfTomorrow", Some(Fate::Bounced), false, Some(Mark::Hard)),
            ("Bounce", "Transient/MailboxFull", Some(Fate::Bounced), false, Some(Mark::Soft)),
            ("Bounce", "Transient/CustomTimeoutExceeded", Some(Fate::Bounced), false, Some(Mark::Soft)),
            ("Bounce", "Transient/General", Some(Fate::Returned), false, Some(Mark::Soft)),
            ("Bounce", "Undetermined/Undetermined", Some(Fate::Returned), false, Some(Mark::Soft)),
            ("Bounce", "", Some(Fate::Returned), false, Some(Mark::Soft)),
            ("Complaint", "", Some(Fate::Complained), true, Some(Mark::Complained)),
            ("Complaint", "abuse", Some(Fate::Complained), true, Some(Mark::Complained)),
            ("Complaint", "not-spam", Some(Fate::Delivered), false, None),
            ("Complaint", "OnAccountSuppressionList", Some(Fate::Bounced), false, Some(Mark::Suppressed)),
            ("Open", "", None, false, None),
            ("Click", "", None, false, None),
            ("Subscription", "", None, false, None),
            ("Teleport", "Permanent/General", None, false, None),
        ];
        for (kind, sub_kind, fate, is_against_us, mark) in table {
            assert_eq!(judge(kind, sub_kind), Verdict { fate, is_against_us, mark }, "{kind} {sub_kind}");
        }
    }

    #[test]
    fn ranks_are_in_order() {
        assert!(Fate::ALL.windows(2).all(|pair| pair[0] < pair[1] && pair[0].rank() < pair[1].rank()));
    }

    #[test]
    fn the_message_that_came_furthest_counts_but_a_complaint_always() {
        use Fate::{Accepted, Bounced, Complained, Delayed, Delivered, Rejected};
        let table = [
            (&[][..], None),
            (&[Bounced, Delivered], Some(Delivered)),
            (&[Delivered, Complained], Some(Complained)),
            (&[Accepted, Bounced], Some(Accepted)),
            (&[Delayed, Accepted], Some(Delayed)),
            (&[Rejected, Bounced], Some(Bounced)),
        ];
        for (messages, fate) in table {
            assert_eq!(Fate::of_messages(messages.iter().copied()), fate, "{messages:?}");
        }
    }
}
