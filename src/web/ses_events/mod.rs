//! `POST /ses/events`: what Amazon SNS posts of SES's events. It is there where settings name a topic, or turn it on.
//!
//! SNS takes any status below 500 for delivered, and tries again after any other. So 200 says that an event is stored, or
//! that a post that SNS has signed needs no more; 4xx that it is forged or foreign; 503 that the fault is ours.
//!
//! Strangers may post here as well. What they post is bounded in memory ([`body`]), looked at without the database, and
//! only counted ([`refused`]); events of SNS's go to the database together ([`intake`]).

mod body;
mod intake;
mod known;
mod refused;
mod signatures;
mod subscriptions;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::Context;
use super::api::ApiError;
use crate::contain::contained_async;
use crate::desk::Desk;
use crate::ses::event::{Event, NotAnEvent};
use crate::ses::sns::{Fetch, FetchError, Kind, Refusal, TopicArn, Verifier};
use body::{Budget, Unread};
use intake::Intake;
use known::Known;
use refused::Refused;
use signatures::Signatures;

/// Where SNS posts.
const PATH: &str = "/ses/events";

/// How often it is looked what the database says, and what was refused is written there.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// What SNS sets where it posts what was published as it is, without a signature.
const RAW: &str = "x-amz-sns-rawdelivery";

/// Takes SNS's posts.
pub(super) struct Webhook {
    verifier: Verifier,
    /// Those that settings allow.
    topics: BTreeSet<String>,
    known: Known,
    budget: Budget,
    intake: Intake,
    refused: Refused,
    signatures: Signatures,
}

/// Why a post is not taken.
enum Fault {
    Refused(Refusal),
    /// Signed by SNS, and not wanted.
    Unwanted(&'static str),
    /// SNS did not confirm a subscription.
    Unconfirmed(FetchError),
    /// More come than there is room for.
    Busy,
    /// It did not come whole, or not in time.
    Cut,
    /// The database did not take it, or was not seen yet.
    Away,
}

/// Whether a path is where SNS posts.
pub(super) fn is_at(path: &str) -> bool {
    path == PATH
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route(PATH, post(take))
}

async fn take(State(context): State<Context>, request: Request) -> Response {
    let Some(webhook) = &context.0.webhook else { return StatusCode::NOT_FOUND.into_response() };
    match webhook.take(&context.0.desk, request).await {
        Ok(status) => Json(json!({ "status": status })).into_response(),
        Err(fault) => fault.error().into_response(),
    }
}

impl Webhook {
    pub(super) fn new(topics: &[String], fetch: Arc<dyn Fetch>) -> Self {
        Self {
            verifier: Verifier::new(fetch),
            topics: topics.iter().cloned().collect(),
            known: Known::default(),
            budget: Budget::default(),
            intake: Intake::default(),
            refused: Refused::default(),
            signatures: Signatures::default(),
        }
    }

    /// Does what posts wait for, for as long as it is polled.
    pub(super) async fn work(&self, desk: &Desk) {
        let upkeep = async {
            let mut rounds = interval(UPKEEP_EVERY);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                // Where it breaks, it is tried again in the next round.
                let _ = contained_async(self.look(desk)).await;
            }
        };
        // Apart: SNS may be slow.
        let confirming = async {
            let mut rounds = interval(UPKEEP_EVERY);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                let _ = contained_async(self.confirm(desk)).await;
            }
        };
        tokio::join!(upkeep, confirming, self.intake.work(desk));
    }

    async fn look(&self, desk: &Desk) {
        let store = desk.store();
        // What posts wait for comes first.
        let done = [self.known.look(store).await, self.refused.write(store).await, self.signatures.write(store).await];
        for looked in done {
            if let Err(error) = looked {
                tracing::debug!(%error, "the database is asked again in a second");
            }
        }
    }

    /// Confirms what operators have approved; what fails is logged there.
    async fn confirm(&self, desk: &Desk) {
        let _ = self.confirm_due(desk).await;
    }

    /// Writes what was refused since the last look.
    pub(super) async fn finish(&self, desk: &Desk) {
        let _ = self.refused.write(desk.store()).await;
    }

    /// Whether settings name a topic.
    fn is_set(&self, topic: &TopicArn) -> bool {
        self.topics.contains(topic.as_str())
    }

    /// Counts what is forged or foreign.
    fn refuse(&self, reason: &'static str) -> Fault {
        self.refused.count(reason);
        Fault::Unwanted(reason)
    }

    /// What became of a post.
    async fn take(&self, desk: &Desk, request: Request) -> Result<&'static str, Fault> {
        let is_raw = request.headers().contains_key(RAW);
        let body = self.budget.read(request).await.map_err(|unread| {
            if matches!(unread, Unread::TooLong) {
                self.refused.count(Refusal::TooLong.as_str());
            }
            Fault::from(unread)
        })?;
        let view = self.known.view().await.ok_or(Fault::Away)?;
        let now = view.now().ok_or(Fault::Away)?;
        let is_allowed = |topic: &TopicArn| self.is_set(topic) || view.has_approved(topic.as_str());
        let verifying = self.verifier.verify(body.bytes(), is_raw, is_allowed, now);
        let verified = tokio::select! {
            biased;
            verified = verifying => verified,
            () = body.gives_way() => return Err(Fault::Busy),
        };
        let message = verified.map_err(|refusal| {
            self.refused.count(refusal.as_str());
            Fault::Refused(refusal)
        })?;
        body.stays();
        if message.is_allowed {
            let topic = &message.topic;
            self.signatures.saw(topic.as_str(), message.signature_version, self.is_set(topic));
        }
        match message.kind {
            Kind::Notification => match Event::of_notification(&message.text, &message.id) {
                Ok(event) => self.intake.store(event).await.map(|()| "stored"),
                Err(NotAnEvent::Notice) => Ok("a notice of AWS"),
                Err(_) => {
                    // Signed, so that it may come: a topic may have other publishers.
                    self.refused.count("not-an-event");
                    Ok("not an event of SES")
                }
            },
            Kind::SubscriptionConfirmation => self.subscription_asked(desk, &message).await,
            Kind::UnsubscribeConfirmation => self.subscription_ended(desk, &message.topic).await,
        }
    }
}

impl From<Unread> for Fault {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLong => Self::Refused(Refusal::TooLong),
            Unread::Busy => Self::Busy,
            Unread::Cut => Self::Cut,
        }
    }
}

impl Fault {
    fn error(&self) -> ApiError {
        let unavailable = |code, message| ApiError::unavailable(code, message).hint("SNS tries again by itself");
        match self {
            Self::Busy => unavailable("busy", "too many posts are being looked at"),
            Self::Cut => unavailable("too_slow", "the post did not come whole within its time"),
            Self::Away => unavailable("database_away", "the database does not answer"),
            Self::Unconfirmed(error) => {
                unavailable("not-confirmed", &format!("the subscription could not be confirmed: {error}"))
            }
            Self::Unwanted(reason) => {
                ApiError::new(StatusCode::FORBIDDEN, reason, "this topic is not wanted here, or too many ask")
                    .hint("`verifydesk events subscriptions` shows which ask; `ses.topics` needs no approval")
            }
            Self::Refused(refusal) => {
                let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
                let message = format!("the post is not taken: {refusal}");
                if status.is_server_error() {
                    unavailable(refusal.as_str(), &message)
                } else {
                    ApiError::new(status, refusal.as_str(), message).hint("docs/events.md says what is taken here")
                }
            }
        }
    }
}
