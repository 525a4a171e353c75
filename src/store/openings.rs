//! Openings that did not look like a browser's.

use super::{Error, Store};
use crate::domain::id::VerificationId;

impl Store {
    /// Notes that the first opening was not a browser's.
    pub async fn note_odd_opening(&self, id: VerificationId) -> Result<(), Error> {
        sqlx::query!(
            "insert into odd_openings (verification_id)
            select id from verifications where id = $1
            on conflict do nothing",
            id.0
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    pub(super) async fn is_oddly_opened(&self, id: VerificationId) -> Result<bool, Error> {
        let found = sqlx::query_scalar!(
            r#"select exists (select from odd_openings where verification_id = $1) as "found!""#,
            id.0
        );
        Ok(found.fetch_one(self.pool()).await?)
    }
}
