//! Values of CSS: lengths, and lists of them.

/// A length: 64 to a CSS pixel, as Chromium counts.
pub type Unit = i64;

/// What a CSS pixel has of them.
pub const PX: Unit = 64;

/// Longest length that is believed: more would make a mail of nothing but space.
const LENGTH_MAX: f64 = 16_000.0;

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
pub fn px(pixels: f64) -> Unit {
    if pixels.is_nan() { 0 } else { (pixels.clamp(-LENGTH_MAX, LENGTH_MAX) * 64.0).round() as Unit }
}

/// A length and a share of what it is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// The fixed part.
    pub fixed: Unit,
    /// The share, 64 to a percent.
    pub percent: Unit,
}

impl Length {
    /// Nothing.
    pub const ZERO: Self = Self { fixed: 0, percent: 0 };

    pub const fn fixed(fixed: Unit) -> Self {
        Self { fixed, percent: 0 }
    }

    /// Against a base.
    pub fn of(self, base: Unit) -> Unit {
        self.fixed + base * self.percent / (100 * PX)
    }

    /// Whether it hangs on a base.
    pub fn is_relative(self) -> bool {
        self.percent != 0
    }
}

/// Splits at a separator that stands outside of brackets and quotes; blanks of any kind count as one.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut quote = None;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, c) if depth == 0 && (c == separator || separator == ' ' && c.is_ascii_whitespace()) => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    if separator == ' ' {
        parts.retain(|part| !part.is_empty());
    }
    parts
}

/// A length; `em` is the size of the font in units. `auto` and what cannot be read are none.
pub fn length(value: &str, em: Unit) -> Option<Length> {
    let value = value.trim();
    if let Some(inner) = value.strip_prefix("calc(") {
        return calc(inner.strip_suffix(')')?, em);
    }
    let (number, unit) = number(value)?;
    let em = as_pixels(em);
    let factor = match unit {
        "px" => 1.0,
        "" if number == 0.0 => 1.0,
        // The window is what the body is measured against.
        "%" | "vw" => return Some(Length { fixed: 0, percent: px(number) }),
        "em" => em,
        "rem" | "pc" => 16.0,
        "pt" => 4.0 / 3.0,
        "in" => 96.0,
        "cm" => 96.0 / 2.54,
        "mm" => 96.0 / 25.4,
        "ex" | "ch" => em / 2.0,
        _ => return None,
    };
    Some(Length::fixed(px(number * factor)))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn as_pixels(units: Unit) -> f64 {
    units as f64 / 64.0
}

/// `100% - 20px`, `50% + 1em`; products and nested brackets are not read.
fn calc(inner: &str, em: Unit) -> Option<Length> {
    if inner.contains(['(', ')', '*', '/']) {
        return None;
    }
    let mut sum = Length::ZERO;
    let mut sign = 1;
    for word in inner.split_ascii_whitespace() {
        match word {
            "+" => sign = 1,
            "-" => sign = -1,
            _ => {
                let length = length(word, em)?;
                sum.fixed += sign * length.fixed;
                sum.percent += sign * length.percent;
            }
        }
    }
    Some(sum)
}

/// Splits `12.5px` into number and unit.
pub fn number(value: &str) -> Option<(f64, &str)> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    let number = value[..end].parse().ok()?;
    Some((number, value[end..].trim()))
}

/// The attributes `width`, `height` and the like: pixels without a unit, or percent.
pub fn attribute(value: &str) -> Option<Length> {
    let (number, unit) = number(value.trim())?;
    (number >= 0.0).then(|| {
        if unit.starts_with('%') { Length { fixed: 0, percent: px(number) } } else { Length::fixed(px(number)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let em = 20 * PX;
        let table = [
            ("12px", Some((12 * PX, 0))),
            ("0", Some((0, 0))),
            ("12", None),
            ("1.5em", Some((30 * PX, 0))),
            ("50%", Some((0, 50 * PX))),
            ("-3px", Some((-3 * PX, 0))),
            ("calc(100% - 20px)", Some((-20 * PX, 100 * PX))),
            ("calc(1px * 2)", None),
            ("1e99px", None),
            ("auto", None),
            ("px", None),
        ];
        for (value, expected) in table {
            assert_eq!(length(value, em).map(|length| (length.fixed, length.percent)), expected, "{value}");
        }
        assert_eq!(attribute("600").map(|length| length.of(0)), Some(600 * PX));
        assert_eq!(attribute("50%").map(|length| length.of(200 * PX)), Some(100 * PX));
    }

    #[test]
    fn splits() {
        assert_eq!(split("a  rgb(1, 2) 'b c'", ' '), ["a", "rgb(1, 2)", "'b c'"]);
        assert_eq!(split("a:url(x;y);b", ';'), ["a:url(x;y)", "b"]);
    }
}
