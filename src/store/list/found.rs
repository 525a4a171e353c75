//! What of a filter finds few enough to be named one by one, so that a list need not be walked along for them.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{are_few, push_span, search};
use crate::domain::filter::Filter;
use crate::store::{Error, Store, mailed};

/// How they are asked for where that can be stopped.
pub(super) const BEGIN_READING: &str = "begin isolation level read committed read only";

/// The users and mails that a filter finds, as far as they are few.
pub(in crate::store) struct Found<'a> {
    pub(super) filter: &'a Filter,
    /// Verifications of these users only.
    pub(super) users: Option<Vec<i64>>,
    /// These verifications only.
    pub(super) verifications: Option<Vec<i64>>,
    /// The users were named by the search: it need not be asked again.
    is_searched: bool,
    /// The status has few verifications: they are all read.
    pub(super) is_status_short: bool,
    /// The last mail has to be looked at.
    is_mail_left: bool,
}

/// Looks for the users and mails that a filter names. Of so many that they are not named, a walk along the list's order soon meets
/// some.
pub(in crate::store) async fn found<'a>(connection: &mut PgConnection, filter: &'a Filter) -> Result<Found<'a>, Error> {
    Box::pin(found_through(&mut Through::Connection(connection), filter)).await
}

/// The same. Dropped, it ends in the database as well.
pub(super) async fn found_stoppably<'a>(store: &Store, filter: &'a Filter) -> Result<Found<'a>, Error> {
    found_through(&mut Through::Stoppably(store), filter).await
}

async fn found_through<'a>(through: &mut Through<'_>, filter: &'a Filter) -> Result<Found<'a>, Error> {
    let mut found = users_through(through, filter).await?;
    if filter.asks_for_mail() && !found.is_no_one() {
        found.verifications = through.named(|query| mailed::push_verifications(query, filter)).await?;
        found.is_mail_left = found.verifications.is_none();
    }
    Ok(found)
}

/// The same for those who look at the mails themselves.
pub(in crate::store) async fn found_users<'a>(
    connection: &mut PgConnection,
    filter: &'a Filter,
) -> Result<Found<'a>, Error> {
    Box::pin(users_through(&mut Through::Connection(connection), filter)).await
}

async fn users_through<'a>(through: &mut Through<'_>, filter: &'a Filter) -> Result<Found<'a>, Error> {
    let mut found = Found { is_mail_left: false, ..Found::all(filter) };
    if let Some(search) = &filter.search {
        found.users = if search.can_find() {
            through.named(|query| search::push_users(query, search)).await?
        } else {
            Some(Vec::new())
        };
        found.is_searched = found.users.is_some();
    }
    if let (None, Some(domain)) = (&found.users, &filter.domain) {
        found.users = through.named(|query| search::push_domain(query, domain)).await?;
    }
    Ok(found)
}

/// How the database is asked for names.
enum Through<'c> {
    Connection(&'c mut PgConnection),
    /// So that it ends there too where no one waits for the answer any more.
    Stoppably(&'c Store),
}

impl Through<'_> {
    async fn named(&mut self, push: impl FnOnce(&mut QueryBuilder<Postgres>)) -> Result<Option<Vec<i64>>, Error> {
        match self {
            Self::Connection(connection) => named(connection, push).await,
            Self::Stoppably(store) => {
                let mut query = QueryBuilder::new("select coalesce(array_agg(id), '{}') from (");
                push(&mut query);
                query.push(") as named (id)");
                let ids = Box::pin(store.ask_stoppably(BEGIN_READING, query)).await?;
                Ok(Some(ids).filter(|ids| are_few(ids)))
            }
        }
    }
}

/// The numbers that a query names; `None` if there are too many.
pub(in crate::store) async fn named(
    connection: &mut PgConnection,
    push: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> Result<Option<Vec<i64>>, Error> {
    let mut query = QueryBuilder::new("");
    push(&mut query);
    // A plan made without the text would be a bad one for most texts.
    let ids: Vec<i64> = query.build_query_scalar().persistent(false).fetch_all(connection).await?;
    Ok(Some(ids).filter(|ids| are_few(ids)))
}

impl<'a> Found<'a> {
    /// No one is named: all has to be asked of each row.
    pub(super) fn all(filter: &'a Filter) -> Self {
        Self {
            filter,
            users: None,
            verifications: None,
            is_searched: false,
            is_status_short: false,
            is_mail_left: filter.asks_for_mail(),
        }
    }

    /// The same; the status has so few that they are all read.
    pub(super) fn all_of_status(filter: &'a Filter) -> Self {
        Self { is_status_short: true, ..Self::all(filter) }
    }

    /// These are the users that the search finds.
    pub(super) fn of(filter: &'a Filter, users: Vec<i64>) -> Self {
        Self { users: Some(users), is_searched: true, ..Self::all(filter) }
    }

    /// The search finds these verifications, among others.
    pub(super) fn exact(filter: &'a Filter, verifications: Vec<i64>) -> Self {
        Self { verifications: Some(verifications), is_searched: true, ..Self::all(filter) }
    }

    /// All has to be asked of each row but the search.
    pub(in crate::store) fn but_search(filter: &'a Filter) -> Self {
        Self { is_searched: true, ..Self::all(filter) }
    }
}

impl Found<'_> {
    /// The same, of what another filter finds that differs in the status alone.
    pub(in crate::store) fn under<'b>(&self, filter: &'b Filter) -> Found<'b> {
        let Self { is_searched, is_mail_left, .. } = *self;
        let (users, verifications) = (self.users.clone(), self.verifications.clone());
        Found { filter, users, verifications, is_searched, is_status_short: false, is_mail_left }
    }

    pub(in crate::store) fn filter(&self) -> &Filter {
        self.filter
    }

    /// Whether few are left to be looked at.
    pub(in crate::store) fn is_named(&self) -> bool {
        self.users.is_some() || self.verifications.is_some()
    }

    pub(in crate::store) fn is_no_one(&self) -> bool {
        [&self.users, &self.verifications].into_iter().flatten().any(Vec::is_empty)
    }

    /// What has to be asked of each row: of whom no more is known.
    pub(super) fn push_rest(&self, query: &mut QueryBuilder<Postgres>) {
        push_span(query, "v.created_at", self.filter.created);
        push_span(query, "v.expires_at", self.filter.expires);
        if let Some(search) = self.filter.search.as_ref().filter(|_| !self.is_searched) {
            query.push(" and (");
            search::push_fits(query, search);
            query.push(" or v.user_id in (");
            search::push_named(query, search);
            query.push("))");
        }
        if let Some(locale) = self.filter.locale {
            query.push(" and (select u.locale = ").push_bind(locale.as_str());
            query.push(" from users u where u.id = v.user_id)");
        }
        if let Some(domain) = &self.filter.domain {
            query.push(" and (select lower(u.email) like ").push_bind(search::domain_like(domain));
            query.push(" from users u where u.id = v.user_id)");
        }
        if self.is_mail_left {
            mailed::push_last_mail(query, self.filter);
        }
    }
}
