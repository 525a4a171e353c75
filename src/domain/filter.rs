//! Which verifications, mails or entries a list shows: one language for console and command line.

pub mod complete;
mod exact;
pub mod hits;
mod key;
pub mod line;
pub mod mailbox;
pub mod moment;
pub mod near;
pub mod pairs;
mod reason;
mod saved;
mod search;
mod span;
mod states;
mod words;

use std::fmt;

use chrono::SecondsFormat;

use super::Time;
use super::address::DomainName;
use super::audit::{Action, Origin};
use super::id::JobId;
use super::locale::Locale;
use super::send::SendState;
use super::sort::Sort;
use super::verification::Status;

pub use exact::Exact;
pub use key::{Key, Place};
pub use moment::Clock;
pub use reason::Reason;
pub use saved::Saved;
pub use search::{Number, Pattern, Search};
pub use span::Span;
pub use states::States;

/// Which rows. The default is all. Each list has some of the terms ([`Place::keys`]); the others stay empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of one status, or of all.
    pub status: Option<Status>,
    /// By e-mail, name, number or id.
    pub search: Option<Search>,
    /// At or after. Verifications: by the time the list is ordered by (`verified_at` of verified ones, `revoked_at` of
    /// revoked, `expires_at` of expired), else by `created_at`; where the filter speaks of the last mail, by when that
    /// was queued. Mails: by when they were queued.
    pub since: Option<Time>,
    /// Before; the same time.
    pub until: Option<Time>,
    /// Where the address is.
    pub domain: Option<DomainName>,
    /// The user's language; a mail's own.
    pub locale: Option<Locale>,
    pub created: Span,
    pub expires: Span,
    /// What became of the mail; of a verification's last one.
    pub mail: States,
    /// Why.
    pub reason: Option<Reason>,
    /// Of this bulk resend.
    pub job: Option<JobId>,
    /// By this operator: a part of who acted, or of their database role.
    pub by: Option<String>,
    /// One of these acts; any where there is none.
    pub actions: Vec<Action>,
    /// Through one of these doors; any where there is none.
    pub origins: Vec<Origin>,
    /// In which order; the list's own where it is none, or none that the list can be in.
    pub sort: Option<Sort>,
}

impl Filter {
    /// Whether it says anything of the last mail.
    #[must_use]
    pub fn asks_for_mail(&self) -> bool {
        !self.mail.is_any() || self.reason.is_some() || self.job.is_some()
    }

    /// Whether it has terms that may find few: those can be named one by one.
    #[must_use]
    pub fn names_few(&self) -> bool {
        self.asks_for_mail() || self.domain.is_some()
    }

    /// Whether it says no more than a status and the list's own time.
    #[must_use]
    pub fn is_by_status(&self) -> bool {
        self.is_plain() && self.search.is_none()
    }

    /// The states of mails that are asked for: a reason only those have that did not arrive.
    #[must_use]
    pub fn mail_states(&self) -> States {
        use SendState::{Bounced, Cancelled, Complained, Delayed, Failed, Rejected, Unknown};
        if self.mail.is_any() && self.reason.is_some() {
            return [Delayed, Bounced, Complained, Rejected, Failed, Cancelled, Unknown].into_iter().collect();
        }
        self.mail
    }

    /// Whether it says no more than a status, a text and the list's own time.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.other_terms().is_empty()
    }

    /// Whether it is a text and nothing else, in whatever order.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.unsorted().terms().is_empty()
    }

    /// The same rows in the list's own order.
    #[must_use]
    pub fn unsorted(&self) -> Self {
        Self { sort: None, ..self.clone() }
    }

    /// The order of a list of verifications.
    #[must_use]
    pub fn order(&self) -> Sort {
        self.sort.filter(|sort| sort.fits(self.status)).unwrap_or_else(|| Sort::default_of(self.status))
    }

    /// Whether a list of mails has the oldest first.
    #[must_use]
    pub fn is_oldest_first(&self) -> bool {
        self.sort.is_some_and(|sort| sort.is_up)
    }

    /// The bulk resend whose mails are asked for, if nothing else is.
    #[must_use]
    pub fn only_job(&self) -> Option<JobId> {
        self.job.filter(|_| *self == Self { job: self.job, sort: self.sort, ..Self::default() })
    }

    /// The terms besides these.
    #[must_use]
    pub fn other_terms(&self) -> Vec<String> {
        Self { status: None, since: None, until: None, sort: None, ..self.clone() }.terms()
    }

    /// All but the text, as a line of the filter language.
    #[must_use]
    pub fn without_text(&self) -> String {
        self.terms().join(" ")
    }

    /// The terms in words of the filter language, without the free text. Moments as they are, to the microsecond.
    fn terms(&self) -> Vec<String> {
        let at = |time: Time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let mut terms = Vec::new();
        let mut term = |key: Key, value: String| terms.push(format!("{}:{value}", key.as_str()));
        if let Some(status) = self.status {
            term(Key::Status, status.to_string());
        }
        if !self.mail.is_any() {
            term(Key::Mail, self.mail.to_string());
        }
        if let Some(reason) = &self.reason {
            term(Key::Reason, words::quoted(reason.as_str()));
        }
        if let Some(domain) = &self.domain {
            term(Key::Domain, domain.to_string());
        }
        if let Some(locale) = self.locale {
            term(Key::Locale, locale.to_string());
        }
        for (key, span) in [(Key::Created, self.created), (Key::Expires, self.expires)] {
            for (sign, time) in [('>', span.from), ('<', span.to)] {
                if let Some(time) = time {
                    term(key, format!("{sign}{}", at(time)));
                }
            }
        }
        for (key, time) in [(Key::Since, self.since), (Key::Until, self.until)] {
            if let Some(time) = time {
                term(key, at(time));
            }
        }
        if let Some(job) = self.job {
            term(Key::Job, job.to_string());
        }
        if let Some(by) = &self.by {
            term(Key::By, words::quoted(by));
        }
        let of_actions = self.actions.iter().map(|action| action.as_str());
        let of_origins = self.origins.iter().map(|origin| origin.as_str());
        for (key, names) in [(Key::Action, of_actions.collect::<Vec<_>>()), (Key::Origin, of_origins.collect())] {
            if !names.is_empty() {
                term(key, names.join(",").replace('_', "-"));
            }
        }
        if let Some(sort) = self.sort {
            term(Key::Sort, sort.to_string());
        }
        terms
    }
}

/// As a line of the filter language that says the same.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.terms();
        words.extend(self.search.as_ref().map(|search| search.typed().to_owned()));
        f.write_str(&words.join(" "))
    }
}
