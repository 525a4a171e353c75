//! Reports changes to templates' files. The kernel notifies, so nothing polls; only a directory that cannot be watched
//! is looked for again and again.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::text::plain;

/// How long files must have been left alone before they are read: an editor writes, renames and removes.
const QUIET: Duration = Duration::from_millis(20);

/// How long changes that do not end are waited for.
const QUIET_MAX: Duration = Duration::from_millis(200);

/// After how long a directory that cannot be watched is looked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a watch reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Something below the directory has changed, or it is there again.
    Changed,
    /// The directory cannot be watched, or is gone: why, in one line, plain. The watch keeps trying.
    Lost(String),
}

/// Reports changes below a directory for as long as it is polled. A directory that goes, comes, or is replaced by
/// another one of its name is one more change.
pub async fn watch(dir: &Path, mut report: impl FnMut(Word)) {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let mut lost: Option<String> = None;
    let mut replaced = false;
    loop {
        let (sender, mut changes) = mpsc::unbounded_channel();
        // Before the watch begins: what comes in between looks like another directory then, which does no harm.
        let watched = identity(&dir);
        let (_watcher, begun) = start(&dir, sender);
        match begun {
            Ok(()) => {
                if lost.take().is_some() || replaced {
                    report(Word::Changed);
                }
            }
            Err(error) => {
                let why = plain(&format!("{}: {error}", dir.display())).into_string();
                if lost.as_ref() != Some(&why) {
                    report(Word::Lost(why.clone()));
                }
                lost = Some(why);
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        }
        loop {
            if changes.recv().await.is_none() {
                // The kernel's side has ended: as if the directory had gone.
                tokio::time::sleep(AGAIN).await;
                break;
            }
            settle(&mut changes).await;
            if identity(&dir) != watched {
                break;
            }
            report(Word::Changed);
        }
        replaced = true;
    }
}

/// Waits until changes have ended for the moment.
async fn settle(changes: &mut mpsc::UnboundedReceiver<()>) {
    let latest = Instant::now() + QUIET_MAX;
    while Instant::now() < latest {
        if let Ok(None) | Err(_) = timeout_at(latest.min(Instant::now() + QUIET), changes.recv()).await {
            return;
        }
    }
}

/// Which directory has the name now.
fn identity(dir: &Path) -> Option<(u64, u64)> {
    let found = std::fs::metadata(dir).ok().filter(std::fs::Metadata::is_dir)?;
    Some((found.dev(), found.ino()))
}

/// Directories are watched, not files: editors replace files by others of the same name. Those above are watched for
/// the name of the one below, since a rename of any of them puts another directory in the place.
fn start(dir: &Path, changes: mpsc::UnboundedSender<()>) -> (Option<RecommendedWatcher>, notify::Result<()>) {
    let root: PathBuf = dir.to_owned();
    let made = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event.is_ok_and(|event| {
            let is_ours = |path: &PathBuf| path.starts_with(&root) || root.starts_with(path);
            !matches!(event.kind, EventKind::Access(_)) && (event.paths.is_empty() || event.paths.iter().any(is_ours))
        });
        if matters {
            let _ = changes.send(());
        }
    });
    let mut watcher = match made {
        Ok(watcher) => watcher,
        Err(error) => return (None, Err(error)),
    };
    if !dir.is_dir() {
        return (None, Err(notify::Error::generic("it is not there, or no directory")));
    }
    let begun = watcher.watch(dir, RecursiveMode::Recursive);
    for above in dir.ancestors().skip(1) {
        // What may not be read up there is not ours to be renamed either.
        let _ = watcher.watch(above, RecursiveMode::NonRecursive);
    }
    (Some(watcher), begun)
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_directory_that_goes_and_comes_is_watched_again() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/templates");
        let (sender, mut words) = mpsc::unbounded_channel();
        let watched = dir.clone();
        let task = tokio::spawn(async move {
            watch(&watched, |word| sender.send(word).unwrap()).await;
        });
        let mut next = async || timeout(Duration::from_secs(20), words.recv()).await.unwrap().unwrap();
        assert!(matches!(next().await, Word::Lost(why) if why.contains("a/templates")), "missing from the start");
        std::fs::create_dir_all(&dir).unwrap();
        assert_eq!(next().await, Word::Changed);
        // Replaced by another of its name, and its parent too.
        for from in ["a/templates", "a"] {
            let (from, to) = (home.path().join(from), home.path().join("old"));
            std::fs::rename(&from, &to).unwrap();
            std::fs::create_dir_all(&dir).unwrap();
            while next().await != Word::Changed {}
            std::fs::write(dir.join("x.html"), "x").unwrap();
            while next().await != Word::Changed {}
            std::fs::remove_dir_all(&to).unwrap();
        }
        std::fs::remove_dir_all(&dir).unwrap();
        while !matches!(next().await, Word::Lost(_)) {}
        task.abort();
    }
}
