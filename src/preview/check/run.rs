//! Makes the mails and tries the rules on them.

use std::path::Path;
use std::time::{Duration, Instant};

use super::case::{Case, Ground, Set};
use super::finding::{At, Report, Spot};
use super::gather::Progress;
use super::place::About;
use super::rule::{Check, Rule, Test, checks, find};
use super::rules::{COMPILES, FITS, RENDERS};
use crate::config::Settings;
use crate::domain::Time;
use crate::domain::locale::Locale;
use crate::mail::templates::fixture::Fixture;
use crate::mail::templates::{Part, TemplateError, Templates};

/// The largest mail that is looked at, in bytes of HTML, text and subject; ten times what Gmail shows.
const MAIL_MAX: usize = 1 << 20;

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// In which languages; all that there are, by default.
    pub locales: Vec<Locale>,
    /// Which templates; all where none is named.
    pub templates: Vec<String>,
    /// By which rules; all where none is named. Rules that show on the way are told anyway.
    pub rules: Vec<&'static str>,
    /// How long to go on with further mails and rules. A mail that renders for ever is not stopped by it: whoever
    /// checks what strangers wrote does so in a thread of its own and does not wait for it.
    pub budget: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { locales: Locale::ALL.to_vec(), templates: Vec::new(), rules: Vec::new(), budget: Duration::from_mins(1) }
    }
}

impl Options {
    pub(super) fn names(&self, template: &str) -> bool {
        self.templates.is_empty() || self.templates.iter().any(|name| name == template)
    }

    /// The rules that are tested.
    fn checks(&self) -> impl Iterator<Item = &'static Check> {
        checks().filter(|check| self.rules.is_empty() || self.rules.contains(&check.rule.id))
    }

    pub(super) fn names_all(&self) -> bool {
        self.templates.is_empty() && Locale::ALL.iter().all(|locale| self.locales.contains(locale))
    }
}

/// Checks all mails that the options name. Opens no connection, and reads no file: the templates hold what they are
/// made from.
#[must_use]
pub fn check(templates: &Templates, settings: &Settings, now: Time, options: &Options) -> Report {
    check_with(templates, settings, now, options, &Progress::default())
}

/// The same, with what is found up to now in `progress`, for whoever cannot wait for the end.
#[must_use]
pub fn check_with(
    templates: &Templates,
    settings: &Settings,
    now: Time,
    options: &Options,
    progress: &Progress,
) -> Report {
    let until = Instant::now().checked_add(options.budget);
    let ground = Ground::new(templates, settings, now).until(until);
    let run = Run { ground: &ground, options, progress };
    run.all();
    for name in templates.names() {
        if options.names(&name) {
            run.template(&name);
        }
    }
    progress.report(templates, options)
}

struct Run<'a> {
    ground: &'a Ground<'a>,
    options: &'a Options,
    progress: &'a Progress,
}

impl Run<'_> {
    fn all(&self) {
        for check in self.options.checks() {
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

    fn template(&self, name: &str) {
        let fixtures = self.ground.templates.fixtures(name);
        let mut cases = Vec::new();
        for &locale in &self.options.locales {
            for fixture in fixtures {
                if self.is_late() {
                    break;
                }
                match Case::new(self.ground, name, locale, fixture) {
                    Ok(case) => {
                        self.progress.count_mail();
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
        for check in self.options.checks() {
            let Test::Set(test) = check.test else { continue };
            if self.is_late() {
                return;
            }
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
    fn case(&self, case: &Case<'_>) -> bool {
        let about = About { template: Some(case.template), locale: Some(case.locale), case: Some(case) };
        let fixture = [case.fixture];
        let size: usize = Part::ALL.iter().map(|part| case.marked.part(*part).len()).sum();
        if size > MAIL_MAX {
            let spot = Spot::part(Part::Html, "the mail is too large to be looked at");
            self.add_by_id(RENDERS, about, &fixture, spot.with(format!("{} kB", size / 1000)));
            return false;
        }
        for check in self.options.checks() {
            let Test::Case(test) = check.test else { continue };
            if self.is_late() {
                return false;
            }
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
    fn broken(&self, template: &str, locale: Locale, fixture: &Fixture, error: &TemplateError) {
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

    /// Something that shows while mails are made. It is not left to stand, whatever a comment says: without the mail no
    /// other rule is tried on it.
    fn add_by_id(&self, id: &str, about: About<'_>, fixtures: &[&Fixture], spot: Spot) {
        if let Some(rule) = find(id) {
            self.progress.add(self.ground, rule, about, fixtures, spot, true);
        }
    }

    fn add(&self, rule: &'static Rule, about: About<'_>, fixtures: &[&Fixture], spot: Spot) {
        let is_firm = rule.id == COMPILES;
        self.progress.add(self.ground, rule, about, fixtures, spot, is_firm);
    }

    /// Whether time ran out; then the report says so.
    fn is_late(&self) -> bool {
        let is_late = self.ground.is_late();
        if is_late {
            self.progress.break_off();
        }
        is_late
    }
}
