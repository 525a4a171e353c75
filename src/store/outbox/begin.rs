//! Beginning: claimed sends move to *sending*, each with its attempt.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::MadeOf;
use crate::store::Error;

/// Which attempt of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number among those that count, from 1: the next one has the same where this one does not count.
    pub counted: i16,
    /// Its number among all, from 1.
    pub begun: i32,
}

/// A claimed send that is about to be mailed.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    pub id: SendId,
    /// For which verification.
    pub verification: VerificationId,
    /// What the mail is made of, where that is known.
    pub made_of: Option<MadeOf>,
}

/// Moves claimed sends to *sending*, each for its verification, under this worker's lease until `lease` from now.
/// Returns those that are its own now, each with its attempt.
pub async fn begin(
    connection: &mut PgConnection,
    worker: Uuid,
    sends: &[Beginning],
    lease: Duration,
) -> Result<Vec<(SendId, Attempt)>, Error> {
    let (ids, verifications): (Vec<Uuid>, Vec<i64>) = sends.iter().map(|send| (send.id.0, send.verification.0)).unzip();
    let (templates, settings): (Vec<Option<i32>>, Vec<Option<i32>>) =
        sends.iter().map(|send| send.made_of.map(|of| (of.templates, of.settings)).unzip()).unzip();
    let rows = sqlx::query!(
        "update sends
        set
            state = 'sending',
            verification_id = given.verification_id,
            templates_fingerprint = given.templates,
            settings_fingerprint = given.settings,
            attempts = least(attempts, 32766) + 1,
            begun = begun + 1,
            changed_at = now(),
            lease_by = $1,
            lease_until = now() + make_interval(secs => $4)
        from unnest($2::uuid[], $3::bigint[], $5::integer[], $6::integer[])
            as given (id, verification_id, templates, settings)
        where sends.id = given.id and state = 'queued'
        returning sends.id, attempts, begun",
        worker,
        &ids,
        &verifications,
        lease.as_secs_f64(),
        &templates as &[Option<i32>],
        &settings as &[Option<i32>]
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (SendId(row.id), Attempt { counted: row.attempts, begun: row.begun })).collect())
}
