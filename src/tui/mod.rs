//! The console.
//!
//! Elm's shape: [`Msg`] in, [`update()`] changes the [`Model`] and returns [`Effect`]s, [`draw()`] shows the model. Both are
//! synchronous and do no I/O; the run loop and the executor around them do.
//!
//! ```text
//! run.rs, app.rs, headless.rs   the loops: messages in, one owner of the model, frames out
//!   terminal/, editor.rs        the terminal, its bytes and keys; the operator's editor
//!   executor/                   runs effects, a file a kind; answers with messages
//!   update/                     what a message changes; what each action does; to which view an answer goes
//!   draw.rs, footer.rs          the view and the keys, over them the dialog, over that messages
//!     dialog/                   a dialog a file: state, keys, yes, answer, lines
//!     export.rs                 the list that is being written into a file
//!     allowed.rs                why an action cannot be done now
//!     load.rs                   what has to be read, so that what is on the screen is there and true
//!       screen/                 what stands around the views, and when its texts change
//!       view/                   a view a folder: model, update, draw; next to them what the views share
//!         model/                everything the console knows, as plain data; of a view, its own model
//!           effect/             what is asked for, with the answers: loads, acts, the workbench, the terminal
//!           action.rs           actions and their keys: the table behind keys, footer and help
//!           widget/, theme.rs, when.rs, breakpoints.rs  what is drawn with, and from which size on
//! ```
//! A file knows those further in. The exceptions: the model holds the dialog that is open, and a dialog acts on the
//! model; the model holds what is plain data of each view, and the frame (`screen/`) and the views know each other by what
//! the header says of the queue and how large a pane is.

#![expect(missing_docs, reason = "where a name says all, words would only repeat it")]

pub mod action;
pub mod allowed;
mod app;
mod breakpoints;
mod clipboard;
pub mod dialog;
mod draw;
mod editor;
pub mod effect;
pub mod executor;
mod export;
mod footer;
mod goes_on;
pub mod headless;
pub mod keymap;
mod load;
pub mod model;
pub mod msg;
pub mod run;
pub mod screen;
pub mod terminal;
pub mod theme;
pub mod undo;
pub mod update;
pub mod view;
pub mod when;
pub mod widget;

pub use draw::draw;
pub use effect::Effect;
pub use model::Model;
pub use msg::Msg;
pub use theme::{ColourDepth, Theme};
pub use update::update;

#[cfg(test)]
mod tests;
