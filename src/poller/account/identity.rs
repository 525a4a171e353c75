//! Domains that are not verified yet: what has to be in DNS for each, once in a while.

use super::{AccountPoller, missing};
use crate::domain::account::PanelKind;
use crate::domain::change::Change;
use crate::store::Error;

impl AccountPoller {
    /// Asks about one, if it is time. Returns whether it is.
    pub(super) async fn ask_about_identity(&self) -> bool {
        self.try_to_ask_about_identity().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "asking about an identity waits for the database");
            false
        })
    }

    async fn try_to_ask_about_identity(&self) -> Result<bool, Error> {
        let store = &self.store;
        let Some(name) = store.due_identity().await? else { return Ok(false) };
        let longest = self.api.longest().as_secs_f64();
        let Some(turn) = store.take_account_turn(None, longest).await? else { return Ok(true) };
        let answer = self.api.panel(PanelKind::Domain, &name).await;
        store.end_account_turn(turn).await?;
        match answer {
            Ok(figures) => {
                if store.note_identity(&name, &figures).await? {
                    store.notify(Change::Account).await;
                }
            }
            Err(failure) => {
                let permission = missing(&failure, PanelKind::Domain.permission());
                store.note_identity_trouble(&name, &failure.to_string(), permission).await?;
            }
        }
        Ok(true)
    }
}
