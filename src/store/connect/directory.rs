//! A directory for sockets that no one else may enter, gone with its owner.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Uid;
use uuid::Uuid;

/// What has no owner and is older than this was left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_mins(1);

/// Longest path of a directory for sockets: their addresses hold 104 bytes on macOS, 108 on Linux.
const LENGTH_MAX: usize = 85;

/// Removed when dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The open directory, locked for as long as this process lives.
    _lock: File,
}

impl Directory {
    /// Makes one where the system keeps what lives as long as a process.
    pub(super) fn make() -> io::Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let places = runtime.into_iter().chain([std::env::temp_dir(), "/tmp".into(), "/dev/shm".into()]);
        let mut refused = io::Error::from(io::ErrorKind::NotFound);
        for place in places {
            match Self::within(&place) {
                Ok(directory) => return Ok(directory),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn within(place: &Path) -> io::Result<Self> {
        let prefix = format!("verifydesk-way-{}-", Uid::effective());
        let path = place.join(format!("{prefix}{}", Uuid::now_v7().simple()));
        if path.as_os_str().len() > LENGTH_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, "the path is too long for a socket"));
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::open(&path)?;
        lock.try_lock().map_err(io::Error::from)?;
        clear(place, &prefix);
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // The next one to come clears it away otherwise.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Removes what killed processes of this user have left behind.
fn clear(place: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
        let is_old =
            |meta: &std::fs::Metadata| meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_BEHIND));
        if !is_ours
            || !entry
                .path()
                .symlink_metadata()
                .is_ok_and(|meta| meta.is_dir() && meta.uid() == Uid::effective().as_raw() && is_old(&meta))
        {
            continue;
        }
        if let Ok(directory) = File::open(entry.path())
            && directory.try_lock().is_ok()
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
