//! How a mail program shows a mail.

/// Pixels that a cell is wide: with 8, 640 px are 80 columns.
pub const CELL_WIDTH: u16 = 8;

/// Pixels that a cell is high: a usual line of text.
pub const CELL_HEIGHT: u16 = 18;

/// How wide the window is in which a mail is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Width {
    /// 640 px: a window on a desk, 80 columns.
    #[default]
    Desk,
    /// 480 px: a reading pane, 60 columns.
    Pane,
    /// 375 px: a phone, 46 columns and a rest of 7 px.
    Phone,
    /// 320 px: a small phone, 40 columns.
    Small,
}

impl Width {
    /// Every width, the widest first.
    pub const ALL: [Self; 4] = [Self::Desk, Self::Pane, Self::Phone, Self::Small];

    /// In CSS pixels.
    #[must_use]
    pub fn pixels(self) -> u16 {
        match self {
            Self::Desk => 640,
            Self::Pane => 480,
            Self::Phone => 375,
            Self::Small => 320,
        }
    }

    /// In columns, the last of which may be wider than the rest of the pixels.
    #[must_use]
    pub fn columns(self) -> u16 {
        self.pixels().div_ceil(CELL_WIDTH)
    }
}

/// In which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// As on a light screen.
    #[default]
    Light,
    /// As on a dark screen, as the mail's author wrote it: `prefers-color-scheme: dark` matches.
    Dark,
    /// As a program that inverts the light mail's colours by itself; a simulation, since each does it differently.
    Inverted,
}

impl Scheme {
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Inverted];
}

/// How a mail program shows a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// How wide.
    pub width: Width,
    /// In which colours.
    pub scheme: Scheme,
    /// Whether images are shown, rather than their alternative texts.
    pub images: bool,
    /// Whether `<style>` is obeyed: Gmail drops it for accounts of other providers.
    pub styles: bool,
    /// Whether it is Outlook on Windows: what stands in `<!--[if mso]>` counts, what stands in `<!--[if !mso]>` does
    /// not.
    pub outlook: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { width: Width::Desk, scheme: Scheme::Light, images: true, styles: true, outlook: false }
    }
}
