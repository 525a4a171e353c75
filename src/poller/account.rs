//! Asks SES about the account: what it may, what its identities and its configuration set are, and whether addresses that
//! are mailed again are on its suppression list; and does there what operators ask for. At most one call a second, by all
//! workers together. What it says stands in the database, with its age.

mod act;
mod identity;
mod list;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::act::Acted;
use super::Until;
use crate::config::{SettingError, Settings};
use crate::desk::Desk;
use crate::domain::account::PanelKind;
use crate::domain::change::Change;
use crate::mail::sender::Sender;
use crate::ses::account::AccountApi;
use crate::ses::aws::Failure;
use crate::store::{AccountCall, Error, Store};

/// How often it is looked whether there is something to ask.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long behind a call the next one may begin, and a little more.
const TURN: Duration = Duration::from_millis(1_100);

/// How long no address is asked about after one of them could not be.
const LEFT_OUT_FOR: Duration = Duration::from_mins(5);

/// How many calls are made where it is to end by itself: what the account may, and one thing more.
const CALLS_OF_A_DRAIN: u32 = 2;

/// How many acts it then does or waits for at most: what is left waits for the next.
const ACTS_OF_A_DRAIN: u32 = 60;

/// The right that asking what the account may needs.
const STANDING_PERMISSION: &str = "ses:GetAccount";

/// Asks SES about the account. Any number of them may do so at once.
pub struct AccountPoller {
    store: Store,
    desk: Desk,
    api: AccountApi,
    /// The panels that these settings have, and what each is about.
    panels: Vec<(PanelKind, String)>,
    /// Told when there is an act to do.
    acts: Arc<Notify>,
}

impl AccountPoller {
    /// `None` where mail does not go through SES.
    pub fn from_settings(store: &Store, settings: &Settings) -> Result<Option<Self>, SettingError> {
        let Some(api) = AccountApi::from_settings(settings)? else { return Ok(None) };
        let desk = Desk::with(store.clone(), settings);
        Ok(Some(Self { store: store.clone(), desk, api, panels: panels(settings)?, acts: Arc::default() }))
    }

    /// The same, told by who listens when there is an act to do. Without that it looks every two seconds.
    #[must_use]
    pub fn woken_by(self, acts: Arc<Notify>) -> Self {
        Self { acts, ..self }
    }

    /// Asks until then; a few times where it is to end by itself.
    pub async fn run(&self, until: Until, shutdown: &CancellationToken) {
        let asking = async {
            match until {
                Until::Ended => self.ask_forever().await,
                Until::Empty => self.ask_what_is_due().await,
            }
        };
        shutdown.run_until_cancelled(asking).await;
    }

    async fn ask_forever(&self) {
        let mut left_out_until = Instant::now();
        let mut wait = Duration::ZERO;
        loop {
            // Until then, or until it is told that someone waits.
            timeout(wait, self.acts.notified()).await.ok();
            wait = LOOK_EVERY;
            let due = self.due().await;
            // What it may comes first, then people who wait, then what only screens show.
            if due != Some(AccountCall::Standing) {
                if self.act().await != Acted::Nothing {
                    wait = TURN;
                    continue;
                }
                if Instant::now() >= left_out_until {
                    match self.ask_about_address().await {
                        Ok(Asked::Nothing) => {}
                        Ok(Asked::Something) => continue,
                        Err(()) => {
                            left_out_until = Instant::now() + LEFT_OUT_FOR;
                            continue;
                        }
                    }
                }
            }
            match due {
                Some(call) => _ = self.ask(&call).await,
                None if self.ask_about_identity().await => {}
                None => self.read_list().await,
            }
        }
    }

    async fn ask_what_is_due(&self) {
        for _ in 0..ACTS_OF_A_DRAIN {
            if self.act().await == Acted::Nothing {
                break;
            }
            sleep(TURN).await;
        }
        for number in 1..=CALLS_OF_A_DRAIN {
            let Some(call) = self.due().await else { return };
            if number > 1 {
                sleep(TURN).await;
            }
            if !self.ask(&call).await {
                return;
            }
        }
    }

    async fn due(&self) -> Option<AccountCall> {
        self.store.due_account_call(&self.panels).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "asking about the SES account waits for the database");
            None
        })
    }

    /// Makes a call if no other makes one. Returns whether it did.
    async fn ask(&self, call: &AccountCall) -> bool {
        match self.try_to_ask(call).await {
            Ok(Some(is_news)) => {
                if is_news {
                    self.store.notify(Change::Outbox).await;
                }
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "what SES says of the account was not noted");
                true
            }
        }
    }

    async fn try_to_ask(&self, call: &AccountCall) -> Result<Option<bool>, Error> {
        let store = &self.store;
        let longest = self.api.longest().as_secs_f64();
        let Some(turn) = store.take_account_turn(Some(call), longest).await? else { return Ok(None) };
        let noted = match call {
            AccountCall::Standing => match self.api.standing().await {
                Ok(standing) => store.note_account(&standing).await,
                Err(failure) => {
                    tracing::warn!("SES cannot be asked about the account: {failure}");
                    let permission = missing(&failure, STANDING_PERMISSION);
                    store.note_account_failure(&failure.to_string(), permission).await
                }
            },
            AccountCall::Panel(kind, subject) => match self.api.panel(*kind, subject).await {
                Ok(figures) => store.note_panel(*kind, &figures).await,
                Err(failure) => {
                    let right = kind.permission();
                    let is_news = store.note_panel_trouble(*kind, &failure.to_string(), missing(&failure, right)).await;
                    if matches!(is_news, Ok(true)) {
                        tracing::warn!("SES does not answer {right}: {failure}");
                    }
                    is_news
                }
            },
        };
        store.end_account_turn(turn).await?;
        noted.map(Some)
    }

    /// Asks about one address, if there is one. An error where SES did not answer.
    async fn ask_about_address(&self) -> Result<Asked, ()> {
        match self.try_to_ask_about_address().await {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(%error, "asking about an address waits for the database");
                Ok(Asked::Nothing)
            }
        }
    }

    async fn try_to_ask_about_address(&self) -> Result<Result<Asked, ()>, Error> {
        let Some(address) = self.store.next_suppression_check().await? else { return Ok(Ok(Asked::Nothing)) };
        let longest = self.api.longest().as_secs_f64();
        let Some(turn) = self.store.take_account_turn(None, longest).await? else { return Ok(Ok(Asked::Nothing)) };
        let answer = self.api.suppression(&address).await;
        self.store.end_account_turn(turn).await?;
        match answer {
            Ok(found) => {
                let on_list = found.as_ref().map(|it| (it.reason.as_str(), it.since, it.ses_id.as_deref()));
                for id in self.store.note_suppression(&address, on_list).await? {
                    self.store.notify(Change::Verification(id)).await;
                }
                Ok(Ok(Asked::Something))
            }
            Err(failure) => {
                tracing::warn!("SES cannot be asked about an address: {failure}");
                Ok(Err(()))
            }
        }
    }
}

/// Whether there was an address to ask about.
enum Asked {
    Nothing,
    Something,
}

/// The right that a call needs, where it failed for want of that.
fn missing(failure: &Failure, right: &'static str) -> Option<&'static str> {
    failure.is_missing_right().then_some(right)
}

/// What is asked besides what the account may.
fn panels(settings: &Settings) -> Result<Vec<(PanelKind, String)>, SettingError> {
    let mut panels = Vec::new();
    if let Some(from) = &settings.mail.from {
        let sender = Sender::from_setting("mail.from", from)?;
        panels.push((PanelKind::Sender, sender.address().as_str().to_owned()));
        panels.push((PanelKind::Domain, sender.address().domain().to_owned()));
    }
    panels.push((PanelKind::Identities, String::new()));
    panels.push((PanelKind::Rates, String::new()));
    if let Some(set) = &settings.mail.configuration_set {
        panels.push((PanelKind::ConfigurationSet, set.clone()));
        panels.push((PanelKind::EventDestinations, set.clone()));
    }
    Ok(panels)
}
