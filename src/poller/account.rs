//! Asks SES what the account may, and whether addresses that are mailed again are on its suppression list: at most one
//! call a second, by all workers together. What it says stands in the database, with its age.

use std::time::Duration;

use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::Until;
use crate::config::{SettingError, Settings};
use crate::domain::change::Change;
use crate::ses::account::AccountApi;
use crate::store::{Error, Store};

/// How often it is looked whether there is something to ask.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long nothing more is asked about addresses after that failed.
const PAUSE: Duration = Duration::from_mins(5);

/// Asks SES about the account. Any number of them may do so at once.
pub struct AccountPoller {
    store: Store,
    api: AccountApi,
}

impl AccountPoller {
    /// `None` where mail does not go through SES.
    pub fn from_settings(store: &Store, settings: &Settings) -> Result<Option<Self>, SettingError> {
        Ok(AccountApi::from_settings(settings)?.map(|api| Self { store: store.clone(), api }))
    }

    /// Asks until then; once where it is to end by itself.
    pub async fn run(&self, until: Until, shutdown: &CancellationToken) {
        let asking = async {
            let mut ticks = interval(LOOK_EVERY);
            let mut is_quiet_until = ticks.tick().await;
            loop {
                self.ask_about_account().await;
                if until == Until::Empty {
                    return;
                }
                let now = ticks.tick().await;
                if now >= is_quiet_until && !self.ask_about_address().await {
                    is_quiet_until = now + PAUSE;
                }
            }
        };
        shutdown.run_until_cancelled(asking).await;
    }

    async fn ask_about_account(&self) {
        match self.store.may_ask_account().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::warn!(%error, "asking about the SES account waits for the database"),
        }
        let noted = match self.api.standing().await {
            Ok(standing) => self.store.note_account(&standing).await,
            Err(failure) => {
                tracing::warn!("SES cannot be asked about the account: {failure}");
                self.store.note_account_failure(&failure.to_string()).await
            }
        };
        match noted {
            Ok(true) => self.store.notify(Change::Outbox).await,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "what SES says of the account was not noted"),
        }
    }

    /// Asks about one address, if there is one. Returns false where that failed.
    async fn ask_about_address(&self) -> bool {
        match self.try_to_ask_about_address().await {
            Ok(is_answered) => is_answered,
            Err(error) => {
                tracing::warn!(%error, "asking about an address waits for the database");
                true
            }
        }
    }

    async fn try_to_ask_about_address(&self) -> Result<bool, Error> {
        let Some(address) = self.store.next_suppression_check().await? else { return Ok(true) };
        match self.api.suppression(&address).await {
            Ok(found) => {
                let on_list = found.as_ref().map(|it| (it.reason.as_str(), it.since, it.ses_id.as_deref()));
                for id in self.store.note_suppression(&address, on_list).await? {
                    self.store.notify(Change::Verification(id)).await;
                }
                Ok(true)
            }
            Err(failure) => {
                tracing::warn!("SES cannot be asked about an address: {failure}");
                Ok(false)
            }
        }
    }
}
