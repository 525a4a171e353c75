//! Makes the mails and tries the rules on them.

use std::path::Path;
use std::time::{Duration, Instant};

use super::collector::Collector;
use super::finding::{At, Report, Violation};
use super::mails::{CheckContext, RenderedMail, TemplateMails};
use super::rule::{Check, Rule, Test, checks, find};
use super::rules::{COMPILES, FITS, RENDERS};
use super::source_map::About;
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
    /// By which rules; all where none is named. Rules that show on the way are reported anyway.
    pub rules: Vec<&'static str>,
    /// How long to go on with further mails and rules. It does not stop a mail that renders forever: check what
    /// strangers wrote in a thread of its own, and do not wait for it.
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
    check_with(templates, settings, now, options, &Collector::default())
}

/// The same, with what is found up to now in `collector`, for callers that cannot wait for the end.
#[must_use]
pub fn check_with(
    templates: &Templates,
    settings: &Settings,
    now: Time,
    options: &Options,
    collector: &Collector,
) -> Report {
    let until = Instant::now().checked_add(options.budget);
    let shared = CheckContext::new(templates, settings, now).until(until);
    let run = Run { shared: &shared, options, collector };
    run.all();
    for name in templates.names() {
        if options.names(&name) {
            run.template(&name);
        }
    }
    collector.report(templates, options)
}

/// The language that a file belongs to, by its path: `<locale>/<template>/<part>`. A partial belongs to all.
fn locale_of(violation: &Violation) -> Option<Locale> {
    let At::Shown(shown, ..) = &violation.at else { return None };
    Path::new(shown).parent()?.parent()?.file_name()?.to_str()?.parse().ok()
}

struct Run<'a> {
    shared: &'a CheckContext<'a>,
    options: &'a Options,
    collector: &'a Collector,
}

impl Run<'_> {
    fn all(&self) {
        for check in self.options.checks() {
            let Test::All(test) = check.test else { continue };
            let mut violations = Vec::new();
            test(self.shared.templates, &mut violations);
            for mut violation in violations {
                let template = self.template_of(&violation);
                violation.locale = violation.locale.or_else(|| locale_of(&violation));
                if template.as_ref().is_none_or(|name| self.options.names(name)) {
                    let about = About { template: template.as_deref(), locale: violation.locale, mail: None };
                    self.add(&check.rule, about, &[], violation);
                }
            }
        }
    }

    /// The template that a file belongs to, by its path: `<locale>/<template>/<part>`.
    fn template_of(&self, violation: &Violation) -> Option<String> {
        let At::Shown(shown, ..) = &violation.at else { return None };
        let folder = Path::new(shown).parent()?.file_name()?.to_str()?;
        self.shared.templates.names().into_iter().find(|name| name == folder)
    }

    fn template(&self, name: &str) {
        let fixtures = self.shared.templates.fixtures(name);
        let mut mails = Vec::new();
        for &locale in &self.options.locales {
            for fixture in fixtures {
                if self.is_late() {
                    break;
                }
                match RenderedMail::new(self.shared, name, locale, fixture) {
                    Ok(mail) => {
                        self.collector.count_mail();
                        if self.mail(&mail) {
                            mails.push(mail);
                        }
                    }
                    Err(error) => self.broken(name, locale, fixture, &error),
                }
            }
        }
        let is_whole = mails.len() == self.options.locales.len() * fixtures.len();
        let mails = TemplateMails {
            shared: self.shared,
            template: name,
            locales: &self.options.locales,
            mails: &mails,
            is_whole,
        };
        for check in self.options.checks() {
            let Test::Template(test) = check.test else { continue };
            if self.is_late() {
                return;
            }
            let mut violations = Vec::new();
            test(&mails, &mut violations);
            for violation in violations {
                // Lines of a rendered part are those of the examples.
                let mail = violation.locale.and_then(|locale| mails.usual(locale));
                self.add(&check.rule, About { template: Some(name), locale: violation.locale, mail }, &[], violation);
            }
        }
    }

    /// Tries a mail, unless it is too large.
    fn mail(&self, mail: &RenderedMail<'_>) -> bool {
        let about = About { template: Some(mail.template), locale: Some(mail.locale), mail: Some(mail) };
        let fixture = [mail.fixture];
        let size: usize = Part::ALL.iter().map(|part| mail.marked.part(*part).len()).sum();
        if size > MAIL_MAX {
            let violation = Violation::part(Part::Html, "the mail is too large to be looked at");
            self.add_by_id(RENDERS, about, &fixture, violation.with(format!("{} kB", size / 1000)));
            return false;
        }
        for check in self.options.checks() {
            let Test::Mail(test) = check.test else { continue };
            if self.is_late() {
                return false;
            }
            let mut violations = Vec::new();
            test(mail, &mut violations);
            for violation in violations {
                self.add(&check.rule, about, &fixture, violation);
            }
        }
        true
    }

    /// A mail that cannot be rendered, unless the reason is among the mistakes that were gathered, which are
    /// reported anyway.
    fn broken(&self, template: &str, locale: Locale, fixture: &Fixture, error: &TemplateError) {
        if self.shared.templates.mistakes().contains(error) || matches!(error, TemplateError::Unknown { .. }) {
            return;
        }
        let (line, column) = error.place().unwrap_or((1, 1));
        let at = error.file().map_or(At::Mail, |file| At::Shown(file.to_owned(), line, column));
        let about = About { template: Some(template), locale: Some(locale), mail: None };
        let message = error.message();
        let rule = if message.starts_with("the subject ") { FITS } else { RENDERS };
        self.add_by_id(rule, about, &[fixture], Violation::new(at, message));
    }

    /// Something that shows while mails are made. It is not left to stand, whatever a comment says: without the mail no
    /// other rule is tried on it.
    fn add_by_id(&self, id: &str, about: About<'_>, fixtures: &[&Fixture], violation: Violation) {
        if let Some(rule) = find(id) {
            self.collector.add(self.shared, rule, about, fixtures, violation, true);
        }
    }

    fn add(&self, rule: &'static Rule, about: About<'_>, fixtures: &[&Fixture], violation: Violation) {
        let is_firm = rule.id == COMPILES;
        self.collector.add(self.shared, rule, about, fixtures, violation, is_firm);
    }

    /// Whether time ran out; then the report says so.
    fn is_late(&self) -> bool {
        let is_late = self.shared.is_late();
        if is_late {
            self.collector.break_off();
        }
        is_late
    }
}
