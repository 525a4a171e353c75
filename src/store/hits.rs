//! How many a search or a filter finds, for screens: at once, or not at all.

use std::str::FromStr;

use sqlx::{Postgres, QueryBuilder};

use super::list::{self, search};
use super::{Error, Store, sends};
use crate::domain::filter::Filter;
use crate::domain::filter::hits::{HITS_MAX, Hits};
use crate::domain::send::SendState;
use crate::domain::verification::Status;

/// What stands for all of them together.
const ALL: &str = "all";

impl Store {
    /// How many verifications of each status a filter finds, whatever status it names. `None` where counting takes too
    /// long.
    pub async fn verification_hits(&self, filter: &Filter) -> Result<Option<Hits<Status>>, Error> {
        if filter.search.as_ref().is_some_and(|search| !search.can_find()) {
            return Ok(Some(Hits::new([], true)));
        }
        let filter = Filter { status: None, ..filter.unsorted() };
        let Some(search) = filter.search.as_ref().filter(|_| filter.is_text()) else {
            return self.verification_hits_by_terms(&filter).await;
        };
        let mut query = QueryBuilder::new("with found as materialized (select id from (");
        search::push_users(&mut query, search);
        query.push(") as found (id) limit ").push_bind(HITS_MAX + 1).push(
            ")
            select null, count(*) from found
            union all
            select
                case
                    when verified_at is not null then 'verified'
                    when revoked_at is not null then 'revoked'
                    when expires_at > now() then 'pending'
                    else 'expired'
                end,
                count(*)
            from found
            join verifications v on v.user_id = found.id
            group by 1",
        );
        self.hits(query).await
    }

    /// Each status by itself, as its list is read.
    async fn verification_hits_by_terms(&self, filter: &Filter) -> Result<Option<Hits<Status>>, Error> {
        let mut tx = self.begin_glance().await?;
        let found = match list::found(&mut tx, filter).await {
            Ok(found) => found,
            Err(Error::TooSlow(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        tx.rollback().await?;
        if found.is_no_one() {
            return Ok(Some(Hits::new([], true)));
        }
        let mut query = QueryBuilder::new("");
        // The moments of the filter may be others under each: what is found under all is not what is found under each.
        let tabs = Status::ALL.map(Some).into_iter().chain([None]);
        let filters: Vec<Filter> = tabs.map(|status| Filter { status, ..filter.clone() }).collect();
        for (at, filter) in filters.iter().enumerate() {
            query.push(if at == 0 { "select " } else { " union all select " });
            query.push_bind(filter.status.map_or(ALL, Status::as_str)).push("::text, count(*) from (select from ");
            list::push_filter(&mut query, &found.under(filter), None);
            query.push(" limit ").push_bind(HITS_MAX + 1).push(") as counted");
        }
        self.hits(query).await
    }

    /// How many mails in each state a filter finds; of those that it names, if it names several. `None` where counting
    /// takes too long.
    pub async fn send_hits(&self, filter: &Filter) -> Result<Option<Hits<SendState>>, Error> {
        if filter.search.as_ref().is_some_and(|search| !search.can_find()) {
            return Ok(Some(Hits::new([], true)));
        }
        let Some(search) = filter.search.as_ref().filter(|_| filter.is_text()) else {
            return self.send_hits_by_state(filter).await;
        };
        let mut query = QueryBuilder::new("with found as materialized (select id from (");
        sends::push_searched(&mut query, &Filter::default(), search, sends::Users::Fitting);
        query.push(") as found (id) limit ").push_bind(HITS_MAX + 1).push(
            ")
            select null, count(*) from found
            union all
            select state, count(*) from found join sends s on s.id = found.id group by state",
        );
        self.hits(query).await
    }

    /// Each state by itself, since each has its part of an index.
    async fn send_hits_by_state(&self, filter: &Filter) -> Result<Option<Hits<SendState>>, Error> {
        let mut tx = self.begin_glance().await?;
        let found = match sends::found(&mut tx, filter).await {
            Ok(found) => found,
            Err(Error::TooSlow(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        tx.rollback().await?;
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Some(Hits::new([], true)));
        }
        let mut query = QueryBuilder::new("");
        let states = filter.mail_states();
        let states: Vec<SendState> = if states.is_any() { SendState::ALL.to_vec() } else { states.chosen().collect() };
        for (at, state) in states.into_iter().enumerate() {
            query.push(if at == 0 { "select " } else { " union all select " });
            query.push_bind(state.as_str()).push("::text, count(*) from (select from ");
            sends::push_source(&mut query, filter, found.as_deref());
            query.push(" and s.state = ").push_bind(state.as_str());
            sends::push_conditions(&mut query, filter);
            query.push(" limit ").push_bind(HITS_MAX + 1).push(") as counted");
        }
        self.hits(query).await
    }

    /// A query whose first column is what was counted, or null for how many were looked at.
    async fn hits<T: FromStr + Copy + PartialEq>(
        &self,
        mut query: QueryBuilder<Postgres>,
    ) -> Result<Option<Hits<T>>, Error> {
        let mut tx = self.begin_glance().await?;
        // A plan made without the text would be a bad one for most texts.
        let rows = query.build_query_as::<(Option<String>, i64)>().persistent(false).fetch_all(&mut *tx).await;
        let rows = match rows.map_err(Error::from) {
            Ok(rows) => {
                tx.rollback().await?;
                rows
            }
            Err(Error::TooSlow(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let looked_at: i64 = rows.iter().filter(|(of, _)| of.is_none()).map(|(_, count)| count).sum();
        let all = rows.iter().find(|(of, _)| of.as_deref() == Some(ALL)).map(|(_, count)| *count);
        let by = rows.into_iter().filter_map(|(of, count)| Some((of?.parse().ok()?, count)));
        Ok(Some(Hits::new(by, looked_at <= HITS_MAX).with_all(all)))
    }
}
