//! The suppression list in words: how long it is, and who was put on it last.

use super::{Fact, Level, PanelFacts, fact};
use crate::domain::Time;
use crate::domain::account::suppression_list::{ListedAddress, SuppressionList};
use crate::domain::idn;
use crate::domain::number::thousands;

pub(super) fn panel(list: &SuppressionList, shown: &impl Fn(Time) -> String) -> PanelFacts {
    let trouble = list.trouble.as_ref();
    let missing = trouble.and_then(|trouble| trouble.permission.as_ref()).map(crate::text::Untrusted::plain);
    let mut facts = Vec::new();
    if list.read_at.is_some() && missing.is_none() {
        facts.push(all(list, shown));
        facts.extend(list.newest.iter().map(|one| newest(one, shown)));
        facts.push(fact(
            "",
            "in the console `L` opens all of it; `verifydesk account suppression list` prints it",
            Level::Plain,
        ));
    } else if trouble.is_none() {
        facts.push(fact("", "not read yet", Level::Plain));
    }
    PanelFacts {
        title: "Suppression list",
        seen_at: list.read_at.filter(|_| missing.is_none()),
        trouble: trouble.map(|trouble| (trouble.text.plain(), trouble.since)),
        missing,
        facts,
        ..PanelFacts::default()
    }
}

fn all(list: &SuppressionList, shown: &impl Fn(Time) -> String) -> Fact {
    let count = thousands(list.count);
    let words = match list.goes_back_to {
        _ if list.count == 0 && !list.is_part() => "no address is on it".to_owned(),
        Some(from) => format!("{count} addresses since {}; older ones are not read, others are looked up", shown(from)),
        None if list.is_full => format!("the newest {count} addresses; others are looked up"),
        None if list.count == 1 => "1 address".to_owned(),
        None => format!("{count} addresses"),
    };
    fact("on it", words, Level::Plain)
}

fn newest(one: &ListedAddress, shown: &impl Fn(Time) -> String) -> Fact {
    let reason = one.reason.plain().as_str().to_lowercase();
    fact("", format!("{}  {reason}, {}", idn::shown(&one.address), shown(one.since)), Level::Plain)
}
