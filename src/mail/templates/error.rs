//! What is wrong with a template, in one line.

use tera::{Context, ErrorKind};

use crate::config::SettingError;
use crate::text::plain;

/// What is wrong with a template, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no template of that name.
    #[error("there is no template {name}; known are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        known: String,
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

impl TemplateError {
    /// The file or directory, as it is shown; none where no file is to blame.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::At { file, .. } | Self::In { file, .. } => Some(file),
            Self::Unknown { .. } => None,
        }
    }

    /// Line and column in the file, from 1; none where the file as a whole is meant.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::At { line, column, .. } => Some((*line, *column)),
            _ => None,
        }
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::At { message, .. } | Self::In { message, .. } => message.clone(),
            Self::Unknown { .. } => self.to_string(),
        }
    }

    /// Tera's messages may quote values; the link must not come out with one.
    pub(super) fn without_link(self, context: &Context) -> Self {
        let Some(link) = context.get("link").and_then(|link| link.as_str()) else { return self };
        let key = link.rsplit_once('=').map_or(link, |(_, key)| key);
        match self {
            Self::At { file, line, column, message } if message.contains(key) => {
                let message = "cannot be rendered with this link".to_owned();
                Self::At { file, line, column, message }
            }
            other => other,
        }
    }
}

impl From<TemplateError> for SettingError {
    fn from(error: TemplateError) -> Self {
        Self::new(
            error.to_string(),
            "correct the file under `templates.dir`, or remove it to use the built-in one; docs/templates.md lists the variables",
        )
    }
}

/// A file uses a variable that there is not.
pub(super) fn undefined(variable: &str, known: &[&str]) -> String {
    const SLIP_MAX: usize = 2;
    let far = |name: &&&str| strsim::osa_distance(name, variable);
    let meant = known.iter().min_by_key(far).filter(|name| far(name) <= SLIP_MAX && far(name) < name.len() / 2 + 1);
    let meant = meant.map_or_else(|| ".".to_owned(), |name| format!("; did you mean `{name}`?"));
    format!("Variable `{}` is not defined{meant} Available variables: {}", plain(variable), known.join(", "))
}

/// Tera's message; where it is about a variable that there is not, with the one that was probably meant.
fn with_suggestion(message: &str) -> String {
    let parts =
        message.strip_prefix("Variable `").and_then(|rest| rest.split_once("` is not defined. Available variables: "));
    parts.map_or_else(|| message.to_owned(), |(name, known)| undefined(name, &known.split(", ").collect::<Vec<_>>()))
}

/// Tera's error, taken apart.
pub(super) struct Report {
    /// The template that Tera blames, by the name that it was loaded under.
    pub path: Option<String>,
    /// Line from 1 and column from 1.
    pub place: Option<(usize, usize)>,
    /// What is wrong, plain.
    pub message: String,
}

impl Report {
    pub(super) fn of(error: &tera::Error) -> Self {
        match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => Self {
                path: Some(report.filename().to_owned()).filter(|path| !path.is_empty()),
                place: Some((report.span().start_line, report.span().start_col + 1)),
                message: plain(&with_suggestion(report.message())).into_string(),
            },
            ErrorKind::Msg(report) => Self::printed(report),
            ErrorKind::CircularInclude { include_chain: chain, .. } => Self::circle(chain),
            other => Self { path: None, place: None, message: plain(&other.to_string()).into_string() },
        }
    }

    /// Files that include each other. The chain may have more before the circle; what closes it is to blame.
    fn circle(chain: &[String]) -> Self {
        let last = chain.last();
        let begin = chain.iter().position(|path| Some(path) == last).unwrap_or(0);
        let path = chain.len().checked_sub(2).and_then(|at| chain.get(at)).cloned();
        let message = format!("includes itself: {}", chain[begin..].join(" \u{2192} "));
        Self { path, place: None, message: plain(&message).into_string() }
    }

    /// Tera passes on unknown filters, functions and includes as a printed report: `error: what`, then a line
    /// ` --> file:line:column`.
    fn printed(report: &str) -> Self {
        let what = report.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown error");
        let message = plain(what.strip_prefix("error:").unwrap_or(what).trim()).into_string();
        let found = report.lines().find_map(|line| {
            let mut parts = line.trim().strip_prefix("-->")?.trim().rsplitn(3, ':');
            let column = parts.next()?.parse().ok()?;
            let line = parts.next()?.parse().ok()?;
            Some((parts.next()?.to_owned(), (line, column)))
        });
        match found {
            Some((path, place)) => Self { path: Some(path), place: Some(place), message },
            None => Self { path: None, place: None, message },
        }
    }

    /// As an error about a file that is shown by this name.
    pub(super) fn about(self, file: String) -> TemplateError {
        match self.place {
            Some((line, column)) => TemplateError::At { file, line, column, message: self.message },
            None => TemplateError::In { file, message: self.message },
        }
    }
}
