//! Who a job is for, as it is stored. What only a newer program understands must be for no one in an older one.

use chrono::Utc;

use crate::domain::filter::{Clock, Filter, Place, Search, line};
use crate::domain::id::VerificationId;
use crate::domain::job::JobScope;
use crate::domain::verification::Status;
use crate::store::StoredTime;

/// The columns.
#[derive(Debug, Default)]
pub(super) struct StoredScope {
    pub status: Option<String>,
    pub search: Option<String>,
    pub since: Option<StoredTime>,
    pub until: Option<StoredTime>,
    pub verification_ids: Option<Vec<i64>>,
    /// A filter line without a text.
    pub terms: Option<String>,
    pub looked_for: Option<String>,
    pub is_of_mails: bool,
}

/// The scope in a row of `jobs`.
macro_rules! scope_of {
    ($row:expr) => {
        crate::store::jobs::stored::StoredScope {
            status: $row.status,
            search: $row.search,
            since: $row.since,
            until: $row.until,
            verification_ids: $row.verification_ids,
            terms: $row.terms,
            looked_for: $row.looked_for,
            is_of_mails: $row.is_of_mails,
        }
        .scope()
    };
}

/// Behind which place the next chunk begins, in a row of `jobs`.
macro_rules! after_of {
    ($row:expr) => {
        match ($row.after_at.zip($row.after_id), $row.after_send) {
            (_, Some(mail)) => Some(crate::store::jobs::scope::Place::Mail(crate::domain::id::SendId(mail))),
            (Some((at, id)), None) => Some(crate::store::jobs::scope::Place::Row(at.into(), id)),
            (None, None) => None,
        }
    };
}

pub(super) use {after_of, scope_of};

impl StoredScope {
    pub fn of(scope: &JobScope) -> Self {
        match scope {
            JobScope::Marked(ids) => {
                Self { verification_ids: Some(ids.iter().map(|id| id.0).collect()), ..Self::default() }
            }
            JobScope::Filter(filter) if filter.is_plain() => Self {
                status: filter.status.map(|status| status.as_str().to_owned()),
                search: filter.search.as_ref().map(|search| search.typed().to_owned()),
                since: filter.since.map(StoredTime),
                until: filter.until.map(StoredTime),
                ..Self::default()
            },
            JobScope::Filter(filter) => Self::by_terms(filter, false),
            JobScope::Mails(filter) => Self::by_terms(filter, true),
        }
    }

    fn by_terms(filter: &Filter, is_of_mails: bool) -> Self {
        Self {
            verification_ids: Some(Vec::new()),
            terms: Some(filter.without_text()),
            looked_for: filter.search.as_ref().map(|search| search.typed().to_owned()),
            is_of_mails,
            ..Self::default()
        }
    }

    pub fn scope(self) -> JobScope {
        let no_one = || JobScope::Marked(Vec::new());
        let Some(terms) = self.terms else {
            return match self.verification_ids {
                Some(ids) => JobScope::Marked(ids.into_iter().map(VerificationId).collect()),
                None => JobScope::Filter(Filter {
                    status: self.status.and_then(|status| status.parse::<Status>().ok()),
                    search: self.search.as_deref().and_then(Search::parse),
                    since: self.since.map(Into::into),
                    until: self.until.map(Into::into),
                    ..Filter::default()
                }),
            };
        };
        let place = if self.is_of_mails { Place::Mails } else { Place::Verifications };
        // Its moments do not depend on the clock. What cannot be read must not become a filter that all fit.
        let Ok(filter) = line::parse(&terms, place, Clock::utc(Utc::now())) else { return no_one() };
        if filter.search.is_some() || filter.without_text() != terms {
            return no_one();
        }
        let search = match self.looked_for {
            Some(text) => match Search::parse(&text) {
                Some(search) => Some(search),
                None => return no_one(),
            },
            None => None,
        };
        let filter = Filter { search, ..filter };
        if self.is_of_mails { JobScope::Mails(filter) } else { JobScope::Filter(filter) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::States;
    use crate::domain::send::SendState;

    #[test]
    fn a_scope_is_read_as_it_was_stored() {
        let at = |text: &str| Some(text.parse().unwrap());
        let search = || Search::parse("Nov 27 10:00:01 mx: status:bounced");
        let plain = Filter { status: Some(Status::Expired), search: search(), ..Filter::default() };
        let failed = Filter {
            mail: [SendState::Failed, SendState::Unknown].into_iter().collect(),
            since: at("2026-11-26T09:00:00.123456789Z"),
            search: search(),
            ..Filter::default()
        };
        for scope in [
            JobScope::Filter(Filter::default()),
            JobScope::Filter(plain),
            JobScope::Filter(Filter { until: failed.since, ..Filter::default() }),
            JobScope::Filter(failed.clone()),
            JobScope::Mails(failed),
            JobScope::Mails(Filter::default()),
            JobScope::Marked(vec![VerificationId(7)]),
        ] {
            assert_eq!(StoredScope::of(&scope).scope(), scope);
        }
    }

    #[test]
    fn what_cannot_be_read_is_for_no_one() {
        let mail = States::from(Some(SendState::Failed));
        let stored = || StoredScope::of(&JobScope::Mails(Filter { mail, ..Filter::default() }));
        for terms in ["mail:lost", "colour:red", "mail:failed colour:red", "x", "10:00 mail:failed"] {
            let scope = StoredScope { terms: Some(terms.into()), ..stored() }.scope();
            assert_eq!(scope, JobScope::Marked(Vec::new()), "{terms}");
        }
        // An older program sees the columns that it knows.
        let seen = StoredScope { terms: None, ..stored() }.scope();
        assert_eq!(seen, JobScope::Marked(Vec::new()));
    }
}
