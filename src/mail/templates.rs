//! The templates of all mails: Tera files at `<locale>/<name>/{subject.txt,body.txt,body.html}`, built in, each
//! replaceable by a file of the same path under `templates.dir`.
//!
//! All is checked when they are loaded, in every branch: a mistake shows when the program starts, in one line that
//! names file, line and column, never in a mail.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tera::{Context, ErrorKind, Tera};

use super::verification::{self, VerificationMail};
use crate::config::{SettingError, Settings};
use crate::domain::Time;
use crate::domain::locale::Locale;
use crate::text::plain;

/// Every template there is.
pub const NAMES: [&str; 1] = [verification::TEMPLATE];

macro_rules! built_in {
    ($($path:literal),+ $(,)?) => { [$(($path, include_str!(concat!("../../templates/", $path)))),+] };
}

const BUILT_IN: [(&str, &str); 6] = built_in![
    "ko/verification/subject.txt",
    "ko/verification/body.txt",
    "ko/verification/body.html",
    "en/verification/subject.txt",
    "en/verification/body.txt",
    "en/verification/body.html",
];

/// A part of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The subject line.
    Subject,
    /// The plain text.
    Text,
    /// The HTML.
    Html,
}

impl Part {
    /// Every part, as a mail is read.
    pub const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    fn file(self) -> &'static str {
        match self {
            Self::Subject => "subject.txt",
            Self::Text => "body.txt",
            Self::Html => "body.html",
        }
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

/// What is wrong with a template, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no template of that name.
    #[error("there is no template {name}; there is {}", NAMES.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// A place in a file.
    #[error("template {file}, line {line}, column {column}: {message}")]
    At {
        /// The file, or `built-in` and its path.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// The column, in characters from 1.
        column: usize,
        /// What Tera says.
        message: String,
    },
    /// A file or directory as a whole.
    #[error("template {file}: {message}")]
    In {
        /// The file or directory.
        file: String,
        /// What is wrong with it.
        message: String,
    },
}

impl From<TemplateError> for SettingError {
    fn from(error: TemplateError) -> Self {
        Self::new(
            error.to_string(),
            "mend the file under `templates.dir`, or remove it to have the built-in one; README lists the variables",
        )
    }
}

/// The loaded templates.
pub struct Templates {
    tera: Tera,
    /// What to call the file of each path: its own path where it replaces a built-in one.
    shown: HashMap<&'static str, String>,
}

impl Templates {
    /// Loads the built-in templates and what replaces them in `dir`, and checks them all.
    pub fn load(dir: Option<&Path>) -> Result<Self, TemplateError> {
        Self::load_for(dir, &Settings::default())
    }

    fn load_for(dir: Option<&Path>, settings: &Settings) -> Result<Self, TemplateError> {
        let replaced = dir.map(find).transpose()?.unwrap_or_default();
        let mut shown = HashMap::new();
        let mut sources = Vec::with_capacity(BUILT_IN.len());
        for (path, built_in) in BUILT_IN {
            let (name, source) = match replaced.get(path) {
                Some(file) => (show(file), read(file)?),
                None => (format!("built-in {path}"), built_in.to_owned()),
            };
            shown.insert(path, name);
            sources.push((path, source));
        }
        let mut templates = Self { tera: Tera::new(), shown };
        if let Err(error) = templates.tera.add_raw_templates(sources.iter().map(|(path, source)| (*path, source))) {
            return Err(templates.explain(&error, sources[0].0));
        }
        templates.check(&sources, settings)?;
        Ok(templates)
    }

    /// Loads what the settings say, and tries it with the site that they name.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self::load_for(settings.templates.dir.as_deref(), settings)?)
    }

    /// Words a whole mail.
    pub fn render(&self, name: &str, locale: Locale, context: &Context) -> Result<Rendered, TemplateError> {
        Ok(Rendered {
            subject: self.render_part(name, locale, Part::Subject, context)?,
            text: self.render_part(name, locale, Part::Text, context)?,
            html: self.render_part(name, locale, Part::Html, context)?,
        })
    }

    /// Words one part of a mail.
    pub fn render_part(
        &self,
        name: &str,
        locale: Locale,
        part: Part,
        context: &Context,
    ) -> Result<String, TemplateError> {
        if !NAMES.contains(&name) {
            return Err(TemplateError::Unknown { name: plain(name).into_string() });
        }
        let path = format!("{locale}/{name}/{}", part.file());
        let text = self.tera.render(&path, context).map_err(|error| keep_link(self.explain(&error, &path), context))?;
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
        Err(TemplateError::In { file: self.name_of(&path), message: wrong.to_owned() })
    }

    /// Renders every template in every locale, for this site with and without a URL, with what a person might and might
    /// not have given, so that the branches of the usual conditions are tried; then looks for variables in the branches
    /// that were not.
    fn check(&self, sources: &[(&'static str, String)], settings: &Settings) -> Result<(), TemplateError> {
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
        for (path, source) in sources {
            let used = self.tera.get_template_variables(path).map_err(|error| self.explain(&error, path))?;
            let mut unknown: Vec<&str> =
                used.into_iter().filter(|name| !verification::VARIABLES.contains(name)).collect();
            unknown.sort_unstable();
            if let Some(variable) = unknown.first() {
                let (line, column) = place_of(source, variable);
                return Err(TemplateError::At {
                    file: self.name_of(path),
                    line,
                    column,
                    message: format!(
                        "Variable `{}` is not defined. Available variables: {}",
                        plain(variable),
                        verification::VARIABLES.join(", ")
                    ),
                });
            }
        }
        Ok(())
    }

    fn name_of(&self, path: &str) -> String {
        self.shown.get(path).cloned().unwrap_or_else(|| plain(path).into_string())
    }

    /// Tera's error in one line. `path` is the file to blame where Tera names none.
    fn explain(&self, error: &tera::Error, path: &str) -> TemplateError {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => TemplateError::At {
                file: self.name_of(if report.filename().is_empty() { path } else { report.filename() }),
                line: report.span().start_line,
                column: report.span().start_col + 1,
                message: plain(report.message()).into_string(),
            },
            ErrorKind::Msg(report) => self.explain_report(report, path),
            other => TemplateError::In { file: self.name_of(path), message: plain(&other.to_string()).into_string() },
        }
    }

    /// Tera hands over unknown filters, functions and includes as a printed report: `error: what`, then a line
    /// ` --> file:line:column`.
    fn explain_report(&self, report: &str, path: &str) -> TemplateError {
        let what = report.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown error");
        let message = plain(what.strip_prefix("error:").unwrap_or(what).trim()).into_string();
        let place = report.lines().find_map(|line| {
            let mut parts = line.trim().strip_prefix("-->")?.trim().rsplitn(3, ':');
            let column = parts.next()?.parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            Some((parts.next()?, line, column))
        });
        match place {
            Some((file, line, column)) => TemplateError::At { file: self.name_of(file), line, column, message },
            None => TemplateError::In { file: self.name_of(path), message },
        }
    }
}

/// Tera's messages may quote values; the link must not come out with one.
fn keep_link(error: TemplateError, context: &Context) -> TemplateError {
    let Some(link) = context.get("link").and_then(|link| link.as_str()) else { return error };
    let key = link.rsplit_once('=').map_or(link, |(_, key)| key);
    match error {
        TemplateError::At { file, line, column, message } if message.contains(key) => {
            let message = "cannot be rendered with this link".to_owned();
            TemplateError::At { file, line, column, message }
        }
        other => other,
    }
}

/// Where a variable stands first as a word of its own: line and column, from 1. Tera does not say it for branches that
/// were not rendered.
fn place_of(source: &str, variable: &str) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let at = source
        .match_indices(variable)
        .map(|(at, _)| at)
        .find(|at| {
            let (before, behind) = (&source[..*at], &source[*at + variable.len()..]);
            let opened = before.rfind("{{").max(before.rfind("{%"));
            let closed = before.rfind("}}").max(before.rfind("%}"));
            opened > closed && !before.ends_with(|c| is_word(c) || c == '.') && !behind.starts_with(is_word)
        })
        .unwrap_or(0);
    let before = &source[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn show(path: &Path) -> String {
    plain(&path.display().to_string()).into_string()
}

fn wrong(path: &Path, message: impl Into<String>) -> TemplateError {
    TemplateError::In { file: show(path), message: message.into() }
}

fn read(file: &Path) -> Result<String, TemplateError> {
    let bytes = std::fs::read(file).map_err(|error| wrong(file, format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| wrong(file, "is not UTF-8"))
}

/// The files in a directory that replace built-in ones, by path. A file that looks like a template and would never be
/// used is refused: whoever wrote it believes that it is.
fn find(dir: &Path) -> Result<HashMap<&'static str, PathBuf>, TemplateError> {
    let mut found = HashMap::new();
    for locale in entries(dir)? {
        if !locale.is_dir() {
            refuse_template(&locale)?;
            continue;
        }
        for name in entries(&locale)? {
            if !name.is_dir() {
                refuse_template(&name)?;
                continue;
            }
            for file in entries(&name)? {
                match BUILT_IN.iter().find(|(path, _)| dir.join(path) == file) {
                    Some((path, _)) => drop(found.insert(*path, file)),
                    None => refuse_template(&file)?,
                }
            }
        }
    }
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, TemplateError> {
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
    list().map_err(|error| wrong(dir, format!("the directory cannot be read: {error}")))
}

fn refuse_template(file: &Path) -> Result<(), TemplateError> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        // Tera escapes by the end of a name: `body.html.tera` would put a stranger's name into HTML as it is.
        "tera" => Err(wrong(file, "the name must end in .txt or .html, without .tera, or nothing in it is escaped")),
        "txt" | "html" | "htm" => {
            let known = BUILT_IN.map(|(path, _)| path).join(", ");
            Err(wrong(file, format!("nothing uses this file; the templates are {known}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "en/verification/body.txt";
    const HTML: &str = "ko/verification/body.html";
    const SUBJECT: &str = "ko/verification/subject.txt";

    fn dir_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        dir
    }

    fn error_of(files: &[(&str, &str)]) -> String {
        let dir = dir_with(files);
        let error = Templates::load(Some(dir.path())).err().expect("the template must be refused").to_string();
        assert!(!error.contains('\n'), "{error}");
        error.replace(&*dir.path().to_string_lossy(), "DIR")
    }

    fn sample(locale: Locale) -> (Settings, VerificationMail) {
        let settings = Settings::default();
        let mail = VerificationMail::sample(locale, &settings, "2026-11-22T05:30:00Z".parse().unwrap());
        (settings, mail)
    }

    #[test]
    fn built_in_ones_say_what_they_must() {
        let templates = Templates::load(None).unwrap();
        for locale in Locale::ALL {
            let (settings, mail) = sample(locale);
            let context = mail.context(&settings.site);
            let rendered = templates.render("verification", locale, &context).unwrap();
            let link = mail.link.expose();
            assert!(rendered.subject.contains(&settings.site.name));
            assert!(rendered.text.lines().any(|line| line == link), "the link has a line of its own");
            assert_eq!(rendered.html.matches(&format!("href=\"{link}\"")).count(), 2);
            assert!(rendered.html.contains(&format!(">{link}</a>")), "the link is visible");
            assert!(rendered.html.contains(&format!("<html lang=\"{locale}\"")));
            for variable in ["name", "site_name", "expires", "lifetime"] {
                let value = context.get(variable).and_then(|value| value.as_str()).unwrap();
                assert!(rendered.text.contains(value) && rendered.html.contains(value), "{variable} in both parts");
            }
            assert_eq!(rendered.html.matches("<table").count(), rendered.html.matches("role=\"presentation\"").count());
            assert!(!rendered.html.contains("<img") && !rendered.html.contains("<script"));
        }
    }

    #[test]
    fn values_are_escaped_in_html_only() {
        let templates = Templates::load(None).unwrap();
        let (settings, mut mail) = sample(Locale::En);
        mail.name = "<b>Kim</b> & {{ 7*7 }} {% raw %}".into();
        let rendered = templates.render("verification", Locale::En, &mail.context(&settings.site)).unwrap();
        assert!(rendered.html.contains("Hello &lt;b&gt;Kim&lt;/b&gt; &amp; {{ 7*7 }} {% raw %},"));
        assert!(rendered.text.contains("Hello <b>Kim</b> & {{ 7*7 }} {% raw %},"));
    }

    #[test]
    fn a_file_replaces_its_built_in_one_only() {
        let dir =
            dir_with(&[(TEXT, "Go: {{ link }}\r\n"), ("README.md", "notes"), ("en/verification/.body.html.swp", "")]);
        let templates = Templates::load(Some(dir.path())).unwrap();
        let (settings, mail) = sample(Locale::En);
        let rendered = templates.render("verification", Locale::En, &mail.context(&settings.site)).unwrap();
        assert_eq!(rendered.text, format!("Go: {}\n", mail.link.expose()));
        assert!(rendered.html.contains("Confirm my email address"));
    }

    #[test]
    fn mistakes_are_named_in_one_line() {
        let table: [(&str, &str, &str); 12] = [
            (
                TEXT,
                "a\nb {{ nmae }}",
                "template DIR/en/verification/body.txt, line 2, column 6: Variable `nmae` is not defined",
            ),
            (TEXT, "가나 {{ nmae }}", "line 1, column 7: Variable `nmae`"),
            (HTML, "{% if name %}\n{{ link }", "template DIR/ko/verification/body.html, line 2, column "),
            (HTML, "{{ link | sparkle }}", "template DIR/ko/verification/body.html, line 1, column "),
            (HTML, "{{ link | sparkle }}", "sparkle"),
            (TEXT, "x\n{{ sparkle() }}", "template DIR/en/verification/body.txt, line 2, column "),
            (TEXT, "{% include \"footer.txt\" %}", "footer.txt"),
            (TEXT, "{% extends \"layout.txt\" %}", "layout.txt"),
            // In a branch that no sample takes.
            (
                TEXT,
                "{% if locale == \"xx\" %}\n  {{ coupon }}{% endif %}",
                "line 2, column 6: Variable `coupon` is not defined",
            ),
            (SUBJECT, "one\ntwo", "template DIR/ko/verification/subject.txt: the subject must be one line"),
            (
                SUBJECT,
                "{% if not name %}a{% endif %}",
                "template DIR/ko/verification/subject.txt: the subject is empty",
            ),
            (SUBJECT, "a\u{7}b", "the subject must be one line without control characters"),
        ];
        for (path, content, message) in table {
            let error = error_of(&[(path, content)]);
            assert!(error.contains(message), "{content:?} gives {error:?}, which lacks {message:?}");
        }
    }

    #[test]
    fn files_that_nothing_would_use_are_refused() {
        let table = [
            ("ko/verification/body.html.tera", "nothing in it is escaped"),
            ("ko/verfication/body.html", "nothing uses this file"),
            ("ko/body.txt", "nothing uses this file"),
            ("body.html", "nothing uses this file"),
            ("fr/verification/body.txt", "nothing uses this file"),
        ];
        for (path, message) in table {
            let error = error_of(&[(path, "x")]);
            assert!(error.contains(message) && error.contains(path), "{error}");
        }
    }

    #[test]
    fn unreadable_places_are_named() {
        let error = Templates::load(Some(Path::new("/nonexistent/templates"))).err().unwrap().to_string();
        assert!(error.contains("/nonexistent/templates: the directory cannot be read"), "{error}");
        let dir = dir_with(&[(TEXT, "")]);
        std::fs::write(dir.path().join(TEXT), b"\xff").unwrap();
        let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
        assert!(error.contains("body.txt: is not UTF-8"), "{error}");
    }

    #[test]
    fn the_settings_of_the_site_are_tried_at_start() {
        let dir = dir_with(&[(SUBJECT, "{% if site_url == \"https://example.net\" %}a\nb{% else %}a{% endif %}")]);
        let mut settings = Settings::default();
        settings.templates.dir = Some(dir.path().to_owned());
        assert!(Templates::from_settings(&settings).is_ok());
        settings.site.url = Some("https://example.net".to_owned());
        let error = Templates::from_settings(&settings).err().expect("every subject would fail").what;
        assert!(error.contains("ko/verification/subject.txt: the subject must be one line"), "{error}");
    }

    #[test]
    fn an_unknown_name_is_said() {
        let templates = Templates::load(None).unwrap();
        let error = templates.render_part("wellcome\u{1b}", Locale::Ko, Part::Text, &Context::new()).unwrap_err();
        assert_eq!(error.to_string(), "there is no template wellcome␛; there is verification");
    }

    #[test]
    fn an_error_never_quotes_the_link() {
        // Renders with the sample, fails with a link that has no `sample` in it, in a way that makes Tera quote it.
        let source = "{% if link is containing(pat=\"sample\") %}ok{% else %}{{ link | int }}{% endif %}";
        let dir = dir_with(&[(TEXT, source)]);
        let templates = Templates::load(Some(dir.path())).unwrap();
        let (settings, mail) = sample(Locale::En);
        let mut context = mail.context(&settings.site);
        context.insert("link", "https://example.org/verify/?key=top-secret");
        let error = templates.render_part("verification", Locale::En, Part::Text, &context).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("top-secret"), "{error}");
    }
}
