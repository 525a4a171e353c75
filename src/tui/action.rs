//! What an operator can do from the keyboard.

/// Something an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// End the console.
    Quit,
}
