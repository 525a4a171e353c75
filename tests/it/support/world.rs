//! The world of a test: a database of its own, the desk on it, and workers and mail servers where they are wanted.

mod rows;

use std::path::{Path, PathBuf};

use mail_parser::MessageParser;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings, Tls, TransportKind};
use verifydesk::desk::{Desk, LinkOutcome, Opener, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::Position;
use verifydesk::domain::send::{SendRow, SendState};
use verifydesk::domain::verification::{Status, VerificationDetail};
use verifydesk::outbox::worker::{Mode, Tally, Worker};
use verifydesk::store::{Error, Store};

use super::TestDb;
use super::tcp_proxy::TcpProxy;
use crate::mail_servers::{Authority, Counter, PATIENCE, SmtpServer, SmtpServerOptions};

pub use rows::{ID_OF, leave, make_key, rows_read_one_by_one};

pub const SECRET: &str = "a secret of the tests, 32 bytes and more";

pub struct World {
    pub db: TestDb,
    pub desk: Desk,
    pub settings: Settings,
    pub dir: tempfile::TempDir,
}

impl World {
    /// One whose mails are captured, should a worker be started.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
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
        // The pace has tests of its own.
        settings.pace.rate = Some(1_000.0);
        change(&mut settings);
        Self { desk: Desk::open(&settings).unwrap(), db, settings, dir }
    }

    /// One whose mails go to this server.
    pub async fn with_server(server: &SmtpServer) -> Self {
        Self::with(|settings| {
            mail_to(settings, server.port(), Tls::Starttls);
            settings.smtp.ca_file = Some(Authority::shared().ca_file());
            settings.smtp.username = Some("user".into());
            settings.smtp.password = Some(Secret::new("password"));
        })
        .await
    }

    /// The same, without encryption.
    pub async fn with_plain(server: &SmtpServer) -> Self {
        Self::with(|settings| mail_to(settings, server.port(), Tls::None)).await
    }

    /// One whose mails a server takes and counts.
    pub async fn with_counter(server: &Counter) -> Self {
        Self::with(|settings| mail_to(settings, server.port(), Tls::None)).await
    }

    /// One whose mails go to this API of SES's.
    #[cfg(feature = "aws")]
    pub async fn with_ses_api(endpoint: &str) -> Self {
        Self::with(|settings| {
            settings.mail.transport = TransportKind::Ses;
            settings.ses.endpoint = Some(endpoint.into());
            settings.ses.region = Some("eu-central-1".into());
            settings.ses.access_key_id = Some("AKIAIOSFODNN7EXAMPLE".into());
            settings.ses.secret_access_key = Some(Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
        })
        .await
    }

    /// Another desk on the same database, with connections of its own.
    pub fn another_desk(&self) -> Desk {
        Desk::open(&self.settings).unwrap()
    }

    pub fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub fn store(&self) -> &Store {
        self.desk.store()
    }

    /// A user whose mail waits.
    pub async fn sign_up(&self, email: &str) -> VerificationId {
        sign_up(&self.desk, &request(email)).await
    }

    pub fn worker(&self) -> Worker {
        worker(&self.settings)
    }

    /// Starts a worker beside the test.
    pub fn start(&self, mode: Mode) -> AtWork {
        AtWork::new(self.worker(), mode)
    }

    /// The settings of what reaches the database through a proxy.
    pub fn settings_behind(&self, proxy: &TcpProxy) -> Settings {
        Settings { database_url: Some(Secret::new(&proxy.url)), ..self.settings.clone() }
    }

    /// A worker behind a proxy.
    pub fn worker_behind(&self, proxy: &TcpProxy) -> Worker {
        worker(&self.settings_behind(proxy))
    }

    /// Starts one of those.
    pub fn start_behind(&self, proxy: &TcpProxy) -> AtWork {
        AtWork::new(self.worker_behind(proxy), Mode::Forever)
    }

    /// Works until nothing is due.
    pub async fn drain(&self) -> Tally {
        self.start(Mode::Drain).ended().await
    }

    /// Works until each mail was tried, and no longer.
    pub async fn try_once(&self) -> Tally {
        let start = chrono::Utc::now();
        let running = self.start(Mode::Drain);
        let is_tried = |send: &SendRow| send.changed_at > start && send.state != SendState::Sending;
        self.until(async || self.sends().await.iter().all(is_tried)).await;
        running.end().await
    }

    /// Waits for something to be so in the database; workers report every change.
    pub async fn until(&self, is_so: impl AsyncFn() -> bool) {
        let mut changes = self.store().listen().await.unwrap();
        while !is_so().await {
            tokio::time::timeout(PATIENCE, changes.next()).await.expect("it is so in time").unwrap();
        }
    }

    pub async fn sends(&self) -> Vec<SendRow> {
        self.store().sends(&Filter::default(), Position::Newest, 1000).await.unwrap().rows
    }

    pub async fn one_send(&self) -> SendRow {
        let mut sends = self.sends().await;
        assert_eq!(sends.len(), 1);
        sends.remove(0)
    }

    /// What the only worker reports.
    pub async fn last_error(&self) -> Option<String> {
        let workers = self.store().outbox().await.unwrap().workers;
        workers.into_iter().next().and_then(|worker| worker.last_error).map(|error| error.raw().to_owned())
    }

    pub async fn detail(&self, id: VerificationId) -> VerificationDetail {
        self.store().show(id).await.unwrap().unwrap()
    }

    pub async fn status(&self, id: VerificationId) -> Status {
        self.detail(id).await.verification.status(chrono::Utc::now())
    }

    /// Does these statements, past all rules of the desk.
    pub async fn execute(&self, statements: &str) {
        execute(self.pool(), statements).await;
    }

    /// The number that a query finds.
    pub async fn number(&self, query: &str) -> i64 {
        number(self.pool(), query).await
    }

    pub fn captured(&self) -> Vec<PathBuf> {
        captured_in(&self.dir.path().join("mail"))
    }

    /// The keys in the captured mails, oldest first.
    pub fn keys(&self) -> Vec<Key> {
        self.captured().iter().map(|file| key_in(file)).collect()
    }

    pub async fn open(&self, key: &Key) -> LinkOutcome {
        self.desk.open_link(key, Opener::Browser).await.unwrap()
    }
}

/// The mails in a directory of captured mails, oldest first. What is still being written there has another ending.
pub fn captured_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "eml"));
    files.sort();
    files
}

/// The key in a captured mail.
pub fn key_in(file: &Path) -> Key {
    key_in_bytes(&std::fs::read(file).unwrap())
}

/// The key in a mail.
pub fn key_in_bytes(mail: &[u8]) -> Key {
    let text = MessageParser::default().parse(mail).unwrap().body_text(0).unwrap().into_owned();
    let word = text.split_whitespace().find(|word| word.contains("?key=")).unwrap();
    Key::parse(word.split("key=").nth(1).unwrap()).unwrap()
}

pub async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(pool).await.unwrap();
}

pub async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

/// Has mails go to a server on this port.
pub fn mail_to(settings: &mut Settings, port: u16, tls: Tls) {
    settings.mail.transport = TransportKind::Smtp;
    settings.smtp.host = Some("127.0.0.1".into());
    settings.smtp.port = Some(port);
    settings.smtp.tls = tls;
}

pub fn request(email: &str) -> SignUp {
    SignUp { email: email.into(), name: "Mina".into(), locale: Locale::En }
}

/// Signs a user up where there is a desk, but no world of the test's own.
pub async fn sign_up(desk: &Desk, who: &SignUp) -> VerificationId {
    desk.sign_up(&operator(), who).await.unwrap().verification_id.unwrap()
}

pub fn worker(settings: &Settings) -> Worker {
    Worker::from_settings(Store::open(settings).unwrap(), settings).unwrap()
}

pub struct AtWork {
    pub task: JoinHandle<Result<Tally, Error>>,
    pub shutdown: CancellationToken,
}

impl AtWork {
    pub fn new(worker: Worker, mode: Mode) -> Self {
        let shutdown = CancellationToken::new();
        Self { task: tokio::spawn(worker.run(mode, shutdown.clone())), shutdown }
    }

    pub async fn ended(self) -> Tally {
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap()
    }

    pub async fn end(self) -> Tally {
        self.shutdown.cancel();
        self.ended().await
    }
}

pub fn operator() -> Actor {
    Actor::new("mina@desk", Origin::Console)
}

pub fn server() -> SmtpServerOptions {
    SmtpServer::starttls().sign_in("user", "password")
}

pub fn reason(send: &SendRow) -> &str {
    send.reason.as_ref().map_or("", |reason| reason.raw())
}
