//! Writes template files, never over others.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::text::plain;

/// A path as a person may see it.
pub fn shown(path: &Path) -> String {
    plain(&path.display().to_string()).into_string()
}

/// Writes files below a directory and returns their paths. Nothing is written if one of them exists already.
pub fn write(dir: &Path, files: &[(String, String)]) -> Result<Vec<PathBuf>, Failure> {
    let paths: Vec<PathBuf> = files.iter().map(|(path, _)| dir.join(path)).collect();
    if let Some(there) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(Failure::failed(
            format!("{} is there already; nothing was written", shown(there)),
            "move it away, or name another place",
        ));
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| create(path, text));
        written.map_err(|error| {
            Failure::failed(format!("cannot write {}: {error}", shown(path)), "name a directory that you may write")
        })?;
    }
    Ok(paths)
}

/// Fails if the file came to exist since it was looked for.
fn create(path: &Path, text: &str) -> io::Result<()> {
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}
