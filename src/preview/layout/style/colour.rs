//! Colours as CSS writes them, mixed over what is below.

use crate::preview::cell_layout::Rgb;

/// A colour that may let through what is below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgba {
    pub rgb: Rgb,
    /// How much it covers, from 0 to 1.
    pub alpha: f32,
}

impl Rgba {
    /// A colour that covers wholly.
    pub const fn opaque(rgb: Rgb) -> Self {
        Self { rgb, alpha: 1.0 }
    }

    /// What is seen of it over a background.
    pub fn over(self, background: Rgb) -> Rgb {
        if self.alpha >= 1.0 {
            return self.rgb;
        }
        let mix = |top: u8, below: u8| byte(f32::from(top) * self.alpha + f32::from(below) * (1.0 - self.alpha));
        Rgb(mix(self.rgb.0, background.0), mix(self.rgb.1, background.1), mix(self.rgb.2, background.2))
    }

    /// The same, covering less.
    pub fn faded(self, opacity: f32) -> Self {
        Self { alpha: self.alpha * opacity, ..self }
    }

    /// Whether nothing is seen of it.
    pub fn is_clear(self) -> bool {
        self.alpha <= 0.0
    }
}

/// A channel's value, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
pub fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// A colour as CSS writes it; `currentcolor` is none.
pub fn css(value: &str) -> Option<Rgba> {
    if let Some(colour) = short(value) {
        return Some(colour);
    }
    // The library's parser calls itself for nested functions, which no mail has.
    if value.len() > 100 || value.matches('(').count() > 1 {
        return None;
    }
    let colour = csscolorparser::parse(value).ok()?;
    let [r, g, b, _] = colour.to_rgba8();
    Some(Rgba { rgb: Rgb(r, g, b), alpha: colour.a.clamp(0.0, 1.0) })
}

/// `#rgb` and `#rrggbb`, by far the most usual.
fn short(value: &str) -> Option<Rgba> {
    let digits = value.strip_prefix('#')?.as_bytes();
    let digit = |at: usize| char::from(digits[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let rgb = match digits.len() {
        3 => Rgb(digit(0)? * 17, digit(1)? * 17, digit(2)? * 17),
        6 => Rgb(digit(0)? * 16 + digit(1)?, digit(2)? * 16 + digit(3)?, digit(4)? * 16 + digit(5)?),
        _ => return None,
    };
    Some(Rgba::opaque(rgb))
}

/// A colour as the attributes `bgcolor` and `color` write it: hexadecimal digits may come without `#`.
pub fn attribute(value: &str) -> Option<Rgba> {
    let value = value.trim();
    css(value).or_else(|| short(&format!("#{value}")))
}

/// The first colour of a gradient, or of whatever else has one among its arguments.
pub fn first_within(value: &str) -> Option<Rgba> {
    let inner = value.split_once('(')?.1;
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    super::value::split(inner, ',').into_iter().find_map(|argument| {
        let argument = argument.trim();
        css(argument).or_else(|| super::value::split(argument, ' ').into_iter().find_map(css))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let table = [
            ("#fff", Some((255, 255, 255))),
            ("#1d5fc4", Some((29, 95, 196))),
            ("rebeccapurple", Some((102, 51, 153))),
            ("rgb(1, 2, 3)", Some((1, 2, 3))),
            ("rgba(1,2,3,.5)", Some((1, 2, 3))),
            ("hsl(120, 100%, 50%)", Some((0, 255, 0))),
            ("#12345", None),
            ("#ggg", None),
            ("currentcolor", None),
        ];
        for (value, expected) in table {
            assert_eq!(css(value).map(|colour| (colour.rgb.0, colour.rgb.1, colour.rgb.2)), expected, "{value}");
        }
        assert_eq!(attribute("FF0000").map(|colour| colour.rgb), Some(Rgb(255, 0, 0)));
        assert_eq!(first_within("linear-gradient(90deg, rgb(1,2,3) 10%, red)").map(|c| c.rgb), Some(Rgb(1, 2, 3)));
    }

    #[test]
    fn mixes() {
        let half = Rgba { rgb: Rgb(255, 0, 0), alpha: 0.5 };
        assert_eq!(half.over(Rgb(255, 255, 255)), Rgb(255, 128, 128));
        assert_eq!(half.faded(0.0).over(Rgb(9, 9, 9)), Rgb(9, 9, 9));
    }
}
