//! How a request to Amazon's API fails: refused, not signed, not answered.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};

use crate::ses::ApiRefusal;
use crate::text::{Plain, Untrusted, plain};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Amazon said so.
    #[error("{0}")]
    Refused(ApiRefusal),
    /// There are no credentials to sign it with.
    #[error("no AWS credentials: {0}")]
    NoCredentials(Plain),
    /// Where credentials come from did not answer.
    #[error("the AWS credentials could not be had: {0}")]
    CredentialsLater(Plain),
    /// No answer within the time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke, could not be made, or carried something else; or the request could not be made.
    #[error("{0}")]
    Network(Plain),
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(refused) => Self::Refused(ApiRefusal {
                status: refused.raw().status().as_u16(),
                code: refused.err().code().unwrap_or_default().to_owned(),
                message: Untrusted::new(refused.err().message().unwrap_or_default()),
            }),
            SdkError::TimeoutError(_) => Self::TimedOut,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::TimedOut,
            other => Self::of_chain(&chain(other)),
        }
    }
}

impl Failure {
    /// Whether a right is missing.
    #[must_use]
    pub fn is_missing_right(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_missing_right())
    }

    /// Whether it would be refused again, however often it is asked: for want of a right, or since SES does not take it.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        let is_no_request = matches!(refusal.code.as_str(), "BadRequestException" | "ValidationException");
        refusal.is_missing_right() || refusal.status == 400 && is_no_request
    }

    /// Whether the account has as many of what was to be added as AWS lets it have.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == "LimitExceededException")
    }

    /// What was answered, without words that may name an address.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Refused(refusal) => format!("{} {}", refusal.status, plain(&refusal.code)),
            Self::NoCredentials(_) | Self::CredentialsLater(_) => "no AWS credentials".into(),
            Self::TimedOut | Self::Network(_) => "no answer".into(),
        }
    }

    fn of_chain(chain: &[&(dyn StdError + 'static)]) -> Self {
        let said = plain(&innermost(chain));
        match chain.iter().find_map(|error| error.downcast_ref::<CredentialsError>()) {
            Some(CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)) => {
                Self::NoCredentials(said)
            }
            Some(_) => Self::CredentialsLater(said),
            None => Self::Network(said),
        }
    }
}

/// An error and its causes, the innermost last.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut chain = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        chain.push(error);
        next = error.source();
    }
    chain
}

/// What the two innermost say; those around them only repeat that something failed.
fn innermost(chain: &[&(dyn StdError + 'static)]) -> String {
    let mut said: Vec<String> = chain.iter().rev().take(2).rev().map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}
