//! The programs of the version before, while the schema is migrated and afterwards.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::world::captured_in;
use crate::support::{Program, Running, TestDb, address_in, until};

const TOKEN: &str = "a token of the tests, long enough";

/// Sign-ups before the migration, and again behind it.
const ROUND: u32 = 40;

/// The longest that a request may take: it waits for a table for a second at most, and for its own work.
const SLOWEST: Duration = Duration::from_secs(2);

/// A version, with what it needs.
struct Version<'a> {
    program: Program,
    mails: &'a Path,
}

impl Version<'_> {
    fn serve(&self) -> (Running, String) {
        let (serve, line) = self.program.start(&["serve", "--listen", "127.0.0.1:0"], "listening");
        let url = format!("http://{}", address_in(&line));
        (serve, url)
    }

    fn worker(&self) -> Running {
        self.program.start(&["worker"], "worker started").0
    }
}

fn version(program: Program, mails: &Path) -> Version<'_> {
    let program = program
        .set("VERIFYDESK_SERVE__TOKEN", TOKEN)
        .set("VERIFYDESK_PUBLIC_URL", "http://127.0.0.1:1")
        .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails.display().to_string());
    Version { program, mails }
}

async fn sign_up(client: &reqwest::Client, url: &str, email: &str) -> StatusCode {
    let request = client.post(format!("{url}/api/signups")).bearer_auth(TOKEN);
    request.json(&json!({ "email": email })).send().await.unwrap().status()
}

impl Version<'_> {
    /// The query of the link that was mailed to someone.
    fn link_to(&self, email: &str) -> Option<String> {
        let mut mails = captured_in(self.mails).into_iter().map(|file| std::fs::read(file).unwrap());
        let mail = mails.find(|mail| String::from_utf8_lossy(mail).contains(email))?;
        let text = mail_parser::MessageParser::default().parse(&mail)?.body_text(0)?.into_owned();
        let (_, rest) = text.split_once("/verify/?key=")?;
        Some(rest.split_whitespace().next()?.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the program of the version before: make upgrade-test"]
async fn programs_of_the_version_before_go_on() {
    let former = std::env::var_os("VERIFYDESK_TEST_FORMER").expect("the program of the version before");
    let db = TestDb::empty("").await;
    let mails = tempfile::tempdir().unwrap();
    let before = version(Program::at(former, &db.url), mails.path());
    let after = version(Program::new(&db.url), mails.path());
    let migrated = before.program.run(&["migrate"]);
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let (_serve, url) = before.serve();
    let _worker = before.worker();

    let client = reqwest::Client::new();
    let (done, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    let (done, is_over) = (&done, &is_over);
    let load = async {
        let mut slowest = Duration::ZERO;
        while !is_over.load(Ordering::Relaxed) {
            let n = done.load(Ordering::Relaxed);
            let began = Instant::now();
            assert_eq!(sign_up(&client, &url, &format!("mina{n}@example.com")).await, StatusCode::ACCEPTED, "{n}");
            let ready = client.get(format!("{url}/readyz")).send().await.unwrap();
            assert_eq!(ready.status(), StatusCode::OK, "{n}");
            slowest = slowest.max(began.elapsed());
            done.fetch_add(1, Ordering::Relaxed);
        }
        slowest
    };
    let upgrade = async {
        until("it is at work", async || done.load(Ordering::Relaxed) >= ROUND).await;
        let migrated = tokio::task::block_in_place(|| after.program.run(&["migrate"]));
        let at = done.load(Ordering::Relaxed);
        assert!(migrated.code == 0 && migrated.out.starts_with("applied "), "{}{}", migrated.out, migrated.err);
        until("it is at work behind it", async || done.load(Ordering::Relaxed) >= at + ROUND).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let (slowest, ()) = tokio::join!(load, upgrade);
    println!("{} sign-ups, the slowest in {slowest:?}", done.load(Ordering::Relaxed));
    assert!(slowest < SLOWEST, "{slowest:?}");
    let last = done.load(Ordering::Relaxed) - 1;
    let is_sent = async || {
        let waiting = "select count(*) from sends where state in ('queued', 'sending')";
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&db.pool).await.unwrap() == 0
    };
    until("the former worker has sent all", is_sent).await;

    // Its links, opened at the former serve and at the new one beside it.
    let (_new_serve, new_url) = after.serve();
    for (n, url) in [(0, &url), (1, &new_url), (last, &url), (last - 1, &new_url)] {
        let link = after.link_to(&format!("mina{n}@example.com")).unwrap_or_else(|| panic!("no mail to mina{n}"));
        let page = client.get(format!("{url}/verify/?key={link}")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{n}");
    }
    let verified = "select count(*) from users where verified_at is not null";
    assert_eq!(sqlx::query_scalar::<_, i64>(verified).fetch_one(&db.pool).await.unwrap(), 4);

    // Both workers beside each other.
    let _new_worker = after.worker();
    let mut both = JoinSet::new();
    for n in 0..ROUND {
        let (client, url) = (client.clone(), [&url, &new_url][n as usize % 2].clone());
        both.spawn(async move { sign_up(&client, &url, &format!("jun{n}@example.com")).await });
    }
    assert!(both.join_all().await.iter().all(|status| *status == StatusCode::ACCEPTED));
    until("both have sent all", is_sent).await;
    let unsent = "select count(*) from sends where state <> 'accepted'";
    assert_eq!(sqlx::query_scalar::<_, i64>(unsent).fetch_one(&db.pool).await.unwrap(), 0);

    // Started again, the former goes on, or says why it does not.
    let started = before.program.run(&["list", "--json"]);
    println!("started again, the version before ends with {}: {}", started.code, started.err);
    assert!(started.code == 0 || started.err.contains("newer verifydesk"), "{}", started.err);
}
