//! What SES's suppression list says of addresses, as far as it was asked, with its age.

use sqlx::PgConnection;

use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::account::act::Listing;
use crate::domain::amazon::{SuppressedAddress, SuppressingMail, Suppression};
use crate::domain::id::{SendId, VerificationId};

/// Among how many of the newest mails those that went to someone again are looked for.
const NEWEST: i64 = 50;

impl Store {
    /// An address that was mailed again, and of which it is not known since whether it is on the suppression list.
    pub async fn next_suppression_check(&self) -> Result<Option<String>, Error> {
        let address = sqlx::query_scalar!(
            r#"with newest as (
                select id, user_id, recipient, queued_at, priority from sends order by id desc limit $1
            )
            select lower(n.recipient) as "address!"
            from newest n
            where
                n.priority = 0
                and n.queued_at > now() - interval '1 hour'
                and exists (select from sends before where before.user_id = n.user_id and before.id < n.id)
                and not exists (
                    select
                    from suppressions s
                    where s.address = lower(n.recipient) and s.checked_at >= n.queued_at
                )
            order by n.id desc
            limit 1"#,
            NEWEST
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(address)
    }

    /// Notes whether an address is on the suppression list: why and since when. Returns the verifications that it is about.
    pub async fn note_suppression(
        &self,
        address: &str,
        on_list: Option<(&str, Option<Time>, Option<&str>)>,
    ) -> Result<Vec<VerificationId>, Error> {
        let mut connection = self.pool().acquire().await?;
        note(&mut connection, address, on_list).await
    }

    /// What the suppression list says of an address, if that was asked or if the part that was read has it: what is known
    /// since last.
    pub async fn suppression(&self, address: &str) -> Result<Option<Suppression>, Error> {
        let row = sqlx::query!(
            r#"select known.checked_at as "checked_at!", known.reason, known.since, known.ses_id
            from (
                select checked_at, reason, since, ses_id from suppressions where address = lower($1)
                union all
                select
                    r.read_at, l.reason, l.since, (select x.ses_id from suppressions x where x.address = l.address)
                from suppression_list l
                cross join suppression_reading r
                where l.address = lower($1) and r.one and r.read_at is not null
                union all
                -- They are on the whole list no more, which was read since.
                select r.read_at, null, null, null
                from suppressions x
                join suppression_reading r on r.one and x.checked_at < r.whole_begun_at
                where
                    x.address = lower($1)
                    and not exists (select from suppression_list l where l.address = x.address)
            ) as known
            order by known.checked_at desc
            limit 1"#,
            address
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| Suppression {
            checked_at: row.checked_at.into(),
            reason: row.reason.map(Into::into),
            since: row.since.map(Into::into),
            ses_id: row.ses_id.map(Into::into),
        }))
    }

    /// Addresses that are known to be on the list, by reading it or by asking about one, those that were put on it last first;
    /// with `part` in them, and for this reason.
    pub async fn suppressed(
        &self,
        part: &str,
        reason: Option<Listing>,
        limit: i64,
    ) -> Result<Vec<SuppressedAddress>, Error> {
        let rows = sqlx::query!(
            r#"select k.address as "address!", k.checked_at as "checked_at!", k.reason, k.since, k.ses_id, v.id as "verification_id?"
            from (
                select l.address, r.read_at as checked_at, l.reason, l.since, x.ses_id
                from suppression_list l
                cross join suppression_reading r
                left join suppressions x on x.address = l.address
                where r.one and r.read_at is not null
                union all
                select x.address, x.checked_at, x.reason, x.since, x.ses_id
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
            ) as k
            left join users u on lower(u.email) = k.address
            left join lateral (
                select id from verifications where user_id = u.id order by id desc limit 1
            ) v on true
            where strpos(k.address, lower($1)) > 0 and ($3::text is null or k.reason = $3)
            order by k.since desc nulls last, k.address
            limit $2"#,
            part,
            limit,
            reason.map(Listing::as_str)
        )
        .fetch_all(self.pool())
        .await?;
        let known = rows.into_iter().map(|row| SuppressedAddress {
            address: row.address.into(),
            suppression: Suppression {
                checked_at: row.checked_at.into(),
                reason: row.reason.map(Into::into),
                since: row.since.map(Into::into),
                ses_id: row.ses_id.map(Into::into),
            },
            verification: row.verification_id.map(VerificationId),
        });
        Ok(known.collect())
    }

    /// The mail that SES names as the cause.
    pub async fn suppressing_mail(&self, ses_id: &str) -> Result<Option<SuppressingMail>, Error> {
        let row = sqlx::query!(
            r#"select s.id as "id!", s.verification_id, s.state as "state!", s.queued_at as "queued_at!"
            from (
                select id from sends where ses_id = $1
                union
                select send_id from send_messages where ses_id = $1
            ) as named
            join sends s on s.id = named.id
            limit 1"#,
            ses_id
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| SuppressingMail {
            send: SendId(row.id),
            verification: row.verification_id.map(VerificationId),
            state: row.state.into(),
            queued_at: row.queued_at.into(),
        }))
    }

    /// Whether a worker that has AWS's keys has called there lately.
    pub async fn has_account_worker(&self) -> Result<bool, Error> {
        let has = sqlx::query_scalar!(
            r#"select exists (
                select from ses_account where greatest(asked_at, called_at) > now() - interval '6 minutes'
            ) as "has!""#
        );
        Ok(has.fetch_one(self.pool()).await?)
    }

    /// Forgets what was asked a month ago.
    pub async fn forget_old_suppressions(&self) -> Result<(), Error> {
        sqlx::query!(
            "delete from suppressions
            where address in (
                select address from suppressions where checked_at < now() - interval '30 days' order by checked_at limit 10000
            )"
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// The same, within an act's transaction.
pub async fn note(
    connection: &mut PgConnection,
    address: &str,
    on_list: Option<(&str, Option<Time>, Option<&str>)>,
) -> Result<Vec<VerificationId>, Error> {
    let (reason, since, ses_id) =
        on_list.map_or((None, None, None), |(reason, since, ses_id)| (Some(reason), since, ses_id));
    let about = sqlx::query_scalar!(
        r#"with noted as (
            insert into suppressions (address, reason, since, ses_id)
            values ($1, $2, $3, $4)
            on conflict (address) do update
            set checked_at = now(), reason = excluded.reason, since = excluded.since, ses_id = excluded.ses_id
        ),
        -- Who is on it gets no mail: who may be mailed again is read here.
        marked as (
            insert into address_states as a (address, suppressed_at)
            select $1, now() where $2::text is not null
            on conflict (address) do update set suppressed_at = now()
            -- Once is enough: the site is told each time.
            where a.suppressed_at is null or a.suppressed_at <= a.takes_at
        )
        select v.id as "id!"
        from users u
        join verifications v on v.user_id = u.id
        where lower(u.email) = $1
        order by v.id desc
        limit 10"#,
        address,
        reason,
        since.map(StoredTime) as _,
        ses_id
    )
    .fetch_all(connection)
    .await?;
    Ok(about.into_iter().map(VerificationId).collect())
}

/// Forgets that an address was on a list, where it was taken off. What it did itself (bounced, complained) stays.
pub async fn clear_mark(connection: &mut PgConnection, address: &str) -> Result<(), Error> {
    sqlx::query!(
        "update address_states set suppressed_at = null where address = $1 and suppressed_at is not null",
        address
    )
    .execute(connection)
    .await?;
    Ok(())
}
