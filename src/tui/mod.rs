//! The console.
//!
//! Elm's shape: [`Msg`] in, [`update()`] changes the [`Model`] and returns [`Effect`]s, [`draw()`] shows the model. Both are
//! synchronous and do no I/O; the run loop and the executor around them do.
//!
//! ```text
//! run.rs, app.rs, headless.rs   the loops: messages in, one owner of the model, frames out
//!   terminal/, editor.rs        the terminal, its bytes and keys; the operator's editor
//!   executor/                   runs effects, a file a kind; answers with messages
//!   update/                     what a message changes; what each action does
//!   draw.rs, foot.rs            the view and the keys, over them the dialog, over that messages
//!     dialog/                   a dialog a file: state, keys, yes, answer, lines
//!     allowed.rs                why an action cannot be done now
//!     load.rs                   what has to be read, so that what is on the screen is there and true
//!       screen/                 a view a file, and when its texts change
//!         model/                everything the console knows, as plain data
//!           effect/             what is asked for, with the answers: loads, acts, the workbench, the terminal
//!           action.rs           actions and their keys: the table behind keys, footer and help
//!           widget/, look.rs, when.rs   what is drawn with
//! ```
//! A file knows those further in. The one exception: the model holds the dialog that is open, and a dialog acts on the
//! model.

#![expect(missing_docs, reason = "where a name says all, words would only repeat it")]

pub mod action;
pub mod allowed;
mod app;
mod clipboard;
pub mod dialog;
mod draw;
mod editor;
pub mod effect;
pub mod executor;
mod foot;
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

pub use draw::draw;
pub use effect::Effect;
pub use look::{Colours, Look};
pub use model::Model;
pub use msg::Msg;
pub use update::update;

#[cfg(test)]
mod tests;
