//! `POST /api/signups`: the site's form has an address.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiError;
use crate::desk::SignUp;
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Actor, Origin};
use crate::domain::idempotency::IdempotencyKey;
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
    headers: HeaderMap,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Json(request) = request.map_err(refused)?;
    let key = idempotency_key(&headers)?;
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
    let (desk, actor) = (&context.0.desk, Actor::new("site", Origin::Api));
    let done = match key {
        Some(key) => desk.sign_up_once(&actor, &sign_up, &key).await?,
        None => desk.sign_up(&actor, &sign_up).await?,
    };
    let body = json!({
        "user_id": done.user_id,
        "verification_id": done.verification_id,
        "status": done.status.as_str(),
    });
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// The key under which the request is done once, if it has one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = IdempotencyKey::parse(value.as_bytes()).map_err(|error| ApiError::bad_request(error.to_string()));
    match values.next() {
        None => key.map(Some),
        Some(_) => Err(ApiError::bad_request("the request has two idempotency keys")),
    }
    .map_err(|error| error.hint("send one `Idempotency-Key: …`, a UUID for instance; nothing was changed"))
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
