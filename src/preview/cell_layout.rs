//! A mail laid out in cells.

/// A colour as the mail says it, opaque: what shines through has been mixed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub const BLACK: Self = Self(0, 0, 0);
    pub const WHITE: Self = Self(255, 255, 255);

    /// How light it is, from 0 to 1: the relative luminance of WCAG 2.2.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The contrast between two colours, from 1 to 21 (WCAG 2.2, 1.4.3).
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// A mail laid out in cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellLayout {
    /// How many columns the window has.
    pub columns: u16,
    /// How many columns the mail takes: more than `columns` where it cannot be made narrow enough.
    pub needed: u16,
    /// The window's background, which gaps show.
    pub background: Rgb,
    /// Its rows from the top. Runs do not overlap, are in order, and never reach beyond `needed`.
    pub rows: Vec<Row>,
    /// Where its links lead, in order of appearance; untrusted.
    pub links: Vec<String>,
    /// What could not be done as the mail asks.
    pub notes: Vec<Note>,
}

impl Default for CellLayout {
    fn default() -> Self {
        Self { columns: 0, needed: 0, background: Rgb::WHITE, rows: Vec::new(), links: Vec::new(), notes: Vec::new() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What stands in it, left to right; the gaps show the window.
    pub runs: Vec<Run>,
}

/// Neighbouring cells of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its first column.
    pub column: u16,
    /// What stands there, plain; blanks where only the background is seen, and upper half blocks (`▀`) where that
    /// changes in mid-row: [`Paint::text`] is above, [`Paint::background`] below.
    pub text: String,
    /// How it looks.
    pub paint: Paint,
}

/// How cells look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Paint {
    /// The text's colour.
    pub text: Rgb,
    /// The background's colour.
    pub background: Rgb,
    /// Bold, or heavier than 600.
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// The text's size in CSS pixels.
    pub size: u16,
    /// Which of [`CellLayout::links`] it belongs to.
    pub link: Option<u16>,
    /// What kind of thing it is.
    pub kind: Kind,
}

impl Paint {
    /// Text of the usual size, neither bold nor anything else, and in no link.
    #[must_use]
    pub const fn plain(text: Rgb, background: Rgb, kind: Kind) -> Self {
        Self {
            text,
            background,
            bold: false,
            italic: false,
            underline: false,
            strike: false,
            size: 16,
            link: None,
            kind,
        }
    }
}

/// What kind of thing a run shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text of the mail.
    Text,
    /// An image, or what stands for it.
    Image,
    /// A list's bullet or number.
    Marker,
    /// A border or a rule.
    Line,
    /// Nothing but the background.
    Background,
}

/// What could not be done as the mail asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The styles could not be read as a whole, and those in `<style>` were left out; with the reason, plain.
    Styles(String),
    /// The mail is beyond the budget of the layout; it is shown as text without layout.
    TooMuch,
}
