//! Test mails: who may get them, what is shown, what is recorded, and what they do not touch.

use serde_json::{Value, json};
use sqlx::PgPool;
use verifydesk::store::Store;

use crate::mail_servers::{Authority, SmtpServer};
use crate::support::{Program, TestDb};

const PASSWORD: &str = "correct horse";

/// A developer's machine without a database, whose mails go to this server.
fn machine(database_url: &str, server: &SmtpServer) -> Program {
    mailing(Program::new(database_url), server)
}

/// The same program with settings for mails.
pub fn mailing(program: Program, server: &SmtpServer) -> Program {
    program
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_SMTP__HOST", "127.0.0.1")
        .set("VERIFYDESK_SMTP__PORT", server.port().to_string())
        .set("VERIFYDESK_SMTP__CA_FILE", Authority::shared().ca_file().display().to_string())
        .set("VERIFYDESK_SMTP__USERNAME", "user")
        .set("VERIFYDESK_SMTP__PASSWORD", PASSWORD)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_TEST_SEND__ALLOW", "dev@example.com, @example.net")
}

pub fn server() -> SmtpServer {
    SmtpServer::starttls().sign_in("user", PASSWORD).start()
}

const TO: [&str; 6] = ["test-send", "verification", "--to", "dev@example.com", "--locale", "en"];

async fn sends(pool: &PgPool) -> Vec<(String, String, Option<String>)> {
    let query = "select state, recipient, test_of from sends order by id";
    sqlx::query_as(query).fetch_all(pool).await.unwrap()
}

#[test]
fn without_a_database_it_is_shown_and_not_recorded() {
    let server = server();
    let run = machine("", &server).run(&TO);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    let lines: Vec<&str> = run.out.lines().collect();
    let place = |start: &str| {
        lines.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {}", run.out))
    };
    let order = [
        "-- connecting to 127.0.0.1:",
        "S: 220 mail.example.test",
        "C: EHLO ",
        "S: 250-mail.example.test",
        "C: STARTTLS",
        "S: 220 Ready to start TLS",
        "-- encrypted from here on: TLSv1_3",
        "C: AUTH PLAIN ***",
        "S: 235 ",
        "C: MAIL FROM:<no-reply@example.org>",
        "C: RCPT TO:<dev@example.com>",
        "C: DATA",
        "S: 354 ",
        "C: (",
        "S: 250 Ok 0102",
        "C: QUIT",
        "S: 221 ",
        "accepted for dev@example.com: 250 Ok 0102",
    ];
    let places = order.map(place);
    assert!(places.is_sorted(), "{places:?}\n{}", run.out);
    assert!(lines[places[13]].ends_with(" bytes of mail, then a dot)"), "{}", lines[places[13]]);
    assert!(lines.last().unwrap().ends_with("not recorded: no database is set)"), "{}", run.out);
    assert_eq!(lines.iter().filter(|line| line.starts_with("C: EHLO")).count(), 2, "once more within TLS");
    let secret = "AHVzZXIAY29ycmVjdCBob3JzZQ==";
    assert!(!run.out.contains(secret) && !run.out.contains(PASSWORD));
    let mail = String::from_utf8(server.mails().remove(0)).unwrap();
    assert!(mail.contains("To: dev@example.com\r\n") && mail.contains("sample-key"), "{mail}");
}

#[test]
fn of_login_only_the_method_is_shown() {
    let server = SmtpServer::starttls().sign_in("user", PASSWORD).mechanism("LOGIN").start();
    let run = machine("", &server).run(&TO);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.out.lines().filter(|line| *line == "C: ***").count(), 2, "{}", run.out);
    assert!(run.out.contains("C: AUTH LOGIN\n"), "{}", run.out);
    for secret in ["dXNlcg==", "Y29ycmVjdCBob3JzZQ=="] {
        assert!(!run.out.contains(secret), "{}", run.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_repeats_what_signs_in_is_not_quoted() {
    let db = TestDb::new().await;
    let secrets = ["AHVzZXIAY29ycmVjdCBob3JzZQ==", "Y29ycmVjdCBob3JzZQ==", PASSWORD];
    for echo in [secrets[0], &secrets[0].to_lowercase(), secrets[1], secrets[2]] {
        for reply in ["500 5.5.1 Command unrecognized: \"AUTH PLAIN {}\"", "535-5.7.8 no {}\\n535 5.7.8 no", "no {}"] {
            let fault = format!("auth=reply:{}", reply.replace("{}", echo));
            let server = SmtpServer::starttls().sign_in("user", PASSWORD).mechanism("PLAIN").fault(&fault).start();
            let run = machine(&db.url, &server).run(&TO);
            assert_eq!(run.code, 1, "{fault}: {}", run.out);
            let recorded: Vec<String> = sqlx::query_scalar("select concat(sends, audit_log) from sends, audit_log")
                .fetch_all(&db.pool)
                .await
                .unwrap();
            let all = format!("{}{}{recorded:?}", run.out, run.err).to_lowercase();
            for secret in secrets {
                assert!(!all.contains(secret.to_lowercase().trim_end_matches('=')), "{fault}: {all}");
            }
            if reply.starts_with('5') {
                assert!(run.out.contains(&format!("S: {}", &reply[..9])), "code and status are shown: {}", run.out);
            }
        }
    }
}

#[test]
fn only_those_who_may_get_tests_get_them() {
    let server = server();
    let machine = machine("", &server);
    for to in ["mina@example.com", "dev@example.org", "dev@sub.example.net", "x@simulator.amazonses.com"] {
        let run = machine.run(&["test-send", "verification", "--to", to]);
        assert_eq!((run.code, run.out.as_str()), (4, ""), "{to}: {}", run.err);
        assert!(run.err.contains(to) && run.err.contains("`test_send.allow`"), "{}", run.err);
    }
    let wrong = [
        (vec!["test-send", "verification", "--to", "dev"], 2),
        (vec!["test-send", "verification"], 2),
        (vec!["test-send", "verification", "--to", "dev@example.com", "--simulator", "success"], 2),
        (vec!["test-send", "verification", "--simulator", "other"], 2),
        (vec!["test-send", "nothing", "--to", "dev@example.com"], 3),
        (vec!["test-send", "verification", "--to", "dev@example.com", "--fixture", "nothing"], 3),
    ];
    for (arguments, code) in wrong {
        let run = machine.run(&arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert!(run.err.starts_with("error: "), "{}", run.err);
    }
    assert_eq!(server.lines_with("<< b'220"), 0, "no client was even greeted");

    let allowed = [
        (vec!["--to", "any@example.net"], "any@example.net"),
        (vec!["--simulator", "success"], "success@simulator.amazonses.com"),
        (vec!["--simulator", "bounce"], "bounce@simulator.amazonses.com"),
        (vec!["--simulator", "complaint"], "complaint@simulator.amazonses.com"),
        (vec!["--simulator", "ooto"], "ooto@simulator.amazonses.com"),
        (vec!["--simulator", "suppression"], "suppressionlist@simulator.amazonses.com"),
        (vec!["--to", "bounce+label@simulator.amazonses.com"], "bounce+label@simulator.amazonses.com"),
    ];
    for (arguments, to) in allowed {
        let run = machine.run(&[vec!["test-send", "verification"], arguments].concat());
        assert_eq!(run.code, 0, "{to}: {}", run.err);
        server.wait_for(|line| line["event"] == "stored" && line["to"] == json!([to]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_recorded_marked_and_no_one_elses() {
    let (db, server) = (TestDb::new().await, server());
    let machine = machine(&db.url, &server);
    let run = machine.run(&TO);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.ends_with("recorded as a test)\n"), "{}", run.out);
    let listed = machine.run(&["sends", "--json"]).json();
    let [row] = &listed[..] else { panic!("{listed:?}") };
    let stored = server.wait_for(|line| line["event"] == "stored");
    assert_eq!(
        (&row["state"], &row["recipient"], &row["locale"], &row["attempts"], &row["test_of"], &row["ses_id"]),
        (
            &json!("accepted"),
            &json!("dev@example.com"),
            &json!("en"),
            &json!(1),
            &json!("verification (example)"),
            &stored["id"]
        )
    );
    assert_eq!((&row["verification_id"], &row["user_id"]), (&Value::Null, &Value::Null));
    let mail = String::from_utf8(server.mails().remove(0)).unwrap();
    assert!(mail.contains(&format!("send={}, attempt=1", row["id"].as_str().unwrap())), "events find it by this");
    let table = machine.run(&["sends"]).out;
    assert!(table.contains(" test "), "{table}");
    // It took a send slot like every mail, and the audit log says who sent it.
    let store = Store::open(&settings(&db.url)).unwrap();
    assert_eq!(store.pace().await.unwrap().used, 1);
    let entry: (String, String) =
        sqlx::query_as("select action, reason from audit_log").fetch_one(&db.pool).await.unwrap();
    assert_eq!((entry.0.as_str(), entry.1.as_str()), ("test_send", "verification (example)"));

    let refused = SmtpServer::starttls().sign_in("user", PASSWORD).fault("rcpt=reply:450 4.2.1 later").start();
    let run = self::machine(&db.url, &refused).run(&TO);
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("is failed: ") && run.err.contains("450") && !run.err.contains("tried again"),
        "{}",
        run.err
    );
    let lost = SmtpServer::starttls().sign_in("user", PASSWORD).fault("end=drop").start();
    let run = self::machine(&db.url, &lost).run(&TO);
    assert!(run.code == 1 && run.err.contains("is unknown: "), "{}", run.err);
    let states: Vec<String> = sends(&db.pool).await.into_iter().map(|(state, ..)| state).collect();
    assert_eq!(states, ["accepted", "failed", "unknown"]);
    // Nothing of that is anybody's work.
    assert_eq!(store.retry_lost().await.unwrap(), 0);
    assert_eq!(store.outbox().await.unwrap().queued, 0);
}

fn settings(url: &str) -> verifydesk::config::Settings {
    verifydesk::config::Settings {
        database_url: Some(verifydesk::config::Secret::new(url)),
        ..verifydesk::config::Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brake_and_the_quota_hold_it_back() {
    let (db, server) = (TestDb::new().await, server());
    let machine = machine(&db.url, &server);
    assert_eq!(machine.run(&["queue", "pause", "--reason", "an outage"]).code, 0);
    let run = machine.run(&TO);
    assert!(run.code == 4 && run.err.contains("sending is paused: an outage"), "{}", run.err);
    assert_eq!(machine.run(&["queue", "resume"]).code, 0);
    sqlx::query("update pace set daily_quota = 0").execute(&db.pool).await.unwrap();
    let run = machine.run(&TO);
    assert!(run.code == 4 && run.err.contains("used up"), "{}", run.err);
    assert!(sends(&db.pool).await.is_empty() && server.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_on_the_way_is_settled_and_not_tried_again() {
    let db = TestDb::new().await;
    let store = Store::open(&settings(&db.url)).unwrap();
    let insert = "insert into sends (id, recipient, locale, test_of, state, attempts, lease_by, lease_until)
        select gen_random_uuid(), 'dev@example.com', 'en', 'x (example)', 'sending', 1, gen_random_uuid(), now() - interval '1 s'";
    sqlx::query(insert).execute(&db.pool).await.unwrap();
    assert_eq!(store.settle_lost(std::time::Duration::ZERO).await.unwrap(), 1);
    let retried: i64 =
        sqlx::query_scalar("select count(*) from sends where retry_at is not null").fetch_one(&db.pool).await.unwrap();
    assert_eq!(retried, 0, "no worker is to try it again");
    assert_eq!(store.retry_lost().await.unwrap(), 0);
    assert_eq!(sends(&db.pool).await[0].0, "unknown");
    for statement in [
        "update sends set state = 'queued'",
        "update sends set test_of = ''",
        "insert into sends (id, recipient, locale, test_of) values (gen_random_uuid(), 'a@b.c', 'en', 'x')",
    ] {
        assert!(sqlx::query(statement).execute(&db.pool).await.is_err(), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_simulator_bounces_does_not_stop_the_outbox() {
    let db = TestDb::new().await;
    let store = Store::open(&settings(&db.url)).unwrap();
    let insert = "insert into sends (id, recipient, locale, test_of, state, attempts)
        select gen_random_uuid(), 'bounce@simulator.amazonses.com', 'en', 'x (example)', 'bounced', 1
        from generate_series(1, 60)";
    sqlx::query(insert).execute(&db.pool).await.unwrap();
    assert_eq!(store.last_results(1_000).await.unwrap(), verifydesk::store::brake::Results::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn captured_mails_use_up_no_quota() {
    let db = TestDb::new().await;
    sqlx::query("update pace set daily_quota = 0").execute(&db.pool).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let machine = Program::new(&db.url)
        .set("VERIFYDESK_MAIL__FROM", "no-reply@example.org")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", dir.path().display().to_string());
    let run = machine.run(&["test-send", "verification", "--simulator", "success", "--fixture", "long-name"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("-- written into "), "{}", run.out);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(sends(&db.pool).await[0].2.as_deref(), Some("verification (long-name)"));
}

/// Makes the database refuse to record results.
async fn refuse_results(pool: &PgPool, how: &str) {
    let statement = format!(
        "create sequence refused;
        create function refuse() returns trigger language plpgsql as $$ begin {how} return new; end $$;
        create trigger refuse before update on sends for each row execute function refuse()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_test_is_reported_even_if_it_cannot_be_recorded() {
    let (db, server) = (TestDb::new().await, server());
    refuse_results(&db.pool, "raise exception 'the disk is full';").await;
    let run = machine(&db.url, &server).run(&TO);
    assert_eq!((run.code, server.mails().len()), (0, 1), "{}", run.err);
    let last = run.out.lines().last().unwrap();
    assert!(last.starts_with("accepted for dev@example.com: 250 Ok "), "{last}");
    assert!(last.contains("not recorded: ") && last.contains("the disk is full"), "{last}");

    // A moment's trouble is no trouble.
    let db = TestDb::new().await;
    let once = "if nextval('refused') = 1 then raise exception using errcode = '40001'; end if;";
    refuse_results(&db.pool, once).await;
    let run = machine(&db.url, &server).run(&TO);
    assert!(run.out.ends_with("recorded as a test)\n") && !run.out.contains("not recorded"), "{}", run.out);
    assert_eq!(sends(&db.pool).await[0].0, "accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_never_counted_uses_up_no_place() {
    let (db, server) = (TestDb::new().await, server());
    let wrong = SmtpServer::starttls().sign_in("user", "another").start();
    let refused = SmtpServer::starttls().sign_in("user", PASSWORD).fault("rcpt=reply:550 no").start();
    let store = Store::open(&settings(&db.url)).unwrap();
    let simulator = ["test-send", "verification", "--simulator", "success"];
    for (server, arguments, used) in
        [(&wrong, &TO[..], 0), (&server, &simulator[..], 0), (&server, &TO[..], 1), (&refused, &TO[..], 2)]
    {
        machine(&db.url, server).run(arguments);
        assert_eq!(store.pace().await.unwrap().used, used, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_any_worker_the_pace_is_the_settings() {
    let (db, server) = (TestDb::new().await, server());
    let machine = machine(&db.url, &server).set("VERIFYDESK_PACE__DAILY_QUOTA", "1");
    assert_eq!(machine.run(&TO).code, 0);
    let run = machine.run(&TO);
    assert!(run.code == 4 && run.err.contains("used up"), "{} {}", run.out, run.err);
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_without_a_moment_is_said_at_once() {
    let (db, server) = (TestDb::new().await, server());
    // A mail in a hundred seconds, and the last has just gone; a worker's, not this machine's.
    let slow = "update pace
        set limit_rate = 0.01, rate = 0.01, lowered_at = now(), next_at = now() + interval '90 seconds'";
    sqlx::query(slow).execute(&db.pool).await.unwrap();
    let run = machine(&db.url, &server).run(&TO);
    assert_eq!((run.code, server.mails().len()), (4, 0), "{}", run.err);
    assert!(
        run.err.contains("no send slot") && run.err.contains("try again") && !run.err.contains("resume"),
        "{}",
        run.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixture_with_a_long_name_is_cut_in_the_records() {
    let db = TestDb::new().await;
    let templates = tempfile::tempdir().unwrap();
    let place = templates.path().join("fixtures/verification");
    std::fs::create_dir_all(&place).unwrap();
    let long = "x".repeat(240);
    std::fs::write(place.join(format!("{long}.toml")), "title = \"Long\"\n").unwrap();
    let server = server();
    let machine = machine(&db.url, &server).set("VERIFYDESK_TEMPLATES__DIR", templates.path().display().to_string());
    let run = machine.run(&["test-send", "verification", "--to", "dev@example.com", "--fixture", &long]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(sends(&db.pool).await[0].2.as_ref().map(String::len), Some(200));
}
