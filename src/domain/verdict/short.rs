//! What became of a mail in a word or two: for a column of a list, which has no room for sentences.

use super::bounce::{self, Cause};
use crate::domain::send::SendState;

/// What it follows from.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub state: SendState,
    pub attempts: i16,
    /// The event that decided the state: its kind, its sub-kind and what the server said. Empty where there is none.
    pub kind: &'a str,
    pub sub_kind: &'a str,
    pub said: &'a str,
    /// The reason that was kept, and the server's reply.
    pub reason: &'a str,
    pub reply: &'a str,
    /// Whether the link was opened and has verified no one.
    pub is_opened: bool,
    /// Whether their address is on SES's suppression list now, and the link could still verify them.
    pub is_suppressed: bool,
}

impl Told<'_> {
    /// At most [`WIDTH`] columns, plain.
    #[must_use]
    pub fn in_short(&self) -> &'static str {
        match self.state {
            // What is on its way is news.
            SendState::Queued if self.attempts > 0 => "put off",
            SendState::Queued | SendState::Sending => self.state.as_str(),
            _ if self.is_suppressed => SUPPRESSED,
            _ if self.is_opened => "opened",
            SendState::Delayed => match self.sub_kind {
                "MailboxFull" => "mailbox full",
                "SpamDetected" => "taken for spam",
                "RecipientServerError" => "server trouble",
                "IPFailure" | "BYOIPHostNameLookupUnavailable" => "IP not accepted",
                "TransientCommunicationFailure" => "not reached",
                "InternalFailure" | "SendingDeferral" => "held by SES",
                _ => "delayed",
            },
            SendState::Bounced => self.bounced(),
            SendState::Complained => match self.sub_kind {
                "auth-failure" => "SPF, DKIM fail",
                "virus" | "fraud" => "called dangerous",
                _ => "called spam",
            },
            SendState::Failed if bounce::says_no_mailbox(self.reply) => NO_MAILBOX,
            state => state.as_str(),
        }
    }

    fn bounced(&self) -> &'static str {
        match bounce::cause_of(self.kind, self.sub_kind, self.said) {
            Cause::NoMailbox => NO_MAILBOX,
            Cause::ForGood => "refused",
            Cause::AccountList | Cause::OwnList | Cause::TenantList => SUPPRESSED,
            Cause::NotBelieved => "not believed",
            Cause::Unsubscribed => "unsubscribed",
            Cause::MailboxFull => "mailbox full",
            Cause::TooLarge => "too large",
            Cause::Content => "content refused",
            Cause::TimeOver => "time over",
            Cause::ForNow => "refused for now",
            // Without its events, which go after some time.
            Cause::NotSaid if bounce::says_no_mailbox(self.reason) => NO_MAILBOX,
            Cause::NotSaid => SendState::Bounced.as_str(),
        }
    }
}

/// How many columns the longest takes.
pub const WIDTH: u16 = 16;

/// The address is on a suppression list.
pub const SUPPRESSED: &str = "suppressed";
const NO_MAILBOX: &str = "no such mailbox";

#[cfg(test)]
mod tests {
    use super::*;
    use SendState::{Accepted, Bounced, Complained, Delayed, Delivered, Failed, Queued, Sending};

    const NOTHING: Told<'_> = Told {
        state: Queued,
        attempts: 1,
        kind: "",
        sub_kind: "",
        said: "",
        reason: "",
        reply: "250 Ok 0102",
        is_opened: false,
        is_suppressed: false,
    };

    #[test]
    fn says_why() {
        let table = [
            (Delivered, "", "", "", "delivered"),
            (Accepted, "Send", "", "", "accepted"),
            (Queued, "", "", "", "put off"),
            (Delayed, "DeliveryDelay", "MailboxFull", "", "mailbox full"),
            (Delayed, "DeliveryDelay", "IPFailure", "", "IP not accepted"),
            (Delayed, "DeliveryDelay", "OfTomorrow", "", "delayed"),
            (Delayed, "", "", "", "delayed"),
            (Bounced, "Bounce", "Permanent/General", "smtp; 550 5.1.1 user unknown", "no such mailbox"),
            (Bounced, "Bounce", "Permanent/General", "smtp; 554 5.7.1 blocked", "refused"),
            (Bounced, "Bounce", "Permanent/OnAccountSuppressionList", "", "suppressed"),
            (Bounced, "Bounce", "Permanent/EmailValidationSuppressed", "", "not believed"),
            (Bounced, "Bounce", "Permanent/UnsubscribedRecipient", "", "unsubscribed"),
            (Bounced, "Bounce", "Transient/MailboxFull", "", "mailbox full"),
            (Bounced, "Bounce", "Transient/MessageTooLarge", "", "too large"),
            (Bounced, "Bounce", "Transient/ContentRejected", "", "content refused"),
            (Bounced, "Bounce", "Transient/CustomTimeoutExceeded", "", "time over"),
            (Bounced, "Bounce", "Transient/General", "", "refused for now"),
            (Bounced, "Complaint", "OnAccountSuppressionList", "", "suppressed"),
            (Bounced, "Complaint", "abuse", "", "bounced"),
            (Bounced, "", "", "", "bounced"),
            (Complained, "Complaint", "abuse", "", "called spam"),
            (Complained, "Complaint", "fraud", "", "called dangerous"),
            (Complained, "Complaint", "auth-failure", "", "SPF, DKIM fail"),
            (Failed, "", "", "", "failed"),
        ];
        for (state, kind, sub_kind, said, words) in table {
            let told = Told { state, kind, sub_kind, said, ..NOTHING };
            assert_eq!(told.in_short(), words, "{told:?}");
            assert!(crate::text::width(words) <= usize::from(WIDTH), "{words}");
        }
        assert_eq!(Told { attempts: 0, ..NOTHING }.in_short(), "queued");
        assert_eq!(Told { state: Failed, reply: "550 5.1.1 no", ..NOTHING }.in_short(), "no such mailbox");
        assert_eq!(Told { state: Bounced, reason: "550 user unknown", ..NOTHING }.in_short(), "no such mailbox");
    }

    #[test]
    fn what_is_on_its_way_comes_before_what_stands_in_its_way() {
        let both = Told { is_opened: true, is_suppressed: true, ..NOTHING };
        let table = [(Queued, "put off"), (Sending, "sending"), (Delivered, "suppressed"), (Bounced, "suppressed")];
        for (state, words) in table {
            assert_eq!(Told { state, ..both }.in_short(), words);
        }
        assert_eq!(Told { state: Delivered, is_suppressed: false, ..both }.in_short(), "opened");
    }
}
