//! Template files that are made from the built-in ones. None that is there is written over.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{BUILT_IN, BUILT_IN_FIXTURES};
use crate::text::plain;

/// Why nothing, or not all, was written. Plain.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    #[error("{0} is there already; nothing was written")]
    IsThere(String),
    #[error("cannot write {path}: {error}")]
    Failed { path: String, error: io::Error },
    #[error("there is no built-in file {0}")]
    NotBuiltIn(String),
}

impl NotWritten {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::IsThere(_) => "move it away, or name another place",
            Self::Failed { .. } => "name a directory that you may write",
            Self::NotBuiltIn(_) => "name one as en/verification/body.html; `verifydesk templates list` shows them",
        }
    }
}

/// The built-in templates, their schema and fixtures: their paths below a directory, and what is in them.
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILT_IN.into_iter().chain(BUILT_IN_FIXTURES)
}

/// Writes built-in files below a directory, and returns their paths: those that are named, or all of them.
pub fn eject(dir: &Path, names: &[String]) -> Result<Vec<PathBuf>, NotWritten> {
    let one = |name: &String| {
        let found = built_in().find(|(path, _)| path == name);
        found.ok_or_else(|| NotWritten::NotBuiltIn(plain(name).into_string()))
    };
    let asked_for = names.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let files = if asked_for.is_empty() { built_in().collect() } else { asked_for };
    let files: Vec<(String, String)> =
        files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    write(dir, &files)
}

/// Writes files below a directory and returns their paths. Nothing is written if one of them exists already.
pub fn write(dir: &Path, files: &[(String, String)]) -> Result<Vec<PathBuf>, NotWritten> {
    let shown = |path: &Path| plain(&path.display().to_string()).into_string();
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| dir.join(path)).collect();
    if let Some(there) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(NotWritten::IsThere(shown(there)));
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| create(path, text));
        written.map_err(|error| NotWritten::Failed { path: shown(path), error })?;
    }
    Ok(paths)
}

/// Fails if the file came to exist since it was looked for.
fn create(path: &Path, text: &str) -> io::Result<()> {
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}
