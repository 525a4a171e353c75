//! The outbox: what waits to be mailed, who works it off, and what the answers mean.
//!
//! A [`worker`] has batches of due sends [`prepare`]d: claimed, given moments from the pace that all workers share, looked
//! at again whether they are still wanted, their keys committed to. Then lanes compose the mails and hand them over under
//! a lease, and what the server said is recorded. [`reply`] tells what an answer means, `retry`
//! when a mail is tried again. Where the server takes no mail at all, the outbox pauses, and one mail at a time is tried
//! ([`crate::store::refusals`]).

mod again;
mod due;
mod flow;
mod lane;
mod lanes;
pub mod prepare;
mod probe;
mod redact;
mod refusal;
pub mod reply;
mod retry;
mod run;
mod steps;
pub mod worker;
