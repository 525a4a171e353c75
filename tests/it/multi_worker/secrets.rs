//! Workers with different secrets, and a fleet whose secret is changed: no link that was mailed stops working.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use sqlx::{Connection as _, PgConnection};

use super::{ALONE, Fleet, pid, queue};
use crate::mail_servers::Counter;
use crate::support::{Running, TestDb};

const OLD: &str = "the old secret of the tests, 32 bytes and more";
const NEW: &str = "the new secret of the tests, 32 bytes and more";

const USERS: usize = 9;

/// Longest wait for anything that the test waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A site whose workers get their secrets one by one.
struct Site {
    _db: TestDb,
    connection: PgConnection,
    server: Counter,
    fleet: Fleet,
    users: usize,
    mails: usize,
    started: usize,
}

impl Site {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let mut connection = PgConnection::connect(&db.url).await.unwrap();
        queue(&mut connection, USERS).await;
        let server = Counter::start(Duration::from_millis(5), Duration::ZERO);
        let fleet = Fleet::new(&db.url, &server, &[("VERIFYDESK_PACE__RATE", "100")]);
        Self { _db: db, connection, server, fleet, users: USERS, mails: USERS, started: 0 }
    }

    /// Starts a worker, and waits for its first heartbeat.
    async fn start(&mut self, secret: &str, previous: Option<&str>) -> Running {
        let mut command = self.fleet.command(&["worker"]);
        command.env("VERIFYDESK_SECRET", secret);
        if let Some(previous) = previous {
            command.env("VERIFYDESK_SECRET_PREVIOUS", previous);
        }
        let running = Running(command.spawn().unwrap());
        self.started += 1;
        let all = self.started;
        self.until(&format!("select count(*) = {all} from workers")).await;
        running
    }

    /// Ends a worker without errors, and starts another.
    async fn replace(&mut self, worker: &mut Running, secret: &str, previous: Option<&str>) {
        kill(pid(&worker.0), Signal::SIGTERM).unwrap();
        assert!(worker.0.wait().unwrap().success(), "{}", self.fleet.log());
        *worker = self.start(secret, previous).await;
    }

    /// More users sign up; waits until each has the link.
    async fn sign_up(&mut self) {
        let rename = "update users set email = id || email where email not like '%@%.org'";
        sqlx::query(rename).execute(&mut self.connection).await.unwrap();
        queue(&mut self.connection, USERS).await;
        self.users += USERS;
        self.mails += USERS;
        self.all_mailed().await;
    }

    /// Every user asks for the link again; waits until each has it, and for nothing to be revoked by that.
    async fn mail_all_again(&mut self) {
        sqlx::query(
            "insert into sends (id, verification_id, user_id, recipient, locale)
            select gen_random_uuid(), v.id, u.id, u.email, u.locale
            from verifications v
            join users u on u.id = v.user_id
            where v.revoked_at is null",
        )
        .execute(&mut self.connection)
        .await
        .unwrap();
        sqlx::query("select pg_notify('verifydesk', 'queued')").execute(&mut self.connection).await.unwrap();
        self.mails += self.users;
        self.all_mailed().await;
    }

    async fn all_mailed(&mut self) {
        self.server.wait_for(self.mails, PATIENCE);
        self.until("select count(*) = 0 from sends where state in ('queued', 'sending')").await;
        let revoked: i64 = sqlx::query_scalar("select count(*) from verifications where revoked_at is not null")
            .fetch_one(&mut self.connection)
            .await
            .unwrap();
        assert_eq!(revoked, 0, "of {} links {revoked} were revoked; the workers say\n{}", self.users, self.fleet.log());
    }

    /// Waits for something to be so in the database.
    async fn until(&mut self, query: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        loop {
            looks.tick().await;
            let is_so: bool =
                sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut self.connection).await.unwrap();
            if is_so {
                return;
            }
            assert!(Instant::now() < deadline, "not so in time: {query}\n{}", self.fleet.log());
        }
    }
}

const ONE_WAITS: &str = "select count(*) = 1 from workers where waits_for is not null and stopped_at is null";
const NONE_WAITS: &str = "select count(*) = 0 from workers where waits_for is not null and stopped_at is null";

#[tokio::test(flavor = "multi_thread")]
async fn workers_with_different_secrets_revoke_no_link() {
    let _alone = ALONE.lock().await;
    let mut site = Site::new().await;
    let mut first = site.start(OLD, None).await;
    let second = site.start(NEW, None).await;
    site.all_mailed().await;
    for _ in 0..3 {
        site.mail_all_again().await;
    }
    site.until(ONE_WAITS).await;

    let told = format!("process {}, waits: its secret does not fit", second.0.id());
    let shown = site.fleet.program.run(&["queue"]);
    assert!(shown.out.contains(" waits ") && shown.err.contains(&told), "{} {}", shown.out, shown.err);
    let json = site.fleet.program.run(&["queue", "--json"]).json();
    let workers = json[0]["workers"].as_array().unwrap();
    let of = |process: u32| workers.iter().find(|worker| worker["pid"] == process).unwrap();
    let (one, two) = (of(first.0.id()), of(second.0.id()));
    assert_eq!((&one["waits_for"], &two["waits_for"]), (&serde_json::Value::Null, &one["id"]));
    assert!(one["secret"] != two["secret"] && two["alive"] == true);
    let log = site.fleet.log();
    assert!(log.contains("waits, since its secret does not fit that of the worker on"), "{log}");
    assert!(!log.contains(NEW) && !log.contains(OLD));

    // The other has its place as soon as it has stopped.
    kill(pid(&first.0), Signal::SIGTERM).unwrap();
    first.0.wait().unwrap();
    site.sign_up().await;
    site.until(NONE_WAITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_changed_in_three_steps_and_no_link_breaks() {
    let _alone = ALONE.lock().await;
    let mut site = Site::new().await;
    let mut workers = Vec::new();
    for _ in 0..3 {
        workers.push(site.start(OLD, None).await);
    }
    site.all_mailed().await;
    for (secret, previous) in [(OLD, NEW), (NEW, OLD)] {
        for worker in &mut workers {
            site.replace(worker, secret, Some(previous)).await;
            site.sign_up().await;
            site.mail_all_again().await;
        }
    }
    // Once no link of the old one works any more.
    sqlx::query(
        "update verifications
        set expires_at = now() - interval '1 minute', created_at = now() - interval '4 days'
        where id <= $1",
    )
    .bind(i64::try_from(site.users).unwrap())
    .execute(&mut site.connection)
    .await
    .unwrap();
    for worker in &mut workers {
        site.replace(worker, NEW, None).await;
    }
    site.until(NONE_WAITS).await;
    site.sign_up().await;
    let log = std::fs::read_to_string(site.fleet.program.home().join("log")).unwrap();
    assert!(!log.contains("waits, since its secret"), "no worker had to wait\n{log}");
    assert!(log.contains("mailed again with its key of the previous secret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_left_out_costs_a_wait_and_no_link() {
    let _alone = ALONE.lock().await;
    let mut site = Site::new().await;
    let mut workers = vec![site.start(OLD, None).await, site.start(OLD, None).await];
    site.all_mailed().await;
    for worker in &mut workers {
        site.replace(worker, NEW, Some(OLD)).await;
    }
    site.mail_all_again().await;
    site.until(NONE_WAITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_stood_still_finds_its_place_taken() {
    let _alone = ALONE.lock().await;
    let mut site = Site::new().await;
    let still = site.start(OLD, None).await;
    site.all_mailed().await;
    kill(pid(&still.0), Signal::SIGSTOP).unwrap();
    let _other = site.start(NEW, Some(OLD)).await;
    site.until(ONE_WAITS).await;
    site.until(NONE_WAITS).await;
    // All of these links were made by the one that stands still, and none by the other.
    site.mail_all_again().await;
    site.sign_up().await;
    kill(pid(&still.0), Signal::SIGCONT).unwrap();
    for _ in 0..5 {
        site.mail_all_again().await;
    }
    site.until(ONE_WAITS).await;
}
