//! The outbox: the queue of sends, the worker that works it off, and what the mail server's answers mean.
//!
//! ```text
//! worker.rs        the worker as others see it: settings, run, tally
//! worker_loop.rs   its loop: waits for lanes, steps, changes and instants; starts what is due
//!   step/          one file per step: when it is due, what it does, what follows from its result
//!   queue.rs, lanes.rs, in_progress.rs, flow.rs, refusals.rs, admission.rs   what the loop knows, one duty each
//!   ending.rs      how it ends, within bounds
//! preparer.rs      one transaction from due sends to mails with keys and slots
//! lane.rs          one mail: composed, sent, its answer judged
//! reply.rs         what an answer is: the table of what servers say
//! retry.rs         whether and when its mail is tried again
//! pruning.rs       removes what is older than the settings let it stay
//! feedback.rs      what it means for the mails behind it
//! ```
//! Where the server takes no mail at all, the outbox pauses, and one mail at a time is tried ([`crate::store::refusals`]).

mod admission;
mod ending;
mod feedback;
mod flow;
mod in_progress;
mod lane;
mod lanes;
mod preparer;
pub mod pruning;
mod queue;
mod redact;
mod refusal;
mod refusals;
pub mod reply;
mod retry;
mod slot;
mod step;
pub mod worker;
mod worker_loop;
