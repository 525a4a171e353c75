//! The account as JSON.

use serde_json::{Value, json};

use super::json::time;
use super::{identities, outbox, suppression};
use crate::cli::time::shown;
use crate::domain::account::facts::in_dns;
use crate::domain::account::flow::{Day, DomainFunnel, Funnel};
use crate::domain::account::view::AccountView;
use crate::domain::account::{Figures, Panel, not_published};
use crate::domain::reputation::{BOUNCES, COMPLAINTS, Thresholds};

/// All that the desk knows of the account.
pub fn account(view: &AccountView) -> Value {
    let thresholds = |limits: Thresholds| json!({ "review": limits.review, "pause": limits.pause });
    json!({
        "as_of": shown(view.as_of),
        "has_aws": view.has_aws(),
        "account": view.account.as_ref().map(outbox::account),
        "full_at": time(view.full_at()),
        "pace": outbox::pace(&view.pace),
        "reputation": outbox::reputation(&view.reputation),
        "thresholds": { "bounces": thresholds(BOUNCES), "complaints": thresholds(COMPLAINTS) },
        "days": view.days.iter().map(day).collect::<Vec<_>>(),
        "funnel": funnel(&view.funnel),
        "domains": view.domains.iter().map(domain).collect::<Vec<_>>(),
        "dns": identities::dns(Some(&in_dns(view))),
        "identities_asked_for": view.added.iter().map(suppression::act).collect::<Vec<_>>(),
        "suppression_list": view.list.as_ref().map(suppression::list),
        "panels": view.panels.iter().map(panel).collect::<Vec<_>>(),
    })
}

fn day(day: &Day) -> Value {
    json!({
        "accepted": day.accepted,
        "delivered": day.delivered,
        "bounced": day.bounced,
        "complained": day.complained,
        "rejected": day.rejected,
    })
}

fn funnel(funnel: &Funnel) -> Value {
    let seconds = |of: Option<(f64, f64)>| of.map(|(median, late)| json!({ "median": median, "in_95_of_100": late }));
    json!({
        "links": funnel.made,
        "links_at_most": funnel.most,
        "accepted": funnel.accepted,
        "delivered": funnel.delivered,
        "opened": funnel.opened,
        "verified": funnel.verified,
        "seconds_to_open": seconds(funnel.to_open),
        "seconds_to_verify": seconds(funnel.to_verify),
    })
}

fn domain(of: &DomainFunnel) -> Value {
    json!({ "domain": of.domain, "funnel": funnel(&of.funnel) })
}

fn panel(panel: &Panel) -> Value {
    let trouble = panel.trouble.as_ref();
    let permission = trouble.and_then(|trouble| trouble.permission.as_ref());
    // What is not allowed any more has no figures.
    let answer = panel.answer.as_ref().filter(|_| permission.is_none());
    let figures = answer.map(|(_, figures)| figures);
    json!({
        "kind": panel.kind.as_str(),
        "subject": panel.subject,
        "asked_at": shown(panel.asked_at),
        "answered_at": time(answer.map(|(at, _)| *at)),
        "figures": figures,
        "not_published": match figures {
            Some(Figures::EventDestinations(all)) => Some(not_published(all)),
            _ => None,
        },
        "error": trouble.map(|trouble| &trouble.text),
        "failed_at": time(trouble.map(|trouble| trouble.since)),
        "missing_permission": permission,
    })
}
