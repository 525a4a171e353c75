//! PostgreSQL, and all the SQL: one file a table or aggregate.
//!
//! [`Store`] holds the pool and the statements that stand alone. Statements that are part of an act take the act's
//! connection; `desk` and `outbox` put them into one transaction.

mod account;
pub mod account_acts;
mod account_panels;
pub mod admission;
pub mod alerts;
mod approvals;
pub mod audit;
pub mod brake;
pub mod changes;
mod clock;
mod connect;
mod counts;
pub mod deletion;
mod detail;
mod error;
mod estimate;
mod event_queues;
pub mod events;
mod figures;
mod hits;
pub mod hooks;
pub mod idempotency;
pub mod identities;
pub mod jobs;
pub(crate) mod list;
mod mailed;
mod migrate;
pub mod mint;
mod notify;
mod openings;
pub mod operator_acts;
pub mod outbox;
pub mod pace;
mod pooler;
mod present;
mod prune;
pub mod refusals;
mod reputation;
pub mod resend;
mod rights;
pub mod roles;
pub(crate) mod sends;
mod server;
mod serves;
mod ses_account;
mod session;
mod silent_domains;
mod stoppable;
pub mod suppressed;
pub mod suppression_list;
pub mod suppressions;
mod time;
mod transaction;
pub mod undo;
mod unopened_domains;
pub mod users;
pub mod verifications;
mod walk;
pub mod webhook;
pub mod workers;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use tokio::sync::Semaphore;

use self::connect::Way;
use self::pooler::Sessions;
use crate::config::{self, SettingError, Settings};

pub use account_panels::AccountCall;
pub use changes::{Changes, Following};
pub use error::Error;
pub use figures::Figures;
pub use migrate::{Migrated, Schema, program_version};
pub use present::now;
pub use server::{Clock, Collation, Server};
pub use session::Purpose;
pub use time::StoredTime;
pub use transaction::Transaction;

/// How long a caller waits for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections a process holds at most.
const CONNECTIONS_MAX: u32 = 16;

/// How many of them acts may hold at once where strangers cause them: each may wait for a lock, and what only reads
/// continues in the meantime.
const ACTS_MAX: usize = 12;

/// How long a connection may be idle before it is closed: less than firewalls between hosts remember one.
const IDLE_MAX: Duration = Duration::from_mins(1);

/// Connections for hearing changes, where they have a way of their own.
const LISTENERS_MAX: u32 = 2;

/// How long to wait before the next server is tried, where one is not the right one.
const BETWEEN_SERVERS: Duration = Duration::from_millis(50);

/// What sqlx is not to do: poolers refuse its own `extra_float_digits`, and since PostgreSQL 12 the default is as good.
fn plain_options(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("verifydesk").extra_float_digits(None::<i8>).disable_statement_logging()
}

fn pool(way: &Way, purpose: Purpose, connections: u32) -> PgPool {
    let suspicion = session::Suspicion::default();
    // As long as the pool lives, its way does.
    let held = way.clone();
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_MAX)
        // By a test of our own, which has a bound.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let _held = &held;
            Box::pin(purpose.prepare(connection))
        })
        .before_acquire(move |connection, idle| {
            let suspicion = suspicion.clone();
            Box::pin(async move { Ok(suspicion.test(connection, idle).await) })
        })
        .connect_lazy_with(plain_options(&way.patient))
}

/// The way to PostgreSQL.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    /// One connection of its own to ask whether the database answers, whatever the others wait for.
    asking: PgPool,
    /// Where changes are heard, if not where all else is done.
    listening: Option<PgPool>,
    /// What lies between us and the server, once it has been looked at.
    sessions: Arc<OnceLock<Sessions>>,
    way: Way,
    /// Seats for acts, where they are counted.
    acts: Option<Arc<Semaphore>>,
    /// When the outbox stops by itself, by this host's settings.
    brake_rules: config::Brake,
    notifier: notify::Notifier,
    approvals: approvals::Approvals,
}

impl Store {
    /// For what a person waits for; see [`Store::open_for`].
    pub fn open(settings: &Settings) -> Result<Self, SettingError> {
        Self::open_for(settings, Purpose::Person)
    }

    /// Reads the database's URL. Connects at the first statement, so that a console's first frame never waits.
    pub fn open_for(settings: &Settings, purpose: Purpose) -> Result<Self, SettingError> {
        let url = settings.require_database_url()?;
        let way = Way::open(url.expose(), purpose)?;
        let listening = match &settings.database_listen_url {
            None => None,
            Some(url) => Some(pool(&Way::open(url.expose(), purpose)?, purpose, LISTENERS_MAX)),
        };
        let acts = (purpose == Purpose::Serve).then(|| Arc::new(Semaphore::new(ACTS_MAX)));
        Ok(Self {
            pool: pool(&way, purpose, CONNECTIONS_MAX),
            asking: pool(&way, purpose, 1),
            listening,
            sessions: Arc::default(),
            acts,
            brake_rules: settings.brake.clone(),
            way,
            notifier: notify::Notifier::default(),
            approvals: approvals::Approvals::default(),
        })
    }

    /// Which database it is, and where: `verifydesk@db.example.org`. The host as it was named; none on this machine's
    /// socket.
    #[must_use]
    pub fn place(&self) -> String {
        self.way.place.clone()
    }

    /// The pool, for what lives beside the product: demo data and tests.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Makes one connection outside of the pool and closes it, to learn at once and by name why there is none: the pool
    /// tries again on its own until its time is over, and then knows only that.
    pub async fn reach(&self) -> Result<(), Error> {
        Ok(self.connect_alone(Purpose::Person).await?.close().await?)
    }

    /// A connection outside of the pool.
    async fn connect_alone(&self, purpose: Purpose) -> Result<PgConnection, Error> {
        let way = if purpose == Purpose::Long { &self.way.long } else { &self.way.direct };
        let options = plain_options(way);
        let connect = async {
            let mut passed_over = 0;
            let mut connection = loop {
                match options.connect().await {
                    // The next time it leads to the next server.
                    Err(error) if connect::is_other_kind(&error) && passed_over < 2 * self.way.servers => {
                        passed_over += 1;
                        tokio::time::sleep(BETWEEN_SERVERS).await;
                    }
                    other => break other?,
                }
            };
            purpose.prepare(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        match tokio::time::timeout(ACQUIRE_TIMEOUT, Box::pin(connect)).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// Closes every connection; what is still to be announced is announced, and running statements end first.
    pub async fn close(&self) {
        self.flush().await;
        self.pool.close().await;
        self.asking.close().await;
        if let Some(listening) = &self.listening {
            listening.close().await;
        }
    }
}
