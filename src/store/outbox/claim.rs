//! What a worker claims of the sends that are due, and the users that it locks with them.

use sqlx::PgConnection;

use super::lease::bare;
use super::standing::{Claimant, Standing, standing};
use crate::domain::id::{SendId, UserId};
use crate::store::Error;

/// What came of claiming.
#[derive(Clone, Debug)]
pub struct Claim {
    /// How the claimant stands; where it may not claim there is nothing.
    pub standing: Standing,
    /// What is claimed.
    pub ids: Vec<SendId>,
}

/// Takes up to `limit` due sends for this transaction, the first to go first: people before bulk, the longest due
/// first. What another transaction has is left to it; so is what the brake or a paused job holds back.
pub async fn claim(connection: &mut PgConnection, claimant: Claimant, limit: i64) -> Result<Claim, Error> {
    let standing = standing(&mut *connection, claimant).await?;
    if !claimant.may_claim(standing) {
        return Ok(Claim { standing, ids: Vec::new() });
    }
    // Each priority on its own: mails of people that wait for a later time do not stand before bulk in the index.
    let ids = sqlx::query_scalar!(
        r#"with people as materialized (
            select id
            from sends
            where
                state = 'queued'
                and priority = 0
                and due_at <= now()
                and (lease_until is null or lease_until < now())
                and queued_at <= (select queued_until from outbox_gate)
            order by due_at, id
            limit $1
            for update skip locked
        ),
        bulk as materialized (
            select id
            from sends
            where
                state = 'queued'
                and priority = 10
                and due_at <= now()
                and (lease_until is null or lease_until < now())
                and queued_at <= (select queued_until from outbox_gate)
                and not exists (select from jobs where jobs.id = sends.job_id and jobs.state = 'paused')
            order by due_at, id
            limit greatest($1 - (select count(*) from people), 0)
            for update skip locked
        )
        select id as "id!" from people union all select id from bulk"#,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(Claim { standing, ids: ids.into_iter().map(SendId).collect() })
}

/// Takes this send for this transaction, if it waits; waits for the transaction that has it.
pub async fn claim_one(connection: &mut PgConnection, id: SendId) -> Result<Vec<SendId>, Error> {
    let found = sqlx::query_scalar!("select id from sends where id = $1 and state = 'queued' for update", id.0)
        .fetch_optional(connection)
        .await?;
    Ok(found.into_iter().map(SendId).collect())
}

/// Locks the users of these sends as far as no one else has them locked, in the one order that all batches keep to.
pub async fn lock_users(connection: &mut PgConnection, ids: &[SendId]) -> Result<Vec<UserId>, Error> {
    let users = sqlx::query_scalar!(
        "select id
        from users
        where id in (select user_id from sends where id = any ($1))
        order by id
        for no key update skip locked",
        &bare(ids)
    )
    .fetch_all(connection)
    .await?;
    Ok(users.into_iter().map(UserId).collect())
}
