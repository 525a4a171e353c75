//! What the page's addresses answer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::frame;
use super::guard::{Door, guard};
use super::source::{EXAMPLE, Source};
use crate::domain::locale::Locale;
use crate::preview::cell_layout::Note;
use crate::preview::layout::lay_out;
use crate::preview::proof::TemplateIndex;
use crate::preview::render_pool::{Missed, RENDER_MAX, RenderPool};
use crate::preview::view::{CELL_HEIGHT, Scheme, View, Width};
use crate::text::plain;

const PAGE: &str = include_str!("../../../assets/preview/page.html");
const SCRIPT: &str = include_str!("../../../assets/preview/page.js");
const STYLE: &str = include_str!("../../../assets/preview/page.css");

/// What every request needs. Cheap to clone.
#[derive(Clone)]
struct Context {
    source: Arc<dyn Source>,
    changes: watch::Receiver<u64>,
    renderings: RenderPool,
    shutdown: CancellationToken,
}

pub(super) fn router(
    source: Arc<dyn Source>,
    changes: watch::Receiver<u64>,
    door: Door,
    shutdown: CancellationToken,
) -> Router {
    let renderings = RenderPool::default();
    let as_type = |kind: &'static str, text: &'static str| get(async move || ([(CONTENT_TYPE, kind)], text));
    Router::new()
        .route("/{token}/", get(async || Html(PAGE)))
        .route("/{token}/page.js", as_type("text/javascript; charset=utf-8", SCRIPT))
        .route("/{token}/page.css", as_type("text/css; charset=utf-8", STYLE))
        .route("/{token}/stock", get(index))
        .route("/{token}/about", get(about))
        .route("/{token}/mail", get(mail))
        .route("/{token}/events", get(events))
        .layer(from_fn_with_state(door, guard))
        .with_state(Context { source, changes, renderings, shutdown })
}

/// Which mail, shown how.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    template: String,
    locale: Locale,
    fixture: String,
    width: u16,
    scheme: String,
    images: bool,
    styles: bool,
    outlook: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            template: String::new(),
            locale: Locale::default(),
            fixture: EXAMPLE.to_owned(),
            width: Width::default().pixels(),
            scheme: "light".to_owned(),
            images: true,
            styles: true,
            outlook: false,
        }
    }
}

impl Asked {
    fn view(&self) -> View {
        View {
            width: Width::ALL.into_iter().find(|width| width.pixels() == self.width).unwrap_or_default(),
            scheme: match self.scheme.as_str() {
                "dark" => Scheme::Dark,
                "inverted" => Scheme::Inverted,
                _ => Scheme::Light,
            },
            images: self.images,
            styles: self.styles,
            outlook: self.outlook,
        }
    }
}

impl Context {
    /// Works off the async threads, and says so where it takes too long or breaks.
    async fn off<T: Send + 'static>(&self, work: impl FnOnce(&dyn Source) -> T + Send + 'static) -> Result<T, String> {
        let too_long = || format!("the template took longer than {} seconds to render", RENDER_MAX.as_secs());
        let turn = timeout(RENDER_MAX, self.renderings.turn()).await.map_err(|_| too_long())?;
        let source = Arc::clone(&self.source);
        turn.render(RENDER_MAX, move || work(&*source)).await.map_err(|missed| match missed {
            Missed::Broke(broke) => broke.to_string(),
            Missed::Ended | Missed::Late(_) => too_long(),
        })
    }
}

async fn index(State(context): State<Context>) -> Response {
    match context.off(|source| source.index()).await {
        Ok(index) => Json(as_json(&index)).into_response(),
        Err(what) => (StatusCode::SERVICE_UNAVAILABLE, what).into_response(),
    }
}

fn as_json(index: &TemplateIndex) -> Value {
    let templates = index.templates.iter().map(|template| {
        let locales: Vec<&str> = template.locales.iter().map(|locale| locale.as_str()).collect();
        let fixtures: Vec<Value> =
            template.fixtures.iter().map(|(id, title)| json!({ "id": id, "title": plain(title).as_str() })).collect();
        json!({ "name": template.name, "locales": locales, "fixtures": fixtures })
    });
    json!({ "templates": templates.collect::<Vec<_>>(), "mistakes": index.mistakes })
}

/// Subject, text and links, or what is wrong. Never an error's status: a broken template is an answer.
async fn about(State(context): State<Context>, Query(asked): Query<Asked>) -> Json<Value> {
    let view = asked.view();
    let laid = context
        .off(move |source| {
            let shown = source.render(&asked.template, asked.locale, &asked.fixture)?;
            let laid = lay_out(&shown.html, &view);
            Ok::<_, String>((shown, laid))
        })
        .await;
    match laid.and_then(|done| done) {
        Ok((shown, laid)) => {
            let links: Vec<String> = laid.links.iter().map(|link| plain(link).into_string()).collect();
            Json(json!({
                "subject": plain(&shown.subject).as_str(),
                "text": shown.text,
                "links": links,
                // The frame cannot report how high its mail is: no script runs in it.
                "height": laid.rows.len() * usize::from(CELL_HEIGHT),
                "too_much": laid.notes.contains(&Note::TooMuch),
            }))
        }
        Err(what) => Json(json!({ "error": what })),
    }
}

/// The mail itself, for the frame, under a policy of its own.
async fn mail(State(context): State<Context>, Query(asked): Query<Asked>) -> Response {
    let view = asked.view();
    let made = context.off(move |source| {
        let shown = source.render(&asked.template, asked.locale, &asked.fixture)?;
        Ok::<_, String>(frame::prepare(&shown.html, view))
    });
    let mut response = match made.await.and_then(|made| made) {
        Ok(html) => Html(html).into_response(),
        Err(what) => (StatusCode::UNPROCESSABLE_ENTITY, what).into_response(),
    };
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(frame::policy(view)));
    response
}

/// One event for each change, until the window is closed or the page ends.
async fn events(State(context): State<Context>) -> Response {
    let Context { mut changes, shutdown, .. } = context;
    changes.mark_unchanged();
    // The first line shows the window that it is connected.
    let first = Some(": listening\n\n".to_owned());
    let events = stream::unfold((first, changes, shutdown), async |(first, mut changes, shutdown)| {
        let event = if let Some(first) = first {
            first
        } else {
            shutdown.run_until_cancelled(changes.changed()).await?.ok()?;
            format!("event: changed\ndata: {}\n\n", *changes.borrow_and_update())
        };
        Some((Ok::<_, Infallible>(Bytes::from(event)), (None, changes, shutdown)))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
