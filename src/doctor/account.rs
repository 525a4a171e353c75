//! What SES said of the account, as workers asked. Who looks needs no key of AWS's.

use super::{Finding, Room, check::Examined};
use crate::config::Settings;
use crate::domain::account::facts::{Fact, Level, PanelFacts, panels};
use crate::domain::account::view::AccountView;
use crate::domain::account::{Figures, Identity, Panel, PanelKind, not_published, rewriting};
use crate::domain::amazon::AccountStanding;
use crate::export::shown;
use crate::text::Untrusted;

/// Why nothing of SES's is looked at.
const NOT_ASKED: &str = "no worker asks SES: mails do not go through it, or workers have no AWS keys";

/// From when on an answer is old: workers ask every five minutes.
const OLD: chrono::TimeDelta = chrono::TimeDelta::minutes(30);

/// What SES says the account may, if that is known.
fn standing(view: &AccountView) -> Result<&AccountStanding, Finding> {
    let account = view.account.as_ref().ok_or_else(|| Finding::skipped(NOT_ASKED))?;
    match (&account.standing, &account.permission) {
        (_, Some(right)) => Err(Finding::skipped(format!("workers may not ask: {} is missing", right.plain()))),
        (None, None) => Err(Finding::skipped("SES has not answered yet")),
        (Some(standing), None) => Ok(standing),
    }
}

/// A fact of the account's, in the words that the account's view has for it.
fn fact(view: &AccountView, label: &str) -> Option<Fact> {
    let panel: PanelFacts = panels(view, &shown).into_iter().next()?;
    panel.facts.into_iter().find(|fact| fact.label == label)
}

/// A fact with what to do about it.
fn judged(fact: Option<Fact>, next: &str) -> Finding {
    let Some(Fact { words, level, .. }) = fact else { return Finding::skipped("SES has not said") };
    match level {
        Level::Plain | Level::Good => Finding::green(words),
        Level::Look => Finding::yellow(words, next),
        Level::Bad => Finding::red(words, next),
    }
}

pub(super) fn asked(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let account = view.account.as_ref().ok_or_else(|| Finding::skipped(NOT_ASKED))?;
        if let (Some((error, since)), None) = (&account.error, &account.permission) {
            return Ok(Finding::red(
                format!("no answer since {}: {}", shown(*since), error.plain()),
                "see whether workers reach SES's API, and whether their AWS keys are right for its region",
            ));
        }
        let asked_at = account.standing.as_ref().map(|standing| standing.seen_at);
        let newest =
            view.panels.iter().filter_map(|panel| panel.answer.as_ref().map(|(at, _)| *at)).max().max(asked_at);
        Ok(match newest {
            None => return Err(Finding::skipped("SES has not answered yet")),
            Some(at) if view.as_of - at > OLD => Finding::yellow(
                format!("the newest answer is of {}", shown(at)),
                "see whether a worker with AWS keys runs: what follows is as old",
            ),
            Some(at) => Finding::green(format!("the newest answer is of {}", shown(at))),
        })
    })
}

pub(super) fn access(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        standing(view)?;
        Ok(judged(
            fact(view, "access"),
            "ask AWS for production access (SES, Account dashboard) and describe sign-up mails; until then \
             `verifydesk account identities add ADDRESS` lets one be mailed, once its owner has opened the link from AWS",
        ))
    })
}

pub(super) fn standing_of(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        standing(view)?;
        let facts = [fact(view, "sending"), fact(view, "status")];
        let worst = facts.into_iter().flatten().max_by_key(|fact| fact.level);
        Ok(judged(
            worst,
            "read AWS's mail about it and its case in the support center; find out who bounces and complains before asking \
             for sending again",
        ))
    })
}

pub(super) fn quota(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        standing(view)?;
        Ok(judged(
            fact(view, "quota"),
            "ask AWS for a larger quota (Service Quotas, SES), or have what else sends from this account send less",
        ))
    })
}

/// A panel, if SES has answered it.
fn answer(view: &AccountView, kind: PanelKind) -> Result<(&Panel, &Figures), Finding> {
    if view.account.is_none() && view.panels.is_empty() {
        return Err(Finding::skipped(NOT_ASKED));
    }
    let panel = view.panels.iter().find(|panel| panel.kind == kind);
    let panel = panel.ok_or_else(|| Finding::skipped("workers do not ask for it"))?;
    if let Some(right) = panel.trouble.as_ref().and_then(|trouble| trouble.permission.as_ref()) {
        return Err(Finding::skipped(format!("workers may not ask: {} is missing", right.plain())));
    }
    let (_, figures) = panel.answer.as_ref().ok_or_else(|| Finding::skipped("SES has not answered yet"))?;
    Ok((panel, figures))
}

/// The identities that mails are sent by: that of the address, and that of its domain.
fn identities(view: &AccountView) -> Result<Vec<(&Panel, &Identity)>, Finding> {
    let both = [PanelKind::Sender, PanelKind::Domain].map(|kind| answer(view, kind));
    let mut known = Vec::new();
    let mut unknown = None;
    for one in both {
        match one {
            Ok((panel, Figures::Identity(identity))) => known.push((panel, identity)),
            Ok(_) => {}
            Err(finding) => unknown = Some(finding),
        }
    }
    // What the other one is may still make it good.
    match unknown {
        Some(finding) if !known.iter().any(|(_, identity)| identity.is_verified) => Err(finding),
        _ => Ok(known),
    }
}

/// `TEMPORARY_FAILURE` as *temporary failure*.
fn word(of: &Untrusted) -> String {
    if of.is_empty() { "not said".into() } else { of.plain().as_str().to_lowercase().replace('_', " ") }
}

pub(super) fn sender(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let known = identities(view)?;
        if let Some((panel, _)) = known.iter().find(|(_, identity)| identity.is_verified) {
            return Ok(Finding::green(format!("{} may send", panel.subject.plain())));
        }
        let next = "verify the sender's domain in SES, in the region that mails go through: put its three CNAME records into \
                    DNS; or set `mail.from` to an identity that is verified";
        Ok(match known.first() {
            None => {
                let subject = view.panels.iter().find(|panel| panel.kind == PanelKind::Sender);
                let subject = subject.map(|panel| panel.subject.plain().into_string()).unwrap_or_default();
                Finding::red(format!("SES knows neither {subject} nor its domain: it refuses every mail"), next)
            }
            Some((panel, identity)) => {
                let why = if identity.verification_error.is_empty() {
                    String::new()
                } else {
                    format!(", {}", identity.verification_error.plain())
                };
                let words = format!("{} is not verified: {}{why}", panel.subject.plain(), word(&identity.verification));
                Finding::red(words, next)
            }
        })
    })
}

pub(super) fn dkim(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let known = identities(view)?;
        let signs = |identity: &Identity| identity.dkim_signs && identity.dkim.raw() == "SUCCESS";
        if let Some((panel, _)) = known.iter().find(|(_, identity)| signs(identity)) {
            return Ok(Finding::green(format!("mails are signed for {}", panel.subject.plain())));
        }
        let Some((panel, identity)) = known.iter().find(|(panel, _)| panel.kind == PanelKind::Domain) else {
            return Ok(Finding::yellow(
                "only an address is verified, and its domain signs nothing: large providers put such mails aside",
                "verify the domain itself in SES, and put its three CNAME records into DNS",
            ));
        };
        let domain = panel.subject.plain();
        let records: Vec<String> = identity
            .dkim_tokens
            .iter()
            .map(|token| format!("{0}._domainkey.{domain} CNAME {0}.dkim.amazonses.com", token.plain()))
            .collect();
        let next = if records.is_empty() {
            "switch DKIM on for the domain in SES (Easy DKIM), and put its three CNAME records into DNS".to_owned()
        } else {
            format!("put into DNS: {}", records.join("; "))
        };
        let why = if identity.dkim_signs { word(&identity.dkim) } else { "it is off".into() };
        Ok(Finding::yellow(format!("mails of {domain} are not signed: {why}"), next))
    })
}

pub(super) fn mail_from(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let known = identities(view)?;
        let own = known.iter().find(|(_, identity)| !identity.mail_from.is_empty());
        let Some((_, identity)) = own else {
            return Ok(Finding::green("SES's own: DMARC holds by DKIM alone"));
        };
        let (domain, status) = (identity.mail_from.plain(), word(&identity.mail_from_status));
        Ok(if identity.mail_from_status.raw() == "SUCCESS" {
            Finding::green(format!("{domain}: {status}"))
        } else {
            Finding::yellow(
                format!("{domain}: {status}; SES uses its own meanwhile, or refuses, as the identity says"),
                format!(
                    "put into DNS: {domain} MX 10 feedback-smtp.{}.amazonses.com; {domain} TXT \"v=spf1 \
                     include:amazonses.com ~all\"",
                    region(view, &room.settings)
                ),
            )
        })
    })
}

/// The account's region, as far as it is known.
pub(super) fn region(view: &AccountView, settings: &Settings) -> String {
    let said =
        view.account.as_ref().and_then(|account| account.standing.as_ref()).map(|it| it.region.plain().into_string());
    said.or_else(|| crate::ses::endpoint::region(&settings.ses).ok().flatten()).unwrap_or_else(|| "REGION".into())
}

pub(super) fn configuration_set(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        if view.account.is_some() && !view.panels.iter().any(|panel| panel.kind == PanelKind::ConfigurationSet) {
            let of_identity = [PanelKind::Sender, PanelKind::Domain]
                .into_iter()
                .find_map(|kind| view.identity(kind).map(|it| &it.configuration_set).filter(|set| !set.is_empty()));
            return Ok(match of_identity {
                Some(set) => Finding::yellow(
                    format!("the identity's is {}, and workers do not look at it", set.plain()),
                    "set `mail.configuration_set` to it on every worker",
                ),
                None => Finding::yellow(
                    "`mail.configuration_set` is not set: SES reports nothing of what becomes of mails",
                    "make one in SES with an event destination, and set `mail.configuration_set` to it on every worker",
                ),
            });
        }
        let (panel, figures) = answer(view, PanelKind::ConfigurationSet)?;
        let name = panel.subject.plain();
        Ok(match figures {
            Figures::ConfigurationSet(set) if set.can_send => Finding::green(format!("{name} sends")),
            Figures::ConfigurationSet(_) => Finding::red(
                format!("sending is switched off for {name}: SES refuses every mail"),
                "switch it on again in SES once it is clear why it was switched off",
            ),
            _ => Finding::red(
                format!("SES knows no configuration set {name}: it refuses every mail"),
                "make it in SES, in the region that mails go through, or correct `mail.configuration_set`",
            ),
        })
    })
}

pub(super) fn events(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let view = room.account().await?;
        let (panel, figures) = answer(view, PanelKind::EventDestinations)?;
        let Figures::EventDestinations(all) = figures else {
            return Err(Finding::skipped("there is no such configuration set"));
        };
        let set = panel.subject.plain();
        let missing = not_published(all);
        if !missing.is_empty() {
            return Ok(Finding::red(
                format!("{set} does not publish to SNS or EventBridge: {}", missing.join(", ")),
                format!(
                    "add an event destination to {set} in SES that publishes them to the topic whose queue is read, or \
                     tick them in the one that is there"
                ),
            ));
        }
        let too_much = rewriting(all);
        Ok(if too_much.is_empty() {
            Finding::green("all that the desk needs is published")
        } else {
            Finding::yellow(
                format!("{} have SES rewrite the link in the mail", too_much.join(" and ")),
                "untick them in the event destination: a rewritten link leads through a domain of AWS's, and scanners open it",
            )
        })
    })
}
