//! Makes the mails, tries the rules on them, and joins what is found with several fixtures.

use std::path::Path;
use std::time::{Duration, Instant};

use super::case::{Case, Ground, Set};
use super::finding::{At, Finding, Report, Spot};
use super::place::{self, About};
use super::rule::{Rule, Test, checks, find};
use super::rules::{FITS, RENDERS};
use super::suppress;
use crate::config::Settings;
use crate::domain::Time;
use crate::domain::locale::Locale;
use crate::mail::templates::fixture::Fixture;
use crate::mail::templates::{Part, TemplateError, Templates};
use crate::text::plain;

/// The largest mail that is looked at, in bytes of HTML, text and subject; ten times what Gmail shows.
const MAIL_MAX: usize = 1 << 20;

/// How many findings are kept: whoever mends these sees the others then.
const FINDINGS_MAX: usize = 2_000;

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// In which languages; all that there are, by default.
    pub locales: Vec<Locale>,
    /// Which templates; all where none is named.
    pub templates: Vec<String>,
    /// How long to begin with further mails. One that renders for ever is not stopped by it: whoever checks what
    /// strangers wrote does so in a thread of its own and does not wait for it.
    pub budget: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { locales: Locale::ALL.to_vec(), templates: Vec::new(), budget: Duration::from_mins(1) }
    }
}

impl Options {
    pub(super) fn names(&self, template: &str) -> bool {
        self.templates.is_empty() || self.templates.iter().any(|name| name == template)
    }

    pub(super) fn names_all(&self) -> bool {
        self.templates.is_empty() && Locale::ALL.iter().all(|locale| self.locales.contains(locale))
    }
}

/// Checks all mails that the options name. Opens no connection, and reads no file: the templates hold what they are
/// made from.
#[must_use]
pub fn check(templates: &Templates, settings: &Settings, now: Time, options: &Options) -> Report {
    let ground = Ground::new(templates, settings, now);
    let mut run = Run { ground: &ground, options, found: Vec::new(), mails: 0, unfinished: false };
    let start = Instant::now();
    run.all();
    for name in templates.names() {
        if options.names(&name) {
            run.template(&name, start);
        }
    }
    run.report()
}

struct Run<'a> {
    ground: &'a Ground<'a>,
    options: &'a Options,
    found: Vec<Found>,
    mails: usize,
    unfinished: bool,
}

/// A finding, and its message without what differs from fixture to fixture.
struct Found {
    bare: String,
    finding: Finding,
}

impl Run<'_> {
    fn all(&mut self) {
        for check in checks() {
            let Test::All(test) = check.test else { continue };
            let mut spots = Vec::new();
            test(self.ground.templates, &mut spots);
            for spot in spots {
                let template = self.template_of(&spot);
                if template.as_ref().is_none_or(|name| self.options.names(name)) {
                    let about = About { template: template.as_deref(), locale: spot.locale, case: None };
                    self.add(&check.rule, about, &[], spot);
                }
            }
        }
    }

    /// The template that a file belongs to, by its path: `<locale>/<template>/<part>`.
    fn template_of(&self, spot: &Spot) -> Option<String> {
        let At::Shown(shown, ..) = &spot.at else { return None };
        let folder = Path::new(shown).parent()?.file_name()?.to_str()?;
        self.ground.templates.names().into_iter().find(|name| name == folder)
    }

    fn template(&mut self, name: &str, start: Instant) {
        let fixtures = self.ground.templates.fixtures(name);
        let mut cases = Vec::new();
        for &locale in &self.options.locales {
            for fixture in fixtures {
                if start.elapsed() > self.options.budget {
                    self.unfinished = true;
                    break;
                }
                match Case::new(self.ground, name, locale, fixture) {
                    Ok(case) => {
                        self.mails += 1;
                        if self.case(&case) {
                            cases.push(case);
                        }
                    }
                    Err(error) => self.broken(name, locale, fixture, &error),
                }
            }
        }
        let is_whole = cases.len() == self.options.locales.len() * fixtures.len();
        let set = Set { ground: self.ground, template: name, locales: &self.options.locales, cases: &cases, is_whole };
        for check in checks() {
            let Test::Set(test) = check.test else { continue };
            let mut spots = Vec::new();
            test(&set, &mut spots);
            for spot in spots {
                // Lines of a rendered part are those of the examples.
                let case = spot.locale.and_then(|locale| set.usual(locale));
                self.add(&check.rule, About { template: Some(name), locale: spot.locale, case }, &[], spot);
            }
        }
    }

    /// Tries a mail, unless it is too large.
    fn case(&mut self, case: &Case<'_>) -> bool {
        let about = About { template: Some(case.template), locale: Some(case.locale), case: Some(case) };
        let fixture = [case.fixture];
        let size: usize = Part::ALL.iter().map(|part| case.marked.part(*part).len()).sum();
        if size > MAIL_MAX {
            let spot = Spot::part(Part::Html, "the mail is too large to be looked at");
            self.add_by_id(RENDERS, about, &fixture, spot.with(format!("{} kB", size / 1000)));
            return false;
        }
        for check in checks() {
            let Test::Case(test) = check.test else { continue };
            let mut spots = Vec::new();
            test(case, &mut spots);
            for spot in spots {
                self.add(&check.rule, about, &fixture, spot);
            }
        }
        true
    }

    /// A mail that cannot be rendered, unless the reason is among the mistakes that were gathered, which are told
    /// anyway.
    fn broken(&mut self, template: &str, locale: Locale, fixture: &Fixture, error: &TemplateError) {
        if self.ground.templates.mistakes().contains(error) || matches!(error, TemplateError::Unknown { .. }) {
            return;
        }
        let (line, column) = error.place().unwrap_or((1, 1));
        let at = error.file().map_or(At::Mail, |file| At::Shown(file.to_owned(), line, column));
        let about = About { template: Some(template), locale: Some(locale), case: None };
        let message = error.message();
        let rule = if message.starts_with("the subject ") { FITS } else { RENDERS };
        self.add_by_id(rule, about, &[fixture], Spot::new(at, message));
    }

    fn add_by_id(&mut self, id: &str, about: About<'_>, fixtures: &[&Fixture], spot: Spot) {
        if let Some(rule) = find(id) {
            self.add(rule, about, fixtures, spot);
        }
    }

    /// Notes a finding, or that an equal one of another fixture was met again.
    fn add(&mut self, rule: &'static Rule, about: About<'_>, fixtures: &[&Fixture], spot: Spot) {
        let placed = place::of(self.ground.templates, about, &spot);
        let message = match &spot.detail {
            Some(detail) => format!("{} ({detail})", spot.message),
            None => spot.message.clone(),
        };
        let new = Finding {
            rule,
            severity: spot.severity.unwrap_or(rule.severity),
            template: about.template.map(ToOwned::to_owned),
            locale: spot.locale.or(about.locale),
            fixtures: fixtures.iter().map(|fixture| fixture.id.clone()).collect(),
            tried: about.template.map_or(0, |name| self.ground.templates.fixtures(name).len()),
            part: placed.part,
            file: placed.file,
            line: placed.line,
            column: placed.column,
            message: plain(&message).into_string(),
            suppressed: None,
        };
        let is_same = |old: &&mut Found| {
            old.bare == spot.message
                && same_but_fixtures(&old.finding, &new)
                && (old.finding.template == new.template && old.finding.locale == new.locale)
                && new.fixtures.iter().all(|id| !old.finding.fixtures.contains(id))
        };
        if let Some(old) = self.found.iter_mut().find(is_same).filter(|_| !new.fixtures.is_empty()) {
            old.finding.fixtures.extend(new.fixtures);
        } else if self.found.len() < FINDINGS_MAX {
            self.found.push(Found { bare: spot.message, finding: new });
        }
    }

    fn report(self) -> Report {
        let mut joined: Vec<Finding> = Vec::with_capacity(self.found.len());
        for Found { finding, .. } in self.found {
            let twin = joined.iter_mut().find(|old| {
                let is_other_mail = (&old.template, old.locale) != (&finding.template, finding.locale);
                old.file.is_some()
                    && is_other_mail
                    && same_but_fixtures(old, &finding)
                    && old.message == finding.message
            });
            // What several templates or languages include is told once.
            if let Some(twin) = twin {
                twin.locale = twin.locale.filter(|locale| finding.locale == Some(*locale));
                twin.template = twin.template.take().filter(|name| finding.template.as_ref() == Some(name));
                twin.fixtures.extend(finding.fixtures);
                twin.fixtures.sort_unstable();
                twin.fixtures.dedup();
            } else {
                joined.push(finding);
            }
        }
        let mut report = Report { mails: self.mails, unfinished: self.unfinished, ..Report::default() };
        suppress::apply(self.ground.templates, self.options, joined, &mut report);
        for findings in [&mut report.findings, &mut report.suppressed] {
            findings.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        report
    }
}

fn same_but_fixtures(a: &Finding, b: &Finding) -> bool {
    a.rule.id == b.rule.id
        && a.severity == b.severity
        && (a.part, a.line, a.column) == (b.part, b.line, b.column)
        && a.file == b.file
}

fn order(finding: &Finding) -> impl Ord {
    let file = finding.file.as_ref().map(|file| file.shown.clone());
    let name = (finding.template.clone(), finding.locale);
    (file.is_none(), file, finding.line, finding.column, finding.rule.id, name, finding.message.clone())
}
