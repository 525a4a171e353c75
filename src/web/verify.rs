//! The verification view: where the link of the mail leads, and what its page's buttons do.

use std::convert::Infallible;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequestParts, RawQuery, State};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use chrono::Utc;

use super::Context;
use super::page::{Page, Press, Reader};
use crate::config::Confirm;
use crate::desk::{self, LinkOutcome, Refusal};
use crate::domain::audit::{Actor, Origin};
use crate::domain::key::Key;

/// Both spellings of the link's path: mail programs and people drop the last slash.
pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/verify/", view())
        .route("/verify", view())
        .route("/verify/new-mail", post(ask).options(|| async { allow("POST, OPTIONS") }))
}

/// axum's `get` would answer HEAD as well, and approve.
fn view() -> MethodRouter<Context> {
    get(open).head(look).post(press).options(|| async { allow("GET, HEAD, POST, OPTIONS") })
}

fn allow(methods: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(methods))]).into_response()
}

/// Whoever holds the link; nothing more is known about her.
fn actor() -> Actor {
    Actor::new("link", Origin::Web)
}

impl FromRequestParts<Context> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Context) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// The one key among the parameters; none if there are two, since then nobody can say which is meant. Other
/// parameters do not matter: mail services add theirs.
fn the_key<N: AsRef<str>, V: AsRef<str>>(parameters: impl Iterator<Item = (N, V)>) -> Option<Key> {
    let mut keys = parameters.filter(|(name, _)| name.as_ref() == "key");
    let (_, key) = keys.next()?;
    if keys.next().is_some() {
        return None;
    }
    Key::parse(key.as_ref()).ok()
}

fn key_of_query(query: Option<&str>) -> Option<Key> {
    the_key(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()))
}

async fn open(State(context): State<Context>, RawQuery(query): RawQuery, reader: Reader) -> Response {
    let Some(key) = key_of_query(query.as_deref()) else {
        return context.0.pages.response(&reader, Page::UnknownLink);
    };
    let outcome = match context.0.confirm {
        Confirm::Get => context.0.desk.open_link(&actor(), &key).await,
        Confirm::Button => context.0.desk.look_at_link(&key).await,
    };
    led_to(&context, reader.with(key), outcome)
}

async fn look(State(context): State<Context>, RawQuery(query): RawQuery, reader: Reader) -> Response {
    let Some(key) = key_of_query(query.as_deref()) else {
        return context.0.pages.response(&reader, Page::UnknownLink);
    };
    let outcome = context.0.desk.look_at_link(&key).await;
    led_to(&context, reader.with(key), outcome)
}

type KeyForm = Result<Form<Vec<(String, String)>>, FormRejection>;

async fn press(State(context): State<Context>, reader: Reader, form: KeyForm) -> Response {
    let reader = reader.pressed(Press::Approve);
    let key = match key_of_form(form) {
        Ok(key) => key,
        Err(page) => return context.0.pages.response(&reader, page),
    };
    let outcome = context.0.desk.open_link(&actor(), &key).await;
    led_to(&context, reader.with(key), outcome)
}

async fn ask(State(context): State<Context>, reader: Reader, form: KeyForm) -> Response {
    let reader = reader.pressed(Press::AskForMail);
    let key = match key_of_form(form) {
        Ok(key) => key,
        Err(page) => return context.0.pages.response(&reader, page),
    };
    // For her language, and because a key that nobody was mailed gets nothing.
    let locale = match context.0.desk.look_at_link(&key).await {
        Ok(outcome @ (LinkOutcome::Unknown | LinkOutcome::Verified { .. })) => {
            return led_to(&context, reader.with(key), Ok(outcome));
        }
        Ok(outcome) => outcome.locale(),
        Err(error) => return failed(&context, &reader.with(key), &error),
    };
    let asked = context.0.desk.ask_for_new_mail(&actor(), &key).await;
    let reader = reader.with(key).speaking(locale);
    let page = match asked {
        Ok(Some(_)) => Page::Queued,
        Ok(None) => Page::UnknownLink,
        Err(desk::Error::Refused(Refusal::AlreadyVerified)) => Page::Verified,
        Err(desk::Error::Refused(refusal)) => match refusal.retry_after(Utc::now()) {
            Some(seconds) if matches!(refusal, Refusal::DailyCap { .. }) => Page::HadTheDaysMails { seconds },
            Some(seconds) => Page::CoolingDown { seconds },
            None => Page::Failed,
        },
        Err(error) => return failed(&context, &reader, &error),
    };
    context.0.pages.response(&reader, page)
}

fn key_of_form(form: KeyForm) -> Result<Key, Page> {
    match form {
        Ok(Form(fields)) => the_key(fields.into_iter()).ok_or(Page::UnknownLink),
        Err(rejection) => Err(Page::BadRequest(rejection.status())),
    }
}

fn led_to(context: &Context, reader: Reader, outcome: Result<LinkOutcome, desk::Error>) -> Response {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return failed(context, &reader, &error),
    };
    let page = match outcome {
        LinkOutcome::Verified { .. } => Page::Verified,
        LinkOutcome::Pending { .. } => Page::Confirm,
        LinkOutcome::Expired { .. } => Page::Expired,
        LinkOutcome::Revoked { .. } => Page::Revoked,
        LinkOutcome::Unknown => Page::UnknownLink,
    };
    context.0.pages.response(&reader.speaking(outcome.locale()), page)
}

fn failed(context: &Context, reader: &Reader, error: &desk::Error) -> Response {
    tracing::error!(%error, hint = error.hint(), "a link could not be worked on");
    let page = match error {
        desk::Error::Store(error) if !error.is_a_fault() => Page::Away,
        _ => Page::Failed,
    };
    context.0.pages.response(reader, page)
}

pub(super) async fn no_such_page(State(context): State<Context>, reader: Reader) -> Response {
    context.0.pages.response(&reader, Page::Nowhere)
}

/// axum adds `Allow`.
pub(super) async fn wrong_method(State(context): State<Context>, reader: Reader) -> Response {
    context.0.pages.response(&reader, Page::BadRequest(StatusCode::METHOD_NOT_ALLOWED))
}
