//! The account's suppression list: a page of it is read, an address taken off it or put on it, a call each.

use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;
use aws_sdk_sesv2::primitives::DateTime;
use aws_sdk_sesv2::types::SuppressionListReason;

use super::AccountApi;
use crate::domain::account::act::Listing;
use crate::domain::account::suppression_list::ListedAddress;
use crate::domain::account::{kept, kept_word};
use crate::domain::{Time, is_kept};
use crate::ses::aws::Failure;

/// Addresses of a page at most: as many as SES gives.
const PAGE: i32 = 1_000;

impl AccountApi {
    /// A page of the list, and where the next one begins.
    pub async fn suppression_page(
        &self,
        newer_than: Option<Time>,
        token: Option<&str>,
    ) -> Result<(Vec<ListedAddress>, Option<String>), Failure> {
        let asked = self.aws.ses().await.list_suppressed_destinations().page_size(PAGE);
        let asked = asked.set_next_token(token.map(str::to_owned));
        let asked = asked.set_start_date(newer_than.map(|at| DateTime::from_secs(at.timestamp())));
        let answer = Box::pin(asked.send()).await?;
        let all = answer.suppressed_destination_summaries().iter().filter_map(|one| {
            Some(ListedAddress {
                address: kept(one.email_address()),
                reason: kept_word(one.reason().as_str()),
                since: Time::from_timestamp(one.last_update_time().secs(), 0).filter(|at| is_kept(*at))?,
            })
        });
        // An empty one would be the beginning again.
        Ok((all.collect(), answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned)))
    }

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
