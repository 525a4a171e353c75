//! `verifydesk webhooks retry` and `test`.

use std::process::ExitCode;

use serde_json::json;

use super::name;
use crate::cli::format::json;
use crate::cli::{Failure, operator, output};
use crate::desk::{self, Desk, Error, Refusal};
use crate::domain::audit::{Actor, Origin};
use crate::domain::hook::{DeliveryState, MessageDetail, MessageId};
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub(super) struct Retry {
    /// The messages' ids
    #[arg(value_name = "ID", required_unless_present = "given_up", conflicts_with = "given_up")]
    ids: Vec<MessageId>,
    /// All that were given up
    #[arg(long)]
    given_up: bool,
    /// Only at this endpoint
    #[arg(long, value_name = "NAME", value_parser = name)]
    endpoint: Option<String>,
    /// Print JSON Lines: one object for each message and endpoint, or one for each endpoint
    #[arg(long)]
    json: bool,
}

pub(super) async fn retry(desk: &Desk, args: &Retry) -> Result<ExitCode, Failure> {
    let mut run = Run { desk, args, actor: operator(Origin::Cli), worst: 0, unheard: false };
    if args.given_up {
        run.all().await?;
    }
    for &id in &args.ids {
        run.one(id).await?;
    }
    Ok(ExitCode::from(run.worst))
}

struct Run<'a> {
    desk: &'a Desk,
    args: &'a Retry,
    actor: Actor,
    /// The most severe exit code.
    worst: u8,
    /// Whether the output can no longer be written.
    unheard: bool,
}

impl Run<'_> {
    /// Prints a result. The messages were asked for, not the lines: a reader that went away stops nothing.
    fn say(&mut self, line: &str) {
        if !self.unheard && output::line(line).is_err() {
            self.unheard = true;
        }
    }

    /// Prints and counts a refusal; anything else ends the run.
    fn refused(&mut self, of: &str, object: serde_json::Value, error: Error) -> Result<(), Failure> {
        let outcome = match &error {
            Error::NotFound(_) => "not_found",
            Error::Refused(Refusal::NotGivenUp { state }) => state.as_str(),
            Error::Refused(Refusal::WebhookOvertaken) => "overtaken",
            Error::Refused(Refusal::NoneGivenUp) => "none",
            Error::Refused(Refusal::EndpointOff { .. }) => "endpoint_off",
            _ => return Err(error.into()),
        };
        let failure = Failure::from(error).of(of);
        self.worst = self.worst.max(failure.code());
        if self.args.json {
            let mut object = object;
            object["outcome"] = outcome.into();
            self.say(&json::line(&object));
        } else {
            output::remark(&format!("{failure}"));
        }
        Ok(())
    }

    /// A message, at each endpoint where it was given up.
    async fn one(&mut self, id: MessageId) -> Result<(), Failure> {
        let detail = self.desk.store().webhook_message(id).await?;
        let endpoints = detail.map(|detail| self.targets(&detail)).unwrap_or_default();
        if endpoints.is_empty() {
            return self.refused("retry", json!({ "id": id.to_string() }), desk::no_message(id));
        }
        for endpoint in endpoints {
            let object = json!({ "id": id.to_string(), "endpoint": endpoint });
            match self.desk.retry_webhook(&self.actor, id, &endpoint).await {
                Ok(()) => self.done(&format!("{id} is tried again at {}", plain(&endpoint)), object, 1),
                Err(error) => self.refused(&format!("{id} at {}", plain(&endpoint)), object, error)?,
            }
        }
        Ok(())
    }

    /// Where it was given up; where it was not anywhere, each says how it is there.
    fn targets(&self, detail: &MessageDetail) -> Vec<String> {
        let asked = |name: &str| self.args.endpoint.as_deref().is_none_or(|only| only == name);
        let all = || detail.deliveries.iter().filter(|delivery| asked(delivery.endpoint.raw()));
        let given_up: Vec<String> = all()
            .filter(|delivery| delivery.state == DeliveryState::GivenUp)
            .map(|delivery| delivery.endpoint.raw().to_owned())
            .collect();
        if given_up.is_empty() { all().map(|one| one.endpoint.raw().to_owned()).collect() } else { given_up }
    }

    async fn all(&mut self) -> Result<(), Failure> {
        let endpoints: Vec<String> = if let Some(endpoint) = &self.args.endpoint {
            vec![endpoint.clone()]
        } else {
            let all = self.desk.store().hook_endpoints().await?;
            all.iter().filter(|one| one.given_up > 0).map(|one| one.name.raw().to_owned()).collect()
        };
        if endpoints.is_empty() {
            return Err(Error::from(Refusal::NoneGivenUp).into());
        }
        for endpoint in endpoints {
            let object = json!({ "endpoint": endpoint });
            match self.desk.retry_given_up(&self.actor, &endpoint).await {
                Ok(count) => {
                    let messages = if count == 1 { "message is" } else { "messages are" };
                    self.done(&format!("{count} {messages} tried again at {}", plain(&endpoint)), object, count);
                }
                Err(error) => self.refused(plain(&endpoint).as_str(), object, error)?,
            }
        }
        Ok(())
    }

    fn done(&mut self, words: &str, mut object: serde_json::Value, count: i64) {
        if self.args.json {
            object["outcome"] = "done".into();
            object["retried"] = count.into();
            self.say(&json::line(&object));
        } else {
            self.say(words);
        }
    }
}

pub(super) async fn test(desk: &Desk, endpoint: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let id = desk.test_webhook(&operator(Origin::Cli), endpoint).await?;
    // What was done stays done, even if no one reads the output.
    let _ = output::line(&if as_json {
        json::line(&json!({ "id": id.to_string(), "endpoint": endpoint }))
    } else {
        format!("a test is on its way; `verifydesk webhooks show {id}` says what was answered")
    });
    Ok(ExitCode::SUCCESS)
}
