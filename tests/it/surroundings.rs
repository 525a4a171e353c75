//! Databases as administrators make them.

use std::fmt::Write as _;

use futures_util::future::join_all;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::{Desk, SignUp};
use verifydesk::store::{Error, Store};

use crate::support::world::sign_up;
use crate::support::{Program, TestDb};

fn settings(url: &str) -> Settings {
    Settings { database_url: Some(Secret::new(url)), ..Settings::default() }
}

fn open(url: &str) -> Store {
    Store::open(&settings(url)).unwrap()
}

/// Sees that someone can sign up there.
async fn works(url: &str) {
    let desk = Desk::open(&settings(url)).unwrap();
    sign_up(&desk, &SignUp { email: "mina@example.com".into(), name: "김민아".into(), ..SignUp::default() }).await;
    assert_eq!(desk.store().counts().await.unwrap().pending, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_migrate_at_once() {
    let db = TestDb::empty("").await;
    let stores: Vec<Store> = (0..10).map(|_| open(&db.url)).collect();
    let done = join_all(stores.iter().map(Store::migrate)).await;
    let applied: Vec<usize> = done.into_iter().map(|done| done.unwrap().applied).collect();
    assert_eq!(applied.iter().filter(|&&applied| applied > 0).count(), 1, "{applied:?}");
    works(&db.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trigrams_may_be_in_a_schema_of_their_own() {
    let db = TestDb::empty("").await;
    let setup = "create schema extensions; create extension pg_trgm schema extensions";
    sqlx::raw_sql(setup).execute(&db.pool).await.unwrap();
    assert!(open(&db.url).migrate().await.unwrap().searches_korean);
    assert!(!open(&db.url).migrate().await.unwrap().version.is_negative());
    works(&db.url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_its_own_will_do() {
    let db = TestDb::empty("").await;
    sqlx::raw_sql("create schema \"verify desk\"").execute(&db.pool).await.unwrap();
    let mut url = db.url_with("search_path");
    write!(url, "%3D\"verify%5C%20desk\"").unwrap();
    open(&url).migrate().await.unwrap();
    let here = "select count(*) from pg_tables where schemaname = 'verify desk' and tablename = any($1)";
    let tables = vec!["users", "sends", "_sqlx_migrations"];
    let count: i64 = sqlx::query_scalar(here).bind(tables).fetch_one(&db.pool).await.unwrap();
    assert_eq!(count, 3);
    open(&url).check().await.unwrap();
    works(&url).await;
    let elsewhere: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(elsewhere, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_not_there_is_reported() {
    let db = TestDb::empty("").await;
    let error = open(&db.url_with("search_path=nowhere")).migrate().await.unwrap_err();
    assert!(matches!(error, Error::NoSchema(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_unicode_is_refused_before_anything_is_made() {
    let db = TestDb::empty("encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'").await;
    let program = Program::new(&db.url);
    let run = tokio::task::spawn_blocking(move || program.run(&["migrate"])).await.unwrap();
    assert_eq!(run.code, 1);
    assert!(run.err.contains("encoded in LATIN1") && run.err.contains("--encoding UTF8"), "{}", run.err);
    let made: i64 = sqlx::query_scalar(
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(made, 0);
}
