//! The site's own API: JSON under a bearer token. It reveals who signed up, unlike the public pages, so only the site's back
//! end may ask it. Without `serve.token` it is off, and every address below it answers 404.

mod error;
mod guesses;
mod signups;
mod token;
mod users;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::Context;

pub(super) use error::ApiError;
pub(super) use guesses::Guesses;
pub(super) use token::Token;

/// Whether a path belongs to the API.
pub(super) fn is_below(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The token is looked at before anything else, an unknown address or a wrong method included.
pub(super) fn routes(context: Context) -> Router<Context> {
    Router::new()
        .route("/signups", post(signups::create))
        .route("/users", get(users::show))
        .fallback(|| async {
            ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such address")
                .hint("there are POST /api/signups and GET /api/users?email=")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address has no such method")
                .hint("the Allow header lists those that it has")
        })
        .layer(from_fn_with_state(context, token::demand))
}
