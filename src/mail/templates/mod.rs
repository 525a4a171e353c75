//! The templates of all mails: Tera files at `<locale>/<name>/{subject.txt,body.txt,body.html}`, built in, each
//! replaceable by a file of the same path under `templates.dir`, which may hold further ones.
//!
//! What is mailed is checked when it is loaded, in every branch: a mistake shows when the program starts, in one line
//! that names file, line and column, never in a mail. Previews and checks [`Templates::gather`] all there is instead,
//! with its mistakes.

pub mod eject;
mod error;
mod files;
pub mod fixture;
pub mod growth;
mod hostile;
mod lines;
mod markers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tera::{Context, ErrorKind, Tera};

use super::verification::{self, VerificationMail};
use crate::config::{SettingError, Settings};
use crate::domain::Time;
use crate::domain::locale::Locale;
use crate::text::plain;
use error::Report;
use files::Sources;
use fixture::{Fixture, Schema, Trials, Value};
use growth::Watched;
use lines::Marks;

pub use error::TemplateError;
pub use files::{BUILT_IN, BUILT_IN_FIXTURES, DIRECTORY_UNREAD, FIXTURES, PARTIALS, is_name};
pub use lines::LineMap;
pub use markers::MARKERS;

/// How many broken files are left out one by one, each with its mistake.
const BROKEN_MAX: usize = 20;

/// A part of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The subject line.
    Subject,
    /// The plain text.
    Text,
    Html,
}

impl Part {
    /// Every part, as a mail is read.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    /// The name of its file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "body.txt",
            Self::Html => "body.html",
        }
    }

    /// The path of a template's file below the directory of templates.
    #[must_use]
    pub fn path(self, locale: Locale, template: &str) -> String {
        format!("{locale}/{template}/{}", self.file())
    }
}

/// A mail in words. No `Debug`: it holds the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject: one line without control characters.
    pub subject: String,
    /// The plain text; lines end in `\n`.
    pub text: String,
    /// The HTML; lines end in `\n`.
    pub html: String,
}

impl Rendered {
    /// One part of it.
    #[must_use]
    pub fn part(&self, part: Part) -> &str {
        match part {
            Part::Subject => &self.subject,
            Part::Text => &self.text,
            Part::Html => &self.html,
        }
    }
}

/// A template's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What to call it, plain: its own path, or `built-in` and where it would stand.
    pub shown: String,
    /// Where it is; none where it is built in.
    pub file: Option<PathBuf>,
    pub text: String,
}

/// The loaded templates.
pub struct Templates {
    /// As they are, for what Tera knows of them and says about them.
    tera: Tera,
    /// With their steps counted, to be rendered.
    watched: Watched,
    sources: Sources,
    trials: BTreeMap<String, Trials>,
    mistakes: Vec<TemplateError>,
}

impl Templates {
    /// Loads the templates of the mails that are sent, and what replaces them in `dir`, and checks them all.
    pub fn load(dir: Option<&Path>) -> Result<Self, TemplateError> {
        Self::load_for(dir, &Settings::default())
    }

    /// Loads what the settings say, and tries it with the site that they name.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self::load_for(settings.templates.dir.as_deref(), settings)?)
    }

    fn load_for(dir: Option<&Path>, settings: &Settings) -> Result<Self, TemplateError> {
        let mut found = files::collect(dir);
        // What is never mailed must not keep a worker from starting.
        let mut mistakes = found.mistakes.into_iter().filter(|mistake| mistake.may_concern(verification::TEMPLATE));
        if let Some(mistake) = mistakes.next() {
            return Err(mistake.error);
        }
        keep_mailed(&mut found.sources);
        let mut templates = Self::of(found.sources);
        if let Err(error) = templates.compile() {
            return Err(error.1);
        }
        templates.check(settings)?;
        Ok(templates)
    }

    fn of(sources: Sources) -> Self {
        let (tera, watched) = (Tera::new(), Watched::default());
        Self { tera, watched, sources, trials: BTreeMap::new(), mistakes: Vec::new() }
    }

    /// Loads all there is, for previews and checks: what is broken is left out, and named by [`Templates::mistakes`].
    #[must_use]
    pub fn gather(settings: &Settings) -> Self {
        let dir = settings.templates.dir.as_deref();
        let found = files::collect(dir);
        let mut templates = Self::of(found.sources);
        templates.mistakes.extend(found.mistakes.into_iter().map(|mistake| mistake.error));
        let all = templates.sources.clone();
        let found_before = templates.mistakes.len();
        while let Err((path, error)) = templates.compile() {
            templates.mistakes.push(error);
            let left_out = templates.mistakes.len() - found_before;
            // Each time costs as much as there are files.
            if path.is_none_or(|path| templates.sources.remove(&path).is_none()) || left_out >= BROKEN_MAX {
                templates.compile_alone();
                break;
            }
        }
        // A broken source can still be looked at.
        templates.sources = all;
        for name in files::names(&templates.sources) {
            let trials = fixture::load(dir, &name, &mut templates.mistakes);
            templates.trials.insert(name, trials);
        }
        templates
    }

    /// What is wrong with the files, where [`Templates::gather`] loaded them.
    #[must_use]
    pub fn mistakes(&self) -> &[TemplateError] {
        &self.mistakes
    }

    #[must_use]
    pub fn names(&self) -> Vec<String> {
        files::names(&self.sources).into_iter().collect()
    }

    /// A template's file.
    #[must_use]
    pub fn source(&self, name: &str, locale: Locale, part: Part) -> Option<&Source> {
        self.source_at(&part.path(locale, name))
    }

    /// The file at a path below the directory of templates, such as [`LineMap::place`] returns.
    #[must_use]
    pub fn source_at(&self, path: &str) -> Option<&Source> {
        self.sources.get(path)
    }

    /// All files, broken ones too, by their path below the directory of templates.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// The files that verification mails of a language are made of, by path, wherever they were loaded for.
    #[must_use]
    pub fn mailed_texts(&self, locale: Locale) -> Vec<(String, String)> {
        let mut sources = self.sources.clone();
        keep_mailed(&mut sources);
        let is_of = |path: &str| path.starts_with(PARTIALS) || path.split('/').next() == Some(locale.as_str());
        let sources = sources.into_iter().filter(|(path, _)| is_of(path));
        sources.map(|(path, source)| (path, source.text)).collect()
    }

    /// The variables of a template.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.trials.get(name).map(|trials| &trials.schema)
    }

    /// What a template is tried with: the examples first, then files, then hostile values.
    #[must_use]
    pub fn fixtures(&self, name: &str) -> &[Fixture] {
        self.trials.get(name).map_or(&[], |trials| &trials.fixtures)
    }

    /// The variables that a file and what it includes use, in every branch.
    #[must_use]
    pub fn variables(&self, name: &str, locale: Locale, part: Part) -> Vec<String> {
        let used = self.tera.get_template_variables(&part.path(locale, name)).unwrap_or_default();
        let mut used: Vec<String> = used.into_iter().map(ToOwned::to_owned).collect();
        used.sort_unstable();
        used
    }

    /// What the variables say with a fixture. Nothing in it is a real person's, and its link opens nothing.
    #[must_use]
    pub fn context(&self, name: &str, locale: Locale, fixture: &Fixture, settings: &Settings, now: Time) -> Context {
        let text = |variable: &str| match fixture.values.get(variable) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let mut mail = VerificationMail::sample(locale, settings, now);
        if let Some(name) = text("name") {
            mail.name = name.into();
        }
        let mut context = mail.context(&settings.site);
        if name != verification::TEMPLATE {
            let site = context;
            context = Context::new();
            for variable in fixture::COMMON {
                if let Some(value) = site.get(variable) {
                    context.insert(variable, value);
                }
            }
            for (variable, declared) in self.schema(name).into_iter().flat_map(|schema| &schema.variables) {
                if let Some(example) = declared.example(locale) {
                    context.insert(variable.clone(), example);
                }
            }
        }
        for (variable, value) in &fixture.values {
            // The name in a verification mail has been through what every name goes through before it is mailed.
            let declared = self.schema(name).and_then(|schema| schema.variables.get(variable));
            match value {
                _ if name == verification::TEMPLATE && variable == "name" => {}
                // Whatever mails it lets no control character pass, in headers least of all.
                Value::Text(text) if declared.is_some_and(|variable| variable.untrusted) => {
                    context.insert(variable.clone(), &text.replace(char::is_control, " "));
                }
                value => context.insert(variable.clone(), value),
            }
        }
        context
    }

    /// Words a whole mail, as it is sent.
    pub fn render(&self, name: &str, locale: Locale, context: &Context) -> Result<Rendered, TemplateError> {
        let rendered = self.render_marked(name, locale, context)?;
        Ok(Rendered { html: markers::strip(&rendered.html), ..rendered })
    }

    /// Words a whole mail, with the [`MARKERS`] still in it.
    pub fn render_marked(&self, name: &str, locale: Locale, context: &Context) -> Result<Rendered, TemplateError> {
        Ok(Rendered {
            subject: self.render_part(name, locale, Part::Subject, context)?,
            text: self.render_part(name, locale, Part::Text, context)?,
            html: self.render_part(name, locale, Part::Html, context)?,
        })
    }

    /// Words one part of a mail, with the [`MARKERS`] still in it.
    pub fn render_part(
        &self,
        name: &str,
        locale: Locale,
        part: Part,
        context: &Context,
    ) -> Result<String, TemplateError> {
        let path = part.path(locale, name);
        if !self.sources.contains_key(&path) {
            return Err(self.missing(name, &path));
        }
        if !self.tera.contains_template(&path) {
            let of_file = |mistake: &&TemplateError| mistake.file() == Some(&*self.shown(&path));
            let mistake = self.mistakes.iter().find(of_file).or_else(|| self.mistakes.first());
            return Err(mistake.cloned().unwrap_or_else(|| self.missing(name, &path)));
        }
        let text = growth::render(&self.watched, &path, context)
            .map_err(|message| TemplateError::In { file: self.shown(&path), message })?
            .map_err(|error| {
                let error = growth::error_of(&self.tera, &path, context).unwrap_or(error);
                self.explain(&error, &path).1.without_link(context)
            })?;
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if part != Part::Subject {
            return Ok(format!("{}\n", text.trim_end()));
        }
        let subject = text.trim();
        let wrong = if subject.is_empty() {
            "the subject is empty"
        } else if subject.chars().any(char::is_control) {
            "the subject must be one line without control characters"
        } else {
            return Ok(subject.to_owned());
        };
        Err(TemplateError::In { file: self.shown(&path), message: wrong.to_owned() })
    }

    /// Where the lines of a rendered part come from. Empty where it cannot be rendered.
    #[must_use]
    pub fn line_map(&self, name: &str, locale: Locale, part: Part, context: &Context) -> LineMap {
        let Ok(rendered) = self.render_part(name, locale, part, context) else { return LineMap::default() };
        let mut marks = Marks::default();
        let sources = self.sources.iter().filter(|(path, _)| self.tera.contains_template(path));
        let marked: Vec<(&str, String)> =
            sources.map(|(path, source)| (path.as_str(), marks.mark(path, &source.text))).collect();
        let marked = marked.iter().map(|(path, text)| (*path, text.as_str()));
        let Ok(watched) = Watched::new(marked) else { return LineMap::default() };
        let Ok(Ok(marked)) = growth::render(&watched, &part.path(locale, name), context) else {
            return LineMap::default();
        };
        marks.map(&rendered, &marked)
    }

    fn missing(&self, name: &str, path: &str) -> TemplateError {
        if self.names().iter().any(|known| known == name) {
            return TemplateError::In { file: plain(path).into_string(), message: "is not there".to_owned() };
        }
        TemplateError::Unknown { name: plain(name).into_string(), known: self.names().join(", ") }
    }

    /// Adds all sources to Tera; what is wrong comes with the path to blame, where it is known.
    fn compile(&mut self) -> Result<(), (Option<String>, TemplateError)> {
        let texts = || self.sources.iter().map(|(path, source)| (path.as_str(), source.text.as_str()));
        let known = growth::Known::new(texts());
        for (path, source) in &self.sources {
            if let Some(((line, column), message)) = known.doubling(&source.text) {
                let error = TemplateError::At { file: source.shown.clone(), line, column, message };
                return Err((Some(path.clone()), error));
            }
        }
        self.tera.add_raw_templates(texts()).map_err(|error| self.explain(&error, ""))?;
        self.watched = Watched::new(texts()).map_err(|error| self.explain(&error, ""))?;
        Ok(())
    }

    /// Adds the sources to Tera one by one, if it does not say which one is wrong.
    fn compile_alone(&mut self) {
        let partials: Vec<_> = self.sources.iter().filter(|(path, _)| path.starts_with(PARTIALS)).collect();
        let known = growth::Known::new(self.sources.iter().map(|(path, source)| (path.as_str(), source.text.as_str())));
        let (mut tera, mut watched) = (Tera::new(), Watched::default());
        for (path, source) in partials.iter().copied().chain(&self.sources) {
            // Tera keeps what it had where this fails.
            if known.doubling(&source.text).is_none() && tera.add_raw_template(path, &source.text).is_ok() {
                let _ = watched.add(path, &source.text);
            }
        }
        (self.tera, self.watched) = (tera, watched);
    }

    /// Renders every template that is mailed in every locale, for this site with and without a URL, with what a person
    /// might and might not have set, so that the branches of the usual conditions are tried; then looks for variables
    /// in the branches that were not.
    fn check(&self, settings: &Settings) -> Result<(), TemplateError> {
        let mut site = settings.site.clone();
        for site_url in [settings.site.url.clone(), Some("https://example.org".to_owned()), None] {
            site.url = site_url;
            for locale in Locale::ALL {
                let mut mail = VerificationMail::sample(locale, settings, Time::UNIX_EPOCH);
                self.render(verification::TEMPLATE, locale, &mail.context(&site))?;
                mail.name = "".into();
                self.render(verification::TEMPLATE, locale, &mail.context(&site))?;
            }
        }
        // What partials use counts where they are included.
        for path in self.sources.keys().filter(|path| !path.starts_with(PARTIALS)) {
            let used = self.tera.get_template_variables(path).map_err(|error| self.explain(&error, path).1)?;
            let mut unknown: Vec<&str> =
                used.into_iter().filter(|name| !verification::VARIABLES.contains(name)).collect();
            unknown.sort_unstable();
            if let Some(variable) = unknown.first() {
                return Err(self.undefined(path, variable, &verification::VARIABLES));
            }
        }
        Ok(())
    }

    /// The mistake that a file uses a variable that there is not.
    #[must_use]
    pub fn undefined(&self, path: &str, variable: &str, known: &[&str]) -> TemplateError {
        let text = |path: &str| self.sources.get(path).map_or("", |source| source.text.as_str());
        // Where the file itself does not have it, something that it includes does.
        let partials = self.sources.keys().filter(|path| path.starts_with(PARTIALS)).map(String::as_str);
        let found =
            std::iter::once(path).chain(partials).find_map(|path| Some((path, place_of(text(path), variable)?)));
        let (path, (line, column)) = found.unwrap_or((path, (1, 1)));
        TemplateError::At { file: self.shown(path), line, column, message: error::undefined(variable, known) }
    }

    fn shown(&self, path: &str) -> String {
        self.sources.get(path).map_or_else(|| plain(path).into_string(), |source| source.shown.clone())
    }

    /// Tera's error in one line, and the path to blame. `path` is taken where Tera names none.
    fn explain(&self, error: &tera::Error, path: &str) -> (Option<String>, TemplateError) {
        let mut report = Report::of(error);
        let blamed = report.path.take().or_else(|| Some(path.to_owned()).filter(|path| !path.is_empty()));
        let shown = blamed.as_deref().map_or_else(|| "files".to_owned(), |path| self.shown(path));
        if let ErrorKind::CircularInclude { tpl, .. } = error.kind() {
            let text = blamed.as_deref().and_then(|path| self.sources.get(path)).map_or("", |source| &source.text);
            report.place = Some(include_of(text, tpl));
            // Without one of them the others would lack it.
            return (None, report.about(shown));
        }
        (blamed, report.about(shown))
    }
}

/// Leaves the templates that are mailed, and the partials that they name.
fn keep_mailed(sources: &mut Sources) {
    let is_mailed = |path: &String| {
        !path.starts_with(PARTIALS) && path.split('/').nth(1).is_some_and(|name| name == verification::TEMPLATE)
    };
    let mut kept: Sources = sources.extract_if(.., |path, _| is_mailed(path)).collect();
    loop {
        let named = |path: &String| kept.values().any(|source| source.text.contains(path.as_str()));
        let more: Sources = sources.extract_if(.., |path, _| path.starts_with(PARTIALS) && named(path)).collect();
        if more.is_empty() {
            break;
        }
        kept.extend(more);
    }
    *sources = kept;
}

/// Where a variable stands first as a word of its own: line and column, from 1. Tera does not say it for branches that
/// were not rendered.
fn place_of(source: &str, variable: &str) -> Option<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let at = source.match_indices(variable).map(|(at, _)| at).find(|at| {
        let (before, behind) = (&source[..*at], &source[*at + variable.len()..]);
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        opened > closed && !before.ends_with(|c| is_word(c) || c == '.') && !behind.starts_with(is_word)
    })?;
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

/// Line and column, from 1, of the tag that includes such a file.
fn include_of(source: &str, path: &str) -> (usize, usize) {
    let tags = source.match_indices("{%").map(|(at, _)| at);
    let is_it = |at: &usize| {
        let tag = source[*at..].split("%}").next().unwrap_or_default();
        tag.contains("include") && tag.contains(path)
    };
    let before = &source[..tags.into_iter().find(is_it).unwrap_or(0)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
