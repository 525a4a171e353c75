//! `POST /api/signups`: the site's form has an address.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiError;
use crate::desk::SignUp;
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Actor, Origin};
use crate::domain::locale::{Locale, UnknownLocale};
use crate::web::Context;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    email: String,
    name: Option<String>,
    locale: Option<String>,
}

/// 202: the mail is queued, not sent.
pub(super) async fn create(
    State(context): State<Context>,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Json(request) = request.map_err(refused)?;
    let locale = match request.locale.as_deref().map(str::parse::<Locale>) {
        None => Locale::default(),
        Some(Ok(locale)) => locale,
        Some(Err(error @ UnknownLocale)) => return Err(ApiError::invalid(error.to_string())),
    };
    let sign_up = SignUp { email: request.email, name: request.name.unwrap_or_default(), locale };
    // One address is one thing, however it was written; what is none is refused without a turn.
    let _turn = match EmailAddress::parse(&sign_up.email) {
        Ok(address) => Some(context.0.turns.turn(address.as_str().to_lowercase().as_bytes()).await?),
        Err(_) => None,
    };
    let done = context.0.desk.sign_up(&Actor::new("site", Origin::Api), &sign_up).await?;
    let body = json!({
        "user_id": done.user_id,
        "verification_id": done.verification_id,
        "status": done.status.as_str(),
    });
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// axum distinguishes a value of the wrong type (422) from broken JSON (400); for a caller both are a request of the
/// wrong shape, and 422 is left for invalid values.
fn refused(rejection: JsonRejection) -> ApiError {
    let shape = "send {\"email\": \"…\", \"name\": \"…\", \"locale\": \"ko\"}; name and locale may be left out";
    match rejection {
        JsonRejection::MissingJsonContentType(_) => ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body is not declared as JSON",
        )
        .hint("send `Content-Type: application/json`"),
        JsonRejection::BytesRejection(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 16 KiB").hint(shape)
        }
        other => ApiError::bad_request(other.body_text()).hint(shape),
    }
}
