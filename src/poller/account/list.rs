//! The suppression list, a page at a time: so that it is known who is on it without asking about each.

use super::{AccountPoller, missing};
use crate::domain::change::Change;
use crate::store::Error;

/// The right that a page needs.
const PERMISSION: &str = "ses:ListSuppressedDestinations";

impl AccountPoller {
    /// Reads the next page, if it is time.
    pub(super) async fn read_list(&self) {
        if let Err(error) = self.try_to_read_list().await {
            tracing::warn!(%error, "reading the suppression list waits for the database");
        }
    }

    async fn try_to_read_list(&self) -> Result<(), Error> {
        let store = &self.store;
        let Some(page) = store.due_list_page().await? else { return Ok(()) };
        let longest = self.api.longest().as_secs_f64();
        let Some(turn) = store.take_account_turn(None, longest).await? else { return Ok(()) };
        let answer = self.api.suppression_page(page.newer_than(), page.token.as_deref()).await;
        let noted = match answer {
            Ok((addresses, next)) => store.note_list_page(&page, &addresses, next.as_deref()).await,
            Err(failure) => {
                tracing::warn!("SES cannot be asked for the suppression list: {failure}");
                store.note_list_trouble(&page, &failure.to_string(), missing(&failure, PERMISSION)).await.map(|()| true)
            }
        };
        // The next page is another worker's only when this one is noted.
        store.end_account_turn(turn).await?;
        if noted? {
            store.notify(Change::Account).await;
        }
        Ok(())
    }
}
