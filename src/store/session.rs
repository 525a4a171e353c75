//! What every session of ours asks of the server, so that nothing waits for long for a client that has gone silent: a
//! frozen process, a host without power, a connection that a firewall has forgotten. The server ends a transaction in
//! which nothing happens, and notices by keep-alives that a client is gone; a statement that waits for a lock times
//! out.
//!
//! All is set by statements after connecting: a pooler between us and the server refuses most start parameters. So is
//! the isolation level, since a role or a database may have another default, and the acts are written for *read
//! committed*: they lock a row first and read it then.
//!
//! Before a connection that has been idle is used, the server is asked whether it is still there, within a bound of its
//! own. If one is not, those that have been idle for as long are not asked at all: a firewall forgets all of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnectionMetadata;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, timeout};

/// How long a connection that was idle may take to show that it is alive.
const TEST_MAX: Duration = Duration::from_secs(1);

/// How long a migration may wait for a table, and with it all who come behind: less than a second.
pub(super) const MIGRATION_LOCK_WAIT: &str = "900ms";

/// Whose sessions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The verification view and the API: a request is over after ten seconds, and all of them share the connections.
    Serve,
    /// A worker.
    Work,
    /// A console or a command that a person waits for.
    Person,
    /// What looks at a whole bulk resend, or makes a chunk of one: as long as a person waits who sees that it works.
    Long,
    /// One who waits for another to have migrated: for as long as it takes.
    AwaitMigration,
    /// A migration: an index over millions of rows takes its time, but while it waits for a table, all others wait
    /// behind it.
    Migrate,
}

/// How long a session of ours may take, as PostgreSQL writes it; 0 is without limit.
struct Limits {
    /// For a statement: longer than any should, and shorter than anyone waits. What no one waits for any more must not
    /// run on.
    statement: &'static str,
    /// For a lock that another transaction holds.
    lock: &'static str,
    /// Within a transaction, between two statements.
    idle: &'static str,
}

impl Purpose {
    fn limits(self) -> Limits {
        match self {
            Self::Serve => Limits { statement: "6s", lock: "2s", idle: "5s" },
            Self::Work | Self::Person => Limits { statement: "15s", lock: "5s", idle: "10s" },
            Self::Long => Limits { statement: "120s", lock: "5s", idle: "10s" },
            Self::AwaitMigration => Limits { statement: "0", lock: "0", idle: "10s" },
            Self::Migrate => Limits { statement: "0", lock: MIGRATION_LOCK_WAIT, idle: "60s" },
        }
    }

    /// How long a statement of a pool's may go without any answer before its connection counts as forgotten: longer
    /// than the server itself allows it.
    pub(super) fn silence(self) -> Duration {
        match self {
            Self::Serve => Duration::from_secs(8),
            Self::Work | Self::Person | Self::AwaitMigration | Self::Migrate => Duration::from_secs(20),
            Self::Long => Duration::from_secs(130),
        }
    }

    /// Asks the server for all of it, on a connection just made.
    pub(super) async fn prepare(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Limits { statement, lock, idle } = self.limits();
        // Over a socket of the machine's own the server takes what is about TCP, and ignores it.
        let settings = [
            ("statement_timeout", statement),
            ("lock_timeout", lock),
            ("idle_in_transaction_session_timeout", idle),
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "20s"),
            ("default_transaction_isolation", "read committed"),
            // Statements here touch few rows, often; compiling one takes longer than it, again at each execution, where
            // the planner expects much of a part that is never reached.
            ("jit", "off"),
        ];
        let (names, values): (Vec<&str>, Vec<&str>) = settings.into_iter().unzip();
        sqlx::query(
            "select set_config(name, value, false) from unnest($1::text[], $2::text[]) as setting (name, value)",
        )
        .bind(names)
        .bind(values)
        // A pooler may not keep it.
        .persistent(false)
        .execute(&mut *connection)
        .await?;
        if self == Self::Long {
            // Where the server's system can: what no one waits for any more ends there as well.
            let _ = sqlx::query("set client_connection_check_interval = '5s'").execute(connection).await;
        }
        Ok(())
    }
}

/// Tells connections that are alive from those that only seem so.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspicion {
    /// What has been idle since before then is taken for dead.
    before: Arc<Mutex<Option<Instant>>>,
}

impl Suspicion {
    /// Whether an idle connection can be used.
    pub(super) async fn test(&self, connection: &mut PgConnection, idle: PoolConnectionMetadata) -> bool {
        let asked = Instant::now();
        let used = asked.checked_sub(idle.idle_for).unwrap_or(asked);
        let is_suspect = || {
            let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
            before.is_some_and(|before| used < before)
        };
        if is_suspect() {
            return false;
        }
        if let Ok(answer) = timeout(TEST_MAX, connection.ping()).await {
            // Another may have been found dead in the meantime, but this one has answered.
            return answer.is_ok();
        }
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        tracing::warn!("a connection to the database was silent; it and all older ones are opened again");
        false
    }
}
