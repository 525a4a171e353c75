//! What SES's API says of the account.

mod identity;
mod panel;
mod rates;
mod suppression;

use std::time::Duration;

use aws_sdk_sesv2::operation::get_suppressed_destination::GetSuppressedDestinationError;
use aws_sdk_sesv2::types::SendQuota;

use super::aws::{Aws, Failure};
use super::endpoint;
use crate::config::{SettingError, Settings, TransportKind};
use crate::domain::Time;
use crate::domain::account::kept;
use crate::domain::amazon::AccountStanding;

/// SES's API, to be asked about the account that the settings mean. Each question is one call; SES takes one a second.
pub struct AccountApi {
    aws: Aws,
}

/// Why an address is on the suppression list, since when, and the mail that was the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// `BOUNCE` or `COMPLAINT`.
    pub reason: String,
    pub since: Option<Time>,
    pub ses_id: Option<String>,
}

impl AccountApi {
    /// `None` where mail does not go through SES, or only with a password that is no AWS key.
    pub fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let has_keys = settings.ses.access_key_id.is_some() && settings.ses.secret_access_key.is_some();
        let host = settings.smtp.host.as_deref();
        let is_ses = match settings.mail.transport {
            TransportKind::Ses => true,
            TransportKind::Smtp => has_keys && host.is_none_or(|host| endpoint::smtp_region(host).is_some()),
            TransportKind::Capture => false,
        };
        if !is_ses {
            return Ok(None);
        }
        Ok(Some(Self { aws: Aws::from_settings(settings)? }))
    }

    /// The longest that a call may take.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.aws.longest()
    }

    /// Quota, rate, sandbox, and whether it may send.
    pub async fn standing(&self) -> Result<AccountStanding, Failure> {
        let client = self.aws.ses().await;
        let answer = Box::pin(client.get_account().send()).await?;
        let quota = answer.send_quota();
        let region = client.config().region().map(ToString::to_string).unwrap_or_default();
        Ok(AccountStanding {
            // The database's clock says when.
            seen_at: Time::default(),
            region: region.into(),
            is_sandbox: !answer.production_access_enabled(),
            can_send: answer.sending_enabled(),
            enforcement: kept(answer.enforcement_status().unwrap_or_default()),
            rate_max: quota.map(SendQuota::max_send_rate).unwrap_or_default(),
            // -1 is none.
            daily_max: quota.map(SendQuota::max24_hour_send).filter(|most| *most >= 0.0),
            sent: quota.map(SendQuota::sent_last24_hours).unwrap_or_default(),
            // The store knows which were this desk's.
            sent_by_others: 0,
            review: answer
                .details()
                .and_then(|details| details.review_details()?.status())
                .map(|status| kept(status.as_str()))
                .unwrap_or_default(),
        })
    }

    /// Whether an address is on the suppression list; `None` if it is not.
    pub async fn suppression(&self, address: &str) -> Result<Option<Suppressed>, Failure> {
        let asked = self.aws.ses().await.get_suppressed_destination().email_address(address);
        let answer = match Box::pin(asked.send()).await {
            Ok(answer) => answer,
            Err(error) => {
                return match error.as_service_error() {
                    Some(GetSuppressedDestinationError::NotFoundException(_)) => Ok(None),
                    _ => Err(error.into()),
                };
            }
        };
        Ok(answer.suppressed_destination().map(|found| Suppressed {
            reason: found.reason().as_str().to_owned(),
            since: Time::from_timestamp(found.last_update_time().secs(), 0).filter(|at| crate::domain::is_kept(*at)),
            ses_id: found.attributes().and_then(|attributes| attributes.message_id()).map(str::to_owned),
        }))
    }
}
