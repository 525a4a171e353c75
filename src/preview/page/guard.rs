//! Who gets in, and the headers of whatever goes out.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

/// The page's own policy: its own script and style, its own frame, nothing else from anywhere. The mail has another one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// By which names it is called, and which token it wants.
#[derive(Clone)]
pub(super) struct Door {
    hosts: [String; 2],
    token: String,
}

impl Door {
    pub(super) fn new(port: u16, token: String) -> Self {
        Self { hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")], token }
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        first.is_some_and(|host| self.hosts.iter().any(|own| host == own.as_str())) && second.is_none()
    }

    fn opens(&self, path: &str) -> bool {
        let token = path.strip_prefix('/').and_then(|rest| rest.split_once('/')).map_or("", |(token, _)| token);
        token.as_bytes().ct_eq(self.token.as_bytes()).into()
    }
}

/// Looks at a request before anything else does.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = if !door.knows(request.headers()) {
        // Another page on the web, most likely, that has its own name lead to this address.
        StatusCode::MISDIRECTED_REQUEST.into_response()
    } else if !door.opens(request.uri().path()) {
        StatusCode::NOT_FOUND.into_response()
    } else if request.method() != Method::GET {
        StatusCode::METHOD_NOT_ALLOWED.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        // Browsers look up the hosts of links ahead of any click.
        (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    response
}
