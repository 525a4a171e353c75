//! All there is to know about one verification and its user.

use super::{Error, Store};
use crate::domain::id::{UserId, VerificationId};
use crate::domain::verification::{Counted, DETAIL_MAX, InAll, VerificationDetail};

impl Store {
    /// A verification with its user, their other verifications, their mails and their audit trail. However much there is of
    /// these, no more is read than is shown.
    pub async fn show(&self, id: VerificationId) -> Result<Option<VerificationDetail>, Error> {
        let Some(row) = self.rows(&[id]).await?.pop() else { return Ok(None) };
        let user = row.user.id;
        let (others, sends, of_user, in_all, audit, suppression, act, is_oddly_opened) = tokio::try_join!(
            self.verifications_of(user, DETAIL_MAX),
            self.sends_of(id, DETAIL_MAX),
            self.sends_of_user(user, DETAIL_MAX),
            self.in_all(user),
            self.audit_of(user, DETAIL_MAX),
            self.suppression(row.user.email.raw()),
            self.account_act_about(row.user.email.raw()),
            self.is_oddly_opened(id)
        )?;
        Ok(Some(VerificationDetail {
            verification: row.verification,
            user: row.user,
            others: others.into_iter().filter(|other| other.id != id).collect(),
            sends,
            other_sends: of_user.into_iter().filter(|send| send.verification_id != Some(id)).collect(),
            in_all,
            audit,
            suppression,
            act,
            is_oddly_opened,
        }))
    }

    /// How many verifications and mails a user has: by their indexes, and no further than is said.
    async fn in_all(&self, user: UserId) -> Result<InAll, Error> {
        let counted = sqlx::query!(
            r#"select
                (select count(*) from (select from verifications where user_id = $1 limit $2) as known)
                    as "verifications!",
                (select count(*) from (select from sends where user_id = $1 limit $2) as known) as "mails!""#,
            user.0,
            Counted::MAX + 1
        )
        .fetch_one(self.pool())
        .await?;
        Ok(InAll { verifications: Counted::of(counted.verifications), mails: Counted::of(counted.mails) })
    }
}
