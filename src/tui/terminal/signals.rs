//! Signals from outside, as one stream; and stopping for the shell, which a raw terminal's Ctrl-Z must do by itself.

use std::io;
use std::process;
use std::time::Duration;

use futures_util::FutureExt as _;
use nix::sys::signal::{self as system, Signal as Number};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Hold;
use crate::contain::{self, Broke};

/// How long the console may take to end itself after it was asked to, before it is ended.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a signal of our own may take to arrive.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End, cleanly, with this signal's number.
    End(i32),
    /// Stop until continued.
    Stop,
    /// Was stopped, and goes on.
    Continue,
    Resize,
}

/// Who is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The whole job, as the terminal's driver does for Ctrl-Z: `make` or `sudo` above this process stops too, and
    /// the shell gets its prompt.
    Job,
    /// This process alone, since it alone was signalled.
    Process,
}

/// The exit code by which a shell knows which signal ended a program.
#[must_use]
pub fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// The signals that the console answers. From its making on none of them has its default effect.
#[derive(Debug)]
pub struct Signals {
    ends: Ends,
    stop: Stream,
    go_on: Stream,
    window: Stream,
}

impl Signals {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            ends: Ends::new()?,
            stop: signal(SignalKind::from_raw(Number::SIGTSTP as i32))?,
            go_on: signal(SignalKind::from_raw(Number::SIGCONT as i32))?,
            window: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next one. Cancel safe.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            number = self.ends.next() => Signal::End(number),
            _ = self.go_on.recv() => Signal::Continue,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.window.recv() => Signal::Resize,
        }
    }

    /// Drops what another program was meant by that had the terminal until now: interrupts, stops, and how it went on.
    /// What asks the console to end stays.
    ///
    /// A signal that came before this call may be on its way through the runtime still. So signals of our own are sent
    /// after it: the second is passed on in a later round than any that came before the first.
    pub async fn settle(&mut self) -> io::Result<()> {
        for _ in 0..2 {
            while self.window.recv().now_or_never().is_some() {}
            system::raise(Number::SIGWINCH)?;
            // Without effect where the program that started the console has blocked it.
            let _ = timeout(SETTLE_MAX, self.window.recv()).await;
        }
        let Ends { interrupt, quit, terminate: _, hang_up: _ } = &mut self.ends;
        for stream in [interrupt, quit, &mut self.stop, &mut self.go_on] {
            while stream.recv().now_or_never().is_some() {}
        }
        Ok(())
    }

    /// Stops, and returns when continued, or with the signal to end on. The terminal must have been restored.
    ///
    /// SIGSTOP, since SIGTSTP is dropped for a process that has no shell above it in its session. The going on is
    /// waited for, not assumed: with several threads the call itself may return before the stop takes hold.
    pub async fn stop(&mut self, who: Who) -> io::Result<Signal> {
        while self.go_on.recv().now_or_never().is_some() {}
        match who {
            Who::Job => system::kill(Pid::from_raw(0), Number::SIGSTOP)?,
            Who::Process => system::raise(Number::SIGSTOP)?,
        }
        tokio::select! {
            biased;
            number = self.ends.next() => Ok(Signal::End(number)),
            _ = self.go_on.recv() => Ok(Signal::Continue),
        }
    }
}

/// The signals that ask a program to end.
#[derive(Debug)]
struct Ends {
    terminate: Stream,
    hang_up: Stream,
    interrupt: Stream,
    quit: Stream,
}

impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) -> i32 {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Number::SIGTERM as i32,
            _ = self.hang_up.recv() => Number::SIGHUP as i32,
            _ = self.interrupt.recv() => Number::SIGINT as i32,
            _ = self.quit.recv() => Number::SIGQUIT as i32,
        }
    }
}

/// A watch that ends the process, with the terminal's mode restored, if it was asked to end and has not after three
/// seconds: a write to a terminal that takes no more output waits indefinitely. Dropping it cancels it.
#[derive(Debug)]
pub struct Watch(JoinHandle<Result<(), Broke>>);

impl Watch {
    pub fn new(hold: Hold) -> io::Result<Self> {
        let mut ends = Ends::new()?;
        Ok(Self(contain::spawn(async move {
            let number = ends.next().await;
            tokio::time::sleep(PATIENCE).await;
            hold.restore();
            process::exit(exit_code(number).into());
        })))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
