//! Keys and pastes, read from standard input on a thread of their own.
//!
//! Not crossterm's stream: version 0.29 reads a terminal that has hung up in an endless loop, and forgets that there is
//! something to read when a key comes together with a resize or with the end of another stream, so that after a
//! suspend the keyboard was dead until a second key.

use std::io::{self, ErrorKind, PipeReader, PipeWriter};
use std::os::fd::AsFd as _;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

use super::keys::{Keys, Typed};

/// How many events may wait; the terminal holds the others.
const WAITING_MAX: usize = 1_024;

/// As much as a terminal's driver returns at once.
const READ_BYTES: usize = 4 * 1024;

/// The reader. Dropping it stops reading, as another program that reads the terminal needs.
#[derive(Debug)]
pub struct Input {
    events: mpsc::Receiver<Typed>,
    /// Its end of the pipe being closed is what stops the thread.
    stop: Option<PipeWriter>,
    reading: Option<JoinHandle<()>>,
}

impl Input {
    /// Starts reading.
    pub fn open() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(WAITING_MAX);
        let (stopped, stop) = io::pipe()?;
        let reading = thread::Builder::new().name("input".into()).spawn(move || read(&sender, &stopped))?;
        Ok(Self { events, stop: Some(stop), reading: Some(reading) })
    }

    /// Waits for the next event; `None` when the terminal is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<Typed> {
        self.events.recv().await
    }

    /// The next event if there is one already.
    pub fn pending(&mut self) -> Option<Typed> {
        self.events.try_recv().ok()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // Whatever it was waiting for, room or input, it ends now; and it must have, before someone else reads.
        self.events.close();
        while self.events.try_recv().is_ok() {}
        drop(self.stop.take());
        if let Some(reading) = self.reading.take() {
            // A panic in it has been printed.
            let _ = reading.join();
        }
    }
}

fn read(sender: &mpsc::Sender<Typed>, stopped: &PipeReader) {
    let mut keys = Keys::default();
    let mut bytes = [0; READ_BYTES];
    let stdin = io::stdin();
    loop {
        let mut ready =
            [PollFd::new(stopped.as_fd(), PollFlags::POLLIN), PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let wait = keys.wait(Instant::now()).map_or(PollTimeout::NONE, timeout);
        let count = match poll(&mut ready, wait) {
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(_) => return,
        };
        let [has_stopped, has_input] = ready.map(|fd| fd.any().unwrap_or(true));
        if has_stopped {
            return;
        }
        let events = match count {
            0 => keys.give_up(),
            _ if !has_input => continue,
            _ => match read_now(&mut bytes) {
                Ok(0) => return,
                Ok(count) => keys.feed(&bytes[..count], Instant::now()),
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => continue,
                // It has hung up.
                Err(_) => return,
            },
        };
        for event in events {
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    }
}

/// Rounded up: a poll that ends too early would cut the wait short.
fn timeout(wait: Duration) -> PollTimeout {
    u16::try_from(wait.as_millis() + 1).map_or(PollTimeout::MAX, PollTimeout::from)
}

/// What there is, without the buffer of [`io::Stdin`], which would keep some of it from `poll`.
fn read_now(bytes: &mut [u8]) -> io::Result<usize> {
    Ok(nix::unistd::read(io::stdin(), bytes)?)
}
