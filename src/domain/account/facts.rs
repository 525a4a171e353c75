//! What is known of the account, in words, panel by panel: the same for the console and the command line.

mod identities;
mod list;
mod reputation;

use super::view::AccountView;
use super::{CallTrouble, ConfigurationSet, EventDestination, Figures, Panel, PanelKind};
use super::{not_published, rewriting};
use crate::domain::Time;
use crate::domain::amazon::AccountStanding;
use crate::domain::number::thousands;
use crate::text::{Plain, Untrusted, plain};

/// How much a fact matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    Plain,
    Good,
    /// Someone should look.
    Look,
    Bad,
}

/// One line of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fact {
    /// Empty for what belongs to the line above.
    pub label: &'static str,
    pub words: String,
    pub level: Level,
    /// How much of something is used up, where it is that.
    pub scale: Option<Scale>,
}

/// How much of something is used up, and what happens at which part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scale {
    /// By each count that there is.
    pub bars: Vec<Bar>,
    /// From the least to the most, each with what it is in a few words.
    pub marks: Vec<(f64, String)>,
    /// The marks in a sentence, for where they are not drawn.
    pub in_words: String,
}

/// How much of something is used up, by one count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// Of the count; empty where there can be only one.
    pub name: &'static str,
    /// 1 is all of it.
    pub part: f64,
    pub level: Level,
}

impl Fact {
    /// All of it in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.scale {
            Some(scale) if !scale.in_words.is_empty() => format!("{}; {}", self.words, scale.in_words),
            _ => self.words.clone(),
        }
    }
}

/// A panel in words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PanelFacts {
    pub title: &'static str,
    /// What it is about; empty where there can be only one.
    pub subject: String,
    /// How old its figures are; `None` where there are none.
    pub seen_at: Option<Time>,
    /// Whether they are the desk's own, counted at that time, and not an answer of AWS's.
    pub is_own: bool,
    /// The right that is missing: then there are no figures of AWS's.
    pub missing: Option<Plain>,
    /// Why there are no newer figures, and since when.
    pub trouble: Option<(Plain, Time)>,
    pub facts: Vec<Fact>,
}

fn fact(label: &'static str, words: impl Into<String>, level: Level) -> Fact {
    Fact { label, words: words.into(), level, scale: None }
}

/// All panels; times as `shown` writes them.
#[must_use]
pub fn panels(view: &AccountView, shown: &impl Fn(Time) -> String) -> Vec<PanelFacts> {
    let mut account = account(view, shown);
    identities::with_added(&mut account, view, shown);
    let mut panels = vec![account, reputation::panel(view, shown)];
    // AWS's rates are shown with ours.
    let others = view.panels.iter().filter(|it| it.kind != PanelKind::Rates);
    panels.extend(others.map(|it| panel(view, it)));
    panels.extend(view.list.as_ref().map(|list| list::panel(list, shown)));
    let has_set = view.panels.iter().any(|panel| panel.kind == PanelKind::ConfigurationSet);
    if view.has_aws() && !view.panels.is_empty() && !has_set {
        panels.push(PanelFacts { title: "Configuration set", facts: vec![without_set(view)], ..PanelFacts::default() });
    }
    panels
}

fn account(view: &AccountView, shown: &impl Fn(Time) -> String) -> PanelFacts {
    let mut panel = PanelFacts { title: "Account", ..PanelFacts::default() };
    let Some(account) = &view.account else {
        panel.facts.push(fact(
            "",
            "no worker asks AWS: mails do not go through SES, or there are no AWS keys. What follows is the desk's own data",
            Level::Plain,
        ));
        panel.facts.extend(pace(view, None));
        return panel;
    };
    panel.missing = account.permission.as_ref().map(Untrusted::plain);
    panel.trouble = account.error.as_ref().map(|(error, since)| (error.plain(), *since));
    let Some(standing) = account.standing.as_ref().filter(|_| panel.missing.is_none()) else {
        if panel.trouble.is_none() {
            panel.facts.push(fact("", "not asked yet", Level::Plain));
        }
        panel.facts.extend(pace(view, None));
        return panel;
    };
    panel.subject = standing.region.plain().into_string();
    panel.seen_at = Some(standing.seen_at);
    panel.facts.push(access(standing));
    if standing.is_sandbox {
        panel.facts.push(fact(
            "to test",
            "`verifydesk account identities add YOUR-ADDRESS` lets you be mailed",
            Level::Plain,
        ));
    }
    panel.facts.push(match standing.enforcement.raw() {
        "HEALTHY" => fact("status", "healthy", Level::Good),
        "PROBATION" => fact("status", "on probation: AWS reviews how mail is received", Level::Bad),
        "SHUTDOWN" => fact("status", "AWS has shut it down", Level::Bad),
        other => fact("status", plain(other).into_string(), Level::Look),
    });
    panel.facts.push(if standing.can_send {
        fact("sending", "AWS lets it send", Level::Good)
    } else {
        fact("sending", "AWS has paused sending", Level::Bad)
    });
    panel.facts.push(quota(standing));
    if standing.daily_max.is_some() {
        panel.facts.push(match view.full_at() {
            Some(at) if at <= view.as_of => fact("full", "the quota is used up", Level::Bad),
            Some(at) => fact("full", format!("at {}, at the present pace", shown(at)), Level::Look),
            None => fact("full", "not within a day, at the present pace", Level::Plain),
        });
    }
    panel.facts.extend(pace(view, Some(standing)));
    panel
}

fn access(standing: &AccountStanding) -> Fact {
    let review = match standing.review.raw() {
        "" | "GRANTED" => String::new(),
        "PENDING" => "; production access was asked for, AWS has not answered yet".to_owned(),
        "DENIED" => "; AWS has refused production access".to_owned(),
        other => format!("; production access: {}", plain(other)),
    };
    if standing.is_sandbox {
        let words = format!("the sandbox: only verified addresses and domains can be mailed{review}");
        fact("access", words, Level::Look)
    } else {
        fact("access", "production", Level::Good)
    }
}

fn quota(standing: &AccountStanding) -> Fact {
    let others = match standing.sent_by_others {
        0 => String::new(),
        others => format!(", {} of them by others", thousands(others)),
    };
    let words = format!("{}{others}", standing.quota_in_words());
    let Some(most) = standing.daily_max else { return fact("quota", words, Level::Plain) };
    let part = if most > 0.0 { standing.sent / most } else { 1.0 };
    let level = match part {
        part if part >= 1.0 => Level::Bad,
        part if part >= 0.8 => Level::Look,
        _ => Level::Plain,
    };
    let bars = vec![Bar { name: "", part, level }];
    Fact { scale: Some(Scale { bars, ..Scale::default() }), ..fact("quota", words, level) }
}

/// "14 mails a second"
fn a_second(rate: f64) -> String {
    let noun = if (rate - 1.0).abs() < f64::EPSILON { "mail" } else { "mails" };
    format!("{rate} {noun} a second")
}

/// The rate of the account, and the pace that the settings make of it.
fn pace(view: &AccountView, standing: Option<&AccountStanding>) -> Vec<Fact> {
    let pace = &view.pace;
    let mut facts = Vec::new();
    if let Some(standing) = standing {
        facts.push(fact("rate", a_second(standing.rate_max), Level::Plain));
    }
    let rate = standing.map_or(f64::INFINITY, |standing| standing.rate_max);
    let lowered = if pace.limit < rate && standing.is_some() { ", lowered by the settings" } else { "" };
    facts.push(if pace.rate < pace.limit {
        let words = format!("{} of {}{lowered}: the server asked for less", a_second(pace.rate), pace.limit);
        fact("pace", words, Level::Look)
    } else {
        fact("pace", format!("{}{lowered}", a_second(pace.limit)), Level::Plain)
    });
    if let Some(most) = pace.daily_quota {
        let left = pace.left().unwrap_or_default();
        let words = format!("{} of {} mails left in these 24 h for this desk", thousands(left), thousands(most));
        facts.push(fact("ours", words, Level::Plain));
    }
    facts
}

fn panel(view: &AccountView, panel: &Panel) -> PanelFacts {
    let title = match panel.kind {
        PanelKind::Sender => "Sender",
        PanelKind::Domain => "Domain",
        PanelKind::Identities => "Identities",
        PanelKind::ConfigurationSet => "Configuration set",
        PanelKind::EventDestinations => "Events",
        PanelKind::Rates => "Rates",
    };
    let (missing, trouble) = troubled(panel);
    let answer = panel.answer.as_ref().filter(|_| missing.is_none());
    let mut facts = answer.map(|(_, figures)| figures_of(view, panel, figures)).unwrap_or_default();
    if answer.is_none() && trouble.is_none() {
        facts.push(fact("", "not answered yet", Level::Plain));
    }
    PanelFacts {
        title,
        subject: panel.subject.plain().into_string(),
        seen_at: answer.map(|(at, _)| *at),
        is_own: false,
        trouble,
        missing,
        facts,
    }
}

/// The right that is missing, and why there is no newer answer.
fn troubled(panel: &Panel) -> (Option<Plain>, Option<(Plain, Time)>) {
    let Some(CallTrouble { text, since, permission }) = &panel.trouble else { return (None, None) };
    (permission.as_ref().map(Untrusted::plain), Some((text.plain(), *since)))
}

fn figures_of(view: &AccountView, panel: &Panel, figures: &Figures) -> Vec<Fact> {
    match figures {
        Figures::Absent => vec![absent(view, panel.kind)],
        Figures::Identity(identity) => identities::of_one(view, panel, identity),
        Figures::Identities(all) => identities::of_all(view, all),
        Figures::ConfigurationSet(set) => configuration_set(set),
        Figures::EventDestinations(all) => destinations(all),
        // They stand beside ours.
        Figures::Rates(_) => Vec::new(),
    }
}

fn absent(view: &AccountView, kind: PanelKind) -> Fact {
    let other = match kind {
        PanelKind::Sender => PanelKind::Domain,
        PanelKind::Domain => PanelKind::Sender,
        _ => return fact("", "SES knows no such configuration set: it refuses every mail", Level::Bad),
    };
    // An address may send where its domain may, and needs no identity of its own then.
    match view.identity(other) {
        Some(identity) if identity.is_verified => {
            let word = if kind == PanelKind::Sender { "domain" } else { "address" };
            fact("", format!("no identity of its own: `mail.from` uses its {word}'s"), Level::Plain)
        }
        _ => fact("", "no identity: SES refuses mails from there", Level::Bad),
    }
}

fn configuration_set(set: &ConfigurationSet) -> Vec<Fact> {
    let mut facts = vec![if set.can_send {
        fact("sending", "is on", Level::Good)
    } else {
        fact("sending", "is switched off for this set: SES refuses every mail", Level::Bad)
    }];
    if !set.tls.is_empty() {
        facts.push(fact("TLS", words(&set.tls), Level::Plain));
    }
    let metrics = if set.has_reputation_metrics { "go to CloudWatch" } else { "do not go to CloudWatch" };
    facts.push(fact("rates", metrics, Level::Plain));
    facts
}

fn destinations(all: &[EventDestination]) -> Vec<Fact> {
    let missing = not_published(all);
    let mut facts = vec![if missing.is_empty() {
        fact("needed", "all that the desk needs is published", Level::Good)
    } else {
        fact("needed", format!("not published to SNS or EventBridge: {}", missing.join(", ")), Level::Bad)
    }];
    let rewriting = rewriting(all);
    if !rewriting.is_empty() {
        let words = format!("{} rewrite the link in the mail: switch them off", rewriting.join(", "));
        facts.push(fact("too much", words, Level::Look));
    }
    facts.extend(all.iter().map(|one| {
        let to = [&one.topic, &one.bus].into_iter().find(|arn| !arn.is_empty());
        let to = to.map_or_else(|| "elsewhere".into(), |arn| arn.plain().into_string());
        let off = if one.is_on { "" } else { " (off)" };
        fact("", format!("{}{off} to {to}", one.name.plain()), Level::Plain)
    }));
    facts
}

fn without_set(view: &AccountView) -> Fact {
    let of_identity = [PanelKind::Sender, PanelKind::Domain]
        .into_iter()
        .find_map(|kind| view.identity(kind).map(|identity| &identity.configuration_set).filter(|set| !set.is_empty()));
    match of_identity {
        Some(set) => fact("", format!("the identity's: {}; it is not looked at", set.plain()), Level::Plain),
        None => {
            fact("", "`mail.configuration_set` is not set: SES reports nothing of what becomes of mails", Level::Look)
        }
    }
}

pub use identities::{in_dns, ordered, state};

/// `TEMPORARY_FAILURE` as "temporary failure"; "not said" where there is nothing.
fn words(of: &Untrusted) -> String {
    if of.is_empty() { "not said".into() } else { of.plain().as_str().to_lowercase().replace('_', " ") }
}
