//! How many verifications there are of each status, without walking over them.

use super::{Error, Store};
use crate::domain::verification::Counts;

/// How many deltas one roll-up takes.
const ROLL_UP_MAX: i64 = 10_000;

impl Store {
    /// The counts. Open, verified and revoked ones are kept by triggers; of the open ones the pending are counted by
    /// their index, which holds no more than one lifetime's sign-ups of them.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let row = sqlx::query!(
            r#"with delta as (
                select sum(open) as open, sum(verified) as verified, sum(revoked) as revoked
                from verification_count_deltas
            )
            select
                (counted.open + coalesce(delta.open, 0))::bigint as "open!",
                (counted.verified + coalesce(delta.verified, 0))::bigint as "verified!",
                (counted.revoked + coalesce(delta.revoked, 0))::bigint as "revoked!",
                (
                    select count(*)
                    from verifications
                    where verified_at is null and revoked_at is null and expires_at > now()
                ) as "pending!"
            from verification_counts counted, delta"#
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Counts {
            pending: row.pending,
            verified: row.verified,
            expired: (row.open - row.pending).max(0),
            revoked: row.revoked,
        })
    }

    /// Adds the deltas up into the one row. Any number of processes may try; one does it.
    pub async fn roll_up_counts(&self) -> Result<(), Error> {
        while self.roll_up_some().await? == ROLL_UP_MAX {}
        Ok(())
    }

    /// How many deltas were there, `ROLL_UP_MAX` at most.
    async fn roll_up_some(&self) -> Result<i64, Error> {
        let taken = sqlx::query_scalar!(
            r#"with turn as materialized (
                select only_row from verification_counts for update skip locked
            ),
            gone as (
                delete from verification_count_deltas
                where id in (
                    select id
                    from verification_count_deltas
                    where exists (select 1 from turn)
                    order by id
                    limit $1
                )
                returning open, verified, revoked
            ),
            delta as (
                select sum(open) as open, sum(verified) as verified, sum(revoked) as revoked from gone
            )
            update verification_counts counted
            set
                open = counted.open + delta.open,
                verified = counted.verified + delta.verified,
                revoked = counted.revoked + delta.revoked
            from delta
            where delta.open is not null
            returning (select count(*) from gone) as "taken!""#,
            ROLL_UP_MAX
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(taken.unwrap_or_default())
    }
}
