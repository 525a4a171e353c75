//! Findings that are left to stand, with a reason: `{# mail-lint: allow C002 the shop has two doors #}` in the file
//! that they are in, or in any file of the mail where they are in none. What keeps a mail from being made at all is not
//! left to stand.

use super::collector::Found;
use super::finding::{Finding, Report, place_in};
use super::rules::{COMPILES, RENDERS, UNUSED, WITHOUT_REASON};
use super::run::Options;
use super::{rule, source_map};
use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Source, Templates};
use crate::text::plain;

/// What such a comment begins with.
const WORD: &str = "mail-lint:";

/// A comment that lets findings stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suppression {
    /// The rule's identifier, in upper case; plain.
    pub rule: String,
    /// Why; plain. Empty where none is given, and then it does not count.
    pub reason: String,
    /// Where the comment begins, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// Whether it is written as such comments are: `allow`, a rule, a reason.
    pub is_read: bool,
}

/// The comments of a source.
pub(super) fn find(source: &str) -> Vec<Suppression> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = source[from..].find("{#").map(|at| from + at) {
        let Some(close) = source[open..].find("#}").map(|at| open + at) else { break };
        from = close + 2;
        let inner = source[open + 2..close].trim_matches('-').trim();
        let Some(said) = inner.strip_prefix(WORD) else { continue };
        let (line, column) = place_in(source, open);
        let allowed = said.trim_start().strip_prefix("allow").filter(|rest| rest.starts_with(char::is_whitespace));
        let (rule, reason) = match allowed.map(str::trim) {
            Some(rest) => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
            None => ("", ""),
        };
        found.push(Suppression {
            rule: plain(&rule.to_ascii_uppercase()).into_string(),
            reason: plain(reason.trim()).into_string(),
            line,
            column,
            is_read: !rule.is_empty(),
        });
    }
    found
}

/// Sorts findings into those that count and those that are left to stand, and adds what is wrong with the suppressions.
pub(super) fn apply(templates: &Templates, options: &Options, found: Vec<Found>, report: &mut Report) {
    let mut all: Vec<Comment<'_>> = Vec::new();
    for (path, source) in templates.sources() {
        let comments = find(&source.text);
        all.extend(comments.into_iter().map(|comment| Comment {
            path,
            source,
            said: comment,
            used: false,
            refused: false,
        }));
    }
    for Found { mut finding, is_firm } in found {
        let matching: Vec<_> = all.iter_mut().filter(|comment| comment.meets(&finding)).collect();
        if is_firm {
            for comment in matching {
                comment.refused = true;
            }
            report.findings.push(finding);
            continue;
        }
        let reason = matching.first().map(|comment| comment.said.reason.clone());
        for comment in matching {
            comment.used = true;
        }
        if reason.is_some() {
            finding.suppressed = reason;
            report.suppressed.push(finding);
        } else {
            report.findings.push(finding);
        }
    }
    for comment in all.iter().filter(|comment| comment.is_asked_for(options)) {
        let (id, message) = match &comment.said {
            wrong if !wrong.is_read => (WITHOUT_REASON, "written as {# mail-lint: allow RULE the reason #}".to_owned()),
            unknown if rule::find(&unknown.rule).is_none() => {
                (WITHOUT_REASON, format!("there is no rule {}", unknown.rule))
            }
            bare if bare.reason.is_empty() => {
                (WITHOUT_REASON, format!("{} is not suppressed without a reason", bare.rule))
            }
            firm if comment.refused || [COMPILES, RENDERS].contains(&&*firm.rule) => {
                (WITHOUT_REASON, format!("{} is not suppressed here: there is no mail without it", firm.rule))
            }
            unused if !comment.used && !report.unfinished => (UNUSED, format!("{} finds nothing here", unused.rule)),
            _ => continue,
        };
        report.findings.extend(comment.finding(id, message));
    }
}

/// A suppression with the file that it is in.
struct Comment<'a> {
    path: &'a str,
    source: &'a Source,
    said: Suppression,
    used: bool,
    /// Whether it met something that no comment lets stand.
    refused: bool,
}

impl Comment<'_> {
    fn meets(&self, finding: &Finding) -> bool {
        let counts = self.said.is_read && !self.said.reason.is_empty() && self.said.rule == finding.rule.id;
        counts
            && finding.file.as_ref().map_or_else(|| self.is_of(finding), |file| *file == source_map::file(self.source))
    }

    /// Whether the file is one of the mail's that the finding is about.
    fn is_of(&self, finding: &Finding) -> bool {
        let (locale, template) = self.owner();
        template.is_some_and(|name| finding.template.as_deref().is_none_or(|found| found == name))
            && finding.locale.is_none_or(|found| locale == Some(found))
    }

    /// Language and template that the file belongs to; none of what templates include.
    fn owner(&self) -> (Option<Locale>, Option<&str>) {
        let mut steps = self.path.split('/');
        match steps.next().and_then(|locale| locale.parse().ok()) {
            Some(locale) => (Some(locale), steps.next()),
            None => (None, None),
        }
    }

    /// Whether its file was looked at in full.
    fn is_asked_for(&self, options: &Options) -> bool {
        if !options.rules.is_empty() {
            return false;
        }
        match self.owner() {
            (Some(locale), Some(template)) => options.locales.contains(&locale) && options.names(template),
            _ => options.names_all(),
        }
    }

    fn finding(&self, id: &str, message: String) -> Option<Finding> {
        let rule = rule::find(id)?;
        let (locale, template) = self.owner();
        Some(Finding {
            rule,
            severity: rule.severity,
            template: template.map(ToOwned::to_owned),
            locale,
            fixtures: Vec::new(),
            tried: 0,
            part: Part::ALL.into_iter().find(|part| locale.is_some() && self.path.ends_with(part.file())),
            file: Some(source_map::file(self.source)),
            line: self.said.line,
            column: self.said.column,
            message,
            suppressed: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_comments() {
        let table = [
            ("{# mail-lint: allow C002 two doors #}", Some(("C002", "two doors", true))),
            ("{#- mail-lint:allow c002  two\ndoors -#}", Some(("C002", "two ⏎ doors", true))),
            ("{# mail-lint: allow C002 #}", Some(("C002", "", true))),
            ("{# mail-lint: forbid C002 x #}", Some(("", "", false))),
            ("{# mail-lint: allow #}", Some(("", "", false))),
            ("{# allow C002 x #}", None),
            ("{# mail-lint: allow C002 x", None),
        ];
        for (source, wanted) in table {
            let found = find(source);
            let found = found.first().map(|s| (s.rule.as_str(), s.reason.as_str(), s.is_read));
            assert_eq!(found, wanted, "{source}");
        }
        let found = find("가나 {# one #}\n  {# mail-lint: allow T001 a #}{# mail-lint: allow T002 b #}");
        assert_eq!(found.iter().map(|s| (s.line, s.column)).collect::<Vec<_>>(), [(2, 3), (2, 32)]);
    }
}
