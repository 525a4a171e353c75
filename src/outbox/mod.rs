//! The outbox: what waits to be mailed, who works it off, and what the answers mean.
//!
//! A [`worker`] claims due sends under a lease, and draws moments to send at from the pace that all workers share. For
//! each batch, [`prepare`] looks again whether the mails are still wanted and commits to their keys; then lanes compose
//! the mails and hand them over, and what the server said is recorded. [`reply`] tells what an answer means, [`backoff`]
//! how long to wait after it.

pub mod backoff;
mod due;
mod flow;
mod handle;
mod lanes;
mod moments;
pub mod prepare;
mod redact;
pub mod reply;
mod run;
mod steps;
pub mod worker;
