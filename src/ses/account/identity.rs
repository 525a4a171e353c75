//! Identities: one is added, or asked about; a call each.

use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::operation::create_email_identity::CreateEmailIdentityOutput;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::{self, DkimSigningAttributesOrigin};

use super::AccountApi;
use super::panel::{name, word};
use crate::domain::account::{Identity, LISTED_MAX, kept};
use crate::ses::aws::Failure;

/// SES's name for what is there already.
const EXISTS: &str = "AlreadyExistsException";

impl AccountApi {
    /// Adds an identity, and says what SES says of it; `None` where there is one of this name already. To an address SES
    /// mails a link; a domain it looks for in DNS.
    pub async fn add_identity(&self, identity: &str) -> Result<Option<Identity>, Failure> {
        let asked = self.aws.ses().await.create_email_identity().email_identity(identity);
        match Box::pin(asked.send()).await {
            Ok(answer) => Ok(Some(created(&answer))),
            Err(error) if error.as_service_error().is_some_and(|error| error.code() == Some(EXISTS)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn created(answer: &CreateEmailIdentityOutput) -> Identity {
    let verification = if answer.verified_for_sending_status() { "SUCCESS" } else { "PENDING" };
    let identity = Identity {
        is_verified: answer.verified_for_sending_status(),
        verification: verification.into(),
        ..Identity::default()
    };
    with_dkim(identity, answer.dkim_attributes())
}

pub(super) fn identity(answer: &GetEmailIdentityOutput) -> Identity {
    let from = answer.mail_from_attributes();
    let identity = Identity {
        is_verified: answer.verified_for_sending_status(),
        verification: word(answer.verification_status().map(types::VerificationStatus::as_str)),
        verification_error: word(
            answer.verification_info().and_then(|info| info.error_type()).map(types::VerificationError::as_str),
        ),
        mail_from: name(from.map(types::MailFromAttributes::mail_from_domain)),
        mail_from_status: word(from.map(|from| from.mail_from_domain_status().as_str())),
        configuration_set: name(answer.configuration_set_name()),
        ..Identity::default()
    };
    with_dkim(identity, answer.dkim_attributes())
}

fn with_dkim(identity: Identity, dkim: Option<&types::DkimAttributes>) -> Identity {
    // With a key of one's own, the token is its selector, and no record leads to SES.
    let is_own = dkim.and_then(|dkim| dkim.signing_attributes_origin()) == Some(&DkimSigningAttributesOrigin::External);
    Identity {
        dkim_signs: dkim.is_some_and(types::DkimAttributes::signing_enabled),
        dkim: word(dkim.and_then(|dkim| dkim.status()).map(types::DkimStatus::as_str)),
        dkim_tokens: dkim
            .filter(|_| !is_own)
            .map(|dkim| dkim.tokens().iter().take(LISTED_MAX).map(|token| kept(token)).collect())
            .unwrap_or_default(),
        dkim_zone: name(dkim.and_then(|dkim| dkim.signing_hosted_zone())),
        ..identity
    }
}
