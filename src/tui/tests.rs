//! The pure half of the console, tested by plain function calls.

mod dialogs;
mod findings;
mod fixture;
mod hostile;
mod keys;
mod live;
mod paging;
pub(super) mod picture;
mod queue;
mod screens;
mod workbench;
