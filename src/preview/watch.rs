//! Word of changes to templates' files. Nothing is asked meanwhile: the kernel tells.

use std::path::Path;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long files must have been left alone before they are read: an editor writes, renames and removes.
const QUIET: Duration = Duration::from_millis(20);

/// How long changes that do not end are waited for.
const QUIET_MAX: Duration = Duration::from_millis(200);

/// Tells of changes below a directory for as long as it is polled.
///
/// # Errors
/// Where the directory cannot be watched.
pub async fn watch(dir: &Path, mut told: impl FnMut()) -> notify::Result<()> {
    let (sender, mut changes) = mpsc::unbounded_channel();
    let _watcher = start(dir, sender)?;
    while changes.recv().await.is_some() {
        let latest = Instant::now() + QUIET_MAX;
        while Instant::now() < latest {
            match timeout_at(latest.min(Instant::now() + QUIET), changes.recv()).await {
                Ok(Some(())) => {}
                Ok(None) => return Ok(()),
                Err(_) => break,
            }
        }
        told();
    }
    Ok(())
}

/// Directories are watched, not files: editors replace files by others of the same name.
fn start(dir: &Path, changes: mpsc::UnboundedSender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let matters = event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_)));
        if matters {
            let _ = changes.send(());
        }
    })?;
    watcher.watch(dir, RecursiveMode::Recursive)?;
    Ok(watcher)
}
