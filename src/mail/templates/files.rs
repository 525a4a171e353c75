//! Where templates come from: built in, and in a directory whose files replace the built-in ones or add to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::TemplateError;
use super::{Part, Source};
use crate::domain::locale::Locale;
use crate::text::plain;

macro_rules! built_in {
    ($($path:literal),+ $(,)?) => { [$(($path, include_str!(concat!("../../../templates/", $path)))),+] };
}

/// The built-in templates: what mails are made from.
pub const BUILT_IN: [(&str, &str); 6] = built_in![
    "ko/verification/subject.txt",
    "ko/verification/body.txt",
    "ko/verification/body.html",
    "en/verification/subject.txt",
    "en/verification/body.txt",
    "en/verification/body.html",
];

/// The schema and the fixtures of the built-in templates.
pub const BUILT_IN_FIXTURES: [(&str, &str); 3] = built_in![
    "fixtures/verification/schema.toml",
    "fixtures/verification/long-name.toml",
    "fixtures/verification/no-name.toml",
];

/// The directory of what templates include, whichever their language.
pub const PARTIALS: &str = "partials";

/// The directory of schemas and fixtures.
pub const FIXTURES: &str = "fixtures";

/// Largest file that is read, in bytes; Gmail clips a mail at a tenth of it.
const FILE_MAX: u64 = 1 << 20;

/// Most files that are read: all of them are kept, and compiled together.
const FILES_MAX: usize = 3_000;

/// How many letters a misspelt name may differ in.
const SLIP_MAX: usize = 3;

/// All sources, by the name that Tera knows them under: the path below the directory, with `/`.
pub(super) type Sources = BTreeMap<String, Source>;

/// What a directory holds.
#[derive(Default)]
pub(super) struct Found {
    /// The sources that could be read, built-in ones where nothing replaces them.
    pub sources: Sources,
    /// What cannot be read or would never be used.
    pub mistakes: Vec<Mistake>,
    /// How many files were read.
    read: usize,
    /// What nothing uses, and the template in whose directory it is: reported when all templates are known.
    unused: Vec<(Option<String>, PathBuf)>,
}

/// A mistake, and whose.
pub(super) struct Mistake {
    /// The template in whose directory it was found; none where it is about a partial or in no template's directory.
    pub template: Option<String>,
    /// What is wrong.
    pub error: TemplateError,
}

impl Mistake {
    /// Whether it may be about a template of this name: it is, or is in no template's directory, or in one whose name
    /// looks like a slip of the pen.
    pub(super) fn may_concern(&self, name: &str) -> bool {
        self.template.as_deref().is_none_or(|template| strsim::osa_distance(template, name) <= SLIP_MAX)
    }
}

/// Whether a template may have this name: lower-case letters, digits and hyphens, a letter first.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && name != PARTIALS
        && name != FIXTURES
}

/// Collects the built-in sources and those of a directory. A file that looks like a template and would never be used
/// is a mistake: its author believes that it is.
pub(super) fn collect(dir: Option<&Path>) -> Found {
    let mut found = Found::default();
    for (path, text) in BUILT_IN {
        let shown = format!("built-in {path}");
        found.sources.insert(path.to_owned(), Source { shown, file: None, text: text.to_owned() });
    }
    if let Some(dir) = dir {
        found.top(dir);
        found.complete(dir);
        if found.read > FILES_MAX {
            let message = format!("holds more than {FILES_MAX} files; the others are not read");
            found.wrong(None, wrong(dir, message));
        }
    }
    found
}

impl Found {
    fn top(&mut self, dir: &Path) {
        for entry in self.entries(None, dir) {
            let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if !entry.is_dir() {
                self.unused(None, &entry);
            } else if name == PARTIALS {
                self.partials(&entry);
            } else if name != FIXTURES {
                let locale = name.parse::<Locale>().ok();
                for template in self.entries(None, &entry) {
                    self.template(locale, &template);
                }
            }
        }
    }

    fn template(&mut self, locale: Option<Locale>, dir: &Path) {
        if !dir.is_dir() {
            return self.unused(None, dir);
        }
        let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let of = Some(name.as_str());
        for file in self.entries(of, dir) {
            let part = Part::ALL.into_iter().find(|part| file.file_name().is_some_and(|name| name == part.file()));
            match (locale, part) {
                (Some(locale), Some(part)) if is_name(&name) => self.read(of, part.path(locale, &name), &file),
                _ => self.unused(of, &file),
            }
        }
    }

    fn partials(&mut self, dir: &Path) {
        for file in self.entries(None, dir) {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("html" | "txt") => self.read(None, format!("{PARTIALS}/{name}"), &file),
                _ => self.unused(None, &file),
            }
        }
    }

    /// A template that is not built in counts when all its files are there, in every language: what has only some of
    /// them is a slip of the pen more often than a template.
    fn complete(&mut self, dir: &Path) {
        let complete = complete_names(&self.sources).join(", ");
        for name in names(&self.sources) {
            let mut lacking = Vec::new();
            let mut present = Vec::new();
            for locale in Locale::ALL {
                for part in Part::ALL {
                    let path = part.path(locale, name.as_str());
                    if self.sources.contains_key(&path) { present.push(path) } else { lacking.push(path) }
                }
            }
            if let (Some(first), false) = (present.first(), lacking.is_empty()) {
                let message = format!(
                    "nothing uses this file: the template {name} lacks {}; complete ones are {complete}",
                    lacking.join(", "),
                );
                self.wrong(Some(&name), TemplateError::In { file: show(&dir.join(first)), message });
            }
        }
        for (template, file) in std::mem::take(&mut self.unused) {
            let message = format!(
                "nothing uses this file; the templates are {complete}, each with {}, in {}",
                Part::ALL.map(Part::file).join(", "),
                Locale::ALL.map(Locale::as_str).join(" and ")
            );
            self.wrong(template.as_deref(), wrong(&file, message));
        }
    }

    fn read(&mut self, template: Option<&str>, path: String, file: &Path) {
        self.read += 1;
        if self.read > FILES_MAX {
            return;
        }
        match read(file) {
            Ok(text) => {
                let source = Source { shown: show(file), file: Some(file.to_owned()), text };
                self.sources.insert(path, source);
            }
            Err(error) => {
                // What is meant to replace it must not be taken for the built-in one.
                self.sources.remove(&path);
                self.wrong(template, error);
            }
        }
    }

    fn wrong(&mut self, template: Option<&str>, error: TemplateError) {
        self.mistakes.push(Mistake { template: template.map(ToOwned::to_owned), error });
    }

    fn entries(&mut self, template: Option<&str>, dir: &Path) -> Vec<PathBuf> {
        entries(dir).unwrap_or_else(|error| {
            self.wrong(template, error);
            Vec::new()
        })
    }

    fn unused(&mut self, template: Option<&str>, file: &Path) {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            // Tera escapes by the end of a name: `body.html.tera` would put a stranger's name into HTML as it is.
            "tera" => {
                let message = "the name must end in .txt or .html, without .tera, or nothing in it is escaped";
                self.wrong(template, wrong(file, message));
            }
            "txt" | "html" | "htm" => self.unused.push((template.map(ToOwned::to_owned), file.to_owned())),
            _ => {}
        }
    }
}

pub(super) fn names(sources: &Sources) -> BTreeSet<String> {
    let templates = sources.keys().filter(|path| !path.starts_with(PARTIALS));
    templates.filter_map(|path| path.split('/').nth(1)).map(ToOwned::to_owned).collect()
}

/// The names that have all files in every language.
fn complete_names(sources: &Sources) -> Vec<String> {
    let is_complete = |name: &String| {
        Locale::ALL.iter().all(|locale| Part::ALL.iter().all(|part| sources.contains_key(&part.path(*locale, name))))
    };
    names(sources).into_iter().filter(is_complete).collect()
}

/// A path as it is shown.
pub(super) fn show(path: &Path) -> String {
    plain(&path.display().to_string()).into_string()
}

pub(super) fn wrong(path: &Path, message: impl Into<String>) -> TemplateError {
    TemplateError::In { file: show(path), message: message.into() }
}

pub(super) fn read(file: &Path) -> Result<String, TemplateError> {
    let unreadable = |error: std::io::Error| wrong(file, format!("cannot be read: {error}"));
    // A pipe would be waited for.
    let found = std::fs::metadata(file).map_err(unreadable)?;
    if !found.is_file() {
        return Err(wrong(file, "is not a file"));
    }
    if found.len() > FILE_MAX {
        return Err(wrong(file, format!("is larger than {} KiB", FILE_MAX >> 10)));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| wrong(file, "is not UTF-8"))
}

/// How a directory that cannot be read is reported; the workbench looks for it.
pub const DIRECTORY_UNREAD: &str = "the directory cannot be read";

/// What a directory holds, in order, without hidden files.
pub(super) fn entries(dir: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    };
    list().map_err(|error| wrong(dir, format!("{DIRECTORY_UNREAD}: {error}")))
}
