//! The answers behind the panels: identities, configuration set, event destinations.

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::types;

use super::AccountApi;
use super::identity::identity;
use crate::domain::account::{
    ConfigurationSet, EventDestination, Figures, IDENTITIES_MAX, Identities, LISTED_MAX, ListedIdentity, PanelKind,
    kept, kept_word,
};
use crate::ses::aws::Failure;
use crate::text::Untrusted;

/// SES's name for what is not there.
const NOT_FOUND: &str = "NotFoundException";

impl AccountApi {
    /// The answer to a panel's call: one call.
    pub async fn panel(&self, kind: PanelKind, subject: &str) -> Result<Figures, Failure> {
        let client = self.aws.ses().await;
        match kind {
            PanelKind::Rates => self.rates().await.map(Figures::Rates),
            PanelKind::Sender | PanelKind::Domain => {
                let asked = client.get_email_identity().email_identity(subject);
                known(Box::pin(asked.send()).await, |answer| Figures::Identity(identity(&answer)))
            }
            // The versions of the SDK up to this one `GET /v2/email/identities`, as AWS's API reference has it and botocore up
            // to 1.43; newer ones (1.145 here, botocore 1.44) `POST /v2/email/list-identities`, which also takes a filter.
            // The answer and the right are the same.
            PanelKind::Identities => {
                let page = i32::try_from(IDENTITIES_MAX).unwrap_or(i32::MAX);
                let answer = Box::pin(client.list_email_identities().page_size(page).send()).await?;
                let all = answer.email_identities();
                Ok(Figures::Identities(Identities {
                    listed: all.iter().take(IDENTITIES_MAX).map(listed).collect(),
                    has_more: answer.next_token().is_some() || all.len() > IDENTITIES_MAX,
                }))
            }
            PanelKind::ConfigurationSet => {
                let asked = client.get_configuration_set().configuration_set_name(subject);
                known(Box::pin(asked.send()).await, |answer| Figures::ConfigurationSet(configuration_set(&answer)))
            }
            PanelKind::EventDestinations => {
                let asked = client.get_configuration_set_event_destinations().configuration_set_name(subject);
                known(Box::pin(asked.send()).await, |answer| {
                    let all = answer.event_destinations().iter().take(LISTED_MAX);
                    Figures::EventDestinations(all.map(destination).collect())
                })
            }
        }
    }
}

/// An answer; that there is no such thing is one as well.
fn known<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
    figures: impl FnOnce(T) -> Figures,
) -> Result<Figures, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(figures(answer)),
        Err(error) if error.as_service_error().is_some_and(|error| error.code() == Some(NOT_FOUND)) => {
            Ok(Figures::Absent)
        }
        Err(error) => Err(error.into()),
    }
}

/// A word of SES's own.
pub(super) fn word(text: Option<&str>) -> Untrusted {
    text.map(kept_word).unwrap_or_default()
}

/// A name.
pub(super) fn name(text: Option<&str>) -> Untrusted {
    text.map(kept).unwrap_or_default()
}

fn listed(info: &types::IdentityInfo) -> ListedIdentity {
    ListedIdentity {
        name: name(info.identity_name()),
        kind: word(info.identity_type().map(types::IdentityType::as_str)),
        can_send: info.sending_enabled(),
        verification: word(info.verification_status().map(types::VerificationStatus::as_str)),
    }
}

fn configuration_set(answer: &GetConfigurationSetOutput) -> ConfigurationSet {
    ConfigurationSet {
        // SES says nothing of it where it may.
        can_send: answer.sending_options().is_none_or(types::SendingOptions::sending_enabled),
        tls: word(answer.delivery_options().and_then(|options| options.tls_policy()).map(types::TlsPolicy::as_str)),
        has_reputation_metrics: answer
            .reputation_options()
            .is_some_and(types::ReputationOptions::reputation_metrics_enabled),
        suppressed: answer.suppression_options().map(|options| {
            options.suppressed_reasons().iter().take(LISTED_MAX).map(|reason| kept_word(reason.as_str())).collect()
        }),
    }
}

fn destination(it: &types::EventDestination) -> EventDestination {
    EventDestination {
        name: kept(it.name()),
        is_on: it.enabled(),
        events: it.matching_event_types().iter().take(LISTED_MAX).map(|event| kept_word(event.as_str())).collect(),
        topic: name(it.sns_destination().map(types::SnsDestination::topic_arn)),
        bus: name(it.event_bridge_destination().map(types::EventBridgeDestination::event_bus_arn)),
    }
}
