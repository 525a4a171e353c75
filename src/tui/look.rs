//! How things look: styles named by what they mean, for terminals with and without colour, and the glyphs.

/// Colours and glyphs of this terminal.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours may be used (`NO_COLOR`).
    colour: bool,
    /// Whether line-drawing characters may be used.
    unicode: bool,
}

impl Look {
    /// The look for a terminal with or without colours and with or without Unicode.
    #[must_use]
    pub fn new(colour: bool, unicode: bool) -> Self {
        Self { colour, unicode }
    }
}
