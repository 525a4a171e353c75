//! The clipboard of the operator's terminal.

use super::effect::TerminalCommand;
use super::model::Level;
use super::{Effect, Model};

/// Puts a text there, and says so.
pub fn copy(model: &mut Model, text: String, what: &str, fx: &mut Vec<Effect>) {
    fx.push(Effect::Terminal(TerminalCommand::Copy(text)));
    let hint = "Terminals that know OSC 52 have it in their clipboard now; in tmux, `set-clipboard` must be on.";
    model.toast(Level::Done, what, hint);
}
