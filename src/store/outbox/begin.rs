//! Beginning: claimed sends move to *sending*, each with its attempt.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::id::{SendId, VerificationId};
use crate::store::Error;

/// Which attempt of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number among those that count, from 1: the next one has the same where this one does not count.
    pub counted: i16,
    /// Its number among all, from 1.
    pub begun: i32,
}

/// Moves claimed sends to *sending*, each for its verification, under this worker's lease until `lease` from now.
/// Returns those that are its own now, each with its attempt.
pub async fn begin(
    connection: &mut PgConnection,
    worker: Uuid,
    sends: &[(SendId, VerificationId)],
    lease: Duration,
) -> Result<Vec<(SendId, Attempt)>, Error> {
    let (ids, verifications): (Vec<Uuid>, Vec<i64>) =
        sends.iter().map(|(id, verification)| (id.0, verification.0)).unzip();
    let rows = sqlx::query!(
        "update sends
        set
            state = 'sending',
            verification_id = given.verification_id,
            attempts = least(attempts, 32766) + 1,
            begun = begun + 1,
            changed_at = now(),
            lease_by = $1,
            lease_until = now() + make_interval(secs => $4)
        from unnest($2::uuid[], $3::bigint[]) as given (id, verification_id)
        where sends.id = given.id and state = 'queued'
        returning sends.id, attempts, begun",
        worker,
        &ids,
        &verifications,
        lease.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (SendId(row.id), Attempt { counted: row.attempts, begun: row.begun })).collect())
}
