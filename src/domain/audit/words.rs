//! An entry in words: what was done, by whom and from where, and what it has changed.

use chrono::DateTime;
use serde_json::{Map, Value};

use super::{Action, AuditEntry, AuditRow};
use crate::domain::Time;
use crate::domain::idn::{self, readable};
use crate::text::{Untrusted, plain};

/// Outcomes that the action's own words say already.
const SAID: [&str; 9] = ["done", "created", "started", "paused", "running", "cancelled", "unverified", "begun", "sent"];

impl AuditEntry {
    /// What was done, and what came of it where that is not the same: "force-verify: already verified".
    #[must_use]
    pub fn what(&self) -> String {
        let (stored, outcome) = (self.action.raw(), self.outcome.raw());
        let action = plain(Action::title_of(stored));
        if SAID.contains(&outcome) || stored == Action::ForceVerify.as_str() && outcome == "verified" {
            return action.into_string();
        }
        // What an undo has as its outcome is the act that it takes back.
        let came = if stored == Action::Undo.as_str() { Action::title_of(outcome) } else { outcome };
        format!("{action}: {}", plain(came).as_str().replace('_', " "))
    }

    /// The system user who acted, or what stands for a machine, without the address that they came from.
    #[must_use]
    pub fn system_user(&self) -> String {
        let actor = self.actor.plain().into_string();
        actor.rsplit_once(FROM).map_or(actor.clone(), |(user, _)| user.to_owned())
    }

    /// The address that their SSH session came from, as their own machine knows it.
    #[must_use]
    pub fn ssh_address(&self) -> Option<String> {
        Some(self.actor.plain().as_str().rsplit_once(FROM)?.1.to_owned())
    }

    /// What it has changed, as it was before: "address mina.kmi@example.com; verified 2026-11-20". Times as `show` has
    /// them.
    #[must_use]
    pub fn before_in_words(&self, show: impl Fn(Time) -> String) -> Option<String> {
        Some(in_words(self.before.as_ref()?, show))
    }
}

impl AuditRow {
    /// Whom it is about; `None` where it is about no one user.
    #[must_use]
    pub fn whom(&self) -> Option<String> {
        match (&self.email, self.entry.user_id) {
            (Some(email), _) => Some(idn::shown(email).into_string()),
            (None, Some(id)) => Some(format!("user {id} (deleted)")),
            (None, None) => None,
        }
    }

    /// What the act has made of it, where the log knows that. Times as `show` has them.
    #[must_use]
    pub fn after_in_words(&self, show: impl Fn(Time) -> String) -> Option<String> {
        match (&self.after, &self.new_email) {
            (Some(after), _) => Some(in_words(after, show)),
            (None, email) => email.as_ref().map(|email| format!("address {}", idn::shown(email))),
        }
    }
}

/// An object of the log in words; what is none, as it is.
fn in_words(stored: &Untrusted, show: impl Fn(Time) -> String) -> String {
    let Ok(Value::Object(parts)) = serde_json::from_str(stored.raw()) else {
        return stored.plain().into_string();
    };
    if let Some(brake) = brake(&parts) {
        return brake;
    }
    let parts: Vec<String> = ORDER
        .iter()
        .filter_map(|name| Some((*name, parts.get(*name)?)))
        .chain(rest(&parts))
        .map(|(name, value)| part(name, value, &show))
        .collect();
    parts.join("; ")
}

/// What held mail, in the row that the log keeps of it.
fn brake(parts: &Map<String, Value>) -> Option<String> {
    let words = match parts.get("state")?.as_str()? {
        "off" => "mail went out",
        "draining" => "draining",
        "paused" => "paused",
        _ => return None,
    };
    let reason = parts.get("reason").and_then(Value::as_str);
    Some(plain(&reason.map_or(words.to_owned(), |reason| format!("{words}: {reason}"))).into_string())
}

/// Between the system user and the address that they came from.
const FROM: &str = " from ";

/// In which order what was before is said.
const ORDER: [&str; 4] = ["email", "verified_at", "expires_at", "opened_at"];

/// What only an undo needs.
const UNSAID: [&str; 3] = ["verifications", "queued_at", "priority"];

fn rest(parts: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    parts
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| !ORDER.contains(name) && !UNSAID.contains(name))
}

fn part(name: &str, value: &Value, show: impl Fn(Time) -> String) -> String {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let text = match (time, value) {
        (Some(time), _) => show(time.to_utc()),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    let words = match (name, value.is_null()) {
        ("email", false) => format!("address {}", readable(&text).text),
        ("verified_at", false) => format!("verified {text}"),
        ("verified_at", true) => "not verified".into(),
        ("expires_at", false) => format!("expiring {text}"),
        ("due_at", false) => format!("due {text}"),
        ("opened_at", false) => format!("link opened {text}"),
        ("opened_at", true) => "link never opened".into(),
        _ => format!("{} {text}", name.replace('_', " ")),
    };
    plain(&words).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: &str, action: &str, outcome: &str, before: Option<&str>) -> AuditEntry {
        AuditEntry {
            id: 1,
            at: Time::default(),
            actor: actor.into(),
            origin: "console".into(),
            action: action.into(),
            outcome: outcome.into(),
            reason: None,
            before: before.map(Into::into),
            user_id: None,
            verification_id: None,
            send_id: None,
            login: None,
            client: None,
        }
    }

    #[test]
    fn says_what_was_done() {
        let table = [
            ("force_verify", "already_verified", "force-verify: already verified"),
            ("force_verify", "verified", "force-verify"),
            ("open_link", "verified", "link opened: verified"),
            ("sign_up", "created", "signed up"),
            ("pause", "done", "sending paused"),
            ("start_job", "started", "bulk resend"),
            ("resend", "same_link", "resend: same link"),
            ("undo", "force_verify", "taken back: force-verify"),
            ("undo", "of_tomorrow\u{1b}", "taken back: of tomorrow␛"),
            ("of_tomorrow", "well\u{1b}", "of_tomorrow: well␛"),
        ];
        for (action, outcome, words) in table {
            assert_eq!(entry("mina", action, outcome, None).what(), words);
        }
    }

    #[test]
    fn says_who_and_from_where() {
        let table = [
            ("mina from 10.0.0.5", "mina", Some("10.0.0.5")),
            ("jun as root from ::1", "jun as root", Some("::1")),
            ("link", "link", None),
        ];
        for (actor, user, address) in table {
            let entry = entry(actor, "resend", "done", None);
            assert_eq!((entry.system_user().as_str(), entry.ssh_address().as_deref()), (user, address));
        }
    }

    #[test]
    fn says_what_was_before() {
        let table = [
            (
                r#"{"verified_at": "2026-11-20T10:00:00.25+00:00", "email": "a\u001b[2J@example.com"}"#,
                "address a␛[2J@example.com; verified 20 Nov",
            ),
            (r#"{"opened_at": null, "expires_at": "2026-11-20T10:00:00+00:00"}"#, "expiring 20 Nov; link never opened"),
            (
                r#"{"email": "a@example.com", "verified_at": null, "name_was": 7}"#,
                "address a@example.com; not verified; name was 7",
            ),
            ("nonsense", "nonsense"),
            (
                r#"{"email": "a@example.com", "verified_at": null, "verifications": []}"#,
                "address a@example.com; not verified",
            ),
            (
                r#"{"state": "paused", "cause": "operator", "reason": "SES asks\u001b", "only_row": true}"#,
                "paused: SES asks␛",
            ),
            (r#"{"state": "off", "cause": null, "reason": null}"#, "mail went out"),
            (r#"{"due_at": "2026-11-20T10:00:00+00:00", "priority": 1}"#, "due 20 Nov"),
        ];
        for (before, words) in table {
            let entry = entry("mina", "unverify", "done", Some(before));
            assert_eq!(entry.before_in_words(|at| at.format("%-d %b").to_string()).as_deref(), Some(words));
        }
        assert_eq!(entry("mina", "pause", "done", None).before_in_words(|_| String::new()), None);
    }
}
