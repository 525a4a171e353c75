//! What goes around every request: a time limit, the headers, and the log line.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::api::ApiError;
use super::page::{Page, Reader};
use super::{Context, api, link};

/// How long a request may take, its body included.
pub(super) const REQUEST_MAX: Duration = Duration::from_secs(10);

/// When to try again after the database was away or a request took too long, in seconds.
pub(super) const RETRY: i64 = 5;

/// The routes, never the paths, are logged: some mail programs write a link's `?` as `%3F`, and then the key is in
/// the path.
pub(super) async fn guard(State(context): State<Context>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let other = if link::meant_by(request.uri().path()).is_some() { "a mangled link" } else { "no such page" };
    let for_a_program = api::is_below(request.uri().path());
    let reader = Reader::of(request.uri(), request.headers());

    let mut response = match timeout(REQUEST_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) if for_a_program => ApiError::too_slow().into_response(),
        Err(_) => context.0.pages.response(&reader, Page::Away),
    };

    let headers = response.headers_mut();
    for (name, value) in [
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, context.0.pages.security_policy());
    tracing::info!(
        method,
        route = route.as_ref().map_or(other, MatchedPath::as_str),
        status = response.status().as_u16(),
        ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Says when to try again.
pub(super) fn retry_after(response: &mut Response, seconds: i64) {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
}

/// A method may be any word that a stranger likes.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
