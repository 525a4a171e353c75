//! Keys and pastes, read on a thread of their own.
//!
//! crossterm 0.29 reads a terminal that has hung up in an endless loop, inside the poll of its stream: in a task, that
//! would take the whole console along, and it could not even end. A thread of its own is left behind by `exit`.

use std::io;
use std::thread;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How many events may wait; the terminal holds the others.
const WAITING_MAX: usize = 1_024;

/// The reader. Dropping it stops reading, which whoever else shall have the terminal's input needs.
#[derive(Debug)]
pub struct Input {
    events: mpsc::Receiver<Event>,
    _stop: DropGuard,
}

impl Input {
    /// Starts reading. Must be called inside a runtime.
    pub fn open() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(WAITING_MAX);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let runtime = Handle::current();
        thread::Builder::new().name("input".into()).spawn(move || runtime.block_on(read(sender, stopped)))?;
        Ok(Self { events, _stop: stop.drop_guard() })
    }

    /// Waits for the next event; `None` when the terminal is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The next event if there is one already.
    pub fn pending(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

async fn read(events: mpsc::Sender<Event>, stopped: CancellationToken) {
    let mut stream = EventStream::new();
    loop {
        let event = tokio::select! {
            biased;
            () = stopped.cancelled() => return,
            event = stream.next() => event,
        };
        match event {
            // Only terminals with a keyboard protocol report releases, and that protocol is not asked for; but an
            // outer program may have left it on, and a key must not count twice.
            Some(Ok(Event::Key(key))) if key.kind == KeyEventKind::Release => {}
            // Heard as a signal, from before the terminal was taken; a resize during the start is not missed then.
            Some(Ok(Event::Resize(..))) => {}
            Some(Ok(event)) => {
                if events.send(event).await.is_err() {
                    return;
                }
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(Err(_)) | None => return,
        }
    }
}
