//! The outbox: what waits to be mailed, who works it off, and what the answers mean.
//!
//! A [`worker`] claims due sends under a lease. For each, [`prepare`] looks again whether it is still wanted and commits
//! to its key; then a lane composes the mail and hands it over, and what the server said is recorded. [`reply`] tells
//! what an answer means, [`backoff`] how long to wait after it, [`pace`] how hard the server may be pressed.

pub mod backoff;
mod handle;
pub mod pace;
pub mod prepare;
mod redact;
pub mod reply;
pub mod worker;
