//! A connection whose answers must be read: one who asks and does not read would hold a seat indefinitely.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Bounds;
use super::seats::Seat;

/// A stream that fails when its reader takes nothing for [`Bounds::write`], or not all of it within [`Bounds::answer`].
pub(super) struct Patient {
    stream: TcpStream,
    seat: Arc<Seat>,
    write: Duration,
    answer: Option<Duration>,
    /// Since when something waits to be taken.
    unread_since: Option<Instant>,
    /// When it is over; none while what was written was taken.
    over: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(super) fn new(stream: TcpStream, seat: Arc<Seat>, bounds: &Bounds) -> Self {
        Self { stream, seat, write: bounds.write, answer: bounds.answer, unread_since: None, over: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.over = None;
            return written;
        }
        let now = Instant::now();
        let since = *self.unread_since.get_or_insert_with(|| {
            self.seat.set_unread(true);
            now
        });
        let (write, answer) = (self.write, self.answer);
        let over = self.over.get_or_insert_with(|| {
            let over = now + write;
            Box::pin(sleep_until(answer.map_or(over, |answer| over.min(since + answer))))
        });
        over.as_mut().poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the answer was not read")))
    }
}

/// What is still unread then is dropped: the system would go on offering it.
impl Drop for Patient {
    fn drop(&mut self) {
        if self.unread_since.is_some() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when nothing is left to be written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unread_since.take().is_some() {
            self.seat.set_unread(false);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
