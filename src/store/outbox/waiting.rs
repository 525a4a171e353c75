//! What happens to a send that waits and is not sent now: cancelled, given up or put off.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::id::SendId;
use crate::store::{Error, Store};

/// Cancels claimed sends, each for its reason.
pub async fn cancel(connection: &mut PgConnection, unwanted: &[(SendId, &str)]) -> Result<(), Error> {
    let (ids, reasons): (Vec<Uuid>, Vec<String>) =
        unwanted.iter().map(|(id, reason)| (id.0, (*reason).to_owned())).unzip();
    sqlx::query!(
        "update sends
        set state = 'cancelled', reason = given.reason, changed_at = now(), lease_by = null, lease_until = null
        from unnest($1::uuid[], $2::text[]) as given (id, reason)
        where sends.id = given.id and state = 'queued'",
        &ids,
        &reasons
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Gives up a send that waits and of which no mail can be made; false if another process was faster.
    pub async fn give_up(&self, id: SendId, reason: &str) -> Result<bool, Error> {
        let done = sqlx::query!(
            "update sends
            set state = 'failed', reason = $2, changed_at = now(), lease_by = null, lease_until = null
            where id = $1 and state = 'queued'",
            id.0,
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Puts off a send that waits.
    pub async fn put_off(&self, id: SendId, by: Duration, reason: &str) -> Result<(), Error> {
        sqlx::query!(
            "update sends
            set due_at = now() + make_interval(secs => $2), reason = $3, changed_at = now()
            where id = $1 and state = 'queued'",
            id.0,
            by.as_secs_f64(),
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
