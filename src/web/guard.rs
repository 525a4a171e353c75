//! What goes around every request: a time limit, an answer also where it breaks, the headers, and the log line.

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
use super::{Context, api, link, ses_events};
use crate::contain::contained_async;
use crate::domain::serve::HEADER;
use crate::metrics;

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
    let for_a_program = api::is_below(request.uri().path()) || ses_events::is_at(request.uri().path());
    let reader = Reader::of(request.uri(), request.headers());

    let mut response = match contained_async(timeout(REQUEST_MAX, next.run(request))).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) if for_a_program => ApiError::too_slow().into_response(),
        Ok(Err(_)) => context.0.pages.response(&reader, Page::Away),
        Err(_) if for_a_program => ApiError::broke().into_response(),
        Err(_) => context.0.pages.response(&reader, Page::Failed),
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
    headers.insert(HeaderName::from_static(HEADER), context.0.presence.name());
    let route = route.as_ref().map_or(other, MatchedPath::as_str);
    metrics::process().request(route, response.status().as_u16(), started.elapsed());
    tracing::info!(
        method,
        route,
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

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::{Secret, Settings};
    use crate::desk::Desk;
    use crate::listen::{self, Bounds};

    async fn breaks() -> &'static str {
        assert!(std::hint::black_box(false), "a row of the test");
        "whole"
    }

    #[tokio::test]
    async fn a_request_that_breaks_is_answered_and_so_is_the_next() {
        let settings =
            Settings { database_url: Some(Secret::new("postgres://none@127.0.0.1:1/none")), ..Settings::default() };
        let context = Context::new(Desk::open(&settings).unwrap(), &settings);
        let router = Router::new()
            .route("/breaks", get(breaks))
            .route("/api/breaks", get(breaks))
            .layer(from_fn_with_state(context.clone(), guard))
            .with_state(context);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let shutdown = CancellationToken::new();
        let second = Duration::from_secs(1);
        // With one seat, a connection that idles has to give way, which a slow backtrace makes it do.
        let bounds = Bounds { connections: 2, shutdown: second, write: second, answer: None, life: None };
        let serving = tokio::spawn(listen::serve(listener, router, bounds, shutdown.clone()));
        for (path, last, kind) in [("/breaks", "", "text/html"), ("/api/breaks", "Connection: close\r\n", "json")] {
            stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{last}\r\n").as_bytes()).await.unwrap();
            let mut head = String::new();
            while !head.contains("\r\n\r\n") {
                head.push(char::from(stream.read_u8().await.unwrap()));
            }
            assert!(head.starts_with("HTTP/1.1 500") && head.contains(kind) && head.contains("no-store"), "{head}");
            let head = head.to_ascii_lowercase();
            let (_, length) = head.split_once("content-length: ").unwrap();
            let length: usize = length.split_once('\r').unwrap().0.parse().unwrap();
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            assert!(!String::from_utf8(body).unwrap().contains("a row of the test"));
        }
        shutdown.cancel();
        serving.await.unwrap();
    }
}
