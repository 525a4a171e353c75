//! What the templates' workbench asks for: templates rendered and taken apart, and word of their files' changes.
//!
//! Off the async threads and under a time limit: templates and HTML are written by people, and a layout that takes for
//! ever must not take the console along. Such a rendering cannot be stopped, only left alone, so there are never more
//! than a few.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::Context;
use crate::config::Settings;
use crate::mail::templates::Templates;
use crate::preview::proof::{self, Attempt, Order, Stock};
use crate::text::plain;
use crate::tui::msg::{Answer, Msg, Problem};

/// How many renderings may run.
pub(super) const AT_ONCE: usize = 3;

/// How long one may take.
const RENDER_MAX: Duration = Duration::from_secs(3);

/// How long files must have been left alone before they are read: an editor writes, renames and removes.
const QUIET: Duration = Duration::from_millis(20);

/// How long changes that do not end are waited for.
const QUIET_MAX: Duration = Duration::from_millis(200);

pub(super) async fn prove(context: Arc<Context>, order: Order) -> Answer<Box<Attempt>> {
    let now = Utc::now();
    // Read anew each time: files are small, and what is shown is what would be mailed.
    off(&context, move |settings, templates| Box::new(proof::prove(templates, settings, &order, now))).await
}

pub(super) async fn stock(context: Arc<Context>) -> Answer<Box<Stock>> {
    off(&context, |_, templates| Box::new(proof::stock(templates))).await
}

async fn off<T: Send + 'static>(
    context: &Arc<Context>,
    work: impl FnOnce(&Settings, &Templates) -> T + Send + 'static,
) -> Answer<T> {
    let Ok(permit) = Arc::clone(&context.renderings).try_acquire_owned() else {
        return Err(too_long());
    };
    let context = Arc::clone(context);
    let working = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work(&context.settings, &Templates::gather(&context.settings))
    });
    match timeout(RENDER_MAX, working).await {
        Ok(Ok(done)) => Ok(done),
        // A panic in it ends the console anyway.
        Ok(Err(_)) | Err(_) => Err(too_long()),
    }
}

fn too_long() -> Problem {
    Problem {
        what: format!("the template took longer than {} seconds to render", RENDER_MAX.as_secs()),
        hint: "look for loops and deep nesting in the files under `templates.dir`".into(),
        ..Problem::default()
    }
}

/// Tells of changes to the templates' files for as long as it is polled. Nothing is asked meanwhile: the kernel tells.
pub(super) async fn watch(context: Arc<Context>) {
    let Some(dir) = context.settings.templates.dir.clone() else { return };
    let (sender, mut changes) = mpsc::unbounded_channel();
    let _watcher = match start(&dir, sender) {
        Ok(watcher) => watcher,
        Err(error) => {
            let dir = plain(&dir.display().to_string());
            tracing::warn!("{dir} cannot be watched: {error}");
            return;
        }
    };
    while changes.recv().await.is_some() {
        let latest = Instant::now() + QUIET_MAX;
        while Instant::now() < latest {
            match timeout_at(latest.min(Instant::now() + QUIET), changes.recv()).await {
                Ok(Some(())) => {}
                Ok(None) => return,
                Err(_) => break,
            }
        }
        context.tell(Msg::TemplatesChanged);
    }
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
