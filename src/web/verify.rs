//! The verification view: where the link of the mail leads, and what its page's buttons do.

use std::convert::Infallible;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequestParts, Request, State};
use axum::handler::Handler as _;
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use chrono::Utc;

use super::Context;
use super::link::{self, Meant};
use super::opener::opener;
use super::page::{Page, Press, Reader};
use super::prefetch::is_prefetch;
use super::turns::Turn;
use crate::config::Confirm;
use crate::desk::{self, LinkOutcome, Opener, Refusal};
use crate::domain::audit::{Actor, Origin};
use crate::domain::key::Key;

/// Both spellings of the link's path: mail programs and people drop the last slash.
pub(super) fn routes() -> Router<Context> {
    Router::new().route("/verify/", view()).route("/verify", view()).route("/verify/new-mail", new_mail())
}

fn new_mail() -> MethodRouter<Context> {
    post(ask).options(|| async { allow("POST, OPTIONS") })
}

/// axum's `get` would answer HEAD as well, and approve.
fn view() -> MethodRouter<Context> {
    get(open).head(look).post(press).options(|| async { allow("GET, HEAD, POST, OPTIONS") })
}

fn allow(methods: &'static str) -> Response {
    (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(methods))]).into_response()
}

/// The person who holds the link; nothing more is known about them.
fn actor() -> Actor {
    Actor::new("link", Origin::Web)
}

impl FromRequestParts<Context> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Context) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// The one key among a form's fields, which this program wrote itself: read as strictly as it was written.
fn the_key<N: AsRef<str>, V: AsRef<str>>(parameters: impl Iterator<Item = (N, V)>) -> Option<Key> {
    let mut keys = parameters.filter(|(name, _)| name.as_ref() == "key");
    let (_, key) = keys.next()?;
    if keys.next().is_some() {
        return None;
    }
    Key::parse(key.as_ref()).ok()
}

async fn open(State(context): State<Context>, uri: Uri, headers: HeaderMap, reader: Reader) -> Response {
    if is_prefetch(&headers) {
        // Where the link is opened after all, the page that was fetched has the button.
        return look(State(context), uri, reader).await;
    }
    let Some(key) = link::key_of(uri.path(), uri.query()) else {
        return context.0.pages.response(&reader, Page::UnknownLink);
    };
    match context.0.confirm {
        Confirm::Get => opened(&context, reader, key, opener(&headers)).await,
        Confirm::Button => {
            let outcome = context.0.desk.look_at_link(&key).await;
            led_to(&context, reader.with(key), outcome)
        }
    }
}

/// The page of a link that is opened.
async fn opened(context: &Context, reader: Reader, key: Key, by: Opener) -> Response {
    let outcome = open_link(context, &key, by).await;
    let mut reader = reader;
    if let (Some(greeting), Ok(LinkOutcome::Verified { now: true, .. })) = (&context.0.greeting, &outcome) {
        match context.0.desk.user_of_link(&key).await {
            Ok(user) => reader = reader.greeted(user.map(|user| greeting.way_back(user, Utc::now()))),
            // They are verified all the same, and find the site without it.
            Err(error) => tracing::warn!(%error, "a verified user goes back to the site without a token"),
        }
    }
    led_to(context, reader.with(key), outcome)
}

async fn open_link(context: &Context, key: &Key, by: Opener) -> Result<LinkOutcome, desk::Error> {
    let turn = match context.0.turns.turn(&key.digest().0).await? {
        Turn::Mine(turn) => turn,
        Turn::Settled(outcome) => return Ok(outcome),
    };
    let outcome = context.0.desk.open_link(key, by).await?;
    // Who is verified stays so.
    if matches!(outcome, LinkOutcome::Verified { .. }) {
        turn.settle(outcome);
    }
    Ok(outcome)
}

async fn look(State(context): State<Context>, uri: Uri, reader: Reader) -> Response {
    let Some(key) = link::key_of(uri.path(), uri.query()) else {
        return context.0.pages.response(&reader, Page::UnknownLink);
    };
    let outcome = context.0.desk.look_at_link(&key).await;
    led_to(&context, reader.with(key), outcome)
}

type KeyForm = Result<Form<Vec<(String, String)>>, FormRejection>;

async fn press(State(context): State<Context>, headers: HeaderMap, reader: Reader, form: KeyForm) -> Response {
    let reader = reader.pressed(Press::Approve);
    let key = match key_of_form(form) {
        Ok(key) => key,
        Err(page) => return context.0.pages.response(&reader, page),
    };
    opened(&context, reader, key, opener(&headers)).await
}

async fn ask(State(context): State<Context>, reader: Reader, form: KeyForm) -> Response {
    let reader = reader.pressed(Press::AskForMail);
    let key = match key_of_form(form) {
        Ok(key) => key,
        Err(page) => return context.0.pages.response(&reader, page),
    };
    // For their language, and because a key that was mailed to no one gets nothing.
    let locale = match context.0.desk.look_at_link(&key).await {
        Ok(outcome @ (LinkOutcome::Unknown | LinkOutcome::Verified { .. })) => {
            return led_to(&context, reader.with(key), Ok(outcome));
        }
        Ok(outcome) => outcome.locale(),
        Err(error) => return failed(&context, &reader.with(key), &error),
    };
    let asked = match context.0.turns.turn(&key.digest().0).await {
        Ok(_turn) => context.0.desk.ask_for_new_mail(&actor(), &key).await,
        Err(error) => Err(error.into()),
    };
    let reader = reader.with(key).speaking(locale);
    let page = match asked {
        Ok(Some(_)) => Page::Queued,
        Ok(None) => Page::UnknownLink,
        Err(desk::Error::Refused(Refusal::AlreadyVerified)) => Page::Verified,
        Err(desk::Error::Refused(refusal)) => match refusal.retry_after() {
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
    // The user was deleted since the key was looked up: the link is as if it had never been.
    if let desk::Error::NotFound(_) = error {
        return context.0.pages.response(reader, Page::UnknownLink);
    }
    tracing::error!(%error, hint = error.hint(), "a link could not be processed");
    let page = match error {
        desk::Error::Store(error) if !error.is_a_fault() => Page::Away,
        _ => Page::Failed,
    };
    context.0.pages.response(reader, page)
}

/// What no route has: a link whose path a mail program has been at, or no page of ours.
pub(super) async fn elsewhere(State(context): State<Context>, reader: Reader, request: Request) -> Response {
    match link::meant_by(request.uri().path()) {
        Some(Meant::View) => view().fallback(wrong_method).call(request, context).await,
        Some(Meant::NewMail) => new_mail().fallback(wrong_method).call(request, context).await,
        None => context.0.pages.response(&reader, Page::Nowhere),
    }
}

/// axum adds `Allow`.
pub(super) async fn wrong_method(State(context): State<Context>, reader: Reader) -> Response {
    context.0.pages.response(&reader, Page::BadRequest(StatusCode::METHOD_NOT_ALLOWED))
}
