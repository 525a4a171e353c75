//! Claimed sends, read with all that their mails are made of.

use std::time::Duration;

use sqlx::PgConnection;

use super::lease::bare;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::key::{KeyDigest, Nonce};
use crate::domain::locale::Locale;
use crate::store::Error;
use crate::store::verifications::KeyMaterial;
use crate::text::Untrusted;

/// Who a mail is for: as much of the user as a mail needs, so that nothing else in the row can keep it back.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Which user.
    pub id: UserId,
    /// The address, as it is stored.
    pub email: Untrusted,
    /// The name, as it is stored.
    pub name: Untrusted,
    /// The language.
    pub locale: Locale,
    /// Whether the address is verified already.
    pub is_verified: bool,
    /// Whether they are being deleted.
    pub is_leaving: bool,
}

/// A claimed send, about to be passed to a lane.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Which one.
    pub id: SendId,
    /// How often the answer to it was lost.
    pub lost: i16,
    /// Whether it was asked for so long ago that it is put off no more.
    pub is_old: bool,
    /// To which user; `None` if they are gone.
    pub user: Option<Recipient>,
    /// For which verification, and what its key is made of; `None` if it is gone.
    pub verification: Option<(VerificationId, KeyMaterial)>,
}

/// All that is known of claimed sends; those asked for longer ago than `old_after` are old.
pub async fn read(connection: &mut PgConnection, ids: &[SendId], old_after: Duration) -> Result<Vec<Claimed>, Error> {
    let rows = sqlx::query!(
        r#"select
            s.id,
            s.lost,
            s.queued_at < now() - make_interval(secs => $2) as "is_old!",
            u.id as "user_id?",
            u.email as "email?",
            u.name as "name?",
            u.locale as "locale?",
            u.verified_at is not null as "is_verified!",
            u.delete_after is not null as "is_leaving!",
            v.id as "verification_id?",
            v.key_nonce as "key_nonce?",
            v.key_digest as "key_digest?",
            (v.verified_at is null and v.revoked_at is null) as "is_open!"
        from sends as s
        left join users as u on u.id = s.user_id
        left join verifications as v on v.id = s.verification_id
        where s.id = any ($1) and s.state = 'queued'"#,
        &bare(ids),
        old_after.as_secs_f64()
    )
    .fetch_all(connection)
    .await?;
    let rows = rows.into_iter().map(|row| {
        let user = match (row.user_id, row.email, row.name, row.locale) {
            (Some(id), Some(email), Some(name), Some(locale)) => Some(Recipient {
                id: UserId(id),
                email: email.into(),
                name: name.into(),
                locale: locale.parse().unwrap_or_default(),
                is_verified: row.is_verified,
                is_leaving: row.is_leaving,
            }),
            _ => None,
        };
        // Constraints keep nonces and digests to their lengths.
        let verification = match (row.verification_id, row.key_nonce.and_then(|bytes| bytes.try_into().ok())) {
            (Some(id), Some(nonce)) => {
                let digest = row.key_digest.and_then(|digest| digest.try_into().ok()).map(KeyDigest);
                Some((VerificationId(id), KeyMaterial { nonce: Nonce(nonce), digest, open: row.is_open }))
            }
            _ => None,
        };
        Claimed { id: SendId(row.id), lost: row.lost, is_old: row.is_old, user, verification }
    });
    Ok(rows.collect())
}
