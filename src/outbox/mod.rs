//! The outbox: what waits to be mailed, and what the answers to it mean.

pub mod reply;
