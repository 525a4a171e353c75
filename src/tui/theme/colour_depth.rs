//! How many colours a terminal has, and a mail's colours brought down to them.
//!
//! The console itself keeps to the 16 that its user has chosen; only a previewed mail asks for others. Where a terminal
//! has fewer, the nearest is taken, and text never loses more of its contrast than the palette forces it to.

use ratatui::style::Color;

use crate::preview::cell_layout::Rgb;

/// How many colours there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// None: only bold, dim, underlined, reversed.
    None,
    /// The 16 of the terminal's theme.
    #[default]
    Sixteen,
    /// Those, a cube of 6 × 6 × 6 and 24 greys.
    TwoFiftySix,
    /// All.
    True,
}

/// The 16 colours as xterm has them where no others were chosen: near enough to tell light from dark, and blue from
/// green, in most themes.
const SIXTEEN: [(Color, Rgb); 16] = [
    (Color::Black, Rgb(0, 0, 0)),
    (Color::Red, Rgb(205, 0, 0)),
    (Color::Green, Rgb(0, 205, 0)),
    (Color::Yellow, Rgb(205, 205, 0)),
    (Color::Blue, Rgb(0, 0, 238)),
    (Color::Magenta, Rgb(205, 0, 205)),
    (Color::Cyan, Rgb(0, 205, 205)),
    (Color::Gray, Rgb(229, 229, 229)),
    (Color::DarkGray, Rgb(127, 127, 127)),
    (Color::LightRed, Rgb(255, 0, 0)),
    (Color::LightGreen, Rgb(0, 255, 0)),
    (Color::LightYellow, Rgb(255, 255, 0)),
    (Color::LightBlue, Rgb(92, 92, 255)),
    (Color::LightMagenta, Rgb(255, 0, 255)),
    (Color::LightCyan, Rgb(0, 255, 255)),
    (Color::White, Rgb(255, 255, 255)),
];

/// The steps of the cube's sides.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// How much of its contrast text may lose before another colour is taken for it.
const CONTRAST_KEPT: f64 = 0.75;

/// Grounds as light as this are white.
const WHITE_FROM: f64 = 0.82;

/// More contrast than this need not be kept (WCAG 2.2, 1.4.3).
const CONTRAST_ENOUGH: f64 = 4.5;

impl ColourDepth {
    /// The colours of text and of its ground, as near as this terminal comes.
    #[must_use]
    pub fn pair(self, text: Rgb, ground: Rgb) -> (Color, Color) {
        match self {
            Self::None => (Color::Reset, Color::Reset),
            Self::True => (rgb(text), rgb(ground)),
            Self::TwoFiftySix => (indexed(text).0, indexed(ground).0),
            Self::Sixteen => {
                // Themes make what they like of the light ones; a ground of them may be anything.
                let (ground_name, ground_shown) = named(&SIXTEEN[..8], ground, |_| true);
                let (ground_name, ground_shown) =
                    if ground.luminance() > WHITE_FROM { SIXTEEN[15] } else { (ground_name, ground_shown) };
                let wanted = text.contrast(ground).min(CONTRAST_ENOUGH) * CONTRAST_KEPT;
                let (text, _) = named(&SIXTEEN, text, |shown| shown.contrast(ground_shown) >= wanted);
                (text, ground_name)
            }
        }
    }
}

fn rgb(Rgb(red, green, blue): Rgb) -> Color {
    Color::Rgb(red, green, blue)
}

/// The nearest of the cube and the greys.
fn indexed(colour: Rgb) -> (Color, Rgb) {
    let step = |channel: u8| {
        let near = (0u8..).zip(STEPS).min_by_key(|(_, step)| step.abs_diff(channel));
        near.unwrap_or((0, 0))
    };
    let [(r, red), (g, green), (b, blue)] = [colour.0, colour.1, colour.2].map(step);
    let cube = (Color::Indexed(16 + 36 * r + 6 * g + b), Rgb(red, green, blue));
    let mean = (u16::from(colour.0) + u16::from(colour.1) + u16::from(colour.2)) / 3;
    let nth = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    let level = 8 + 10 * nth;
    let grey = (Color::Indexed(232 + nth), Rgb(level, level, level));
    if distance(grey.1, colour) < distance(cube.1, colour) { grey } else { cube }
}

/// The nearest of the 16 that will do; black or white will where nothing else does.
fn named(names: &[(Color, Rgb)], colour: Rgb, will_do: impl Fn(Rgb) -> bool) -> (Color, Rgb) {
    let nearest = names.iter().copied().filter(|(_, shown)| will_do(*shown));
    let nearest = nearest.min_by_key(|(_, shown)| distance(*shown, colour));
    nearest.unwrap_or_else(|| if colour.luminance() > 0.5 { SIXTEEN[15] } else { SIXTEEN[0] })
}

/// How different two colours look: the weighted distance that Thiadmer Riemersma calls "redmean".
fn distance(a: Rgb, b: Rgb) -> u32 {
    let mean = u32::midpoint(u32::from(a.0), u32::from(b.0));
    let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    (((512 + mean) * square(a.0, b.0)) >> 8) + 4 * square(a.1, b.1) + (((767 - mean) * square(a.2, b.2)) >> 8)
}

/// A colour between two, `part` of 255 on the way from the first.
#[must_use]
pub fn between(a: Rgb, b: Rgb, part: u8) -> Rgb {
    let mix = |a: u8, b: u8| {
        let (a, b, part) = (u16::from(a), u16::from(b), u16::from(part));
        u8::try_from((a * (255 - part) + b * part) / 255).unwrap_or(u8::MAX)
    };
    Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn comes_as_near_as_the_terminal_can() {
        let (navy, paper, ink) = (Rgb(0x1d, 0x5f, 0xc4), Rgb(0xf2, 0xf4, 0xf7), Rgb(0x1c, 0x24, 0x30));
        let table = [
            (ColourDepth::True, ink, paper, (Color::Rgb(28, 36, 48), Color::Rgb(242, 244, 247))),
            (ColourDepth::TwoFiftySix, ink, paper, (Color::Indexed(235), Color::Indexed(255))),
            (ColourDepth::TwoFiftySix, Rgb::WHITE, navy, (Color::Indexed(231), Color::Indexed(26))),
            (ColourDepth::TwoFiftySix, Rgb(128, 128, 128), Rgb::BLACK, (Color::Indexed(244), Color::Indexed(16))),
            (ColourDepth::Sixteen, ink, paper, (Color::Black, Color::White)),
            (ColourDepth::Sixteen, Rgb::WHITE, navy, (Color::White, Color::Blue)),
            // Dark grey on white is not lost, and neither is light text on a dark ground.
            (ColourDepth::Sixteen, Rgb(0x4d, 0x58, 0x66), Rgb::WHITE, (Color::DarkGray, Color::White)),
            (ColourDepth::Sixteen, Rgb(0xb4, 0xbb, 0xc5), Rgb(0x1f, 0x22, 0x28), (Color::Gray, Color::Black)),
            (ColourDepth::None, ink, paper, (Color::Reset, Color::Reset)),
        ];
        for (depth, text, ground, expected) in table {
            assert_eq!(depth.pair(text, ground), expected, "{depth:?} {text:?} on {ground:?}");
        }
    }

    #[test]
    fn mixes() {
        assert_eq!(between(Rgb::BLACK, Rgb::WHITE, 0), Rgb::BLACK);
        assert_eq!(between(Rgb::BLACK, Rgb::WHITE, 255), Rgb::WHITE);
        assert_eq!(between(Rgb(10, 20, 30), Rgb(30, 20, 10), 128), Rgb(20, 20, 19));
    }

    fn shown(colour: Color) -> Rgb {
        SIXTEEN.into_iter().find(|(name, _)| *name == colour).unwrap().1
    }

    proptest! {
        /// What could be read can be read, whatever the colours.
        #[test]
        fn text_does_not_vanish(text: [u8; 3], ground: [u8; 3]) {
            let [text, ground] = [text, ground].map(|[r, g, b]| Rgb(r, g, b));
            let (text_name, ground_name) = ColourDepth::Sixteen.pair(text, ground);
            let left = shown(text_name).contrast(shown(ground_name));
            let wanted = text.contrast(ground).min(CONTRAST_ENOUGH) * CONTRAST_KEPT;
            prop_assert!(left >= wanted || left >= 3.0, "{left} of {}", text.contrast(ground));
        }

        #[test]
        fn an_index_is_near(colour: [u8; 3]) {
            let colour = Rgb(colour[0], colour[1], colour[2]);
            let (name, near) = indexed(colour);
            prop_assert!(matches!(name, Color::Indexed(16..)));
            // Each channel is half of the way between the cube's farthest steps off at most, 0 and 95.
            prop_assert!(distance(near, colour) <= 9 * 48 * 48, "{near:?}");
        }
    }
}
