//! `verifydesk events subscriptions`, `approve` and `refuse`.

use std::process::ExitCode;

use crate::cli::format::{json, table};
use crate::cli::{Failure, operator, output, time};
use crate::desk::Desk;
use crate::domain::Time;
use crate::domain::audit::Origin;
use crate::domain::webhook::{Subscription, WebhookView};

pub(super) async fn list(desk: &Desk, as_json: bool) -> Result<ExitCode, Failure> {
    let view = desk.store().webhook().await?;
    if as_json {
        output::line(&json::line(&json::webhook(&view)))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(&view) {
        output::line(&line)?;
    }
    if view.subscriptions.is_empty() {
        output::remark("no topic has asked to be confirmed; docs/events.md says how one is subscribed");
    } else if view.waiting().next().is_some() {
        output::remark("approve with `verifydesk events approve TOPIC`, if it is yours");
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(view: &WebhookView) -> Vec<String> {
    let mut lines = Vec::new();
    if !view.subscriptions.is_empty() {
        let cells: Vec<Vec<String>> = view.subscriptions.iter().map(|one| cells(one, view.as_of)).collect();
        let headings = ["TOPIC", "STATE", "ASKED", "ALLOWED BY", "CONFIRMED", "ENDED", "LAST ERROR"];
        lines.extend(table::lines(&headings, &cells, output::columns()));
    }
    if !view.refused.is_empty() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let row = |refused: &crate::domain::webhook::Refused| {
            vec![
                refused.reason.plain().into_string(),
                refused.lately.to_string(),
                refused.count.to_string(),
                time::shown(refused.last_at),
            ]
        };
        let cells: Vec<Vec<String>> = view.refused.iter().map(row).collect();
        let headings = ["POSTS REFUSED AS", "SINCE YESTERDAY", "IN 15 DAYS", "LAST"];
        lines.extend(table::lines(&headings, &cells, output::columns()));
    }
    lines
}

fn cells(one: &Subscription, now: Time) -> Vec<String> {
    let shown = |at: Option<Time>| at.map(time::shown).unwrap_or_default();
    let by = match &one.decided_by {
        _ if one.is_allowed => "ses.topics".to_owned(),
        Some(by) if one.approved_at.is_some() => by.plain().into_string(),
        _ => String::new(),
    };
    vec![
        one.topic.plain().into_string(),
        one.state(now).as_str().to_owned(),
        shown(one.asked_at),
        by,
        shown(one.confirmed_at),
        shown(one.ended_at),
        one.error.as_ref().map(|error| error.plain().into_string()).unwrap_or_default(),
    ]
}

pub(super) async fn approve(desk: &Desk, topic: &str) -> Result<ExitCode, Failure> {
    desk.approve_topic(&operator(Origin::Cli), topic).await?;
    // What was done stays done, even if no one reads the output.
    let _ = output::line(
        "the topic is approved; `serve` confirms its subscription within seconds, if it asked in the last two days",
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn refuse(desk: &Desk, topic: &str) -> Result<ExitCode, Failure> {
    desk.refuse_topic(&operator(Origin::Cli), topic).await?;
    let _ = output::line("the topic is refused; what `ses.topics` names is taken all the same");
    Ok(ExitCode::SUCCESS)
}
