//! The pure half of the console, tested by plain function calls.

mod dialogs;
mod fixture;
mod hostile;
mod keys;
mod live;
mod paging;
mod picture;
mod queue;
mod screens;
