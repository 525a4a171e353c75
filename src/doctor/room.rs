//! What checks share. What is read of the database is read once, by the first that asks.

use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::dns::Dns;
use super::{Finding, smtp};
use crate::config::{SettingError, Settings, TransportKind};
use crate::domain::Time;
use crate::domain::account::act::ActKind;
use crate::domain::account::view::AccountView;
use crate::domain::worker::OutboxView;
use crate::preview::check::Report;
use crate::store::{Error, Server, Store};
use crate::text::Untrusted;

/// How long one reading may take: less than any check that waits for it.
const READ_MAX: Duration = Duration::from_secs(6);

/// Why what stands on the database is not looked at.
const NO_DATABASE: &str = "the database does not answer";
const NOT_READY: &str = "the database cannot be worked with";
const NO_ADMITTANCE: &str =
    "this login may not read what operators see; run it with the login of an operator, a viewer or a worker";

/// What checks share.
pub struct Room {
    pub settings: Settings,
    /// This machine's clock.
    pub(super) clock: fn() -> Time,
    store: Result<Store, SettingError>,
    server: OnceCell<Result<Server, Option<Error>>>,
    /// Whether the schema can be worked with, and then whether this login may read what operators see.
    may_look: OnceCell<Option<bool>>,
    outbox: OnceCell<Option<OutboxView>>,
    account: OnceCell<Option<AccountView>>,
    acts: OnceCell<Option<Vec<LastAct>>>,
    /// Whether nothing but the database is asked.
    pub(super) is_offline: bool,
    pub(super) dns: Dns,
    pub(super) mail_server: OnceCell<Result<smtp::Conversation, Finding>>,
    /// What was found of the templates, or why nothing was, with what to do.
    pub(super) templates: OnceCell<Result<Report, Finding>>,
}

/// Of a kind of acts at AWS the newest that says whether the right to it is there: when, and the right if that was missing.
pub(super) type LastAct = (ActKind, Time, Option<Untrusted>);

/// What was read, if it was in time.
async fn read<T>(reading: impl Future<Output = Result<T, Error>>) -> Option<T> {
    timeout(READ_MAX, reading).await.ok()?.ok()
}

impl Room {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            store: Store::open(&settings),
            settings,
            clock: chrono::Utc::now,
            server: OnceCell::new(),
            may_look: OnceCell::new(),
            outbox: OnceCell::new(),
            account: OnceCell::new(),
            acts: OnceCell::new(),
            templates: OnceCell::new(),
            is_offline: false,
            dns: Dns::new(None),
            mail_server: OnceCell::new(),
        }
    }

    /// The server is this one.
    #[cfg(test)]
    pub(super) fn knows(&self, server: Server) {
        self.server.set(Ok(server)).expect("it was not asked before");
    }

    pub(super) async fn close(&self) {
        if let Ok(store) = &self.store {
            // A server that has gone silent takes no leave.
            let _ = timeout(Duration::from_secs(1), store.close()).await;
        }
    }

    /// Whether this host has what a worker needs.
    pub(super) fn is_workers(&self) -> bool {
        self.settings.secret.is_some()
    }

    /// Whether others than the database may be asked.
    pub(super) fn is_to_ask_others(&self) -> Result<(), Finding> {
        if self.is_offline { Err(Finding::skipped("left out by --offline")) } else { Ok(()) }
    }

    /// Whether mail is to go through SES, as far as these settings say.
    pub(super) fn means_ses(&self) -> bool {
        let smtp = self.settings.smtp.host.as_deref();
        match self.settings.mail.transport {
            TransportKind::Ses => true,
            TransportKind::Smtp => match smtp {
                Some(host) => crate::ses::endpoint::smtp_region(host).is_some(),
                None => self.settings.ses.region.is_some() || self.settings.ses.endpoint.is_some(),
            },
            TransportKind::Capture => false,
        }
    }

    /// The way to the database, whether or not it leads anywhere.
    pub(super) fn way(&self) -> Result<&Store, &SettingError> {
        self.store.as_ref()
    }

    /// The server, where it answers; and what it is.
    pub(super) async fn server(&self) -> Result<(&Store, &Server), Finding> {
        let server = self.ask_server().await.map_err(|_| Finding::skipped(NO_DATABASE))?;
        let store = self.store.as_ref().map_err(|_| Finding::skipped(NO_DATABASE))?;
        Ok((store, server))
    }

    /// What the server is, or what it said instead; nothing where that took too long.
    pub(super) async fn ask_server(&self) -> Result<&Server, Option<&Error>> {
        let store = self.store.as_ref().map_err(|_| None)?;
        let asking = async {
            // By one connection first, which says at once that there is none; the pool would try on.
            store.reach().await?;
            store.server().await
        };
        let asked =
            self.server.get_or_init(async || timeout(READ_MAX, asking).await.map_err(|_| None)?.map_err(Some)).await;
        asked.as_ref().map_err(Option::as_ref)
    }

    /// The database, where this program can work with it.
    pub(super) async fn ready(&self) -> Result<&Store, Finding> {
        let (store, _) = self.server().await?;
        self.look(store).await.map(|_| store).ok_or_else(|| Finding::skipped(NOT_READY))
    }

    async fn look(&self, store: &Store) -> Option<bool> {
        let looking = async {
            store.check().await?;
            store.may_look().await
        };
        *self.may_look.get_or_init(async || read(looking).await).await
    }

    async fn shown(&self) -> Result<&Store, Finding> {
        let store = self.ready().await?;
        match self.look(store).await {
            Some(true) => Ok(store),
            _ => Err(Finding::skipped(NO_ADMITTANCE)),
        }
    }

    /// The outbox and who works it off.
    pub(super) async fn outbox(&self) -> Result<&OutboxView, Finding> {
        let store = self.shown().await?;
        let outbox = self.outbox.get_or_init(async || read(store.outbox()).await).await;
        outbox.as_ref().ok_or_else(|| Finding::skipped("the outbox could not be read in time"))
    }

    /// What acts at AWS say of the rights to them.
    pub(super) async fn acts(&self) -> Result<&[LastAct], Finding> {
        let store = self.shown().await?;
        let acts = self.acts.get_or_init(async || read(store.rights_to_acts()).await).await;
        acts.as_deref().ok_or_else(|| Finding::skipped("what acts at AWS came to could not be read in time"))
    }

    /// What SES said of the account, with its age.
    pub(super) async fn account(&self) -> Result<&AccountView, Finding> {
        let store = self.shown().await?;
        let account = self.account.get_or_init(async || read(store.account_as_asked()).await).await;
        account.as_ref().ok_or_else(|| Finding::skipped("what SES said could not be read in time"))
    }
}
