//! Which workers may work: those whose secrets fit together.

use uuid::Uuid;

use super::workers::Heartbeat;
use super::{Error, Store};
use crate::domain::worker::GONE_AFTER_SECONDS;
use crate::text::Untrusted;

/// A worker at work whose secrets do not fit those of the one that waits for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocker {
    /// Its run's id.
    pub id: Uuid,
    /// The machine it runs on.
    pub host: Untrusted,
    /// Its process.
    pub pid: i32,
    pub secret_fingerprint: Untrusted,
    /// Seconds since its last heartbeat.
    pub silent: f64,
}

impl Store {
    /// Writes a worker's heartbeat, but for what it has done, and returns the worker that it has to wait for: `None` if
    /// it may work. One statement, so that a worker that stands still in it keeps no other waiting.
    pub async fn admit(&self, beat: &Heartbeat) -> Result<Option<Blocker>, Error> {
        #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
        let gone_after = GONE_AFTER_SECONDS as f64;
        let row = sqlx::query!(
            r#"select blocker, blocker_host, blocker_pid, blocker_secret, blocker_silent
            from admit_worker($1, $2, $3, $4, $5, $6, $7, $8)"#,
            beat.id,
            beat.host,
            beat.pid,
            beat.transport,
            beat.target,
            beat.secret_fingerprint,
            beat.secret_previous_fingerprint.as_deref(),
            gone_after
        )
        .fetch_one(self.pool())
        .await?;
        Ok(row.blocker.map(|id| Blocker {
            id,
            host: row.blocker_host.unwrap_or_default().into(),
            pid: row.blocker_pid.unwrap_or_default(),
            secret_fingerprint: row.blocker_secret.unwrap_or_default().into(),
            silent: row.blocker_silent.unwrap_or_default(),
        }))
    }
}
