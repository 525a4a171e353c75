//! `GET /api/users?email=`: what is known of an address.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::ApiError;
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::web::Context;

/// The user's state, with their newest verification.
pub(super) async fn show(State(context): State<Context>, RawQuery(query): RawQuery) -> Result<Json<Value>, ApiError> {
    let email = the_email(query.as_deref().unwrap_or_default())?;
    let email =
        EmailAddress::parse(&email).map_err(|why| ApiError::invalid(format!("{email} is not an address: {why}")))?;
    let Some((user, verification)) = context.0.desk.store().user_state(&email).await? else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("no one signed up with {email}"))
            .hint("sign them up with POST /api/signups"));
    };
    // By the clock that the times in the answer are of.
    let now = context.0.desk.store().now().await?;
    Ok(Json(json!({
        "user_id": user.id,
        "email": user.email,
        "name": user.name,
        "locale": user.locale,
        "created_at": shown(user.created_at),
        "verified_at": user.verified_at.map(shown),
        "delete_after": user.delete_after.map(shown),
        "verification": verification.map(|verification| json!({
            "id": verification.id,
            "status": verification.status(now),
            "created_at": shown(verification.created_at),
            "expires_at": shown(verification.expires_at),
            "verified_at": verification.verified_at.map(shown),
        })),
    })))
}

fn the_email(query: &str) -> Result<String, ApiError> {
    let hint = "ask for /api/users?email=mina%40example.org";
    let mut email = None;
    // Forms write a blank as `+`. An address has no blank in it, but a tag behind a plus, which callers leave as it is.
    let query = query.replace('+', "%2B");
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name != "email" {
            return Err(ApiError::bad_request(format!("there is no parameter {name}")).hint(hint));
        }
        if email.replace(value.into_owned()).is_some() {
            return Err(ApiError::bad_request("the parameter email is there twice").hint(hint));
        }
    }
    email.ok_or_else(|| ApiError::bad_request("the parameter email is missing").hint(hint))
}

fn shown(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
