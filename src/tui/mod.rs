//! The console.
//!
//! Elm's shape: [`Msg`] in, [`update()`] changes the [`Model`] and returns [`Effect`]s, [`draw`] shows the model. Both are
//! synchronous and do no I/O; the run loop and the executor around them do.

#![expect(missing_docs, reason = "where a name says all, words would only repeat it")]

pub mod action;
pub mod allowed;
mod app;
mod clipboard;
pub mod dialog;
mod editor;
pub mod effect;
pub mod executor;
pub mod headless;
pub mod keymap;
mod load;
pub mod look;
pub mod model;
pub mod msg;
pub mod run;
pub mod screen;
pub mod terminal;
pub mod update;
pub mod when;
pub mod widget;

pub use effect::Effect;
pub use look::{Colours, Look};
pub use model::Model;
pub use msg::Msg;
pub use screen::draw;
pub use update::update;

#[cfg(test)]
mod tests;
