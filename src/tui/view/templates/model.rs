//! The templates' workbench: which mail is looked at, how, and what came of rendering it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Source};
use crate::preview::check::{Finding, Report, Severity};
use crate::preview::page::PageAddress;
use crate::preview::proof::{Person, PreviewRequest, Proof, TemplateIndex, TemplateProblem, Values};
use crate::preview::view::View;
use crate::tui::effect::Problem;
use crate::tui::model::slot::Slot;

/// What of a mail is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// As a mail program shows it.
    #[default]
    Rendered,
    /// As an inbox shows it.
    Inbox,
    Text,
    /// The template's files, and the HTML made of them.
    Source,
    /// The bytes that are sent.
    Mime,
    Headers,
    Variables,
    /// What the checks have found.
    Checks,
    /// Every language with every fixture.
    Matrix,
}

impl Mode {
    /// Every mode, in the order of the tabs.
    pub const ALL: [Self; 9] = [
        Self::Rendered,
        Self::Inbox,
        Self::Text,
        Self::Source,
        Self::Mime,
        Self::Headers,
        Self::Variables,
        Self::Checks,
        Self::Matrix,
    ];

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Rendered => "Rendered",
            Self::Inbox => "Inbox",
            Self::Text => "Text",
            Self::Source => "Source",
            Self::Mime => "MIME",
            Self::Headers => "Headers",
            Self::Variables => "Variables",
            Self::Checks => "Checks",
            Self::Matrix => "Matrix",
        }
    }

    /// Its place among [`Mode::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|mode| *mode == self).unwrap_or(0)
    }

    /// Which mode stands beside it where there is room.
    #[must_use]
    pub fn companion(self) -> Option<Self> {
        match self {
            Self::Rendered | Self::Checks | Self::Variables => Some(Self::Source),
            Self::Inbox | Self::Text | Self::Source | Self::Headers => Some(Self::Rendered),
            Self::Mime => Some(Self::Headers),
            Self::Matrix => None,
        }
    }
}

/// What the source mode shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Which of the template's files.
    pub part: Part,
    /// What it was rendered to, rather than the file itself.
    pub rendered: bool,
}

impl Default for File {
    fn default() -> Self {
        Self { part: Part::Html, rendered: false }
    }
}

/// A row of the list: a template in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub template: String,
    pub locale: Locale,
}

/// The page for browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// It is being started.
    Starting,
    /// It is there.
    Up(PageAddress),
}

#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub struct Workbench {
    /// What there is; nothing until it was looked for.
    pub stock: Option<TemplateIndex>,
    /// What the files say now: the order they were read for, and they.
    pub sources: Vec<(Part, Source)>,
    /// The template that is looked at; the first where it is empty or gone.
    pub template: String,
    /// In which language.
    pub locale: Locale,
    /// With which fixture, by id; the first where it is empty or gone.
    pub fixture: String,
    /// A real verification instead of the fixture.
    pub person: Option<Person>,
    /// How it is shown.
    pub view: View,
    /// What of it is shown.
    pub mode: Mode,
    /// What the source mode shows.
    pub file: File,
    /// Whether encoded texts are shown as they are sent.
    pub encoded: bool,
    /// Whether the panes have the room of the list.
    pub wide: bool,
    /// First line shown, by mode.
    pub scroll: [usize; Mode::ALL.len()],
    /// Columns of the mail to the left of the window.
    pub left: u16,
    /// The line of the source that is looked at, from 0.
    pub line: usize,
    /// The first row shown of a line higher than the pane, with that line; else its beginning, or where its trouble is.
    pub row: Option<(usize, usize)>,
    /// The last proof, and what was ordered.
    pub proof: Option<(PreviewRequest, Arc<Proof>)>,
    /// What is wrong with the order on the screen; the proof is an older one then.
    pub trouble: Option<TemplateProblem>,
    /// Why there is no proof of the order on the screen although nothing is wrong with the files, and the generation
    /// that is then still to come.
    pub problem: Option<(u64, Problem)>,
    /// What was ordered waits for an earlier rendering to end.
    pub waits: bool,
    /// Why changes of files are not seen, if so.
    pub unwatched: Option<String>,
    /// What the checks have found, when they last ran.
    pub report: Option<Arc<Report>>,
    /// Which of the findings is chosen.
    pub finding: usize,
    /// The page for browsers, where it was asked for.
    pub page: Option<Page>,
    /// Orders' proofs from before, the newest last, as long as no file has changed.
    pub(in crate::tui) kept: Vec<(PreviewRequest, Arc<Proof>)>,
    /// What was ordered last, and answered or not.
    pub(in crate::tui) ordered: Option<PreviewRequest>,
    pub(in crate::tui) awaiting: Option<u64>,
    pub(in crate::tui) stocking: bool,
    pub(in crate::tui) checking: Slot,
    /// The report is older than the files.
    pub(in crate::tui) unchecked: bool,
    pub(in crate::tui) watched: bool,
    /// Files have changed since they were read.
    pub(in crate::tui) stale: bool,
}

/// How many proofs are kept: all widths of all schemes of one mail.
pub const KEPT: usize = 12;

impl Workbench {
    /// Has everything read again.
    pub(in crate::tui) fn reread(&mut self) {
        (self.stale, self.watched) = (true, false);
    }

    /// The list's rows.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let templates = self.stock.iter().flat_map(|stock| &stock.templates);
        templates
            .flat_map(|template| {
                let entry = |locale: &Locale| Entry { template: template.name.clone(), locale: *locale };
                template.locales.iter().map(entry).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Which of the list's rows is chosen.
    #[must_use]
    pub fn chosen(&self) -> usize {
        let is_it = |entry: &Entry| entry.template == self.template && entry.locale == self.locale;
        let entries = self.entries();
        let same = entries.iter().position(is_it);
        let template = || entries.iter().position(|entry| entry.template == self.template);
        same.or_else(template).or_else(|| entries.iter().position(|entry| entry.locale == self.locale)).unwrap_or(0)
    }

    /// The fixtures of the chosen template: id and title.
    #[must_use]
    pub fn fixtures(&self) -> &[(String, String)] {
        let stocked = self.stock.iter().flat_map(|stock| &stock.templates);
        let own = self.entry().map(|entry| entry.template);
        let mut stocked = stocked.filter(|template| own.as_deref() == Some(&template.name));
        stocked.next().map_or(&[], |template| &template.fixtures)
    }

    /// The chosen row.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        self.entries().into_iter().nth(self.chosen())
    }

    /// The chosen fixture's place among the fixtures.
    #[must_use]
    pub fn fixture_index(&self) -> usize {
        self.fixtures().iter().position(|(id, _)| *id == self.fixture).unwrap_or(0)
    }

    /// Whether something is being rendered or checked.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.awaiting.is_some() || self.checking != Slot::Idle
    }

    /// What of that it is.
    #[must_use]
    pub fn doing(&self) -> &'static str {
        if self.awaiting.is_some() { "rendering…" } else { "checking…" }
    }

    /// What was found about the chosen template in its language, the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        let (Some(report), Some(Entry { template, locale })) = (self.report.as_deref(), self.entry()) else {
            return Vec::new();
        };
        // Under the name that lives as long as the stock.
        let names = self.stock.iter().flat_map(|stock| &stock.templates).map(|stocked| stocked.name.as_str());
        let name = names.into_iter().find(|name| *name == template).unwrap_or_default();
        let mut findings: Vec<&Finding> = report.of(name, locale).collect();
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    #[must_use]
    pub fn chosen_finding(&self) -> Option<&Finding> {
        let findings = self.findings();
        findings.get(self.finding.min(findings.len().saturating_sub(1))).copied()
    }

    /// How many errors and warnings there are about a row of the list; nothing before the checks have run.
    #[must_use]
    pub fn counts(&self, entry: &Entry) -> Option<(usize, usize)> {
        let report = self.report.as_deref()?;
        let of =
            |severity| report.of(&entry.template, entry.locale).filter(|finding| finding.severity == severity).count();
        Some((of(Severity::Error), of(Severity::Warning)))
    }

    /// What belongs on the screen.
    #[must_use]
    pub fn order(&self) -> Option<PreviewRequest> {
        let Entry { template, locale } = self.entry()?;
        let fixture = || self.fixtures().get(self.fixture_index()).map(|(id, _)| id.clone()).unwrap_or_default();
        let values = self.person.clone().map_or_else(|| Values::Fixture(fixture()), Values::Person);
        Some(PreviewRequest { template, locale, values, view: self.view })
    }

    /// The last good proof of the mail that belongs on the screen, if there is one: of the same template, in the same
    /// language, for the same person or for any fixture. [`Workbench::is_old`] says whether it is what was ordered.
    #[must_use]
    pub fn proof(&self) -> Option<&Proof> {
        self.proved().map(|(_, proof)| proof)
    }

    /// That proof, and what it was ordered with.
    #[must_use]
    pub fn proved(&self) -> Option<(&PreviewRequest, &Proof)> {
        let (of, proof) = self.proof.as_ref()?;
        let order = self.order()?;
        let same_person = match (&of.values, &order.values) {
            (Values::Fixture(_), Values::Fixture(_)) => true,
            (Values::Person(one), Values::Person(other)) => one.id == other.id && one.sent == other.sent,
            _ => false,
        };
        (of.template == order.template && of.locale == order.locale && same_person).then_some((of, &**proof))
    }

    /// Whether the proof is not, or perhaps not, what belongs on the screen: it is being rendered, or cannot be.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.awaiting.is_some() || self.trouble.is_some() || self.problem.is_some()
    }

    /// The file that the source mode shows.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.sources.iter().find(|(part, _)| *part == self.file.part).map(|(_, source)| source)
    }

    /// How many lines the source mode has.
    #[must_use]
    pub fn source_lines(&self) -> usize {
        self.source_text().lines().count().max(1)
    }

    /// What the source mode shows.
    #[must_use]
    pub fn source_text(&self) -> &str {
        if self.file.rendered {
            return self.proof().map_or("", |proof| match self.file.part {
                Part::Subject => &proof.subject,
                Part::Text => &proof.text,
                Part::Html => &proof.html,
            });
        }
        self.source().map_or("", |source| &source.text)
    }

    /// The file and the line, from 1, that an editor is to open; `None` where it is built in.
    #[must_use]
    pub fn editable(&self) -> Option<(PathBuf, usize)> {
        if let Some(trouble) = self.trouble.as_ref().filter(|_| self.mode != Mode::Source)
            && let Some(path) = &trouble.path
        {
            return Some((path.clone(), trouble.place.map_or(1, |(line, _)| line)));
        }
        if let Some(file) = self.chosen_finding().filter(|_| self.mode == Mode::Checks)
            && let Some(found) = &file.file
        {
            return Some((found.path.clone()?, file.line));
        }
        let (part, source) = self.shown_source()?;
        let line = if *part == self.file.part && !self.file.rendered { self.line + 1 } else { 1 };
        Some((source.file.clone()?, line))
    }

    /// The part that is on the screen, and where it comes from.
    fn shown_source(&self) -> Option<&(Part, Source)> {
        let wanted = match self.mode {
            Mode::Text => Part::Text,
            Mode::Inbox | Mode::Headers => Part::Subject,
            Mode::Source | Mode::Checks => self.file.part,
            _ => Part::Html,
        };
        self.sources.iter().find(|(part, _)| *part == wanted)
    }

    /// The path that its file would have below `templates.dir`, where it is built in.
    #[must_use]
    pub fn built_in_file(&self) -> Option<String> {
        let (part, _) = self.shown_source().filter(|(_, source)| source.file.is_none())?;
        let entry = self.entry()?;
        Some(part.path(entry.locale, &entry.template))
    }
}
