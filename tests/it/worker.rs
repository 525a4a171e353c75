//! The outbox and its worker.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use mail_parser::MessageParser;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use verifydesk::config::{Secret, Settings, Tls, TransportKind};
use verifydesk::desk::{Desk, LinkOutcome, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::filter::SendFilter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::Position;
use verifydesk::domain::send::{Priority, SendRow, SendState};
use verifydesk::domain::verification::Status;
use verifydesk::outbox::worker::{Mode, Tally, Worker};
use verifydesk::store::Store;

use crate::peers::{Authority, PATIENCE, SmtpServer, SmtpServerOptions};
use crate::support::TestDb;

const SECRET: &str = "a secret of the tests, 32 bytes and more";

struct Site {
    db: TestDb,
    desk: Desk,
    settings: Settings,
    dir: tempfile::TempDir,
}

impl Site {
    /// One whose mails are captured.
    async fn new() -> Self {
        let db = TestDb::new().await;
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            database_url: Some(Secret::new(&db.url)),
            public_url: Some("https://example.org".into()),
            secret: Some(Secret::new(SECRET)),
            ..Settings::default()
        };
        settings.mail.from = Some("Example <no-reply@example.org>".into());
        settings.mail.transport = TransportKind::Capture;
        settings.capture.dir = Some(dir.path().join("mail"));
        Self { desk: Desk::open(&settings).unwrap(), db, settings, dir }
    }

    /// One whose mails go to this server.
    async fn with_server(server: &SmtpServer) -> Self {
        let mut site = Self::new().await;
        site.settings.mail.transport = TransportKind::Smtp;
        site.settings.smtp.host = Some("127.0.0.1".into());
        site.settings.smtp.port = Some(server.port());
        site.settings.smtp.tls = Tls::Starttls;
        site.settings.smtp.ca_file = Some(Authority::shared().ca_file());
        site.settings.smtp.username = Some("user".into());
        site.settings.smtp.password = Some(Secret::new("password"));
        site
    }

    fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    fn store(&self) -> &Store {
        self.desk.store()
    }

    async fn sign_up(&self, email: &str) -> VerificationId {
        let request = SignUp { email: email.into(), name: "Mina".into(), locale: Locale::En };
        self.desk.sign_up(&operator(), &request).await.unwrap().verification_id.unwrap()
    }

    /// Works until nothing is due.
    async fn drain(&self) -> Tally {
        let worker = Worker::from_settings(Store::open(&self.settings).unwrap(), &self.settings).unwrap();
        tokio::time::timeout(PATIENCE, worker.run(Mode::Drain, CancellationToken::new())).await.unwrap().unwrap()
    }

    async fn sends(&self) -> Vec<SendRow> {
        self.store().sends(&SendFilter::default(), Position::Newest, 1000).await.unwrap().rows
    }

    async fn one_send(&self) -> SendRow {
        let mut sends = self.sends().await;
        assert_eq!(sends.len(), 1);
        sends.remove(0)
    }

    async fn status(&self, id: VerificationId) -> Status {
        self.store().show(id).await.unwrap().unwrap().verification.status(chrono::Utc::now())
    }

    async fn execute(&self, statement: &'static str) {
        sqlx::query(statement).execute(self.pool()).await.unwrap();
    }

    fn captured(&self) -> Vec<std::path::PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.dir.path().join("mail")) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The keys in the captured mails, oldest first.
    fn keys(&self) -> Vec<Key> {
        let key = |file| {
            let mail = std::fs::read(file).unwrap();
            let text = MessageParser::default().parse(&mail).unwrap().body_text(0).unwrap().into_owned();
            let word = text.split_whitespace().find(|word| word.contains("?key=")).unwrap();
            Key::parse(word.split("key=").nth(1).unwrap()).unwrap()
        };
        self.captured().into_iter().map(key).collect()
    }

    async fn open(&self, key: &Key) -> LinkOutcome {
        self.desk.open_link(&Actor::new("link", Origin::Web), key).await.unwrap()
    }
}

fn operator() -> Actor {
    Actor::new("mina@desk", Origin::Console)
}

fn server() -> SmtpServerOptions {
    SmtpServer::starttls().sign_in("user", "password")
}

fn reason(send: &SendRow) -> &str {
    send.reason.as_ref().map_or("", |reason| reason.raw())
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_a_mail_that_only_its_owner_can_read() {
    let site = Site::new().await;
    let id = site.sign_up("mina@example.com").await;
    assert_eq!(site.drain().await, Tally { sent: 1, ..Tally::default() });
    let files = site.captured();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(files[0].parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let send = site.one_send().await;
    assert_eq!((send.state, send.attempts), (SendState::Accepted, 1));
    assert!(send.ses_id.is_some() && send.reply.unwrap().raw().starts_with("250 "));
    let detail = site.store().show(id).await.unwrap().unwrap();
    assert_eq!(detail.verification.key_fingerprint.unwrap(), site.keys()[0].digest().fingerprint());
    assert_eq!(site.open(&site.keys()[0]).await, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_from_its_mailing_on() {
    let site = Site::new().await;
    let id = site.sign_up("mina@example.com").await;
    // The worker was away for longer than a key lives.
    site.execute(
        "update verifications set created_at = now() - interval '9 days', expires_at = now() - interval '6 days'",
    )
    .await;
    assert_eq!(site.status(id).await, Status::Expired);
    site.drain().await;
    assert_eq!(site.status(id).await, Status::Pending);
    let left = site.store().show(id).await.unwrap().unwrap().verification.expires_at - chrono::Utc::now();
    assert!(left > chrono::Duration::hours(71));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_link_is_mailed_again() {
    let site = Site::new().await;
    let id = site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), id, Priority::Person).await.unwrap();
    site.drain().await;
    let keys = site.keys();
    assert_eq!(keys.len(), 2);
    assert!(keys[0] == keys[1], "both mails carry the same link");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_wanted_is_cancelled_with_the_reason() {
    let site = Site::new().await;
    for n in 0..3 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    // By other hands than the desk's: its acts cancel what waits themselves.
    site.execute("update users set verified_at = now() where email = 'mina0@example.com'").await;
    site.execute("update verifications set revoked_at = now() where user_id = (select id from users where email = 'mina1@example.com')").await;
    site.execute("delete from users where email = 'mina2@example.com'").await;
    assert_eq!(site.drain().await, Tally { cancelled: 2, ..Tally::default() });
    let mut told: Vec<(SendState, String)> =
        site.sends().await.iter().map(|s| (s.state, reason(s).to_owned())).collect();
    told.sort();
    let expected = ["the user is verified already", "the user was deleted", "the verification was revoked"];
    assert_eq!(told, expected.map(|reason| (SendState::Cancelled, reason.to_owned())));
    assert!(site.captured().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_breaks_no_link_silently() {
    let mut site = Site::new().await;
    let old = site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), old, Priority::Person).await.unwrap();
    site.settings.secret = Some(Secret::new("another secret of the tests, also 32 bytes"));
    assert_eq!(site.drain().await.sent, 1);
    let keys = site.keys();
    assert_eq!(site.status(old).await, Status::Revoked);
    assert_eq!(site.open(&keys[0]).await, LinkOutcome::Revoked { locale: Locale::En });
    assert_eq!(site.open(&keys[1]).await, LinkOutcome::Verified { locale: Locale::En, now: true });
    assert_eq!(site.open(&keys[0]).await, LinkOutcome::Verified { locale: Locale::En, now: false });
    let audit = site.store().show(old).await.unwrap().unwrap().audit;
    assert!(audit.iter().any(|e| e.action.raw() == "supersede" && e.reason.as_ref().unwrap().raw().contains("secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_go_before_bulk_and_the_longest_due_first() {
    let site = Site::new().await;
    for n in 0..6 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    site.execute("update sends set priority = 10 where recipient < 'mina3'").await;
    site.execute("update sends set due_at = now() - interval '1 hour' where recipient ~ '[1-4]@'").await;
    site.execute("update sends set due_at = due_at - interval '1 hour' where recipient ~ '[24]@'").await;
    let claimed = site.store().claim(Uuid::now_v7(), 10, Duration::from_mins(1)).await.unwrap();
    let sends = site.sends().await;
    let order: Vec<&str> = claimed
        .iter()
        .map(|one| sends.iter().find(|send| send.id == one.id).unwrap().recipient.raw().split('@').next().unwrap())
        .collect();
    assert_eq!(order, ["mina4", "mina3", "mina5", "mina2", "mina1", "mina0"]);
    let again = site.store().claim(Uuid::now_v7(), 10, Duration::from_mins(1)).await.unwrap();
    assert!(again.is_empty(), "what one worker holds no other claims");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_send_each_mail_once() {
    let site = Site::new().await;
    for n in 0..60 {
        site.sign_up(&format!("mina{n}@example.com")).await;
    }
    let (a, b) = tokio::join!(site.drain(), site.drain());
    assert_eq!(a.sent + b.sent, 60);
    assert_eq!(site.captured().len(), 60);
    assert!(site.sends().await.iter().all(|send| send.state == SendState::Accepted && send.attempts == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_s_mail_is_unknown_not_doubled() {
    let site = Site::new().await;
    site.sign_up("mina@example.com").await;
    site.execute(
        "update sends set state = 'sending', lease_by = gen_random_uuid(), lease_until = now() - interval '1 second'",
    )
    .await;
    site.drain().await;
    let send = site.one_send().await;
    assert_eq!(send.state, SendState::Unknown);
    assert!(reason(&send).contains("may or may not"));
    assert!(site.captured().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_worker_s_claim_is_taken_over() {
    let site = Site::new().await;
    site.sign_up("mina@example.com").await;
    let dead = site.store().claim(Uuid::now_v7(), 1, Duration::ZERO).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(site.drain().await.sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lead_where_they_should() {
    use SendState::{Failed, Queued, Unknown};
    struct Case {
        fault: &'static str,
        state: SendState,
        attempts: i16,
        stops: bool,
        says: &'static str,
    }
    let case = |fault, state, attempts, stops, says| Case { fault, state, attempts, stops, says };
    let cases = [
        case("rcpt=reply:451 Temporary service failure", Queued, 1, false, "SES has trouble of its own"),
        case("rcpt=reply:550 5.1.1 no such user", Failed, 1, false, "no such user"),
        case("rcpt=reply:553 <mina@example.com> address unknown", Failed, 1, false, "address"),
        case(
            "end=reply:454 Throttling failure: Maximum sending rate exceeded",
            Queued,
            0,
            false,
            "more mails a second",
        ),
        case("end=reply:454 Throttling failure: Daily message quota exceeded", Queued, 0, true, "24 hours are used up"),
        case(
            "end=reply:554 Transaction failed: Duplicate header 'From'",
            Failed,
            1,
            false,
            "refuses the mail as it is made",
        ),
        case(
            "end=reply:554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: no-reply@example.org",
            Queued,
            0,
            true,
            "has not verified the sender",
        ),
        case(
            "end=reply:554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: mina@example.com",
            Failed,
            1,
            false,
            "sandbox",
        ),
        case("auth=reply:535 Authentication Credentials Invalid", Queued, 0, true, "user or password is wrong"),
        case("rcpt=drop", Queued, 1, false, "tried again"),
        case("end=drop", Unknown, 1, false, "may or may not"),
        case("end=store-drop", Unknown, 1, false, "may or may not"),
        case("greeting=each-drop", Queued, 0, false, "tried again"),
    ];
    for Case { fault, state, attempts, stops, says } in cases {
        let server = server().fault(fault).start();
        let site = Site::with_server(&server).await;
        site.sign_up("mina@example.com").await;
        let tally = site.drain().await;
        let send = site.one_send().await;
        assert_eq!((send.state, send.attempts), (state, attempts), "{fault}: {}", reason(&send));
        assert!(reason(&send).contains(says), "{fault}: {}", reason(&send));
        assert_eq!(tally.stopped_by.is_some(), stops, "{fault}: {tally:?}");
        if let Some(verbatim) = fault.split_once("reply:") {
            assert_eq!(send.reply.as_ref().unwrap().raw(), verbatim.1, "the whole reply is kept");
        }
        if state == Queued {
            assert!(send.due_at > chrono::Utc::now() - chrono::Duration::seconds(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_run_out() {
    let server = server().fault("rcpt=each-reply:451 not now").start();
    let mut site = Site::with_server(&server).await;
    site.settings.worker.attempts = 3;
    site.sign_up("mina@example.com").await;
    for attempt in 1..=3 {
        site.drain().await;
        assert_eq!(site.one_send().await.attempts, attempt);
        site.execute("update sends set due_at = now()").await;
    }
    let send = site.one_send().await;
    assert_eq!(send.state, SendState::Failed);
    assert!(reason(&send).starts_with("given up after 3 attempts"), "{}", reason(&send));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_reply_harms_nobody() {
    let server = server().fault("rcpt=reply:550 \x1b]0;pwn\x07 {{ 7 }} <script> \u{202e}x").start();
    let site = Site::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    site.drain().await;
    let send = site.one_send().await;
    assert_eq!(send.state, SendState::Failed);
    for shown in [send.reply.unwrap().plain(), send.reason.unwrap().plain()] {
        assert!(!shown.as_str().chars().any(char::is_control) && !shown.as_str().contains('\u{202e}'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_hears_of_a_sign_up_and_ends_when_told() {
    let site = Site::new().await;
    let worker = Worker::from_settings(Store::open(&site.settings).unwrap(), &site.settings).unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(Mode::Forever, shutdown.clone()));
    let mut changes = site.store().listen().await.unwrap();
    while !site.store().outbox().await.unwrap().is_worked() {
        tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap();
    }
    site.sign_up("mina@example.com").await;
    while site.one_send().await.state != SendState::Accepted {
        tokio::time::timeout(PATIENCE, changes.next()).await.unwrap().unwrap();
    }
    shutdown.cancel();
    let tally = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(tally.sent, 1);
    let outbox = site.store().outbox().await.unwrap();
    assert!(!outbox.is_worked());
    assert_eq!((outbox.workers.len(), outbox.workers[0].sent), (1, 1));
}
