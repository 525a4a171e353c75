//! What workers ask Amazon for, beside sending: SES's events out of an SQS queue, and what the account may.

#[cfg(feature = "aws")]
mod account;
#[cfg(feature = "aws")]
mod batch;
#[cfg(feature = "aws")]
mod events;
mod tally;
#[cfg(not(feature = "aws"))]
mod without;

#[cfg(feature = "aws")]
pub use account::AccountPoller;
#[cfg(feature = "aws")]
pub use events::EventPoller;
pub use tally::Tally;
#[cfg(not(feature = "aws"))]
pub use without::{AccountPoller, EventPoller};

/// How long to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until it is asked to end.
    Ended,
    /// Until the queue is empty, or cannot be read.
    Empty,
}
