//! Identities in words: which may send, and what has to be in DNS for those that may not yet.

use super::{Fact, Level, PanelFacts, fact, words};
use crate::domain::Time;
use crate::domain::account::act::{AccountAct, ActState};
use crate::domain::account::dns_records::{self, DnsRecord};
use crate::domain::account::view::AccountView;
use crate::domain::account::{Identities, Identity, ListedIdentity, Panel, PanelKind};
use crate::domain::idn;
use crate::text::Untrusted;

/// How many identities are named.
const NAMED: usize = 8;

/// That of the sender, or of its domain.
pub(super) fn of_one(view: &AccountView, panel: &Panel, identity: &Identity) -> Vec<Fact> {
    let is_used = view.used().is_some_and(|used| used.kind == panel.kind);
    let mut facts = vec![if identity.is_verified {
        let used = if is_used { "; `mail.from` uses it" } else { "" };
        fact("verified", format!("yes: it may send{used}"), Level::Good)
    } else {
        let why = Some(&identity.verification_error).filter(|error| !error.is_empty());
        let why = why.map(|error| format!(", {}", error.plain())).unwrap_or_default();
        fact("verified", format!("no: {}{why}", words(&identity.verification)), Level::Bad)
    }];
    let is_signed = is_signed(identity);
    facts.push(match (is_signed, identity.dkim_signs) {
        (true, _) => fact("DKIM", "signs", Level::Good),
        (_, true) => fact("DKIM", format!("does not sign yet: {}", words(&identity.dkim)), Level::Look),
        (_, false) if panel.kind == PanelKind::Sender => fact("DKIM", "as its domain's", Level::Plain),
        (_, false) => fact("DKIM", "is off", Level::Look),
    });
    let has_from = identity.mail_from_status.raw() == "SUCCESS";
    facts.push(if identity.mail_from.is_empty() {
        fact("MAIL FROM", "SES's own domain", Level::Plain)
    } else {
        let level = if has_from { Level::Good } else { Level::Look };
        fact("MAIL FROM", format!("{}: {}", identity.mail_from.plain(), words(&identity.mail_from_status)), level)
    });
    if panel.kind == PanelKind::Domain {
        let all = dns_records::records(&panel.subject, identity, &view.region());
        facts.extend(put_into_dns(all.iter().filter(|record| match record.purpose {
            "MAIL FROM" => !has_from,
            // Those of DKIM, and a DMARC record: whether there is one, the doctor looks at; who puts records into DNS puts it
            // there as well.
            _ => !is_signed,
        })));
    }
    facts
}

fn is_signed(identity: &Identity) -> bool {
    identity.dkim_signs && identity.dkim.raw() == "SUCCESS"
}

/// The records, each with what it is for.
fn put_into_dns<'a>(records: impl Iterator<Item = &'a DnsRecord>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = records.map(|record| fact("", record_in_words(record), Level::Plain)).collect();
    if !facts.is_empty() {
        facts.insert(0, fact("for DNS", "what is to be put there:", Level::Look));
    }
    facts
}

fn record_in_words(record: &DnsRecord) -> String {
    if record.is_proposal { format!("{record} (a proposal, if there is none)") } else { record.to_string() }
}

/// What each domain needs in DNS of which SES has said what that is: the sender's, whether it is there or not, and those that
/// are not verified yet.
#[must_use]
pub fn in_dns(view: &AccountView) -> Vec<DnsRecord> {
    let sender = view.panels.iter().find(|panel| panel.kind == PanelKind::Domain);
    let mut names: Vec<&Untrusted> = sender.iter().map(|panel| &panel.subject).collect();
    let is_new = |names: &[&Untrusted], name: &Untrusted| {
        !names.iter().any(|known| known.raw().eq_ignore_ascii_case(name.raw()))
    };
    for one in &view.waiting {
        if is_new(&names, &one.name) {
            names.push(&one.name);
        }
    }
    let region = view.region();
    let of = |name: &&Untrusted| view.domain(name).map(|identity| dns_records::records(name, identity, &region));
    names.iter().filter_map(of).flatten().collect()
}

/// How an identity stands, in words.
#[must_use]
pub fn state(one: &ListedIdentity) -> String {
    let word = words(&one.verification);
    match (one.kind.raw(), one.verification.raw()) {
        ("EMAIL_ADDRESS", "PENDING") => format!("{word}: its owner has to open the link that AWS has mailed"),
        _ => word,
    }
}

/// Those that wait for someone first.
#[must_use]
pub fn ordered(all: &Identities) -> Vec<&ListedIdentity> {
    let mut listed: Vec<_> = all.listed.iter().collect();
    listed.sort_by_key(|one| one.can_send || one.verification.raw() == "SUCCESS");
    listed
}

pub(super) fn of_all(view: &AccountView, all: &Identities) -> Vec<Fact> {
    let can_send = all.listed.iter().filter(|one| one.can_send).count();
    let more = if all.has_more { ", and there are more" } else { "" };
    let mut facts = vec![fact("all", format!("{} listed, {can_send} may send{more}", all.listed.len()), Level::Plain)];
    let used = view.used().map(|panel| panel.subject.raw().to_lowercase());
    for one in ordered(all).into_iter().take(NAMED) {
        let level = if one.can_send { Level::Good } else { Level::Look };
        let is_used = used.as_deref() == Some(one.name.raw().to_lowercase().as_str());
        let by = if is_used { ", `mail.from` uses it" } else { "" };
        facts.push(fact("", format!("{}  {}{by}", one.name.plain(), state(one)), level));
        if one.is_waiting_domain() {
            facts.extend(needs(view, one));
        }
    }
    if all.listed.len() > NAMED {
        facts.push(fact("", format!("and {} more", all.listed.len() - NAMED), Level::Plain));
    }
    facts
}

/// What a domain of the list needs. What the sender's needs stands in a panel of its own.
fn needs(view: &AccountView, one: &ListedIdentity) -> Vec<Fact> {
    let sender = view.panels.iter().find(|panel| panel.kind == PanelKind::Domain);
    if sender.is_some_and(|panel| panel.subject.raw().eq_ignore_ascii_case(one.name.raw())) {
        return Vec::new();
    }
    match view.domain(&one.name) {
        Some(identity) => put_into_dns(dns_records::records(&one.name, identity, &view.region()).iter()),
        None => Vec::new(),
    }
}

/// What was asked for is seen first, behind whether it is the sandbox.
pub(super) fn with_added(account: &mut PanelFacts, view: &AccountView, shown: &impl Fn(Time) -> String) {
    let at = account.facts.len().min(1);
    account.facts.splice(at..at, view.added.iter().map(|act| added(act, shown)));
}

fn added(act: &AccountAct, shown: &impl Fn(Time) -> String) -> Fact {
    let level = match act.state {
        ActState::Failed => Level::Bad,
        ActState::Waiting => Level::Look,
        ActState::Done => Level::Plain,
    };
    let name = act.identity.as_ref().unwrap_or(&act.address);
    let (by, at) = (act.actor.plain(), shown(act.asked_at));
    fact("asked for", format!("{}: {} ({by}, {at})", idn::shown(name), act.in_words()), level)
}
