//! The pure half of the console, tested by plain function calls.

mod account;
mod addresses;
mod as_sent;
mod doctor;
mod findings;
pub(super) mod fixture;
mod hits;
mod hostile;
mod keys;
mod live;
mod paging;
mod person;
pub(super) mod picture;
pub(super) mod queue;
mod screens;
mod suppressed;
mod workbench;
