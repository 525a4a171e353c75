//! The account's suppression list: an address is taken off it or put on it, a call each.

use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;
use aws_sdk_sesv2::types::SuppressionListReason;

use super::AccountApi;
use crate::domain::account::act::Listing;
use crate::ses::aws::Failure;

impl AccountApi {
    /// Takes an address off the list; false where it was not on it.
    pub async fn take_off_list(&self, address: &str) -> Result<bool, Failure> {
        let asked = self.aws.ses().await.delete_suppressed_destination().email_address(address);
        match Box::pin(asked.send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteSuppressedDestinationError::NotFoundException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Puts an address on the list. SES refuses it in the sandbox.
    pub async fn put_on_list(&self, address: &str, listing: Listing) -> Result<(), Failure> {
        let reason = match listing {
            Listing::Bounce => SuppressionListReason::Bounce,
            Listing::Complaint => SuppressionListReason::Complaint,
        };
        let asked = self.aws.ses().await.put_suppressed_destination().email_address(address).reason(reason);
        Box::pin(asked.send()).await?;
        Ok(())
    }
}
