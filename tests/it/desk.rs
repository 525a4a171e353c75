//! The acts, under their rules.

mod as_sent;
mod audit;
mod change_address;
mod changes;
mod delete;
mod exact;
mod export;
pub mod filter;
mod force_verify;
mod hits;
mod link;
mod list;
mod mails;
mod mint;
mod names;
mod person;
mod resend;
mod revoke;
mod sign_up;
mod sort;
mod undo;
mod unverify;

use chrono::Duration;
use verifydesk::domain::id::VerificationId;

use crate::support::world::World;

/// Lets time pass: everything of these verifications was that much earlier.
pub async fn age(world: &World, by: Duration) {
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
