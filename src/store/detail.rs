//! All there is to know about one verification.

use super::{Error, Store};
use crate::domain::id::VerificationId;
use crate::domain::verification::{DETAIL_MAX, VerificationDetail};

impl Store {
    /// A verification with its user, their other verifications, its mails and their audit trail.
    pub async fn show(&self, id: VerificationId) -> Result<Option<VerificationDetail>, Error> {
        let Some(row) = self.rows(&[id]).await?.pop() else { return Ok(None) };
        let user = row.user.id;
        let (others, sends, audit, suppression, is_oddly_opened) = tokio::try_join!(
            self.verifications_of(user, DETAIL_MAX),
            self.sends_of(id, DETAIL_MAX),
            self.audit_of(user, DETAIL_MAX),
            self.suppression(row.user.email.raw()),
            self.is_oddly_opened(id)
        )?;
        Ok(Some(VerificationDetail {
            verification: row.verification,
            user: row.user,
            others: others.into_iter().filter(|other| other.id != id).collect(),
            sends,
            audit,
            suppression,
            is_oddly_opened,
        }))
    }
}
