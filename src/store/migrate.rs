//! Brings the database to this version, and tells whether it is there.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection as _, PgConnection};

use super::{Error, Store};
use crate::text::plain;

/// The migrations, embedded.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Oldest PostgreSQL that will do, as `server_version_num` counts.
const SERVER_MIN: i32 = 140_000;

/// How long a server may take to let somebody in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a migration waits for tables that others use: behind it everybody else waits as well.
const LOCK_TIMEOUT: &str = "3s";

/// How often it is tried, and how far apart, so that whoever waited behind it gets on meanwhile.
const TRIES: usize = 10;
const TRY_EVERY: Duration = Duration::from_secs(2);

/// Held by whoever migrates, so that another waits for as long as it takes.
const MIGRATING: i64 = 0x7665_7269_6679;

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

fn of_migrating(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Error::from(error),
        MigrateError::VersionMissing(version) => {
            Error::Newer(plain(&format!("it has migration {version}, which this one does not know")))
        }
        other => Error::Other(plain(&other.to_string())),
    }
}

impl Store {
    /// Brings the database to this version. Safe to run at any time, also by several at once.
    pub async fn migrate(&self) -> Result<Migrated, Error> {
        self.check_server().await?;
        // Apart from the first migration, so that the one thing a plain owner may lack gets its own error.
        if let Err(error) = sqlx::raw_sql("create extension if not exists pg_trgm").execute(self.pool()).await {
            return Err(match Error::from(error) {
                away @ Error::Away(_) => away,
                other => Error::NoTrigrams(plain(&other.to_string())),
            });
        }
        let before = self.applied().await?.map_or(0, |(_, count)| count);
        // On connections of their own, since an index over millions of rows takes its time.
        let options = self.pool().connect_options().as_ref().clone().options([("statement_timeout", "0")]);
        let mut gate = PgConnection::connect_with(&options).await?;
        // Not a checked query: those cannot give back nothing.
        sqlx::query("select pg_advisory_lock($1)").bind(MIGRATING).execute(&mut gate).await?;
        let options = options.options([("lock_timeout", LOCK_TIMEOUT)]);
        let mut tries = 1;
        loop {
            let mut connection = PgConnection::connect_with(&options).await?;
            let done = MIGRATIONS.run(&mut connection).await.map_err(of_migrating);
            connection.close().await?;
            match done {
                Err(Error::Contended(_)) if tries < TRIES => tries += 1,
                Err(Error::Contended(what)) => {
                    let what = format!("a migration waits for tables that others use, {TRIES} times in vain ({what})");
                    return Err(Error::Contended(plain(&what)));
                }
                done => break done?,
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        gate.close().await?;
        let (version, after) = self.applied().await?.unwrap_or_default();
        Ok(Migrated { applied: after.saturating_sub(before), version, searches_korean: self.searches_korean().await? })
    }

    /// Whether the database can be worked with: reachable, new enough, migrated.
    pub async fn check(&self) -> Result<(), Error> {
        self.check_server().await?;
        let wanted = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default();
        match self.applied().await? {
            None => Err(Error::NotMigrated(plain("it has no tables of verifydesk"))),
            Some((version, _)) if version < wanted => {
                Err(Error::NotMigrated(plain(&format!("its schema is version {version}, {wanted} is needed"))))
            }
            Some((version, _)) if version > wanted => {
                Err(Error::Newer(plain(&format!("its schema is version {version}, this one knows {wanted}"))))
            }
            Some(_) => Ok(()),
        }
    }

    /// On a connection of its own: the pool would try again and again, and then not say why.
    async fn check_server(&self) -> Result<(), Error> {
        let options = self.pool().connect_options();
        let mut connection = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options))
            .await
            .map_err(|_| Error::Away(plain(&format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))))??;
        let row = sqlx::query!(
            r#"select
                current_setting('server_version_num')::int as "number!",
                current_setting('server_version') as "name!""#
        )
        .fetch_one(&mut connection)
        .await?;
        connection.close().await?;
        if row.number < SERVER_MIN { Err(Error::TooOld(plain(&row.name))) } else { Ok(()) }
    }

    /// The newest migration applied and how many there are; nothing in a database that never saw one.
    async fn applied(&self) -> Result<Option<(i64, usize)>, Error> {
        // Not a checked query: the table is sqlx's own.
        let known: bool =
            sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(self.pool()).await?;
        if !known {
            return Ok(None);
        }
        let (version, count): (Option<i64>, i64) =
            sqlx::query_as("select max(version), count(*) from _sqlx_migrations where success")
                .fetch_one(self.pool())
                .await?;
        Ok(version.map(|version| (version, usize::try_from(count).unwrap_or_default())))
    }

    /// Whether trigrams are made of Korean letters, which depends on the database's ctype.
    async fn searches_korean(&self) -> Result<bool, Error> {
        let count: Option<i32> =
            sqlx::query_scalar("select array_length(show_trgm('김민준'), 1)").fetch_one(self.pool()).await?;
        Ok(count.is_some_and(|n| n > 0))
    }
}
