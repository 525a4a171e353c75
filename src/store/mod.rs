//! PostgreSQL, and all the SQL: one file a table or aggregate.
//!
//! [`Store`] holds the pool and the statements that stand alone. Statements that are part of an act take the act's
//! connection; `desk` and `outbox` put them into one transaction.

pub mod audit;
pub mod brake;
pub mod changes;
mod clock;
mod counts;
mod detail;
mod error;
pub mod jobs;
mod list;
mod migrate;
pub mod outbox;
pub mod pace;
mod sends;
mod tell;
mod time;
mod transaction;
pub mod users;
pub mod verifications;
pub mod workers;

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use crate::config::{SettingError, Settings};

pub use changes::Changes;
pub use error::Error;
pub use migrate::Migrated;
pub use time::StoredTime;
pub use transaction::Transaction;

/// How long a caller waits for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a statement may take: longer than any should, and shorter than anybody waits. What nobody waits for any
/// more must not run on.
const STATEMENT_TIMEOUT: &str = "15s";

/// Connections a process holds at most.
const CONNECTIONS_MAX: u32 = 16;

/// The way to PostgreSQL.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    told: tell::Told,
}

impl Store {
    /// Reads the database's URL. Connects at the first statement, so that a console's first frame never waits.
    pub fn open(settings: &Settings) -> Result<Self, SettingError> {
        let url = settings.require_database_url()?;
        // sqlx reads other schemes as PostgreSQL's too.
        let scheme = url.expose().split("://").next().unwrap_or_default();
        let options = if matches!(scheme, "postgres" | "postgresql") {
            PgConnectOptions::from_str(url.expose()).ok()
        } else {
            None
        };
        // The parser's error would quote the URL, which may hold a password.
        let options = options.ok_or_else(|| {
            SettingError::new(
                "the database URL is not one",
                "write DATABASE_URL as postgres://user@host:5432/database, or with ?host=/socket/directory",
            )
        })?;
        Ok(Self::with(options))
    }

    /// With connection options made elsewhere.
    #[must_use]
    pub fn with(options: PgConnectOptions) -> Self {
        let options = options
            .application_name("verifydesk")
            .options([("statement_timeout", STATEMENT_TIMEOUT)])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        Self { pool, told: tell::Told::default() }
    }

    /// The pool, for what lives beside the product: demo data and tests.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Makes one connection outside of the pool and closes it, to learn at once and by name why there is none: the pool
    /// tries again on its own until its time is over, and then knows only that.
    pub async fn reach(&self) -> Result<(), Error> {
        let options = self.pool.connect_options();
        let connect = async { options.connect().await?.close().await };
        match tokio::time::timeout(ACQUIRE_TIMEOUT, connect).await {
            Ok(reached) => Ok(reached?),
            Err(_) => Err(Error::Away(crate::text::plain("no answer within 5 seconds"))),
        }
    }

    /// Whether the database answers at all.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.pool.acquire().await?.ping().await?)
    }

    /// Closes every connection; what is still to be told is told, and statements under way end first.
    pub async fn close(&self) {
        self.flush().await;
        self.pool.close().await;
    }
}
