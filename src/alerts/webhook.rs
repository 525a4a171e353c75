//! Tells by posting the alert as JSON, as the site is told what became of its users: signed where there is a secret.

use super::message;
use crate::domain::Time;
use crate::hooks::post::{Answer, Outgoing, Post};
use crate::store::alerts::Notice;
use crate::text::plain;

/// Posts it. The error says why no one was told.
pub(super) async fn post(to: &Post, site: &str, notice: &Notice, now: Time) -> Result<(), String> {
    // A restored database gives numbers out again.
    let id = format!("alert_{}_{}_{}", notice.alert_id, notice.began_at.timestamp(), notice.phase);
    let body = message(site, notice).to_string();
    let why = match to.attempt(&Outgoing { id: &id, body: &body, now }).await {
        Answer::Taken { .. } => return Ok(()),
        Answer::NotTaken { error, said, .. } if !said.is_empty() => format!("{error}: {said}"),
        Answer::Gone { error, .. } | Answer::NotTaken { error, .. } => error,
    };
    Err(format!("alert.webhook: {}", plain(&why)))
}
