//! `verifydesk webhooks show`

use std::process::ExitCode;

use crate::cli::format::{hooks, json};
use crate::cli::{Failure, output, time};
use crate::desk::{self, Desk};
use crate::domain::hook::{Attempt, Delivery, DeliveryState, MessageDetail, MessageId};

pub(super) async fn run(desk: &Desk, id: MessageId, as_json: bool) -> Result<ExitCode, Failure> {
    let detail = desk.store().webhook_message(id).await?.ok_or_else(|| desk::no_message(id))?;
    if as_json {
        output::line(&json::line(&hooks::message(&detail)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(&detail) {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(detail: &MessageDetail) -> Vec<String> {
    let mut lines = vec![
        format!("webhook   {}", detail.id),
        format!("type      {}", detail.kind.plain()),
        format!("written   {}", time::shown(detail.at)),
    ];
    lines.extend(detail.user_id.map(|id| format!("user      {id}")));
    lines.push(format!("body      {}", detail.body.plain()));
    if detail.deliveries.is_empty() {
        lines.push("endpoints none was told".to_owned());
    }
    for delivery in &detail.deliveries {
        lines.push(String::new());
        lines.push(format!("{}: {}", delivery.endpoint.plain(), fate(delivery)));
        let of = detail.attempts.iter().filter(|attempt| attempt.endpoint == delivery.endpoint);
        lines.extend(of.map(attempt));
        // What is behind it says no more than the last attempt, but for what was given up untried.
        if let (DeliveryState::GivenUp, 0, Some(answer)) = (delivery.state, delivery.attempts, delivery.answer()) {
            lines.push(format!("  never tried: {answer}"));
        }
    }
    lines
}

fn fate(delivery: &Delivery) -> String {
    let attempts = match delivery.attempts {
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    };
    let since = time::shown(delivery.changed_at);
    match delivery.state {
        DeliveryState::Waiting => format!("waiting, {attempts}, next at {}", time::shown(delivery.due_at)),
        DeliveryState::Delivered => {
            let status = delivery.status.map(|status| format!(", answered {status}")).unwrap_or_default();
            format!("delivered at {since}, {attempts}{status}")
        }
        DeliveryState::GivenUp => format!("given up at {since}, {attempts}"),
    }
}

fn attempt(attempt: &Attempt) -> String {
    format!("  {}  {}", time::shown(attempt.at), attempt.error.plain())
}
