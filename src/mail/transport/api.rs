//! Sending by SES's API (version 2, `SendEmail` with the whole MIME message).
//!
//! Whether SES can have taken a mail whose answer was lost depends on whether any of the request was sent; the SDK does
//! not say. So the request's body reports when it is first read, which is when its connection stands.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_sesv2::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sesv2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sesv2::error::BoxError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use aws_smithy_types::body::SdkBody;
use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::dialogue::{Dialogue, DialogueLine, Speaker};
use super::{Cause, Failure, Lease, Receipt, Stage, within_lease};
use crate::config::{SettingError, Settings};
use crate::mail::message::Composed;
use crate::ses::aws::{self, Aws};
use crate::text::Untrusted;

/// SES's API.
#[derive(Clone, Debug)]
pub(super) struct Api {
    aws: Aws,
    configuration_set: Option<String>,
}

impl Api {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let configuration_set = settings.mail.configuration_set.clone();
        Ok(Self { aws: Aws::from_settings(settings)?, configuration_set })
    }

    pub(super) fn target(&self) -> String {
        self.aws.target()
    }

    pub(super) fn longest_content(&self) -> Duration {
        self.aws.longest()
    }

    pub(super) async fn send(
        &self,
        mail: &Composed,
        lease: &Lease,
        dialogue: Option<&Dialogue>,
    ) -> Result<Receipt, Failure> {
        let note = |text: &str| {
            if let Some(dialogue) = dialogue {
                let _ = dialogue.send(DialogueLine::new(Speaker::Note, text));
            }
        };
        note(&format!("SendEmail to {}", self.target()));
        let unmade = |error: &dyn std::fmt::Display| {
            Failure::new(Stage::Connect, Cause::Network(Untrusted::new(error.to_string())))
        };
        let message = RawMessage::builder().data(Blob::new(mail.bytes.clone())).build();
        let content = EmailContent::builder().raw(message.map_err(|error| unmade(&error))?).build();
        let watch = Watch {
            lease: lease.clone(),
            longest: self.aws.longest(),
            is_begun: Arc::default(),
            is_late: Arc::default(),
        };
        let asked = self
            .aws
            .ses()
            .await
            .send_email()
            .from_email_address(mail.from.as_str())
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(content)
            .set_configuration_set_name(self.configuration_set.clone())
            .customize()
            .interceptor(watch.clone())
            .send()
            .await;
        match asked {
            Ok(answer) => {
                let Some(id) = answer.message_id().filter(|id| !id.is_empty()) else {
                    let what = Untrusted::new("an answer without a message id");
                    return Err(Failure::new(Stage::EndOfData, Cause::Network(what)));
                };
                note(&format!("200 OK {}", Untrusted::new(id).plain()));
                Ok(Receipt { reply: Untrusted::new(format!("200 OK {id}")), ses_id: Some(Untrusted::new(id)) })
            }
            Err(error) => {
                let failure = watch.failure(error.into());
                note(&failure.to_string());
                Err(failure)
            }
        }
    }
}

/// Watches one request.
#[derive(Clone, Debug)]
struct Watch {
    lease: Lease,
    /// How long the request may take.
    longest: Duration,
    /// Whether any of the mail may have been sent.
    is_begun: Arc<AtomicBool>,
    /// Whether it was not begun because the lease was about to end.
    is_late: Arc<AtomicBool>,
}

impl Watch {
    fn failure(&self, failure: aws::Failure) -> Failure {
        if self.is_late.load(Ordering::SeqCst) {
            return Failure::new(Stage::Data, Cause::LeaseEnds);
        }
        let stage = if self.is_begun.load(Ordering::SeqCst) { Stage::EndOfData } else { Stage::Connect };
        let (stage, cause) = match failure {
            aws::Failure::Refused(refusal) => (stage, Cause::ApiRefusal(refusal)),
            aws::Failure::NoCredentials(what) => (Stage::Auth, Cause::NoCredentials(what.as_str().into())),
            aws::Failure::CredentialsLater(what) => (Stage::Connect, Cause::Network(what.as_str().into())),
            aws::Failure::TimedOut => (stage, Cause::TimedOut(self.longest)),
            aws::Failure::Network(what) => (stage, Cause::Network(what.as_str().into())),
        };
        Failure::new(stage, cause)
    }
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    /// Behind the signature, which needs the body as bytes.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        let bytes = body.bytes().map(Bytes::copy_from_slice).ok_or("the request has no body")?;
        *body = SdkBody::from_body_1_x(Watched { watch: self.clone(), bytes: Full::new(bytes) });
        Ok(())
    }
}

/// A request's body that reports its beginning.
struct Watched {
    watch: Watch,
    bytes: Full<Bytes>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { watch, bytes } = &mut *self;
        if !watch.is_begun.load(Ordering::SeqCst) {
            if let Err(late) = within_lease(&watch.lease, watch.longest, Stage::Data) {
                watch.is_late.store(true, Ordering::SeqCst);
                return Poll::Ready(Some(Err(late.into())));
            }
            watch.is_begun.store(true, Ordering::SeqCst);
        }
        Pin::new(bytes).poll_frame(context).map_err(|never: Infallible| match never {})
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}
