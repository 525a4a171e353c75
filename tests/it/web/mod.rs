//! The verification view and the site's API, over real connections and a real database.

mod api;
mod clock;
mod greeting;
mod locked;
mod mangled;
mod once;
mod pages;
mod races;
mod seats;
mod serving;
mod ses_events;
mod together;
mod view;

use std::ops::Deref;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Confirm, Secret, Settings};
use verifydesk::desk::Desk;
use verifydesk::domain::key::Key;
use verifydesk::web;

use crate::support::until;
use crate::support::world::World;

const TOKEN: &str = "a token of the tests";

/// Settings of a site whose database this is.
fn settings(database_url: &str) -> Settings {
    let mut settings = Settings { database_url: Some(Secret::new(database_url)), ..Settings::default() };
    bookshop(&mut settings);
    settings
}

fn bookshop(settings: &mut Settings) {
    settings.site.name = "모아책방".into();
    settings.site.url = Some("https://books.example/".into());
    settings.serve.token = Some(Secret::new(TOKEN));
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
        Self::of(desk.clone(), web::Context::new(desk, settings)).await
    }

    async fn of(desk: Desk, context: web::Context) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serve = web::serve(listener, context, shutdown.clone());
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

/// A server, and the world that it works in.
struct Served {
    server: Server,
    world: World,
}

impl Served {
    async fn start() -> Self {
        Self::with(nothing).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let world = World::with(|settings| {
            bookshop(settings);
            change(settings);
        })
        .await;
        Self { server: Server::start(&world.settings).await, world }
    }
}

impl Deref for Served {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
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
