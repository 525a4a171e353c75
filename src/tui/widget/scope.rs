//! Who a job is for.

use super::number::thousands;
use crate::domain::job::JobScope;
use crate::domain::zone::Zone;
use crate::text::plain;
use crate::tui::theme::{Glyphs, Theme};
use crate::tui::when;

/// Who a job is for, in words, with times in the operator's zone.
#[must_use]
pub fn scope_words(scope: &JobScope, theme: &Theme, zone: Zone) -> String {
    let glyphs: &Glyphs = theme.glyphs();
    match scope {
        JobScope::Marked(ids) => format!("{} marked", thousands(i64::try_from(ids.len()).unwrap_or(i64::MAX))),
        JobScope::Filter(filter) | JobScope::Mails(filter) => {
            let [open, close] = glyphs.quotes;
            let day = |time| when::to_the_minute(time, zone);
            let by_status = filter.status.map_or("everybody", |status| status.as_str());
            let mut words = vec![if matches!(scope, JobScope::Mails(_)) { "mails" } else { by_status }.to_owned()];
            words.extend(filter.other_terms());
            words.extend(filter.search.as_ref().map(|s| format!("matching {open}{}{close}", plain(s.typed()))));
            words.extend(filter.since.map(|time| format!("since {}", day(time))));
            words.extend(filter.until.map(|time| format!("until {}", day(time))));
            words.join(", ")
        }
    }
}
