//! Whether a media query matches a view.

use crate::preview::view::{Scheme, View};

/// Whether a list of media queries has one that matches. What is not known does not match.
pub fn matches(list: &str, view: View) -> bool {
    let list = list.trim();
    list.is_empty() || list.split(',').any(|query| one(&query.trim().to_ascii_lowercase(), view))
}

fn one(query: &str, view: View) -> bool {
    let (query, negated) = match query.strip_prefix("not ") {
        Some(rest) => (rest, true),
        None => (query.strip_prefix("only ").unwrap_or(query), false),
    };
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in query.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 && query[at..].starts_with("and") && at > start => {
                parts.push(query[start..at].trim());
                start = at + 3;
            }
            _ => {}
        }
    }
    parts.push(query[start..].trim());
    parts.iter().all(|part| feature(part, view)) != negated
}

fn feature(part: &str, view: View) -> bool {
    let Some(inner) = part.strip_prefix('(').map(|inner| inner.strip_suffix(')').unwrap_or(inner)) else {
        return matches!(part, "screen" | "all");
    };
    let width = f64::from(view.width.pixels());
    if let Some((name, value)) = inner.split_once(':') {
        let value = value.trim();
        return match name.trim() {
            "min-width" | "min-device-width" => pixels(value).is_some_and(|value| width >= value),
            "max-width" | "max-device-width" => pixels(value).is_some_and(|value| width <= value),
            "width" | "device-width" => pixels(value).is_some_and(|value| (width - value).abs() < 0.5),
            // The window is as high as the mail.
            "orientation" => value == "portrait",
            "prefers-color-scheme" => value == if view.scheme == Scheme::Dark { "dark" } else { "light" },
            "-webkit-min-device-pixel-ratio" | "min-resolution" => {
                value.trim_end_matches(|c: char| c.is_alphabetic()).parse().is_ok_and(|value: f64| value <= 1.0)
            }
            _ => false,
        };
    }
    range(inner, width).unwrap_or_else(|| matches!(inner.trim(), "width" | "color" | "prefers-color-scheme"))
}

/// `width <= 600px`, `600px < width`, `400px <= width <= 600px`.
fn range(inner: &str, width: f64) -> Option<bool> {
    let mut sides = Vec::new();
    let mut signs = Vec::new();
    let mut rest = inner;
    while let Some(at) = rest.find(['<', '>', '=']) {
        let length = 1 + usize::from(rest[at + 1..].starts_with('='));
        sides.push(rest[..at].trim());
        signs.push(&rest[at..at + length]);
        rest = &rest[at + length..];
    }
    sides.push(rest.trim());
    if signs.is_empty() {
        return None;
    }
    let values: Option<Vec<f64>> =
        sides.iter().map(|side| if *side == "width" { Some(width) } else { pixels(side) }).collect();
    let values = values?;
    Some(values.windows(2).zip(signs).all(|(pair, sign)| match sign {
        "<" => pair[0] < pair[1],
        "<=" => pair[0] <= pair[1],
        ">" => pair[0] > pair[1],
        ">=" => pair[0] >= pair[1],
        _ => (pair[0] - pair[1]).abs() < 0.5,
    }))
}

/// A length in pixels; an `em` of a query is 16 of them.
fn pixels(value: &str) -> Option<f64> {
    let number = value.trim_end_matches(|c: char| c.is_alphabetic());
    let factor = match &value[number.len()..] {
        "px" | "" => 1.0,
        "em" | "rem" => 16.0,
        "pt" => 4.0 / 3.0,
        _ => return None,
    };
    number.trim().parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::view::Width;

    #[test]
    fn queries() {
        let view = View { width: Width::Pane, scheme: Scheme::Dark, ..View::default() };
        let table = [
            ("", true),
            ("screen", true),
            ("print", false),
            ("only screen and (max-width: 480px)", true),
            ("only screen and (max-width:479px)", false),
            ("(min-width:30em) and (max-width:31em)", true),
            ("print, (max-width: 600px)", true),
            ("not screen", false),
            ("not print", true),
            ("all and (min-width: 481px)", false),
            ("(prefers-color-scheme: dark)", true),
            ("(prefers-color-scheme:light)", false),
            ("(width <= 480px)", true),
            ("(400px < width < 480px)", false),
            ("screen and (-webkit-min-device-pixel-ratio:0)", true),
            ("(hover: hover)", false),
            ("screen and", false),
            ("((", false),
        ];
        for (query, expected) in table {
            assert_eq!(matches(query, view), expected, "{query}");
        }
    }
}
