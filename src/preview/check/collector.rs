//! Collects what is found: joins what is found with several fixtures, and keeps it within bounds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::finding::{File, Finding, Report, Violation};
use super::mails::CheckContext;
use super::rule::{Rule, Severity};
use super::rules::{DECLARED, RENDERS};
use super::run::Options;
use super::source_map::{self, About};
use super::suppress;
use crate::domain::locale::Locale;
use crate::mail::templates::fixture::Fixture;
use crate::mail::templates::{Part, Templates};
use crate::text::plain;

/// How many findings of one rule and severity are kept for a file: who has fixed these sees the others then. Each rule
/// has a limit of its own, so that many findings of one never hide those of another.
const KEPT_MAX: usize = 100;

/// What was found up to now. It can be read while the checks still run.
#[derive(Default)]
pub struct Collector(Mutex<State>);

#[derive(Default)]
struct State {
    found: Vec<Found>,
    /// Where a finding is among those found; `None` if the limit was reached.
    known: HashMap<Key, Option<usize>>,
    kept: HashMap<Bucket, usize>,
    cut: usize,
    mails: usize,
    unfinished: bool,
}

/// A finding before it is sorted.
#[derive(Clone)]
pub(super) struct Found {
    pub finding: Finding,
    /// Whether no comment lets it stand.
    pub is_firm: bool,
}

/// What is one finding, with whichever fixtures it is found. The message is that without what differs between them.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    bucket: Bucket,
    part: Option<Part>,
    line: usize,
    column: usize,
    message: String,
}

/// What findings are counted by.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Bucket {
    rule: &'static str,
    severity: Severity,
    template: Option<String>,
    locale: Option<Locale>,
    file: Option<File>,
}

impl Collector {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count_mail(&self) {
        self.state().mails += 1;
    }

    pub(super) fn break_off(&self) {
        self.state().unfinished = true;
    }

    /// Notes a finding, or that an equal one of another fixture was met again.
    pub(super) fn add(
        &self,
        shared: &CheckContext<'_>,
        rule: &'static Rule,
        about: About<'_>,
        fixtures: &[&Fixture],
        violation: Violation,
        is_firm: bool,
    ) {
        let location = source_map::of(shared, about, &violation);
        let severity = violation.severity.unwrap_or(rule.severity);
        let template = about.template.map(ToOwned::to_owned);
        let locale = violation.locale.or(about.locale);
        let bucket = Bucket { rule: rule.id, severity, template, locale, file: location.file };
        let (line, column) = (location.line, location.column);
        let key = Key { bucket: bucket.clone(), part: location.part, line, column, message: violation.message.clone() };
        let ids = fixtures.iter().map(|fixture| fixture.id.clone());
        let mut state = self.state();
        let State { found, known, kept, cut, .. } = &mut *state;
        let empty = match known.entry(key) {
            Entry::Occupied(old) => {
                if let Some(old) = old.get().and_then(|at| found.get_mut(at)) {
                    let unseen: Vec<String> = ids.filter(|id| !old.finding.fixtures.contains(id)).collect();
                    old.finding.fixtures.extend(unseen);
                }
                return;
            }
            Entry::Vacant(empty) => empty,
        };
        let here = kept.entry(bucket.clone()).or_default();
        if *here == KEPT_MAX {
            *cut += 1;
            empty.insert(None);
            return;
        }
        *here += 1;
        empty.insert(Some(found.len()));
        let message = match &violation.detail {
            Some(detail) => format!("{} ({detail})", violation.message),
            None => violation.message,
        };
        let Bucket { template, locale, file, .. } = bucket;
        let finding = Finding {
            rule,
            severity,
            template,
            locale,
            fixtures: ids.collect(),
            tried: about.template.map_or(0, |name| shared.templates.fixtures(name).len()),
            part: location.part,
            file,
            line,
            column,
            message: plain(&message).into_string(),
            suppressed: None,
        };
        found.push(Found { finding, is_firm });
    }

    /// What was found up to now. Only a check that was broken off is called unfinished.
    #[must_use]
    pub fn report(&self, templates: &Templates, options: &Options) -> Report {
        let (found, mut report) = {
            let State { found, cut, mails, unfinished, .. } = &*self.state();
            let report = Report { cut: *cut, mails: *mails, unfinished: *unfinished, ..Report::default() };
            (found.clone(), report)
        };
        suppress::apply(templates, options, joined(found), &mut report);
        for findings in [&mut report.findings, &mut report.suppressed] {
            findings.sort_by_cached_key(order);
        }
        report
    }
}

/// What several templates or languages include is reported once.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    // A variable that is not declared fails with a fixture, too, where one takes its branch.
    let failed: Vec<_> =
        found.iter().filter(|found| found.finding.rule.id == RENDERS).map(|found| place_of(&found.finding)).collect();
    found.retain(|found| found.finding.rule.id != DECLARED || !failed.contains(&place_of(&found.finding)));
    let mut joined: Vec<Found> = Vec::with_capacity(found.len());
    let mut places: HashMap<_, Vec<usize>> = HashMap::new();
    for Found { finding, is_firm } in found {
        let place = (finding.rule.id, finding.severity, finding.part, place_of(&finding), finding.message.clone());
        let twins = places.entry(place).or_default();
        let is_twin = |at: &&usize| {
            let old = joined.get(**at).map(|old| &old.finding);
            old.is_some_and(|old| {
                old.file.is_some() && (&old.template, old.locale) != (&finding.template, finding.locale)
            })
        };
        let twin = twins.iter().find(is_twin).copied();
        if let Some(Found { finding: twin, .. }) = twin.and_then(|at| joined.get_mut(at)) {
            twin.locale = twin.locale.filter(|locale| finding.locale == Some(*locale));
            twin.template = twin.template.take().filter(|name| finding.template.as_ref() == Some(name));
            twin.fixtures.extend(finding.fixtures);
            twin.fixtures.sort_unstable();
            twin.fixtures.dedup();
        } else {
            twins.push(joined.len());
            joined.push(Found { finding, is_firm });
        }
    }
    joined
}

fn place_of(finding: &Finding) -> (Option<File>, usize, usize) {
    (finding.file.clone(), finding.line, finding.column)
}

fn order(finding: &Finding) -> impl Ord + use<> {
    let file = finding.file.as_ref().map(|file| file.shown.clone());
    let name = (finding.template.clone(), finding.locale);
    (file.is_none(), file, finding.line, finding.column, finding.rule.id, name, finding.message.clone())
}
