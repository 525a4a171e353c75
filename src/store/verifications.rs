//! Verifications: found, made, renewed, revoked; approved in `approvals`.
//!
//! Approving and force-verifying are functions of the database (migrations 14 and 19), which check their own rules and
//! run with their owner's rights: no program needs the right to write `verified_at`.
//!
//! `now()` is when the transaction began, and it may have waited for the user's lock while another act made the very
//! row that it then revokes: hence `greatest(now(), created_at)`.

use std::time::Duration;

use sqlx::PgConnection;

use super::audit::{self, NewEntry};
use super::{Error, Store, StoredTime};
use crate::domain::Time;
use crate::domain::audit::{Action, Actor};
use crate::domain::id::{UserId, VerificationId};
use crate::domain::key::{KeyDigest, NONCE_LENGTH, Nonce};
use crate::domain::locale::Locale;
use crate::domain::verification::Verification;
use crate::text::plain;

/// Why a verification is superseded by a resend.
pub const TIME_OVER: &str = "its time was over";

struct Row {
    id: i64,
    user_id: i64,
    created_at: StoredTime,
    expires_at: StoredTime,
    verified_at: Option<StoredTime>,
    revoked_at: Option<StoredTime>,
    opened_at: Option<StoredTime>,
    key_fingerprint: Option<String>,
}

impl From<Row> for Verification {
    fn from(row: Row) -> Self {
        Self {
            id: VerificationId(row.id),
            user_id: UserId(row.user_id),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            verified_at: row.verified_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
            opened_at: row.opened_at.map(Into::into),
            key_fingerprint: row.key_fingerprint,
        }
    }
}

/// What a link leads to, as the database sees it at this moment.
#[derive(Clone, Debug)]
pub struct LinkedVerification {
    pub id: VerificationId,
    /// The user's language.
    pub locale: Locale,
    /// Where it leads.
    pub outcome: Led,
}

/// Where a link leads: `link_outcome` and `open_links` in the database decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Led {
    /// It has just verified the user.
    Verified,
    /// The user is verified, by whichever verification.
    AlreadyVerified,
    /// Its time is over.
    Expired,
    /// A newer one took its place, or it was withdrawn.
    Revoked,
    /// It would verify the user.
    Pending,
}

/// Makes a verification that works for `lifetime` from now; the worker moves that when it mails the key.
pub async fn insert(connection: &mut PgConnection, user: UserId, lifetime: Duration) -> Result<VerificationId, Error> {
    let made = insert_all(connection, &[user], lifetime).await?;
    made.first().map(|(id, _)| *id).ok_or_else(|| Error::Other(plain("a verification was not made")))
}

/// Makes a verification for each of these users.
pub async fn insert_all(
    connection: &mut PgConnection,
    users: &[UserId],
    lifetime: Duration,
) -> Result<Vec<(VerificationId, UserId)>, Error> {
    let mut nonces = vec![[0; NONCE_LENGTH]; users.len()];
    getrandom::fill(nonces.as_flattened_mut())
        .map_err(|error| Error::Other(plain(&format!("no random bytes: {error}"))))?;
    let rows = sqlx::query!(
        "insert into verifications (user_id, key_nonce, expires_at)
        select user_id, nonce, now() + make_interval(secs => $3)
        from unnest($1::bigint[], $2::bytea[]) as new (user_id, nonce)
        returning id, user_id",
        &users.iter().map(|user| user.0).collect::<Vec<_>>(),
        &nonces.iter().map(|nonce| nonce.to_vec()).collect::<Vec<_>>(),
        lifetime.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (VerificationId(row.id), UserId(row.user_id))).collect())
}

/// Whose a verification is.
pub async fn user_of(connection: &mut PgConnection, id: VerificationId) -> Result<Option<UserId>, Error> {
    let user =
        sqlx::query_scalar!("select user_id from verifications where id = $1", id.0).fetch_optional(connection).await?;
    Ok(user.map(UserId))
}

/// The verification that a user was verified by, or else their newest.
pub async fn latest_of(connection: &mut PgConnection, user: UserId) -> Result<Option<VerificationId>, Error> {
    let id = sqlx::query_scalar!(
        "select id from verifications where user_id = $1 order by verified_at is null, id desc limit 1",
        user.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(id.map(VerificationId))
}

/// Starts an open verification's life again.
pub async fn renew(connection: &mut PgConnection, id: VerificationId, lifetime: Duration) -> Result<(), Error> {
    renew_all(connection, &[id], lifetime).await
}

/// Starts the lives of these open verifications again.
pub async fn renew_all(connection: &mut PgConnection, ids: &[VerificationId], lifetime: Duration) -> Result<(), Error> {
    sqlx::query!(
        "update verifications
        set expires_at = now() + make_interval(secs => $2)
        where id = any($1) and verified_at is null and revoked_at is null",
        &numbers(ids),
        lifetime.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn numbers(ids: &[VerificationId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

/// Revokes an open verification because a newer one takes its place, and says so in the audit log.
pub async fn supersede(
    connection: &mut PgConnection,
    actor: &Actor,
    user: UserId,
    id: VerificationId,
    reason: &str,
) -> Result<(), Error> {
    supersede_all(connection, actor, &[(id, user)], reason).await
}

/// The same for many verifications, each with its user.
pub async fn supersede_all(
    connection: &mut PgConnection,
    actor: &Actor,
    all: &[(VerificationId, UserId)],
    reason: &str,
) -> Result<(), Error> {
    let ids: Vec<VerificationId> = all.iter().map(|(id, _)| *id).collect();
    sqlx::query!(
        "update verifications
        set revoked_at = greatest(now(), created_at)
        where id = any($1) and verified_at is null and revoked_at is null",
        &numbers(&ids)
    )
    .execute(&mut *connection)
    .await?;
    let entries: Vec<NewEntry<'_>> = all
        .iter()
        .map(|&(id, user)| NewEntry {
            actor,
            action: Action::Supersede,
            outcome: "done",
            reason: Some(reason),
            user: Some(user),
            verification: Some(id),
            send: None,
        })
        .collect();
    audit::append_all(connection, &entries).await
}

/// What came of the opening of a link.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where it leads now.
    pub link: LinkedVerification,
    /// Whether it was opened for the first time, as the audit log shows.
    pub is_first: bool,
}

/// What came of an operator's word.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// Whose verification was named.
    pub user: UserId,
    /// By which the user is verified.
    pub verification: VerificationId,
    /// Since when; `None` where the user was verified before.
    pub at: Option<Time>,
}

impl Store {
    /// Verifies the user of a verification by an operator's word, in one statement: the database checks the rules,
    /// changes what is to be changed and writes the audit entry. `None` if there is no such verification.
    pub async fn force_verify(
        &self,
        actor: &Actor,
        id: VerificationId,
        reason: &str,
        lifetime: Duration,
    ) -> Result<Option<Vouched>, Error> {
        let row = sqlx::query!(
            "select user_id, verification_id, verified_at from force_verify($1, $2, $3, $4, $5)",
            id.0,
            actor.name,
            actor.origin.as_str(),
            reason,
            lifetime.as_secs_f64()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(row.user_id.zip(row.verification_id).map(|(user, verification)| Vouched {
            user: UserId(user),
            verification: VerificationId(verification),
            at: row.verified_at.map(Into::into),
        }))
    }

    /// What a link leads to. Changes nothing.
    pub async fn look_at_link(&self, digest: &KeyDigest) -> Result<Option<LinkedVerification>, Error> {
        let row = sqlx::query!(
            r#"select verification_id as "verification_id!", locale as "locale!", outcome as "outcome!"
            from look_at_link($1)"#,
            digest.0.as_slice()
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| {
            Ok(LinkedVerification {
                id: VerificationId(row.verification_id),
                locale: row.locale.parse().unwrap_or_default(),
                outcome: outcome_of(&row.outcome)?,
            })
        })
        .transpose()
    }
}

/// Whose a link is, and its verification.
pub async fn user_of_link(
    connection: &mut PgConnection,
    digest: &KeyDigest,
) -> Result<Option<(VerificationId, UserId)>, Error> {
    let row = sqlx::query!(
        r#"select verification_id as "verification_id!", user_id as "user_id!" from look_at_link($1)"#,
        digest.0.as_slice()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (VerificationId(row.verification_id), UserId(row.user_id))))
}

/// The database's word for it.
pub(super) fn outcome_of(word: &str) -> Result<Led, Error> {
    Ok(match word {
        "verified" => Led::Verified,
        "already_verified" => Led::AlreadyVerified,
        "expired" => Led::Expired,
        "revoked" => Led::Revoked,
        "pending" => Led::Pending,
        other => {
            return Err(Error::Other(plain(&format!("a link leads to {other}, which this version does not know"))));
        }
    })
}

/// What the worker needs to make a key.
pub async fn key_material(connection: &mut PgConnection, id: VerificationId) -> Result<Option<KeyMaterial>, Error> {
    let row = sqlx::query!(
        r#"select key_nonce, key_digest, verified_at is not null as "verified!", revoked_at is not null as "revoked!"
        from verifications
        where id = $1"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(KeyMaterial {
            // Constraints keep both lengths.
            nonce: Nonce(row.key_nonce.try_into().ok()?),
            digest: row.key_digest.and_then(|digest| digest.try_into().ok()).map(KeyDigest),
            open: !row.verified && !row.revoked,
        })
    }))
}

/// What a key is made of and checked against.
#[derive(Clone, Debug)]
pub struct KeyMaterial {
    /// The row's share in the key.
    pub nonce: Nonce,
    /// The digest of the key that was mailed before.
    pub digest: Option<KeyDigest>,
    /// Whether the verification is neither verified nor revoked.
    pub open: bool,
}

impl Store {
    /// A user's newest verifications.
    pub(super) async fn verifications_of(&self, user: UserId, limit: i64) -> Result<Vec<Verification>, Error> {
        let rows = sqlx::query_as!(
            Row,
            "select id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at,
                encode(substring(key_digest for 4), 'hex') as key_fingerprint
            from verifications
            where user_id = $1
            order by id desc
            limit $2",
            user.0,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
