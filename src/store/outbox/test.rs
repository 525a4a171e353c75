//! Test mails. They are *sending* from the first moment on, by the process that made them; no worker claims them, and
//! should their process die, they are settled like all others whose answer was lost, and not tried again.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::result::{REPLY_MAX, SendResult};
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::store::{Error, Store};

/// A test mail.
#[derive(Clone, Copy, Debug)]
pub struct NewTest<'a> {
    /// Its id, which the mail carries.
    pub id: SendId,
    pub recipient: &'a str,
    /// In which language.
    pub locale: Locale,
    /// Of which template and fixture.
    pub test_of: &'a str,
    /// Who sends it, and for how long at most.
    pub by: Uuid,
    /// After which it counts as lost.
    pub lease: Duration,
}

/// Records a test mail that is about to be sent, within an act's transaction.
pub async fn begin(connection: &mut PgConnection, test: NewTest<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into sends (id, recipient, locale, test_of, state, attempts, lease_by, lease_until)
        values ($1, $2, $3, $4, 'sending', 1, $5, now() + make_interval(secs => $6))",
        test.id.0,
        test.recipient,
        test.locale.as_str(),
        test.test_of,
        test.by,
        test.lease.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Records what became of a test mail. One that was to be tried again has failed: no one tries it. False if it is
    /// not there to be recorded.
    pub async fn end_test(
        &self,
        id: SendId,
        by: Uuid,
        result: &SendResult,
        reply: Option<&str>,
    ) -> Result<bool, Error> {
        let (state, ses_id, reason) = match result {
            SendResult::Accepted { ses_id } => ("accepted", ses_id.as_deref(), None),
            SendResult::Deferred { reason, .. } | SendResult::Failed { reason } => ("failed", None, Some(reason)),
            SendResult::Unknown { reason } => ("unknown", None, Some(reason)),
        };
        let reply: Option<String> = reply.map(|text| text.replace('\0', "").chars().take(REPLY_MAX).collect());
        let done = sqlx::query!(
            "update sends
            set
                state = $3,
                changed_at = now(),
                ses_id = $4,
                reply = $5,
                reason = $6,
                lost = case when $3 = 'unknown' then 1 else 0 end,
                lease_by = null,
                lease_until = null
            where id = $1 and (lease_by = $2 or state = 'unknown')",
            id.0,
            by,
            state,
            ses_id,
            reply,
            reason
        )
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }
}
