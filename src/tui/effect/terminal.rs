//! What needs the terminal itself.

use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalCommand {
    /// Draw everything again: something else wrote on the terminal.
    Repaint,
    /// Stop in the shell's sense (ctrl-z); [`super::super::Msg::Resumed`] follows.
    Suspend,
    /// Run the operator's editor in the terminal; [`super::super::Msg::Edited`] follows.
    Edit {
        file: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Put a text where the operator's terminal pastes from (OSC 52).
    Copy(String),
    Quit,
}
