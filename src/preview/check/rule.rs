//! What a rule is, and the table of all rules.

use super::finding::Violation;
use super::mails::{RenderedMail, TemplateMails};
use super::rules;
use crate::mail::templates::Templates;

/// How bad it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The mail does not do what it is for, or not for everyone.
    Error,
    /// It is worse than it could be.
    Warning,
    /// Worth a thought.
    Info,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// As it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a mail is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A letter for the group and three digits; it never changes its meaning.
    pub id: &'static str,
    /// How bad it is to break it, where a finding does not say otherwise.
    pub severity: Severity,
    /// What it asks for, in a line.
    pub title: &'static str,
    /// Why, in a sentence or two.
    pub why: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// A rule and how it is tested.
pub struct Check {
    pub rule: Rule,
    pub test: Test,
}

/// How a rule is tested: a function adds a [`Violation`] for each place that breaks it.
#[derive(Clone, Copy)]
pub enum Test {
    Mail(fn(&RenderedMail<'_>, &mut Vec<Violation>)),
    /// On all mails and files of a template.
    Template(fn(&TemplateMails<'_>, &mut Vec<Violation>)),
    /// On everything that was gathered.
    All(fn(&Templates, &mut Vec<Violation>)),
    /// By the runner itself, on its way.
    Runner,
}

impl Check {
    pub(super) const fn mail(rule: Rule, test: fn(&RenderedMail<'_>, &mut Vec<Violation>)) -> Self {
        Self { rule, test: Test::Mail(test) }
    }

    /// A rule tested on all mails and files of a template.
    pub(super) const fn template(rule: Rule, test: fn(&TemplateMails<'_>, &mut Vec<Violation>)) -> Self {
        Self { rule, test: Test::Template(test) }
    }

    /// A rule tested on everything that was gathered.
    pub(super) const fn all(rule: Rule, test: fn(&Templates, &mut Vec<Violation>)) -> Self {
        Self { rule, test: Test::All(test) }
    }

    /// A rule whose breaking shows while the mails are made.
    pub(super) const fn runner(rule: Rule) -> Self {
        Self { rule, test: Test::Runner }
    }
}

/// Every rule with its test, by group.
pub(super) fn checks() -> impl Iterator<Item = &'static Check> {
    rules::GROUPS.iter().copied().flatten()
}

/// Every rule, by group.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    checks().map(|check| &check.rule)
}

/// The rule of an identifier, in upper or lower case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_is_named_once_and_explained() {
        let mut seen = BTreeSet::new();
        for rule in all() {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            let (group, number) = rule.id.split_at(1);
            assert!(group.bytes().all(|b| b.is_ascii_uppercase()) && number.len() == 3, "{}", rule.id);
            assert!(number.bytes().all(|b| b.is_ascii_digit()), "{}", rule.id);
            for text in [rule.title, rule.why, rule.source] {
                assert!(!text.is_empty() && !text.contains('\n'), "{}", rule.id);
            }
            assert!(rule.title.len() <= 90 && !rule.title.ends_with('.'), "{}", rule.id);
            assert!(rule.why.ends_with('.'), "{}", rule.id);
            assert_eq!(find(&rule.id.to_lowercase()), Some(rule));
        }
        assert_eq!(find("Q999"), None);
    }
}
