//! The server, the schema and the login.

use chrono::{TimeDelta, Utc};
use verifydesk::config::Secret;
use verifydesk::domain::Time;

use super::*;
use crate::pooler::Bouncer;
use crate::roles::Logins;
use crate::support::TestDb;
use crate::support::silent;

fn at(url: &str) -> Settings {
    Settings { database_url: Some(Secret::new(url)), ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_one_red_check_and_skips_what_stands_on_it() {
    let found = Doctor::new(at("postgres://u@127.0.0.1:1/x")).examine().await;
    for (check, finding) in &found {
        match check.name {
            "database.reachable" => expect(check.name, finding, State::Red, "the database does not answer"),
            name if ["database", "schema", "workers", "account", "events"].contains(&check.group()) => {
                assert_eq!(finding.state, State::Skipped, "{name}: {finding:?}");
            }
            _ => {}
        }
    }
}

/// One that takes connections and says nothing: no check waits for it longer than its time.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_holds_nothing_up() {
    let server = silent::Silent::new().await;
    let begun = std::time::Instant::now();
    let found = Doctor::new(at(&format!("postgres://u@127.0.0.1:{}/x", server.at.port()))).examine().await;
    let reachable = &found.iter().find(|(check, _)| check.name == "database.reachable").unwrap().1;
    expect("database.reachable", reachable, State::Red, "");
    let longest = CHECKS.iter().map(|check| check.limit).max().unwrap();
    assert!(begun.elapsed() < longest + std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_looked_at() {
    let db = TestDb::new().await;
    let read_only = at(&db.url_with("default_transaction_read_only=on"));
    expect("database.writes", &look(&read_only, "database.writes").await, State::Red, "it takes no writes");

    let latin = TestDb::empty("encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'").await;
    expect("database.encoding", &look(&at(&latin.url), "database.encoding").await, State::Red, "LATIN1");

    let c = TestDb::empty("encoding 'UTF8' lc_collate 'C' lc_ctype 'C'").await;
    expect("schema.extension", &look(&at(&c.url), "schema.extension").await, State::Red, "pg_trgm is not there");
    expect("schema.version", &look(&at(&c.url), "schema.version").await, State::Red, "no tables of verifydesk");
    expect("workers.alive", &look(&at(&c.url), "workers.alive").await, State::Skipped, "cannot be worked with");
    sqlx::raw_sql("create extension pg_trgm").execute(&c.pool).await.unwrap();
    expect("schema.extension", &look(&at(&c.url), "schema.extension").await, State::Green, "public");
    expect("database.collation", &look(&at(&c.url), "database.collation").await, State::Yellow, "Korean");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_shares_sessions_is_told() {
    let db = TestDb::new().await;
    let bouncer = Bouncer::start(&db, "transaction").await;
    let mut settings = bouncer.settings(&db);
    let shared = look(&settings, "database.sessions").await;
    // Before 1.21 it loses prepared statements as well, some of the time.
    if shared.state == State::Red {
        expect("database.sessions", &shared, State::Red, "does not keep sessions");
    } else {
        expect("database.sessions", &shared, State::Yellow, "a pooler shares sessions");
        settings.database_listen_url = Some(Secret::new(&db.url));
        expect("database.sessions", &look(&settings, "database.sessions").await, State::Green, "database_listen_url");
    }
    let session = Bouncer::start(&db, "session").await;
    let finding = look(&session.settings(&db), "database.sessions").await;
    expect("database.sessions", &finding, State::Green, "sessions are our own");
}

fn late() -> Time {
    Utc::now() - TimeDelta::minutes(10)
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_are_told() {
    let db = TestDb::new().await;
    expect("database.clock", &look(&at(&db.url), "database.clock").await, State::Green, "from the database's");
    let late = Doctor::new(at(&db.url)).with_clock(late).examine_one("database.clock").await.unwrap();
    expect("database.clock", &late, State::Red, "this machine's clock is 600.");
    assert!(late.found.as_str().contains("behind"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_and_a_newer_schema_are_told_apart() {
    let db = TestDb::new().await;
    let schema = async || look(&at(&db.url), "schema.version").await;
    expect("schema.version", &schema().await, State::Green, "that of this program");
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'from tomorrow', true, '', 0)";
    sqlx::raw_sql(newer).execute(&db.pool).await.unwrap();
    expect("schema.version", &schema().await, State::Yellow, "its version is 9999");
    expect("workers.alive", &look(&at(&db.url), "workers.alive").await, State::Red, "no worker");
    sqlx::raw_sql("update schema_floor set version = 9999").execute(&db.pool).await.unwrap();
    expect("schema.version", &schema().await, State::Red, "belongs to a newer verifydesk");
    let older = "update schema_floor set version = 1;
        delete from _sqlx_migrations where version >= (select max(version) from _sqlx_migrations where version < 9999)";
    sqlx::raw_sql(older).execute(&db.pool).await.unwrap();
    let finding = schema().await;
    expect("schema.version", &finding, State::Red, "is not prepared for this version");
    assert!(finding.next.unwrap().as_str().contains("verifydesk migrate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_login_sees_what_it_may_and_is_told_what_it_lacks() {
    let logins = Logins::new().await;
    let rights = async |group: &str, secret: Option<&str>| {
        let settings = Settings { secret: secret.map(Secret::new), ..at(&logins.url(group)) };
        look(&settings, "schema.rights").await
    };
    expect("operator", &rights("operator", None).await, State::Green, "may do all that operators do");
    expect("viewer", &rights("viewer", None).await, State::Green, "may change nothing");
    expect("worker", &rights("worker", Some(SECRET)).await, State::Green, "");
    expect("viewer", &rights("viewer", Some(SECRET)).await, State::Red, "may not do a worker's work");
    // The internet-facing program's login reads nothing of it, and that is no ill.
    for (check, finding) in Doctor::new(at(&logins.url("serve"))).examine().await {
        assert_ne!(finding.state, State::Red, "{}: {finding:?}", check.name);
        if check.group() == "workers" {
            expect(check.name, &finding, State::Skipped, "this login may not read");
        }
    }
    for (check, finding) in Doctor::new(at(&logins.url("viewer"))).examine().await {
        let is_read = !finding.found.as_str().contains("could not be read");
        assert!(is_read, "{}: {finding:?}", check.name);
    }
}
