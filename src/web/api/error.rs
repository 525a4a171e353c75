//! What the API says when it does not do it: `{"error": {"code", "message", "hint"}}`.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::desk::{self, Refusal};
use crate::store;
use crate::text::plain;
use crate::web::guard::{RETRY, retry_after};

/// The answer to a request that failed.
#[derive(Debug)]
pub(in crate::web) struct ApiError {
    status: StatusCode,
    /// For programs.
    code: &'static str,
    /// For people.
    message: String,
    hint: String,
    retry_after: Option<i64>,
}

impl ApiError {
    pub(in crate::web) fn new(status: StatusCode, code: &'static str, message: impl AsRef<str>) -> Self {
        let message = plain(message.as_ref()).into_string();
        Self { status, code, message, hint: String::new(), retry_after: None }
    }

    pub(in crate::web) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// A request that is not what the address expects.
    pub(super) fn bad_request(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// A value that is of the right type and still no good.
    pub(super) fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
            .hint("correct it and try again; nothing was changed")
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .hint("send the server's `serve.token` as `Authorization: Bearer …`")
    }

    /// What is not possible at this moment, and may be in another.
    pub(in crate::web) fn unavailable(code: &'static str, message: impl AsRef<str>) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        error.retry_after = Some(RETRY);
        error
    }

    /// A fault of this program.
    pub(in crate::web) fn broke() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the request could not be processed")
            .hint("report it; this is a fault of the program, and its log says where")
    }

    pub(super) fn guessing() -> Self {
        let mut error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_wrong_tokens",
            "the token is wrong, and there were many wrong ones lately",
        )
        .hint("send the server's `serve.token` as `Authorization: Bearer …`; a right one is answered at once");
        error.retry_after = Some(1);
        error
    }

    pub(in crate::web) fn too_slow() -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", "the request took too long")
            .hint("ask for the result, then try again");
        error.retry_after = Some(RETRY);
        error
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, hint = error.hint(), "a request of the site failed");
        let wrong = error.is_a_fault();
        let (status, code) = if wrong {
            (StatusCode::INTERNAL_SERVER_ERROR, "failed")
        } else if error.is_in_the_way() {
            (StatusCode::SERVICE_UNAVAILABLE, "busy")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "database_away")
        };
        let mut made = Self::new(status, code, error.to_string()).hint(error.hint());
        made.retry_after = (!wrong).then_some(RETRY);
        made
    }
}

impl From<desk::Error> for ApiError {
    fn from(error: desk::Error) -> Self {
        let error = match error {
            desk::Error::Store(error) => return error.into(),
            other => other,
        };
        let hint = error.hint();
        let (status, code, retry_after) = match &error {
            desk::Error::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", None),
            desk::Error::NotFound(_) | desk::Error::NoTemplate(_) => (StatusCode::NOT_FOUND, "not_found", None),
            desk::Error::Refused(refusal @ Refusal::KeyReused) => {
                (StatusCode::UNPROCESSABLE_ENTITY, code_of(refusal), None)
            }
            desk::Error::Refused(refusal) => match refusal.retry_after() {
                Some(seconds) => (StatusCode::TOO_MANY_REQUESTS, code_of(refusal), Some(seconds)),
                None => (StatusCode::CONFLICT, code_of(refusal), None),
            },
            desk::Error::Store(_) | desk::Error::Setting(_) | desk::Error::Template(_) => {
                tracing::error!(%error, hint, "a request of the site failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "failed", None)
            }
        };
        let mut made = Self::new(status, code, error.to_string()).hint(hint);
        made.retry_after = retry_after;
        made
    }
}

fn code_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyVerified => "already_verified",
        Refusal::NotVerified => "not_verified",
        Refusal::VerifiedByAnother { .. } => "verified_by_another",
        Refusal::AlreadyRevoked => "already_revoked",
        Refusal::AddressTaken => "address_taken",
        Refusal::BeingDeleted => "being_deleted",
        Refusal::SameAddress => "same_address",
        Refusal::KeyReused => "idempotency_key_reused",
        Refusal::NotUndone { .. } => "not_undone",
        Refusal::ReadOnly => "read_only",
        Refusal::SecretDiffers => "secret_differs",
        Refusal::CoolDown { .. } => "cool_down",
        Refusal::DailyCap { .. } => "daily_cap",
        Refusal::BeingSent => "being_sent",
        Refusal::Blocked { .. } => "blocked",
        Refusal::ReasonMissing { .. } => "reason_missing",
        Refusal::NotPaused => "not_paused",
        Refusal::JobOver { .. } => "job_over",
        Refusal::JobAlready { .. } => "job_already",
        Refusal::NotGivenUp { .. } => "not_given_up",
        Refusal::WebhookOvertaken => "overtaken",
        Refusal::NoneGivenUp => "none_given_up",
        Refusal::EndpointOff { .. } => "endpoint_off",
        Refusal::NotAllowListed { .. } => "not_allow_listed",
        Refusal::Stopped { .. } => "stopped",
        Refusal::NoMoment => "no_moment",
        Refusal::QuotaUsed => "quota_used",
        Refusal::ActsFull => "acts_full",
        Refusal::NotTheirs => "not_theirs",
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message, "hint": self.hint } });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"verifydesk\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            retry_after(&mut response, seconds);
        }
        response
    }
}
