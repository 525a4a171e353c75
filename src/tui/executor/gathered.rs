//! The templates as they were read last, for all previews until their files may have changed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::mail::templates::Templates;

/// Templates that are read by the first who needs them.
type Cell = Arc<OnceLock<Arc<Templates>>>;

/// Reads templates, and keeps them while changes of their files are reported.
pub(super) struct Gathered {
    read: Box<dyn Fn() -> Templates + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which watch reports now. What one that was replaced still reports means nothing.
    watch: u64,
    /// `None` while no change would be reported.
    kept: Option<Cell>,
}

impl Gathered {
    pub(super) fn new(read: impl Fn() -> Templates + Send + Sync + 'static) -> Self {
        Self { read: Box::new(read), state: Mutex::default() }
    }

    /// May block: on files, and on another thread that reads them already.
    pub(super) fn get(&self) -> Arc<Templates> {
        let read = || Arc::new((self.read)());
        let kept = self.state().kept.clone();
        kept.map_or_else(read, |kept| Arc::clone(kept.get_or_init(read)))
    }

    /// The files may have changed.
    pub(super) fn drop_kept(&self) {
        if let Some(kept) = &mut self.state().kept {
            *kept = Cell::default();
        }
    }

    /// A watch is about to begin in place of the one before; until it has, nothing is kept. Returns its number.
    pub(super) fn next_watch(&self) -> u64 {
        let mut state = self.state();
        state.watch += 1;
        state.kept = None;
        state.watch
    }

    /// The watch reports changes from now on, or has reported one.
    pub(super) fn watched(&self, watch: u64) {
        let mut state = self.state();
        if state.watch == watch {
            state.kept = Some(Cell::default());
        }
    }

    /// The watch was lost.
    pub(super) fn unwatched(&self, watch: u64) {
        let mut state = self.state();
        if state.watch == watch {
            state.kept = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn keeps(&self) -> bool {
        self.state().kept.is_some()
    }
}

impl fmt::Debug for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use ratatui::layout::Rect;
    use tokio::time::timeout;

    use super::*;
    use crate::config::Settings;
    use crate::tui::Msg;
    use crate::tui::app::App;
    use crate::tui::effect::Benched;
    use crate::tui::model::Setup;
    use crate::tui::tests::fixture::key_of;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// The workbench on a directory, and how often its files were read.
    struct Bench {
        app: App,
        reads: Arc<AtomicUsize>,
    }

    impl Bench {
        async fn open(dir: Option<&Path>) -> Self {
            let mut bench = Self::started(dir);
            bench.settle().await;
            bench.until_kept().await;
            bench
        }

        fn started(dir: Option<&Path>) -> Self {
            let mut settings = Settings::default();
            settings.templates.dir = dir.map(Path::to_owned);
            let setup = Setup { only_templates: true, ..Setup::default() };
            let mut app = App::new(None, settings.clone(), setup, Rect::new(0, 0, 120, 40));
            let reads = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&reads);
            Arc::get_mut(&mut app.executor.context).unwrap().templates = Gathered::new(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                Templates::gather(&settings)
            });
            app.take(Msg::Start);
            Self { app, reads }
        }

        /// Takes messages until everything asked for is answered.
        async fn settle(&mut self) {
            while !(self.app.executor.is_idle() && self.app.inbox.is_empty()) {
                self.next().await;
            }
        }

        async fn next(&mut self) -> Msg {
            let msg = timeout(PATIENCE, self.app.inbox.recv()).await.expect("a message").unwrap();
            self.app.take(msg.clone());
            msg
        }

        /// Waits for word of the watch, and for what follows from it.
        async fn until(&mut self, is_it: impl Fn(&Benched) -> bool) {
            while !matches!(self.next().await, Msg::Bench(benched) if is_it(&benched)) {}
            self.settle().await;
        }

        async fn until_kept(&self) {
            let kept = async {
                while !self.app.executor.context.templates.keeps() {
                    tokio::task::yield_now().await;
                }
            };
            timeout(PATIENCE, kept).await.expect("a watch that has begun");
        }

        async fn press(&mut self, key: &str) {
            self.app.take(Msg::Key(key_of(key)));
            self.settle().await;
        }

        /// How often files were read since this was asked last.
        fn reads(&self) -> usize {
            self.reads.swap(0, Ordering::SeqCst)
        }

        /// Renders the mail in ways in which it was not rendered before; returns how often files were read for it.
        async fn redraw(&mut self) -> usize {
            self.reads();
            let before = self.app.model.generation;
            self.press("w").await;
            self.press("s").await;
            assert_eq!(self.app.model.generation, before + 2, "two previews were rendered");
            self.reads()
        }

        /// What is on the screen was read, or is read once more; then nothing is read.
        async fn reads_no_more(&mut self) {
            self.press("s").await;
            assert_eq!(self.redraw().await, 0);
        }

        fn shows(&self, text: &str) -> bool {
            self.app.model.workbench.sources.iter().any(|(_, source)| source.text.contains(text))
        }
    }

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("ko/verification")).unwrap();
        dir
    }

    #[tokio::test]
    async fn previews_of_unchanged_files_read_them_once() {
        let dir = directory();
        for dir in [Some(dir.path()), None] {
            let mut bench = Bench::open(dir).await;
            bench.reads_no_more().await;
        }
    }

    #[tokio::test]
    async fn a_change_of_the_files_is_read_once_for_list_preview_and_checks() {
        let dir = directory();
        let mut bench = Bench::open(Some(dir.path())).await;
        bench.reads_no_more().await;
        let file = dir.path().join("ko/verification/body.html");
        std::fs::write(&file, "<p>first</p>").unwrap();
        bench.until(|benched| matches!(benched, Benched::FilesChanged)).await;
        assert!(bench.reads() > 0);
        assert!(bench.shows("first"));
        bench.reads_no_more().await;
        std::fs::write(&file, "<p>second</p>").unwrap();
        bench.until(|benched| matches!(benched, Benched::FilesChanged)).await;
        assert!(bench.shows("second"));
    }

    #[tokio::test]
    async fn refresh_reads_again() {
        let dir = directory();
        for dir in [Some(dir.path()), None] {
            let mut bench = Bench::open(dir).await;
            bench.reads_no_more().await;
            bench.press("R").await;
            assert!(bench.reads() > 0, "{dir:?}");
            bench.until_kept().await;
            bench.reads_no_more().await;
        }
    }

    #[tokio::test]
    async fn the_end_of_the_editor_reads_again() {
        let dir = directory();
        let mut bench = Bench::open(Some(dir.path())).await;
        bench.reads_no_more().await;
        bench.app.take(Msg::Edited(Ok(())));
        bench.settle().await;
        assert_eq!(bench.reads(), 1, "once for list, preview and checks");
        bench.reads_no_more().await;
    }

    #[tokio::test]
    async fn without_a_watch_every_preview_reads_again() {
        let dir = directory();
        let mut bench = Bench::open(Some(dir.path())).await;
        bench.reads_no_more().await;
        std::fs::remove_dir_all(dir.path()).unwrap();
        bench.until(|benched| matches!(benched, Benched::Unwatched(_))).await;
        for _ in 0..2 {
            assert_eq!(bench.redraw().await, 2);
        }
        // Not there from the start.
        let mut bench = Bench::started(Some(dir.path()));
        bench.until(|benched| matches!(benched, Benched::Unwatched(_))).await;
        assert_eq!(bench.redraw().await, 2);
        // There again, and watched.
        std::fs::create_dir_all(dir.path()).unwrap();
        bench.until(|benched| matches!(benched, Benched::FilesChanged)).await;
        bench.reads_no_more().await;
    }

    #[test]
    fn a_watch_that_was_replaced_changes_nothing() {
        let gathered = Gathered::new(|| Templates::gather(&Settings::default()));
        let is_kept = || Arc::ptr_eq(&gathered.get(), &gathered.get());
        let old = gathered.next_watch();
        gathered.watched(old);
        assert!(is_kept());
        let new = gathered.next_watch();
        gathered.watched(old);
        assert!(!is_kept(), "the new one has not begun");
        gathered.watched(new);
        gathered.unwatched(old);
        assert!(is_kept());
    }

    #[test]
    fn what_is_dropped_while_it_is_read_is_not_kept() {
        let (started, begun) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let gathered = Gathered::new(move || {
            let _ = started.send(());
            let _ = wait.lock().unwrap().recv();
            Templates::gather(&Settings::default())
        });
        let watch = gathered.next_watch();
        gathered.watched(watch);
        std::thread::scope(|scope| {
            let old = scope.spawn(|| gathered.get());
            begun.recv().unwrap();
            gathered.drop_kept();
            go_on.send(()).unwrap();
            let old = old.join().unwrap();
            go_on.send(()).unwrap();
            assert!(!Arc::ptr_eq(&old, &gathered.get()));
        });
    }
}
