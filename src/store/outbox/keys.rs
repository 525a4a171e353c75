//! The keys of the mails: committed to before a mail is begun, or again where a failover lost that.

use std::time::Duration;

use sqlx::PgConnection;

use super::result::{Columns, Outcome};
use crate::domain::Time;
use crate::domain::id::VerificationId;
use crate::domain::key::{KeyDigest, Nonce};
use crate::store::Error;

/// Commits to keys, where none was before, and starts the lives of these open verifications again. Returns the moment at
/// which all of them end.
pub async fn set_keys(
    connection: &mut PgConnection,
    keys: &[(VerificationId, KeyDigest)],
    lifetime: Duration,
) -> Result<Option<Time>, Error> {
    let (ids, digests): (Vec<i64>, Vec<Vec<u8>>) = keys.iter().map(|(id, digest)| (id.0, digest.0.to_vec())).unzip();
    let ends = sqlx::query_scalar!(
        "update verifications
        set
            key_digest = coalesce(key_digest, given.digest),
            expires_at = now() + make_interval(secs => $3)
        from unnest($1::bigint[], $2::bytea[]) as given (id, digest)
        where verifications.id = given.id and verified_at is null and revoked_at is null
        returning expires_at",
        &ids,
        &digests,
        lifetime.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    Ok(ends.into_iter().next().map(Into::into))
}

/// The verifications of which a mail went out by one of these results, though nothing was committed to their keys, as
/// far as this server knows; each with what its key is made of.
pub async fn without_key(
    connection: &mut PgConnection,
    outcomes: &[Outcome],
) -> Result<Vec<(VerificationId, Nonce)>, Error> {
    let given = Columns::of(outcomes);
    let rows = sqlx::query!(
        "select v.id, v.key_nonce
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[]) as given (id, begun, state, verification)
        join sends as s on s.id = given.id and s.verification_id = given.verification
        join verifications as v on v.id = s.verification_id
        where
            given.state in ('accepted', 'unknown')
            and s.state = 'queued'
            and s.begun = given.begun - 1
            and v.key_digest is null
            and v.verified_at is null
            and v.revoked_at is null",
        &given.ids,
        &given.begun,
        &given.states,
        &given.verifications
    )
    .fetch_all(connection)
    .await?;
    let of = |row: Vec<u8>| row.try_into().ok().map(Nonce);
    Ok(rows.into_iter().filter_map(|row| Some((VerificationId(row.id), of(row.key_nonce)?))).collect())
}
