//! Bodies that say how far a request is: its own, until it is whole, and the answer's, until it is written.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};

use super::seats::{Busy, Seat};

/// The body of a request; until it is whole, or not wanted any more, it is expected of its client.
pub(super) struct Expected {
    body: Incoming,
    /// None once it is not expected any more.
    seat: Option<Arc<Seat>>,
}

impl Expected {
    pub(super) fn new(body: Incoming, seat: &Arc<Seat>) -> Self {
        let is_expected = !body.is_end_stream();
        if is_expected {
            seat.set_unsent(true);
        }
        Self { body, seat: is_expected.then(|| Arc::clone(seat)) }
    }

    fn is_over(&mut self) {
        if let Some(seat) = self.seat.take() {
            seat.set_unsent(false);
        }
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.is_over();
    }
}

impl hyper::body::Body for Expected {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.is_over();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer; as long as it is there, its request is in flight.
pub(super) struct Held {
    body: Body,
    _busy: Busy,
}

impl Held {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
