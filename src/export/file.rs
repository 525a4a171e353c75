//! A list written into a file of its own, which only its owner may read. It has its name once it is whole, and takes no
//! other's place; what is given up leaves nothing behind.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::{Format, Listed};
use crate::domain::Time;
use crate::store::{self, Store};
use crate::text::plain;

/// How many files may have been made of one list within a second.
const NAMES_MAX: usize = 100;

/// A list that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
    pub rows: usize,
}

/// Why a list was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("there is no home directory to write it in")]
    NoHome,
    #[error("the list cannot be written in {}: {}", plain(&path.display().to_string()), plain(&error.to_string()))]
    File { path: PathBuf, error: io::Error },
}

/// Where lists are written: `verifydesk/exports` where the user's data is.
pub fn directory() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.data_dir().join("verifydesk/exports"))
}

/// Writes all that a list shows; `tell` hears how many rows were written so far. Dropped, it leaves nothing behind.
pub async fn write(
    store: &Store,
    listed: &Listed,
    format: Format,
    directory: &Path,
    now: Time,
    mut tell: impl FnMut(usize) + Send,
) -> Result<Written, Error> {
    let failed = |error: io::Error| Error::File { path: directory.to_owned(), error };
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    // Its mode is 0600.
    let unnamed = tempfile::Builder::new().prefix(".export-").tempfile_in(directory).map_err(failed)?;
    let file = unnamed.as_file().try_clone().map_err(failed)?;
    let mut file = tokio::fs::File::from_std(file);
    file.write_all(format.head(listed.columns()).as_bytes()).await.map_err(failed)?;
    let mut rows = 0;
    let mut reading = listed.read(store).await?;
    while let Some((lines, count)) = reading.next(format).await? {
        file.write_all(lines.as_bytes()).await.map_err(failed)?;
        rows += count;
        tell(rows);
    }
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    let path = name(unnamed, directory, &listed.name(), format, now).map_err(failed)?;
    Ok(Written { path, rows })
}

/// Gives it the first name that no file has.
fn name(mut file: NamedTempFile, directory: &Path, list: &str, format: Format, now: Time) -> io::Result<PathBuf> {
    let at = now.format("%Y-%m-%d-%H%M%S");
    for n in 1..=NAMES_MAX {
        let again = if n == 1 { String::new() } else { format!("-{n}") };
        let path = directory.join(format!("{list}-{at}{again}.{}", format.extension()));
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => file = taken.file,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
