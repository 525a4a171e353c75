//! Pages of the suppression list for who goes through it: its addresses, those that were asked about, and those that someone
//! asked to be put on it.

use super::{Error, Store, StoredTime};
use crate::domain::account::suppressed::{SuppressedPage, SuppressedPlace, SuppressedRow, SuppressedUser};
use crate::domain::amazon::Suppression;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::page::{Page, Position};

impl Store {
    /// A page of the list, those that were put on it last first, with `part` in the address.
    #[expect(clippy::too_many_lines, reason = "one statement")]
    pub async fn suppressed_page(
        &self,
        part: &str,
        position: Position<SuppressedPlace>,
        limit: i64,
    ) -> Result<SuppressedPage, Error> {
        let list = self.suppression_list(0).await?;
        let as_of = self.now().await?;
        let is_up = matches!(position, Position::Before(_) | Position::Oldest);
        let from = match &position {
            Position::After(place) | Position::Before(place) => Some(place),
            Position::Newest | Position::Oldest => None,
        };
        let rows = sqlx::query!(
            r#"with known as (
                select l.address, l.reason, l.since, r.read_at as checked_at, x.ses_id
                from suppression_list l
                cross join suppression_reading r
                left join suppressions x on x.address = l.address
                where r.one and r.read_at is not null
                union all
                select x.address, x.reason, x.since, x.checked_at, x.ses_id
                from suppressions x
                where
                    x.reason is not null
                    and not exists (
                        select
                        from suppression_list l
                        cross join suppression_reading r
                        where l.address = x.address and r.one and r.read_at is not null
                    )
                    and not exists (select from suppression_reading r where r.one and x.checked_at < r.whole_begun_at)
            ), listed as (
                select address, reason, since, checked_at, ses_id, coalesce(since, checked_at) as placed_at from known
                union all
                -- What is to be put on it, or could not be.
                select a.address, null, null, a.asked_at, null, a.asked_at
                from account_acts a
                where
                    a.kind = 'add'
                    and (a.state = 'waiting' or a.state = 'failed' and a.ended_at > now() - interval '1 day')
                    and not exists (select from known k where k.address = a.address)
                    and not exists (
                        select from account_acts newer where newer.address = a.address and newer.id > a.id
                    )
            ), page as (
                select *
                from listed
                where
                    strpos(address, lower($1)) > 0
                    and (
                        $2::timestamptz is null
                        or case
                            when $4
                            then placed_at > $2 or placed_at = $2 and address collate "C" < $3
                            else placed_at < $2 or placed_at = $2 and address collate "C" > $3
                        end
                    )
                order by
                    case when $4 then placed_at end,
                    case when $4 then address collate "C" end desc,
                    placed_at desc,
                    address collate "C"
                limit $5
            )
            select p.address as "address!", p.reason, p.since, p.checked_at as "checked_at!", p.ses_id,
                p.placed_at as "placed_at!", u.id as "user_id?", u.name as "name?", u.verified_at as "verified_at?",
                u.delete_after as "delete_after?", v.id as "verification_id?"
            from page p
            left join users u on lower(u.email) = p.address
            left join lateral (
                select id from verifications where user_id = u.id order by id desc limit 1
            ) v on true
            order by
                case when $4 then p.placed_at end,
                case when $4 then p.address collate "C" end desc,
                p.placed_at desc,
                p.address collate "C""#,
            part,
            from.map(|place| StoredTime(place.at)) as _,
            from.map(|place| place.address.as_str()),
            is_up,
            limit + 1
        )
        .fetch_all(self.pool())
        .await?;
        let addresses: Vec<String> = rows.iter().map(|row| row.address.clone()).collect();
        let mut acts = self.account_acts_about(&addresses).await?;
        let rows = rows.into_iter().map(|row| SuppressedRow {
            act: acts.remove(&row.address).filter(|act| act.is_news(as_of)),
            address: row.address.into(),
            suppression: Suppression {
                checked_at: row.checked_at.into(),
                reason: row.reason.map(Into::into),
                since: row.since.map(Into::into),
                ses_id: row.ses_id.map(Into::into),
            },
            placed_at: row.placed_at.into(),
            user: row.user_id.map(|id| SuppressedUser {
                id: UserId(id),
                name: row.name.unwrap_or_default().into(),
                verification: row.verification_id.map(VerificationId),
                is_verified: row.verified_at.is_some(),
                is_leaving: row.delete_after.is_some(),
            }),
        });
        Ok(SuppressedPage { page: Page::cut(rows.collect(), limit, &position, as_of), list })
    }
}
