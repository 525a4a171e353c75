//! The bearer token.

use std::fmt;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::ApiError;
use crate::config::Secret;
use crate::web::Context;

/// The digest of the token: comparing digests reveals nothing about the token's length either.
pub(in crate::web) struct Token([u8; 32]);

impl Token {
    /// None for a blank one, which would let everyone in.
    pub(in crate::web) fn new(secret: &Secret) -> Option<Self> {
        let token = secret.expose().trim();
        (!token.is_empty()).then(|| Self(Sha256::digest(token).into()))
    }

    fn is(&self, offered: &str) -> bool {
        self.0.ct_eq(Sha256::digest(offered).as_slice()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Lets callers with the token through.
pub(super) async fn demand(State(context): State<Context>, request: Request, next: Next) -> Response {
    let Some(token) = &context.0.token else {
        return ApiError::new(StatusCode::NOT_FOUND, "api_off", "this server has no API: no token is set")
            .hint("set VERIFYDESK_SERVE__TOKEN, and send it as `Authorization: Bearer …`")
            .into_response();
    };
    match offered(request.headers()) {
        Some(offered) if token.is(offered) => next.run(request).await,
        Some(_) if context.0.guesses.wrong().await => ApiError::unauthorized("the token is wrong").into_response(),
        Some(_) => ApiError::guessing().into_response(),
        None => ApiError::unauthorized("the request has no bearer token").into_response(),
    }
}

/// The token of the one `Authorization: Bearer` header (RFC 6750, 2.1).
fn offered(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_header() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            offered(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(of(&["bearer  abc "]).as_deref(), Some("abc"));
        assert_eq!(of(&["Basic abc"]), None);
        assert_eq!(of(&["Bearerabc"]), None);
        assert_eq!(of(&["Bearer abc", "Bearer abc"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn blank_lets_no_one_in() {
        assert!(Token::new(&Secret::new("")).is_none());
        assert!(Token::new(&Secret::new(" \n")).is_none());
        let token = Token::new(&Secret::new("right\n")).unwrap();
        assert!(token.is("right") && !token.is("wrong") && !token.is("") && !token.is("righ"));
        assert!(!format!("{token:?}").contains("right"));
    }
}
