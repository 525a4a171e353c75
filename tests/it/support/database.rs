//! A database a test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sqlx::migrate::{MigrateDatabase as _, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, Postgres};
use verifydesk::demo::cluster::Options;

use super::server;

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// A migrated database of the test's own, removed when dropped.
pub struct TestDb {
    /// Connections to it.
    pub pool: PgPool,
    /// Its URL, for whatever else should connect.
    pub url: String,
    name: String,
    admin: String,
}

impl TestDb {
    /// Makes the database: a copy of the migrated template.
    pub async fn new() -> Self {
        Self::made(&format!("template {}", template())).await
    }

    /// Makes an empty one with these options of `create database`.
    pub async fn empty(options: &str) -> Self {
        Self::made(&format!("template template0 {options}")).await
    }

    async fn made(how: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let options = tokio::task::spawn_blocking(|| server::join(make_template)).await.unwrap();
        let admin = options.url("postgres");
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let url = options.url(&name);
        execute(&admin, &[&format!("create database {name} {how}")]).await.unwrap();
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(Duration::from_mins(1))
            .connect(&url)
            .await
            .unwrap();
        Self { pool, url, name, admin }
    }
}

impl TestDb {
    /// Its URL with a setting of the server's for every connection.
    pub fn url_with(&self, setting: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20{}", self.url, setting.replace('=', "%3D"))
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        let admin = self.admin.clone();
        // A runtime cannot be entered from within another's thread.
        let dropped = std::thread::spawn(move || block_on(execute(&admin, &[&statement]))).join();
        // The reaper removes what is left anyway, and a second panic would hide the first.
        if let Ok(Err(error)) = dropped {
            eprintln!("a test database was left behind: {error}");
        }
    }
}

/// Names the template by what is in it: a cluster may outlive a change of the migrations by some seconds.
fn template() -> String {
    let mut digest = Sha256::new();
    for migration in MIGRATOR.iter() {
        digest.update(&migration.checksum);
    }
    let digest = digest.finalize();
    format!("template_{:08x}", u32::from_be_bytes(digest[..4].try_into().unwrap()))
}

fn make_template(options: &Options) {
    block_on(async {
        let (admin, name) = (options.url("postgres"), template());
        if Postgres::database_exists(&options.url(&name)).await.unwrap() {
            return;
        }
        // Under another name until it is whole.
        let unfinished = format!("{name}_unfinished");
        let (drop, create) =
            (format!("drop database if exists {unfinished} with (force)"), format!("create database {unfinished}"));
        execute(&admin, &[&drop, &create]).await.unwrap();
        let mut connection = PgConnection::connect(&options.url(&unfinished)).await.unwrap();
        MIGRATOR.run_direct(None, &mut connection, false).await.unwrap();
        connection.close().await.unwrap();
        execute(&admin, &[&format!("alter database {unfinished} rename to {name}")]).await.unwrap();
    });
}

async fn execute(url: &str, statements: &[&str]) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    for statement in statements {
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(*statement))).await?;
    }
    connection.close().await
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
