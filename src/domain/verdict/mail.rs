//! What follows from the newest mail.

use super::{Facts, Level, Verdict, bounce};
use crate::domain::Time;
use crate::domain::event::words;
use crate::domain::send::{SendEvent, SendRow, SendState};
use crate::domain::verification::Status;

/// After so many minutes SES has said what became of nearly every mail.
const SOON_MINUTES: i64 = 10;

impl Facts<'_> {
    /// A cancelled mail says nothing of its own as long as there is another.
    fn newest_mail(&self) -> Option<&SendRow> {
        let sends = &self.detail.sends;
        sends.iter().find(|send| send.state != SendState::Cancelled).or(sends.first())
    }

    pub(super) fn by_mail(&self, shown: &dyn Fn(Time) -> String) -> Verdict {
        let Some(send) = self.newest_mail() else {
            return Verdict::new(Level::Warn, "No mail was made for them yet.", "Resend mails the link.");
        };
        let at = shown(send.happened_at());
        let reason = || send.reason.as_ref().map(|reason| format!(": {}", reason.plain())).unwrap_or_default();
        match send.state {
            SendState::Queued => self.waits(send, shown),
            SendState::Sending => Verdict::new(Level::Calm, "Their mail is being sent.", "Wait a moment."),
            SendState::Accepted => self.accepted(send, shown),
            SendState::Delivered => self.delivered(&at, shown),
            SendState::Delayed => delayed(send, shown),
            SendState::Bounced => self.unlisted(send, &at, shown).unwrap_or_else(|| bounce::verdict(send, &at)),
            SendState::Complained => complained(send, &at),
            SendState::Rejected => Verdict::new(
                Level::Bad,
                format!("SES refused our mail, {at}: our fault, not theirs."),
                "Show a developer the template: SES found a virus, or could not read it.",
            ),
            SendState::Failed => self.failed(send, &at),
            SendState::Cancelled => {
                Verdict::new(Level::Warn, format!("Their mail did not go out{}.", reason()), "Resend mails the link.")
            }
            SendState::Unknown => unknown(send, shown),
        }
    }

    /// The address was on the account's list, and is off it since.
    fn unlisted(&self, send: &SendRow, at: &str, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let found = self.detail.suppression.as_ref()?;
        let is_off = found.reason.is_none() && found.checked_at > send.happened_at();
        (is_off && bounce::was_on_account_list(send)).then(|| {
            let since = shown(found.checked_at);
            let what =
                format!("Not sent, {at}: the address was on SES's suppression list; it is off it, seen {since}.");
            Verdict::new(Level::Warn, what, "Resend mails the link.")
        })
    }

    fn waits(&self, send: &SendRow, shown: &dyn Fn(Time) -> String) -> Verdict {
        if let Some(why) = self.held_by {
            return Verdict::new(
                Level::Bad,
                format!("Their mail waits: {why}."),
                "Nothing is wrong with the address; it goes when that is over.",
            );
        }
        let put_off = match send.attempts {
            0 => String::new(),
            1 => "; the mail server put it off once".to_owned(),
            times => format!("; the mail server put it off {times} times"),
        };
        if send.due_at > self.now {
            let level = if send.attempts > 0 { Level::Warn } else { Level::Calm };
            let what = format!("Their mail waits{put_off}; next try {}.", shown(send.due_at));
            return Verdict::new(level, what, "Wait; Resend brings it forward.");
        }
        Verdict::new(Level::Calm, format!("Their mail waits for its turn{put_off}."), "Wait a moment.")
    }

    fn accepted(&self, send: &SendRow, shown: &dyn Fn(Time) -> String) -> Verdict {
        let at = shown(send.changed_at);
        if self.status() == Status::Expired {
            let what = format!("SES took their mail {at} and said no more; the link's time is over.");
            return Verdict::new(Level::Warn, what, "Resend mails a new link.");
        }
        if (self.now - send.changed_at).num_minutes() < SOON_MINUTES {
            return Verdict::new(
                Level::Calm,
                format!("SES took their mail {at}."),
                "Wait a minute, then look in spam.",
            );
        }
        Verdict::new(
            Level::Warn,
            format!("SES took their mail {at}, and has not said what became of it."),
            "Look in spam; if it is not there, Resend. If SES says nothing of any mail, its events do not come in.",
        )
    }

    fn delivered(&self, at: &str, shown: &dyn Fn(Time) -> String) -> Verdict {
        if self.status() == Status::Expired {
            let ended = shown(self.detail.verification.expires_at);
            let what = format!("Delivered {at}, never opened; the link's time was over {ended}.");
            return Verdict::new(Level::Warn, what, "Resend mails a new link.");
        }
        Verdict::new(
            Level::Calm,
            format!("Delivered {at}, not opened yet: the receiving server took it."),
            "Ask them to look in spam and in other folders.",
        )
    }

    fn failed(&self, send: &SendRow, at: &str) -> Verdict {
        let reply = send.reply.as_ref().map(|reply| reply.plain().into_string()).unwrap_or_default();
        if bounce::says_no_mailbox(&reply) {
            let what = format!("Cannot be delivered: the mail server says that there is no such mailbox, {at}.");
            return Verdict::new(Level::Bad, what, bounce::ASK_FOR_ADDRESS);
        }
        let reason = send.reason.as_ref().map_or(reply, |reason| reason.plain().into_string());
        let why = if reason.is_empty() { String::new() } else { format!(" {}", sentence(&reason)) };
        let advice = "Not the address's fault. Once the cause is gone, Resend mails the link.";
        let what = format!("Their mail never left, {at}.{why}");
        match self.held_by {
            Some(held) => Verdict::new(Level::Bad, what, format!("{advice} Now: {held}.")),
            None => Verdict::new(Level::Bad, what, advice),
        }
    }
}

/// With a capital, and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// The event of a kind that came last.
pub(super) fn last<'a>(send: &'a SendRow, kind: &str) -> Option<&'a SendEvent> {
    send.events.iter().rev().find(|event| event.kind.raw() == kind)
}

fn delayed(send: &SendRow, shown: &dyn Fn(Time) -> String) -> Verdict {
    let event = last(send, "DeliveryDelay");
    let why = words::delay(event.map_or("", |event| event.sub_kind.raw()));
    let until = event
        .and_then(|event| event.until)
        .map_or_else(|| "SES tries again".into(), |until| format!("SES tries until {}", shown(until)));
    let since = shown(send.queued_at);
    let advice = match event.map_or("", |event| event.sub_kind.raw()) {
        "MailboxFull" => "Ask them to make room in the mailbox, or for another address.",
        _ => "Wait; if it takes too long, ask for another address.",
    };
    Verdict::new(Level::Warn, format!("On its way, mailed {since}: {why}; {until}."), advice)
}

fn complained(send: &SendRow, at: &str) -> Verdict {
    match last(send, "Complaint").map_or("", |event| event.sub_kind.raw()) {
        "auth-failure" => Verdict::new(
            Level::Bad,
            format!("Their provider complains, {at}: SPF, DKIM or DMARC fail. Our fault, not theirs."),
            "Show the person who runs the domain's DNS.",
        ),
        "virus" | "fraud" => Verdict::new(
            Level::Bad,
            format!("They, or their provider, called our mail dangerous, {at}."),
            "Do not mail them again; show a developer the template.",
        ),
        _ => Verdict::new(
            Level::Bad,
            format!("They called our mail spam, {at}."),
            "Do not mail them again, unless they ask for it.",
        ),
    }
}

fn unknown(send: &SendRow, shown: &dyn Fn(Time) -> String) -> Verdict {
    let what = format!("Their mail may have gone out: the answer was lost, {}.", shown(send.changed_at));
    match send.retry_at {
        Some(at) => Verdict::new(Level::Warn, what, format!("Ask them to look; it is tried once more {}.", shown(at))),
        None => Verdict::new(Level::Warn, what, "Ask them to look in spam too; a Resend may give them two."),
    }
}
