//! What happened to a user's mail, and what to do now: a line each, for people who do not read SMTP replies.
//!
//! The first rule that fits decides. What stands before the mail (the user is verified, the link was replaced, the address
//! is blocked, or someone is being deleted) comes first; then what became of their newest mail.

mod bounce;
mod mail;
mod result;
mod short;

pub use short::{SUPPRESSED, Told, WIDTH as SHORT_WIDTH};

pub use bounce::NO_MAILBOX_PHRASES;

use chrono::TimeDelta;

use super::Time;
use super::audit::Action;
use super::verification::{Status, VerificationDetail};

/// How soon a worker erases someone whose time is over.
const ERASED_WITHIN: TimeDelta = TimeDelta::seconds(30);

/// How much it wants attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is done.
    Good,
    /// It goes its way.
    Calm,
    /// It may need a person.
    Warn,
    /// It needs one.
    Bad,
}

impl Level {
    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Calm => "calm",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// Both lines. Plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub level: Level,
    /// What happened.
    pub what: String,
    /// What to do; empty where there is nothing.
    pub advice: String,
}

impl Verdict {
    fn new(level: Level, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level, what: what.into(), advice: advice.into() }
    }
}

/// What it follows from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub detail: &'a VerificationDetail,
    /// Why mails that are due do not go, where they do not: [`super::worker::OutboxView::why_waiting`].
    pub held_by: Option<&'a str>,
    pub now: Time,
}

impl Facts<'_> {
    /// With moments as `shown` writes them.
    #[must_use]
    pub fn verdict(&self, shown: impl Fn(Time) -> String) -> Verdict {
        let shown: &dyn Fn(Time) -> String = &shown;
        self.leaving(shown)
            .or_else(|| self.verified(shown))
            .or_else(|| self.replaced(shown))
            .or_else(|| self.suppressed(shown))
            .or_else(|| self.opened(shown))
            .unwrap_or_else(|| self.by_mail(shown))
    }

    fn status(&self) -> Status {
        self.detail.verification.status(self.now)
    }

    fn leaving(&self, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let at = self.detail.user.delete_after?;
        Some(if self.now < at + ERASED_WITHIN {
            let what = format!("To be erased {}, as an operator asked.", shown(at));
            Verdict::new(Level::Bad, what, "`verifydesk undo` takes it back, until that is done.")
        } else {
            let what = format!("No worker has erased them yet; it was time {}.", shown(at));
            let advice = "Run a worker or `verifydesk prune`; `verifydesk undo` takes it back.";
            Verdict::new(Level::Bad, what, advice)
        })
    }

    fn verified(&self, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let at = shown(self.detail.user.verified_at?);
        if self.status() != Status::Verified {
            return Some(Verdict::new(
                Level::Good,
                format!("Verified by another of their links, {at}."),
                "Nothing to do.",
            ));
        }
        let is_of_this = |action: Action| {
            let mut audit = self.detail.audit.iter();
            audit.any(|e| e.verification_id == Some(self.detail.verification.id) && e.action.raw() == action.as_str())
        };
        Some(if self.detail.verification.opened_at.is_none() && is_of_this(Action::ForceVerify) {
            Verdict::new(Level::Good, format!("Verified by an operator, {at}."), "Nothing to do.")
        } else if self.detail.is_probably_scanned() {
            let advice = "If they did not open it themselves, a mail scanner did: ask them whether they signed up.";
            Verdict::new(Level::Warn, format!("Verified by the link, {at}; it was probably a mail scanner."), advice)
        } else {
            Verdict::new(Level::Good, format!("Verified by the link, {at}."), "Nothing to do.")
        })
    }

    /// A link that does not work any more.
    fn replaced(&self, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let at = shown(self.detail.verification.revoked_at?);
        Some(match self.detail.replaced_by() {
            Some(newer) => Verdict::new(
                Level::Calm,
                format!("An older link; verification {} ({}) took its place.", newer.id, newer.status(self.now)),
                format!("Look at verification {}.", newer.id),
            ),
            None => Verdict::new(Level::Warn, format!("The link was withdrawn, {at}."), "Resend mails a new one."),
        })
    }

    fn suppressed(&self, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let found = self.detail.suppression.as_ref()?;
        let reason = found.reason.as_ref()?;
        let since = found.since.map(|at| format!(", {}", shown(at))).unwrap_or_default();
        Some(if reason.raw() == "COMPLAINT" {
            let what = format!("SES sends nothing to them: they called a mail spam{since}.");
            Verdict::new(Level::Bad, what, "Take the address off SES's suppression list only if they ask for it.")
        } else {
            let what = format!("SES sends nothing to this address: it is on the account's suppression list{since}.");
            Verdict::new(Level::Bad, what, bounce::TAKE_IT_OFF)
        })
    }

    /// The page was seen, and its button not pressed.
    fn opened(&self, shown: &dyn Fn(Time) -> String) -> Option<Verdict> {
        let at = self.detail.verification.opened_at?;
        let expires_at = self.detail.verification.expires_at;
        let at_its_time = shown(at);
        Some(match self.status() {
            Status::Expired if at >= expires_at => Verdict::new(
                Level::Warn,
                format!("They opened the link {at_its_time}, when its time was over."),
                "Resend mails a new one, and so does the button on its page.",
            ),
            Status::Expired => Verdict::new(
                Level::Warn,
                format!("They opened the link {at_its_time}, and did not confirm in time."),
                "Resend mails a new link; ask them to press the button on its page.",
            ),
            _ => Verdict::new(
                Level::Warn,
                format!("They opened the link {at_its_time}, and have not confirmed."),
                "Ask them to press the button on its page.",
            ),
        })
    }
}

#[cfg(test)]
mod tests;
