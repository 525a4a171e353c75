//! The verification view and the site's API, over real connections and a real database.

mod api;
mod clock;
mod locked;
mod mangled;
mod pages;
mod races;
mod seats;
mod serving;
mod together;
mod view;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Confirm, Secret, Settings};
use verifydesk::desk::{Desk, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::store::outbox::keys::set_keys;
use verifydesk::store::verifications;
use verifydesk::web;

use crate::support::TestDb;

const SECRET: &[u8] = b"a secret of the tests, 32 bytes and more";
const TOKEN: &str = "a token of the tests";

/// Settings of a site whose database this is.
fn settings(database_url: &str) -> Settings {
    let mut settings = Settings { database_url: Some(Secret::new(database_url)), ..Settings::default() };
    settings.site.name = "모아책방".into();
    settings.site.url = Some("https://books.example/".into());
    settings.serve.token = Some(Secret::new(TOKEN));
    settings
}

fn button(settings: &mut Settings) {
    settings.verification.confirm = Confirm::Button;
}

fn nothing(_: &mut Settings) {}

/// A server on a free port.
struct Server {
    desk: Desk,
    url: String,
    client: Client,
    shutdown: CancellationToken,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(settings: &Settings) -> Self {
        let desk = Desk::open_to_strangers(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serve = web::serve(listener, web::Context::new(desk.clone(), settings), shutdown.clone());
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { desk, url, client, shutdown, ended: tokio::spawn(serve) }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, key: &Key) -> Answer {
        Answer::of(self.request(Method::POST, path).form(&[("key", key.expose())])).await
    }
}

/// A server, and the database it works on.
struct Site {
    server: Server,
    db: TestDb,
}

impl Site {
    async fn start() -> Self {
        Self::with(nothing).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let db = TestDb::new().await;
        let mut settings = settings(&db.url);
        change(&mut settings);
        Self { server: Server::start(&settings).await, db }
    }

    /// A user whose mail went out some time ago.
    async fn mailed(&self, email: &str, locale: Locale) -> (VerificationId, Key) {
        self.mailed_to(SignUp { email: email.into(), name: "Mina".into(), locale }).await
    }

    async fn mailed_to(&self, who: SignUp) -> (VerificationId, Key) {
        let done = self.server.desk.sign_up(&Actor::new("test", Origin::Cli), &who).await.unwrap();
        let id = done.verification_id.unwrap();
        let mut connection = self.db.pool.acquire().await.unwrap();
        let material = verifications::key_material(&mut connection, id).await.unwrap().unwrap();
        let key = Key::derive(SECRET, id, &material.nonce);
        set_keys(&mut connection, &[(id, key.digest())], Duration::from_hours(72)).await.unwrap();
        self.run(
            "update sends set state = 'accepted', queued_at = queued_at - interval '1 hour' where verification_id = $1",
            id,
        )
        .await;
        (id, key)
    }

    async fn expire(&self, id: VerificationId) {
        self.run(
            "update verifications
            set created_at = created_at - interval '9 days', expires_at = now() - interval '1 day'
            where id = $1",
            id,
        )
        .await;
    }

    async fn revoke(&self, id: VerificationId) {
        self.run("update verifications set revoked_at = now() where id = $1", id).await;
    }

    async fn run(&self, statement: &'static str, id: VerificationId) {
        sqlx::query(statement).bind(id.0).execute(&self.db.pool).await.unwrap();
    }

    /// All that an opened link could change.
    async fn traces(&self) -> String {
        traces(&self.db.pool).await
    }

    /// The audit log's outcomes of one action, in order.
    async fn outcomes(&self, action: &str) -> Vec<String> {
        sqlx::query_scalar("select outcome from audit_log where action = $1 order by id")
            .bind(action)
            .fetch_all(&self.db.pool)
            .await
            .unwrap()
    }
}

async fn traces(pool: &PgPool) -> String {
    sqlx::query_scalar(
        "select concat(
            (select json_agg(u order by id) from users u),
            (select json_agg(v order by id) from verifications v),
            (select json_agg(s order by id) from sends s),
            (select json_agg(a order by id) from audit_log a))",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn heading(&self) -> &str {
        let (_, rest) = self.body.split_once("<h1>").unwrap_or_else(|| panic!("no heading: {}", self.body));
        rest.split_once("</h1>").unwrap().0
    }
}

fn link(key: &Key) -> String {
    format!("/verify/?key={}", key.expose())
}

/// Waits for a condition, not for long.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
