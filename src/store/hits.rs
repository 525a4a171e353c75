//! How many a search finds, for screens: at once, or not at all.

use std::str::FromStr;

use sqlx::{Postgres, QueryBuilder};

use super::list::search;
use super::{Error, Store, sends};
use crate::domain::filter::hits::{HITS_MAX, Hits};
use crate::domain::filter::{Filter, Search};
use crate::domain::send::SendState;
use crate::domain::verification::Status;

impl Store {
    /// How many verifications of each status belong to who is found. `None` where counting takes too long.
    pub async fn verification_hits(&self, search: &Search) -> Result<Option<Hits<Status>>, Error> {
        if !search.can_find() {
            return Ok(Some(Hits::new([], true)));
        }
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

    /// How many mails in each state are found. `None` where counting takes too long.
    pub async fn send_hits(&self, search: &Search) -> Result<Option<Hits<SendState>>, Error> {
        if !search.can_find() {
            return Ok(Some(Hits::new([], true)));
        }
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
        let by = rows.into_iter().filter_map(|(of, count)| Some((of?.parse().ok()?, count)));
        Ok(Some(Hits::new(by, looked_at <= HITS_MAX)))
    }
}
