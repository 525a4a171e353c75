//! Brings the database to this version, and says whether it is there.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

use super::pooler::{self, Sessions};
use super::session::MIGRATION_LOCK_WAIT;
use super::{Error, Purpose, Store};
use crate::text::plain;

/// The migrations, embedded.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Oldest PostgreSQL that will do, as `server_version_num` counts.
pub(super) const SERVER_MIN: i32 = 140_000;

/// How often it is tried, and how far apart, so that others who waited behind it get on in the meantime.
const TRIES: usize = 10;
const TRY_EVERY: Duration = Duration::from_secs(2);

/// Migrations whose text was corrected after builds had applied it, with the former text's checksum. What they did then
/// is as good, and is not done again.
const CORRECTED: [(i64, &str); 2] = [
    // A comment.
    (9, "19df3fb175f69a1b1419b5cbea63dea0b65e1267d2c161fe69fb693f86e852a949107ea91510b130df51a5962ef80c34"),
    // It walked over all numbers between two rows: without end, where they were far apart.
    (10, "0b0e5b8877afa3be0e8fb5f5a9aa9723b6567995d09c921e3bf5762657c96302c1fa0dc56347eab9a0be60a4bde46570"),
];

/// Held by the one who migrates, so that another waits for as long as it takes.
const MIGRATING: i64 = 0x7665_7269_6679;

/// How often one who waits for another to have migrated looks again.
const ENTER_EVERY: Duration = Duration::from_millis(200);

/// What [`Store::migrate`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// How many migrations were applied now.
    pub applied: usize,
    /// The schema's version.
    pub version: i64,
    /// Whether Korean can be found by a part of a name: under the C ctype it yields no trigram.
    pub searches_korean: bool,
}

/// The schema beside this program.
#[derive(Debug)]
pub struct Schema {
    /// Its newest migration; `None` where it never saw one.
    pub version: Option<i64>,
    /// The newest that this program knows.
    pub known: i64,
    /// Why they do not work together, if they do not.
    pub fits: Result<(), Error>,
}

fn of_migrating(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Error::from(error),
        MigrateError::VersionMissing(version) => {
            Error::Newer(plain(&format!("it has migration {version}, which this one does not know")))
        }
        other => Error::Other(plain(&other.to_string())),
    }
}

/// Tries again while others use the tables that it needs, so that those who wait behind it get their turn in between.
pub(super) async fn patiently<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..TRIES {
        match attempt().await {
            Err(Error::Contended(_)) => tokio::time::sleep(TRY_EVERY).await,
            done => return done,
        }
    }
    attempt().await.map_err(|error| match error {
        Error::Contended(why) => Error::Contended(plain(&format!(
            "{what} needs tables that others use, and gave up after {TRIES} tries ({why})"
        ))),
        other => other,
    })
}

/// Has a session look into this schema as well, behind those that it looks into already.
async fn add_to_path(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    sqlx::query("select set_config('search_path', pg_catalog.concat_ws(', ', nullif(current_setting('search_path'), ''), quote_ident($1)), false)")
        .bind(schema)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes what an earlier build has applied for what it is now, where it is one of [`CORRECTED`]. Not checked queries:
/// the table is sqlx's own.
async fn accept_corrected(connection: &mut PgConnection) -> Result<(), Error> {
    for (version, former) in CORRECTED {
        let now = MIGRATIONS.iter().find(|migration| migration.version == version);
        let is_former: bool = sqlx::query_scalar(
            "select exists (select from _sqlx_migrations where version = $1 and checksum = decode($2, 'hex'))",
        )
        .bind(version)
        .bind(former)
        .fetch_one(&mut *connection)
        .await?;
        // Who may not write, and has nothing to write, may still look whether all is applied.
        if let Some(now) = now.filter(|_| is_former) {
            sqlx::query("update _sqlx_migrations set checksum = $2 where version = $1")
                .bind(version)
                .bind(now.checksum.as_ref())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The indexes that migrations make while others use the table: those are alone in their files.
fn made_concurrently() -> Vec<String> {
    let sql = MIGRATIONS.iter().filter(|migration| migration.no_tx).map(|migration| migration.sql.as_str());
    let made = sql.filter_map(|sql| sql.split_once("create index concurrently ")?.1.split_whitespace().next());
    made.map(str::to_owned).collect()
}

/// What was applied to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Applied {
    /// The newest migration.
    version: i64,
    count: usize,
    /// The newest migration that a program has to know to work with the schema. Schemas from before it was kept had no
    /// newer programs.
    floor: Option<i64>,
}

async fn applied_by(pool: &PgPool) -> Result<Option<Applied>, Error> {
    // Not checked queries: the first table is sqlx's own, the second one may not be there yet.
    let (has_any, has_floor): (bool, bool) =
        sqlx::query_as("select to_regclass('_sqlx_migrations') is not null, to_regclass('schema_floor') is not null")
            .fetch_one(pool)
            .await?;
    if !has_any {
        return Ok(None);
    }
    let (version, count): (Option<i64>, i64) =
        sqlx::query_as("select max(version), count(*) from _sqlx_migrations where success").fetch_one(pool).await?;
    let Some(version) = version else { return Ok(None) };
    let floor = if has_floor {
        sqlx::query_scalar("select version from schema_floor").fetch_optional(pool).await?
    } else {
        None
    };
    Ok(Some(Applied { version, count: usize::try_from(count).unwrap_or_default(), floor }))
}

/// The newest migration that this program knows.
fn known() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default()
}

/// This program's version, and the newest migration that it knows: `0.1.0+70`.
#[must_use]
pub fn program_version() -> String {
    format!("{}+{}", env!("CARGO_PKG_VERSION"), known())
}

/// Whether this program works with the schema: its own, or a newer one beside which it goes on.
fn check_version(applied: Option<Applied>) -> Result<(), Error> {
    let wanted = known();
    let Some(Applied { version, floor, .. }) = applied else {
        return Err(Error::NotMigrated(plain("it has no tables of verifydesk")));
    };
    if version < wanted {
        return Err(Error::NotMigrated(plain(&format!("its schema is version {version}, {wanted} is needed"))));
    }
    match floor.unwrap_or(version) {
        floor if floor > wanted => Err(Error::Newer(plain(&format!(
            "its schema is version {version}, for programs that know {floor}; this one knows {wanted}"
        )))),
        _ => Ok(()),
    }
}

/// Applies migrations, those that make an index concurrently without a limit for locks: such a one waits for all who had
/// begun before, and while it waits it is in no one's way.
async fn apply(connection: &mut PgConnection) -> Result<(), Error> {
    for migration in MIGRATIONS.iter().filter(|m| m.no_tx && m.sql.as_str().contains("create index concurrently ")) {
        MIGRATIONS.run_to(migration.version - 1, &mut *connection).await.map_err(of_migrating)?;
        sqlx::raw_sql("set lock_timeout = 0").execute(&mut *connection).await?;
        MIGRATIONS.run_to(migration.version, &mut *connection).await.map_err(of_migrating)?;
        let limit = AssertSqlSafe(format!("set lock_timeout = '{MIGRATION_LOCK_WAIT}'"));
        sqlx::raw_sql(limit).execute(&mut *connection).await?;
    }
    MIGRATIONS.run(connection).await.map_err(of_migrating)
}

/// Drops those of them whose making was ended by something: PostgreSQL keeps them, writes each new row into them, and
/// reads them for nothing. Not checked queries: what they read is the server's own.
async fn drop_unfinished(connection: &mut PgConnection) -> Result<(), Error> {
    let unfinished: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname)
        from pg_index i
        join pg_class c on c.oid = i.indexrelid
        join pg_namespace n on n.oid = c.relnamespace
        where not i.indisvalid and n.nspname = current_schema() and c.relname = any($1)",
    )
    .bind(made_concurrently())
    .fetch_all(&mut *connection)
    .await?;
    for index in unfinished {
        // The server itself has quoted the name.
        sqlx::raw_sql(AssertSqlSafe(format!("drop index concurrently {index}"))).execute(&mut *connection).await?;
    }
    Ok(())
}

impl Store {
    /// Waits until no other migrates, and lets none until the connection is closed. By asking again and again: an index
    /// that is made while others use its table waits for every statement that had begun before, and so would it for one
    /// that waits for the lock.
    pub(super) async fn enter_migration(&self) -> Result<PgConnection, Error> {
        let mut gate = self.connect_alone(Purpose::AwaitMigration).await?;
        // Not a checked query: it needs no table.
        let enter = "select pg_try_advisory_lock($1)";
        while !sqlx::query_scalar::<_, bool>(enter).bind(MIGRATING).fetch_one(&mut gate).await? {
            tokio::time::sleep(ENTER_EVERY).await;
        }
        Ok(gate)
    }

    /// Brings the database to this version, and grants the roles their rights again where there are some. Safe to run
    /// at any time, also by several at once.
    pub async fn migrate(&self) -> Result<Migrated, Error> {
        let migrated = self.apply_migrations().await?;
        if self.has_roles().await? {
            self.make_roles().await?;
        }
        Ok(migrated)
    }

    /// The first half of [`Store::migrate`]: what a migration has made, only its owner may use so far.
    pub async fn apply_migrations(&self) -> Result<Migrated, Error> {
        self.require_own_sessions().await?;
        self.check_server().await?;
        // First of all, since two that create the extension at once meet in the catalogue, and one fails.
        let gate = self.enter_migration().await?;
        let trigrams = self.create_trigrams().await?;
        let applied = self.applied().await?;
        patiently("a migration", async || {
            // On a connection of its own, since an index over millions of rows takes its time.
            let mut connection = self.connect_alone(Purpose::Migrate).await?;
            add_to_path(&mut connection, &trigrams).await?;
            if applied.is_some() {
                accept_corrected(&mut connection).await?;
            }
            drop_unfinished(&mut connection).await?;
            let done = apply(&mut connection).await;
            connection.close().await?;
            done
        })
        .await?;
        gate.close().await?;
        let (version, after) = self.applied().await?.map_or((0, 0), |applied| (applied.version, applied.count));
        let before = applied.map_or(0, |applied| applied.count);
        Ok(Migrated { applied: after.saturating_sub(before), version, searches_korean: self.searches_korean().await? })
    }

    /// Creates the extension for searching, apart from the first migration, so that the one thing a plain owner may
    /// lack gets its own error. Gives the schema that it is in: an administrator may have put it into one of its own.
    async fn create_trigrams(&self) -> Result<String, Error> {
        let mut connection = self.connect_alone(Purpose::Migrate).await?;
        let created = sqlx::raw_sql("create extension if not exists pg_trgm").execute(&mut connection).await;
        if let Err(error) = created {
            return Err(match Error::from(error) {
                other @ (Error::Away(_) | Error::NoSchema(_)) => other,
                other => Error::NoTrigrams(plain(&other.to_string())),
            });
        }
        let schema = sqlx::query_scalar(
            "select nspname::text from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_trgm'",
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        Ok(schema)
    }

    /// Whether the database can be worked with: reachable, new enough, migrated.
    pub async fn check(&self) -> Result<(), Error> {
        self.check_server().await?;
        self.check_sessions().await?;
        check_version(self.applied().await?)
    }

    /// The schema beside this program.
    pub async fn schema(&self) -> Result<Schema, Error> {
        let applied = self.applied().await?;
        Ok(Schema { version: applied.map(|applied| applied.version), known: known(), fits: check_version(applied) })
    }

    /// Whether a pooler shares sessions between us and others.
    pub async fn shares_sessions(&self) -> Result<bool, Error> {
        Ok(self.look_at_sessions().await? == Sessions::Shared)
    }

    /// Whether the database answers, and this program works with its schema; however busy this process is.
    pub async fn ready(&self) -> Result<(), Error> {
        check_version(applied_by(&self.asking).await?)
    }

    /// Warns once if the sessions are shared.
    async fn check_sessions(&self) -> Result<(), Error> {
        if self.sessions.get().is_none() && self.look_at_sessions().await? == Sessions::Shared {
            tracing::warn!(
                "a pooler shares sessions: time-outs must be set by `alter role`, and changes are heard only where \
                 `database_listen_url` names the server itself"
            );
        }
        Ok(())
    }

    /// Refuses shared sessions: a lock of a session would stay with one that another then has, and be waited for
    /// without an end, and so would time-outs that are fit for a migration only.
    pub(super) async fn require_own_sessions(&self) -> Result<(), Error> {
        match self.look_at_sessions().await? {
            Sessions::Own => Ok(()),
            Sessions::Shared => Err(Error::SharedSessions),
        }
    }

    /// What lies between us and the server, looked at once.
    async fn look_at_sessions(&self) -> Result<Sessions, Error> {
        if let Some(&sessions) = self.sessions.get() {
            return Ok(sessions);
        }
        let (mut first, mut second) =
            (self.connect_alone(Purpose::Person).await?, self.connect_alone(Purpose::Person).await?);
        let sessions = pooler::look(&mut first, &mut second).await?;
        // Both have found the same.
        let _ = self.sessions.set(sessions);
        first.close().await?;
        second.close().await?;
        Ok(sessions)
    }

    /// On a connection of its own: the pool would try again and again, and then not say why.
    async fn check_server(&self) -> Result<(), Error> {
        let mut connection = self.connect_alone(Purpose::Person).await?;
        let row = sqlx::query!(
            r#"select
                current_setting('server_version_num')::int as "number!",
                current_setting('server_version') as "name!",
                current_setting('server_encoding') as "encoding!""#
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        if row.number < SERVER_MIN {
            Err(Error::TooOld(plain(&row.name)))
        } else if row.encoding != "UTF8" {
            Err(Error::NotUnicode(plain(&row.encoding)))
        } else {
            Ok(())
        }
    }

    /// Nothing in a database that never saw a migration.
    async fn applied(&self) -> Result<Option<Applied>, Error> {
        applied_by(self.pool()).await
    }

    /// Whether trigrams are made of Korean letters, which depends on the database's ctype.
    pub(super) async fn searches_korean(&self) -> Result<bool, Error> {
        // Under its full name: the extension may be in a schema that is not on the path.
        let function: String = sqlx::query_scalar(
            "select pg_catalog.format('%I.show_trgm', n.nspname)
            from pg_extension e
            join pg_namespace n on n.oid = e.extnamespace
            where e.extname = 'pg_trgm'",
        )
        .fetch_one(self.pool())
        .await?;
        let asked = format!("select pg_catalog.array_length({function}('김민준'), 1)");
        // The server itself has quoted the name.
        let count: Option<i32> = sqlx::query_scalar(AssertSqlSafe(asked)).fetch_one(self.pool()).await?;
        Ok(count.is_some_and(|n| n > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, Settings};

    #[tokio::test]
    async fn nothing_is_locked_in_sessions_that_others_share() {
        // Nothing answers there: it is not even tried.
        let url = Secret::new("postgres://u@127.0.0.1:1/x");
        let store = Store::open(&Settings { database_url: Some(url), ..Settings::default() }).unwrap();
        store.sessions.set(Sessions::Shared).unwrap();
        for error in
            [store.apply_migrations().await.map(drop), store.migrate().await.map(drop), store.make_roles().await]
        {
            let error = error.unwrap_err();
            let said = format!("{error}; {}", error.hint());
            assert!(said.contains("pooler") && said.contains("DATABASE_URL name the server itself"), "{said}");
        }
    }
}
