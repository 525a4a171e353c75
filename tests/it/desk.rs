//! The acts, under their rules.

mod changes;
mod force_verify;
mod link;
mod list;
mod resend;
mod sign_up;

use chrono::Duration;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::{Key, Nonce};

use crate::support::world::{SECRET, World};

/// Does what the worker does before it mails a key, and says that the mail was accepted.
async fn mail(world: &World, id: VerificationId) -> Key {
    let nonce: Vec<u8> = sqlx::query_scalar("select key_nonce from verifications where id = $1")
        .bind(id.0)
        .fetch_one(world.pool())
        .await
        .unwrap();
    let key = Key::derive(SECRET.as_bytes(), id, &Nonce(nonce.try_into().unwrap()));
    for statement in [
        "update verifications set key_digest = $2 where id = $1",
        "update sends set state = 'accepted' where verification_id = $1 and $2::bytea is not null",
    ] {
        sqlx::query(statement).bind(id.0).bind(key.digest().0.as_slice()).execute(world.pool()).await.unwrap();
    }
    key
}

/// Lets time pass: everything of these verifications was that much earlier.
async fn age(world: &World, by: Duration) {
    let seconds = by.num_seconds();
    for statement in [
        "update verifications set created_at = created_at - make_interval(secs => $1),
            expires_at = expires_at - make_interval(secs => $1)",
        "update sends set queued_at = queued_at - make_interval(secs => $1)",
    ] {
        #[expect(clippy::cast_precision_loss, reason = "days in seconds")]
        sqlx::query(statement).bind(seconds as f64).execute(world.pool()).await.unwrap();
    }
}

async fn outcomes(world: &World, id: VerificationId) -> Vec<(String, String)> {
    let detail = world.detail(id).await;
    let entries = detail.audit.iter().rev();
    entries.map(|entry| (entry.action.raw().to_owned(), entry.outcome.raw().to_owned())).collect()
}
