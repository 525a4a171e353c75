//! What a test's own thread logs, while other tests log in theirs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing_subscriber::fmt::MakeWriter;

/// What this thread logs for as long as this is there.
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
    /// Where there is one subscriber only, tracing asks that of the thread which comes by a line first whether anyone
    /// wants it, and keeps the answer for all threads: one without a subscriber says no. Of two it asks both.
    _second: Dispatch,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// From this level on.
    pub fn of_this_thread(level: tracing::Level) -> Self {
        let lines = Lines::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(lines.clone()).finish();
        let second = Dispatch::new(NoSubscriber::new());
        Self { lines, _guard: set_default(subscriber), _second: second }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Another thread may come by a line of the program first, and tracing asks only then who wants it.
#[test]
fn a_line_is_seen_though_another_thread_was_there_first() {
    let log = Log::of_this_thread(tracing::Level::INFO);
    let say = || tracing::info!("a line of two threads");
    std::thread::spawn(say).join().unwrap();
    say();
    assert_eq!(log.text().matches("a line of two threads").count(), 1, "{}", log.text());
}
