//! The whole loop through the program itself, with a mail server that this project did not write.

use mail_parser::MessageParser;

use crate::mail_servers::{Authority, SmtpServer};
use crate::support::world::execute;
use crate::support::{Program, Running, TestDb, address_in};

const USER: &str = "mailer";
const PASSWORD: &str = "a password of the tests";
const SECRET: &str = "a secret of the tests, 32 bytes and more";

fn serve(db: &TestDb) -> (Running, String) {
    let program = Program::new(&db.url);
    let (view, line) = program.start(&["serve", "--listen", "127.0.0.1:0"], "listening");
    let address = address_in(&line).to_owned();
    (view, format!("http://{address}"))
}

fn site(db: &TestDb, server: &SmtpServer, public_url: &str) -> Program {
    Program::new(&db.url)
        .set("VERIFYDESK_PUBLIC_URL", public_url)
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_SMTP__HOST", "127.0.0.1")
        .set("VERIFYDESK_SMTP__PORT", server.port().to_string())
        .set("VERIFYDESK_SMTP__CA_FILE", Authority::shared().ca_file().display().to_string())
        .set("VERIFYDESK_SMTP__USERNAME", USER)
        .set("VERIFYDESK_SMTP__PASSWORD", PASSWORD)
        // Keys that are there for other reasons.
        .set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", "some+secret+key")
        .set("AWS_SES_REGION_NAME", "eu-central-1")
}

fn link_in(mail: &[u8]) -> String {
    let message = MessageParser::default().parse(mail).unwrap();
    let text = message.body_text(0).unwrap().into_owned();
    let link = text.split_whitespace().find(|word| word.contains("/verify/?key=")).unwrap().to_owned();
    assert!(message.body_html(0).unwrap().contains(&link), "both parts carry the same link");
    link
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sign_up_to_verified() {
    let db = TestDb::new().await;
    let server = SmtpServer::starttls().sign_in(USER, PASSWORD).start();
    let (_view, public_url) = serve(&db);
    let site = site(&db, &server, &public_url);

    let signed_up = site.run(&["signup", "mina@example.com", "--name", "김민아", "--json"]);
    assert_eq!((signed_up.code, signed_up.err.as_str()), (0, ""));
    let id = signed_up.json()[0]["verification_id"].to_string();
    assert_eq!(site.run(&["list", "--json"]).json()[0]["status"], "pending");

    let drained = site.run(&["worker", "--drain"]);
    assert_eq!(
        (drained.code, drained.out.trim()),
        (0, "sent 1, failed 0, deferred 0, cancelled 0, unknown 0"),
        "{}",
        drained.err
    );
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let link = link_in(&mails[0]);
    assert!(link.starts_with(&public_url));

    let page = reqwest::get(&link).await.unwrap();
    assert_eq!(page.status(), 200);
    let rows = site.run(&["list", "--json"]).json();
    assert_eq!((rows.len(), &rows[0]["status"]), (1, &"verified".into()));
    assert!(rows[0]["verified_at"].is_string());

    let shown = &site.run(&["show", &id, "--json"]).json()[0];
    assert_eq!(shown["sends"][0]["state"], "accepted");
    assert!(shown["sends"][0]["reply"].as_str().unwrap().starts_with("250 "));
    let key = link.split("key=").nth(1).unwrap();
    for run in [drained, site.run(&["show", &id, "--json"]), site.run(&["sends", "--json"]), site.run(&["show", &id])] {
        assert!(!run.out.contains(key) && !run.err.contains(key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_the_database_verifies_no_one() {
    let db = TestDb::new().await;
    // Content filters quote what they dislike: to one mail for good, to one also at its second try.
    let [blocked, looking] = ["reply:554 5.7.1 Blocked: {link}", "reply:451 4.7.1 Looking at <{link}>, come back"];
    let server = [blocked, looking, "pass", "pass", "pass", looking]
        .into_iter()
        .fold(SmtpServer::starttls(), |server, fault| server.fault(&format!("end={fault}")))
        .sign_in(USER, PASSWORD)
        .start();
    let site = site(&db, &server, "https://example.org");
    for n in 0..5 {
        assert_eq!(site.run(&["signup", &format!("mina{n}@example.com")]).code, 0);
    }
    let drained = site.run(&["worker", "--drain"]);
    assert_eq!(
        (drained.code, drained.out.trim()),
        (1, "sent 3, failed 1, deferred 1, cancelled 0, unknown 0"),
        "{}",
        drained.err
    );
    let mailed = server.mails().iter().map(|mail| link_in(mail)).collect::<Vec<_>>();
    let quoted = server.reports().iter().filter_map(|report| report["link"].as_str().map(ToOwned::to_owned)).collect();
    let mut keys: Vec<String> =
        [mailed, quoted].concat().iter().map(|link| link.split("key=").nth(1).unwrap().to_owned()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5);
    let sends = site.run(&["sends", "--json"]);
    for shown in [&drained.err, &sends.out] {
        assert!(shown.contains("5.7.1 Blocked: ") && shown.contains("4.7.1 Looking at "), "{shown}");
        assert!(!keys.iter().any(|key| shown.contains(key)), "{shown}");
    }
    let dump = crate::support::pg_dump(&db.url);
    assert!(dump.contains("mina0@example.com"), "the dump has the data");
    assert!(dump.contains("5.7.1 Blocked: ") && dump.contains("4.7.1 Looking at "), "the dump has the replies");
    assert!(dump.match_indices("key=").all(|(at, _)| dump[at..].starts_with("key=…")));
    for key in keys {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&key).unwrap();
        let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert!(!dump.contains(&key) && !dump.contains(&hex));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_the_thing_and_what_to_do() {
    let db = TestDb::new().await;
    let server = SmtpServer::starttls().sign_in(USER, "another password").start();
    let program = site(&db, &server, "https://example.org");
    program.run(&["signup", "mina@example.com"]);
    let wrong_password = program.run(&["worker", "--drain"]);
    assert_eq!(wrong_password.code, 1, "{}", wrong_password.err);
    assert!(
        wrong_password.err.contains("error: the worker stopped: the SMTP user or password is wrong"),
        "{}",
        wrong_password.err
    );
    let waiting = &program.run(&["sends", "--json"]).json()[0];
    assert_eq!((&waiting["state"], &waiting["attempts"]), (&"queued".into(), &0.into()), "nothing is lost");

    let table: [(Program, &[&str], i32, &str); 13] = [
        (Program::new(&db.url), &["resend", "--search", "", "--yes"], 2, "it needs a letter or a digit"),
        (Program::new("postgres://127.0.0.1:1/x"), &["list"], 1, "error: the database does not answer"),
        (Program::new("nonsense://x:hunter2@y"), &["list"], 2, "error: the database URL is not one"),
        (Program::new(&db.url.replace("/test_", "/no_such_")), &["list"], 1, "error: there is no such database"),
        (Program::new(&db.url), &["show", "999"], 3, "error: there is no verification 999"),
        (Program::new(&db.url), &["verify", "1", "--reason", " "], 4, "error: a force-verify needs a reason"),
        (Program::new(&db.url), &["signup", "nobody"], 2, "is not an address to sign up"),
        (Program::new(&db.url), &["resend", "1"], 4, "cool-down"),
        (Program::new(&db.url), &["resend"], 2, "error: no verification to resend is named"),
        (Program::new(&db.url), &["worker"], 2, "error: no server secret is set"),
        (Program::new(&db.url), &[], 2, "error: the console needs a terminal"),
        (
            Program::new(&db.url).set("VERIFYDESK_SMPT__HOST", "x"),
            &["list"],
            2,
            "VERIFYDESK_SMPT__HOST: unknown field `smpt`",
        ),
        (Program::new(&db.url), &["render", "welcome", "--part", "text"], 3, "error: there is no template welcome"),
    ];
    for (program, arguments, code, message) in table {
        let run = program.run(arguments);
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(message), "{arguments:?}: {}", run.err);
        assert!(run.err.lines().count() >= 2 && !run.err.contains("panicked"), "{arguments:?}: {}", run.err);
        assert!(!run.err.contains("hunter2"));
    }
}

#[test]
fn arguments_are_not_repeated_to_the_terminal_as_they_came() {
    let program = Program::new("postgres://127.0.0.1:1/x");
    let table: [&[&str]; 4] = [
        &["list", "--status", "\u{1b}]0;pwn\u{7}\u{202e}"],
        &["show", "\u{1b}[31mx"],
        &["\u{9b}31m\u{1b}[2J"],
        &["list", "--\u{1b}[31m\rno-such-flag"],
    ];
    for arguments in table {
        let run = program.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.starts_with("error: ") && run.err.contains("--help"), "{:?}", run.err);
        assert!(!run.err.contains(|c: char| c != '\n' && c.is_control()), "{:?}", run.err);
        assert!(!run.err.contains('\u{202e}'), "{:?}", run.err);
    }
    let help = program.run(&["list", "--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains("--status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_cannot_work_says_why_at_its_start() {
    let db = TestDb::new().await;
    let templates = tempfile::tempdir().unwrap();
    let html = templates.path().join("ko/verification/body.html");
    std::fs::create_dir_all(html.parent().unwrap()).unwrap();
    let capture = || {
        Program::new(&db.url)
            .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
            .set("VERIFYDESK_SECRET", SECRET)
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
    };
    let dir = templates.path().display().to_string();
    for (template, message) in [
        ("<p>{{ link }</p>", "body.html, line 1, column"),
        ("<p>{{ nmae }}</p>", "`nmae`"),
        ("{% if name %}<p>", "body.html, line 1, column"),
    ] {
        std::fs::write(&html, template).unwrap();
        let program =
            capture().set("VERIFYDESK_CAPTURE__DIR", dir.clone() + "/mail").set("VERIFYDESK_TEMPLATES__DIR", &dir);
        for arguments in [&["worker", "--drain"][..], &["render", "verification", "--part", "text"]] {
            let run = program.run(arguments);
            assert_eq!((run.code, run.out.as_str()), (2, ""), "{template}: {}", run.err);
            assert!(run.err.starts_with("error: template ") && run.err.contains(message), "{template}: {}", run.err);
        }
    }
    let unwritable = capture().set("VERIFYDESK_CAPTURE__DIR", "/dev/null/mail").run(&["worker", "--drain"]);
    assert_eq!(unwritable.code, 2);
    assert!(unwritable.err.contains("/dev/null/mail"), "{}", unwritable.err);
    let clear_text =
        capture().set("VERIFYDESK_MAIL__TRANSPORT", "smtp").set("VERIFYDESK_SMTP__HOST", "mail.example.org");
    let clear_text = clear_text.set("VERIFYDESK_SMTP__TLS", "none").run(&["worker", "--drain"]);
    assert_eq!(clear_text.code, 2);
    assert!(clear_text.err.contains("`smtp.tls` is \"none\""), "{}", clear_text.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_recognised_and_migrated() {
    let db = TestDb::new().await;
    sqlx::raw_sql("drop schema public cascade; create schema public").execute(&db.pool).await.unwrap();
    let program = Program::new(&db.url);
    let run = program.run(&["list"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("not prepared for this version") && run.err.contains("verifydesk migrate"), "{}", run.err);
    assert!(program.run(&["migrate"]).out.starts_with("applied "));
    assert!(program.run(&["migrate"]).out.contains("already"));
    assert_eq!(program.run(&["list", "--json"]).code, 0);
    // Beside a newer schema it goes on, until that needs a newer program.
    execute(&db.pool, "insert into _sqlx_migrations select 9999, 'later', now(), true, '', 0").await;
    let beside = program.run(&["list", "--json"]);
    assert_eq!(beside.code, 0, "{}", beside.err);
    execute(&db.pool, "update schema_floor set version = 9999").await;
    for command in ["list", "queue"] {
        let newer = program.run(&[command]);
        assert_eq!(newer.code, 1, "{command}: {}", newer.err);
        assert!(newer.err.contains("newer verifydesk"), "{command}: {}", newer.err);
    }
    let migrated = program.run(&["migrate"]);
    assert!(migrated.code == 1 && migrated.err.contains("newer verifydesk"), "{}", migrated.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_may_look_and_plan() {
    let db = TestDb::new().await;
    let office = Program::new(&db.url);
    let signed_up = office.run(&["signup", "mina@example.com", "--json"]);
    let id = signed_up.json()[0]["verification_id"].to_string();
    sqlx::query("update sends set queued_at = now() - interval '1 hour'").execute(&db.pool).await.unwrap();
    for option in ["default_transaction_read_only=on", "role=pg_read_all_data"] {
        let reader = Program::new(&db.url_with(option));
        assert_eq!(reader.run(&["list", "--json"]).json().len(), 1, "{option}");
        let planned = reader.run(&["resend", &id, "--dry-run"]);
        assert_eq!(planned.code, 0, "{option}: {}", planned.err);
        for act in
            [&["resend", &id][..], &["signup", "jun@example.com"], &["verify", &id, "--reason", "they called the desk"]]
        {
            let refused = reader.run(act);
            assert_eq!(refused.code, 4, "{option}: {act:?}: {}", refused.err);
            assert!(refused.err.contains("may only read"), "{}", refused.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_nothing_is_not_for_everyone() {
    let db = TestDb::new().await;
    let office = Program::new(&db.url);
    office.run(&["signup", "mina@example.com"]);
    for text in ["", " ", "%", "@."] {
        for command in
            [&["list", "--search", text][..], &["sends", "--search", text], &["resend", "--yes", "--search", text]]
        {
            let refused = office.run(command);
            assert_eq!(refused.code, 2, "{command:?}: {}{}", refused.out, refused.err);
        }
    }
    for (text, remarks) in [("mi", true), ("min", false)] {
        for command in ["list", "sends"] {
            let found = office.run(&[command, "--search", text]);
            assert!(found.out.contains("mina@example.com"), "{command} {text}: {}", found.err);
            assert_eq!(found.err.contains("at the beginning only"), remarks, "{command} {text}: {}", found.err);
            assert_eq!(office.run(&[command, "--search", text, "--json"]).err, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_who_may_have_been_meant() {
    let db = TestDb::new().await;
    let office = Program::new(&db.url);
    office.run(&["signup", "mina.kim@example.com"]);
    let found = office.run(&["list", "--search", "Kim Mina <Mina.Kim@Example.com>", "--json"]);
    assert_eq!((found.json()[0]["email"].as_str(), found.err.as_str()), (Some("mina.kim@example.com"), ""));
    for text in ["<mina.kmi@example.com>", "mina.kim@example.net", "minakim"] {
        let missed = office.run(&["list", "--search", text]);
        let remarks = "did you mean mina.kim@example.com?\nno verification matches\n";
        assert_eq!((missed.code, missed.out.as_str(), missed.err.as_str()), (0, "", remarks), "{text}");
        let missed = office.run(&["list", "--search", text, "--json"]);
        assert_eq!((missed.code, missed.out.as_str()), (0, ""), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_stops_no_act() {
    let db = TestDb::new().await;
    let program = Program::new(&db.url);
    let ids: Vec<String> = (0..5)
        .map(|n| {
            let signed_up = program.run(&["signup", &format!("mina{n}@example.com"), "--json"]).json();
            signed_up[0]["verification_id"].to_string()
        })
        .collect();
    sqlx::query("update sends set state = 'failed', reason = 'lost', queued_at = now() - interval '2 minutes'")
        .execute(&db.pool)
        .await
        .unwrap();
    // No one reads its lines or its complaints.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut arguments = vec!["resend", "999"];
    arguments.extend(ids.iter().map(String::as_str));
    let mut command = program.command(&arguments);
    let code = command.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap().code();
    assert_eq!(code, Some(3), "one of them is not there");
    let queued: i64 =
        sqlx::query_scalar("select count(*) from sends where state = 'queued'").fetch_one(&db.pool).await.unwrap();
    assert_eq!(queued, 5);
}
