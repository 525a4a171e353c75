//! The outbox: what waits to be mailed, who works it off, and what the answers mean.

pub mod backoff;
pub mod prepare;
pub mod reply;
