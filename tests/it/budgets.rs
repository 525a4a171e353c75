//! What each statement reads where a million people have signed up: a plan that is good for a few rows shows itself here.
//!
//! Everything that the program does is done once on a large database, and PostgreSQL says how many buffers each statement
//! has read. Hardly any may read more than a page of rows takes; [`budget`] lists those that may, and why.

mod budget;
mod deeds;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use verifydesk::config::{Secret, Tls};

use crate::mail_servers::SmtpServer;
use crate::support::Program;
use crate::support::fill::without_indexes;
use crate::support::node::Node;
use crate::support::world::{SECRET, World, execute, mail_to};

/// People, unless another number is asked for.
const USUAL: u32 = 1_000_000;

/// What the site's back end shows.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const DATABASE: &str = "budgets";

/// A statement, as `pg_stat_statements` writes it, and the most that one execution of it has read.
struct Reading {
    buffers: i64,
    /// What was being done.
    deed: String,
}

struct Large {
    people: u32,
    server: SmtpServer,
    world: World,
    program: Program,
    pool: PgPool,
    readings: BTreeMap<String, Reading>,
    /// Stopped when dropped, after what is connected to it.
    _node: Node,
}

impl Large {
    async fn new() -> Self {
        let people = std::env::var("VERIFYDESK_TEST_PEOPLE").map_or(USUAL, |people| people.parse().unwrap());
        let node = tokio::task::spawn_blocking(|| {
            let node = Node::primary(&[
                "shared_preload_libraries = 'pg_stat_statements'",
                "pg_stat_statements.max = 10000",
                "shared_buffers = 256MB",
                "max_wal_size = 8GB",
                "full_page_writes = off",
                "checkpoint_timeout = 1h",
            ]);
            node.start();
            node
        })
        .await
        .unwrap();
        let admin = PgPoolOptions::new().connect(&node.url("postgres")).await.unwrap();
        execute(&admin, &format!("create database {DATABASE}")).await;
        let url = node.url(DATABASE);
        let program = Program::new(&url)
            .set("VERIFYDESK_SECRET", SECRET)
            .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
            .set("VERIFYDESK_VERIFICATION__CONFIRM", "button")
            .set("VERIFYDESK_TEST_SEND__ALLOW", "somebody@example.com")
            .set("VERIFYDESK_SERVE__TOKEN", TOKEN)
            .set("VERIFYDESK_RETENTION__SENDS", "30 days")
            .set("VERIFYDESK_RETENTION__EVENTS", "30 days");
        let captured = program.home().join("mail").to_str().unwrap().to_owned();
        let program = program.set("VERIFYDESK_CAPTURE__DIR", captured);
        let migrated = program.run(&["migrate"]);
        assert_eq!(migrated.code, 0, "{}", migrated.err);
        let pool = PgPoolOptions::new().connect(&url).await.unwrap();
        execute(&pool, "create extension pg_stat_statements").await;
        let fill = include_str!("budgets/fill.sql").replace(":people", &people.to_string());
        // Each by itself, as psql would: a vacuum stands alone.
        let (fill, vacuum) = fill.rsplit_once("vacuum").unwrap();
        execute(&pool, &without_indexes(&["users", "verifications", "sends", "audit_log"], fill)).await;
        execute(&pool, &format!("vacuum{vacuum}")).await;
        // Each way that a mail can end, and then all arrive.
        let server = SmtpServer::plain()
            .fault("rcpt=reply:550 5.1.1 no such user")
            .fault("rcpt=reply:451 4.7.1 later")
            .fault("end=drop")
            .fault("end=reply:454 Throttling failure: Maximum sending rate exceeded")
            .start();
        let world = World::with(|settings| {
            settings.database_url = Some(Secret::new(&url));
            mail_to(settings, server.port(), Tls::None);
        })
        .await;
        Self { server, people, world, program, pool, readings: BTreeMap::new(), _node: node }
    }

    /// Does these statements past the desk, unnoticed.
    async fn prepare(&self, statements: &str) {
        execute(&self.pool, statements).await;
    }

    /// Notes what was read while something was done.
    async fn did(&mut self, deed: &str) {
        let read: Vec<(String, i64)> = sqlx::query_as(
            "select query, (shared_blks_hit + shared_blks_read) / calls from pg_stat_statements
            where calls > 0 and query !~ 'pg_stat_statements' order by 1",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        for (query, buffers) in read {
            let reading = self.readings.entry(query).or_insert_with(|| Reading { buffers: -1, deed: String::new() });
            if buffers > reading.buffers {
                *reading = Reading { buffers, deed: deed.to_owned() };
            }
        }
        self.forget().await;
    }

    async fn forget(&self) {
        sqlx::query("select pg_stat_statements_reset()").execute(&self.pool).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_more_than_its_budget() {
    let mut large = Large::new().await;
    deeds::all(&mut large).await;
    let mut over = String::new();
    for (query, reading) in &large.readings {
        let budget = budget::of(query);
        if reading.buffers > budget {
            let Reading { buffers, deed } = reading;
            writeln!(over, "{buffers} buffers, of {budget}, for \"{deed}\":\n{query}\n").unwrap();
        }
    }
    println!("{}", summary(&large.readings));
    assert!(over.is_empty(), "{over}");
    let mut unread = unread(&large).await;
    unread.retain(|query| !budget::may_be_unread(query));
    assert!(unread.is_empty(), "no deed executes these:\n{}", unread.join("\n\n"));
}

/// The greediest first.
fn summary(readings: &BTreeMap<String, Reading>) -> String {
    let mut all: Vec<_> = readings.iter().collect();
    all.sort_by_key(|(_, reading)| -reading.buffers);
    let mut text = String::new();
    for (query, Reading { buffers, deed }) in all {
        let query: Vec<&str> = query.split_whitespace().collect();
        let query: String = query.join(" ").chars().take(160).collect();
        writeln!(text, "{buffers:>8}  {deed:<30}  {query}").unwrap();
    }
    text
}

/// The statements of the program that nothing has executed, as the metadata of its queries lists them.
async fn unread(large: &Large) -> Vec<String> {
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx")).unwrap();
    let queries: Vec<String> = files
        .map(|file| {
            let described: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            described["query"].as_str().unwrap().to_owned()
        })
        .collect();
    let read: BTreeSet<String> = shapes(large, large.readings.keys().cloned().collect()).await.into_iter().collect();
    let shapes = shapes(large, queries.clone()).await;
    queries.into_iter().zip(shapes).filter(|(_, shape)| !read.contains(shape)).map(|(query, _)| query).collect()
}

/// Statements without their constants, in whose place `pg_stat_statements` puts parameters.
async fn shapes(large: &Large, queries: Vec<String>) -> Vec<String> {
    sqlx::query_scalar(
        r"select
            regexp_replace(
                regexp_replace(
                    regexp_replace(regexp_replace(query, '--[^\n]*', '', 'g'), 'extract\(\w+', 'extract($1', 'gi'),
                    '\m([0-9]+(\.[0-9]+)?|true|false|null)\M|''[^'']*''|\$[0-9]+', '?', 'gi'),
                '\s+', ' ', 'g')
        from unnest($1::text[]) with ordinality as given (query, place) order by place",
    )
    .bind(queries)
    .fetch_all(&large.pool)
    .await
    .unwrap()
}
