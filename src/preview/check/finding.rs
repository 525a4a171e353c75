//! What breaks a rule, and where.

use std::path::PathBuf;

use super::rule::{Rule, Severity};
use super::rules::{COMPILES, RENDERS};
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::text::plain;

/// Where in a mail something stands, as a rule sees it. Lines and columns are from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// In a rendered part, with its markers.
    Rendered(Part, usize, usize),
    /// In the file that a part is made from.
    Source(Part, usize, usize),
    /// In a file that is known by how it is shown.
    Shown(String, usize, usize),
    /// In the mail as a whole or its headers, which no file words.
    Mail,
    Settings,
}

/// What breaks a rule, as its test found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub at: At,
    /// In which language, where the test looks at several.
    pub locale: Option<Locale>,
    /// How bad, where it differs from the rule's severity.
    pub severity: Option<Severity>,
    /// What is wrong, the same for every fixture that shows it.
    pub message: String,
    /// What differs from fixture to fixture, such as a number; that of the first one is shown.
    pub detail: Option<String>,
}

impl Violation {
    /// Something at a place.
    pub fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, locale: None, severity: None, message: message.into(), detail: None }
    }

    /// Something in a line of a rendered part.
    pub fn rendered(part: Part, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self::new(At::Rendered(part, line, column), message)
    }

    /// Something that a part lacks, or that is true of it as a whole.
    pub fn part(part: Part, message: impl Into<String>) -> Self {
        Self::new(At::Source(part, 1, 1), message)
    }

    /// Something in the mail as a whole.
    pub fn mail(message: impl Into<String>) -> Self {
        Self::new(At::Mail, message)
    }

    /// The same in a language.
    #[must_use]
    pub fn in_locale(mut self, locale: Locale) -> Self {
        self.locale = Some(locale);
        self
    }

    /// The same, as bad as this.
    #[must_use]
    pub fn as_bad_as(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The same with what differs from fixture to fixture.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct File {
    /// What to call it, plain: its path, or `built-in` and where it would stand, or `settings`.
    pub shown: String,
    /// Where it is; none where it is built in, or no file.
    pub path: Option<PathBuf>,
}

/// What breaks a rule, in the terms of who fixes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// In which template; none where a file belongs to none.
    pub template: Option<String>,
    /// In which language; none where it is about no mail in particular.
    pub locale: Option<Locale>,
    /// With which fixtures, by their ids; empty where no mail had to be rendered.
    pub fixtures: Vec<String>,
    /// Of how many fixtures.
    pub tried: usize,
    /// In which part; none where it is about the mail as a whole.
    pub part: Option<Part>,
    /// In which file; none where no file words it.
    pub file: Option<File>,
    /// The line in the file, from 1.
    pub line: usize,
    /// The column in the line, in characters from 1.
    pub column: usize,
    /// What is wrong; plain.
    pub message: String,
    /// Why it is left to stand, where a comment says so; plain.
    pub suppressed: Option<String>,
}

impl Finding {
    /// With which fixtures, where it is not with all of them: `with 5 of 9 fixtures`, or the fixture's name.
    #[must_use]
    pub fn fixtures_shown(&self) -> Option<String> {
        match self.fixtures.as_slice() {
            [] => None,
            all if all.len() == self.tried => None,
            [one] => Some(format!("with the fixture {}", plain(one))),
            some => Some(format!("with {} of {} fixtures", some.len(), self.tried)),
        }
    }

    /// What it is about: its file, or the mail.
    #[must_use]
    pub fn subject(&self) -> String {
        if let Some(file) = &self.file {
            return file.shown.clone();
        }
        match (&self.template, self.locale) {
            (Some(template), Some(locale)) => format!("the mail {template} in {locale}"),
            (Some(template), None) => format!("the mail {template}"),
            _ => "the mails".to_owned(),
        }
    }
}

/// What a run found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What breaks rules, by file and line.
    pub findings: Vec<Finding>,
    /// What does as well, but is left to stand with a reason.
    pub suppressed: Vec<Finding>,
    /// How many mails were made and looked at: templates × locales × fixtures.
    pub mails: usize,
    /// Whether time ran out before all was looked at.
    pub unfinished: bool,
    /// How many findings were left out: of each rule the first hundred of a severity in a file are kept. What is broken
    /// in one file for several templates counts for each.
    pub cut: usize,
}

impl Report {
    /// How many findings there are of a severity, without those left to stand.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// What keeps a mail from being made at all.
    pub fn unmade(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| [COMPILES, RENDERS].contains(&finding.rule.id))
    }

    /// The worst of what was found about a mail, by template, language and fixture; none where nothing was.
    #[must_use]
    pub fn worst(&self, template: &str, locale: Locale, fixture: &str) -> Option<Severity> {
        self.of(template, locale).filter(|finding| finding.is_with(fixture)).map(|finding| finding.severity).min()
    }

    /// What was found about the mails of a template in a language.
    pub fn of<'a>(&'a self, template: &'a str, locale: Locale) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| {
            finding.template.as_deref().is_none_or(|name| name == template)
                && finding.locale.is_none_or(|found| found == locale)
        })
    }
}

impl Finding {
    /// Whether it is about a fixture's mail.
    #[must_use]
    pub fn is_with(&self, fixture: &str) -> bool {
        self.fixtures.is_empty() || self.fixtures.iter().any(|id| id == fixture)
    }
}

/// Line and column, from 1, of a byte in a text.
#[must_use]
pub fn place_in(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
