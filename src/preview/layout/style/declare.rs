//! Declarations of a style attribute.

use std::borrow::Cow;

use super::colour::{self, Rgba};
use super::value::{self, Length, PX, Unit, px};
use super::{Align, BOTTOM, Display, Edge, Float, LEFT, NORMAL, RIGHT, Style, TOP, Transform, WordBreak, user_agent};
use crate::preview::view::View;

/// One declaration, in lower case.
pub struct Declaration<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    important: bool,
}

/// Reads a style attribute; what is important comes last, so that it wins.
pub fn read(text: &str) -> Vec<Declaration<'_>> {
    let mut declarations: Vec<_> = value::split(text, ';').into_iter().filter_map(one).collect();
    declarations.sort_by_key(|declaration| declaration.important);
    declarations
}

fn one(text: &str) -> Option<Declaration<'_>> {
    let (name, value) = text.split_once(':')?;
    let (mut value, mut important) = (value.trim(), false);
    if let Some((before, after)) = value.rsplit_once('!')
        && after.trim().eq_ignore_ascii_case("important")
    {
        (value, important) = (before.trim_end(), true);
    }
    (!value.is_empty()).then(|| Declaration { name: lower(name.trim()), value: lower(value), important })
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

/// The size of the font, which other lengths are measured by.
pub fn size(style: &mut Style, declaration: &Declaration, parent: Unit) {
    let value = match &*declaration.name {
        "font-size" => &*declaration.value,
        "font" => match font(&declaration.value) {
            Some((size, _)) => size,
            None => return,
        },
        _ => return,
    };
    let factor = match value {
        "smaller" => 0.83,
        "larger" => 1.2,
        "inherit" => 1.0,
        _ => {
            let fixed = match value {
                "xx-small" => Some(9),
                "x-small" => Some(10),
                "small" => Some(13),
                "medium" | "initial" => Some(16),
                "large" => Some(18),
                "x-large" => Some(24),
                "xx-large" => Some(32),
                _ => None,
            };
            let length =
                fixed.map(|fixed| fixed * PX).or_else(|| value::length(value, parent).map(|size| size.of(parent)));
            style.text.size = length.unwrap_or(style.text.size).clamp(0, 1_000 * PX);
            return;
        }
    };
    style.text.size = px(value::as_pixels(parent) * factor).clamp(0, 1_000 * PX);
}

/// Size and line height of the shorthand `font`.
fn font(value: &str) -> Option<(&str, Option<&str>)> {
    let word = value::split(value, ' ').into_iter().find(|word| {
        word.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && word.contains(|c: char| c.is_alphabetic() || c == '%')
    })?;
    Some(word.split_once('/').map_or((word, None), |(size, line)| (size, Some(line))))
}

/// Everything else.
pub fn apply(style: &mut Style, declaration: &Declaration, parent: &Style, view: View) {
    let value = &*declaration.value;
    let em = style.text.size;
    let length = || value::length(value, em);
    match &*declaration.name {
        "display" => style.display = display(value, style.display),
        "color" => match value {
            "inherit" | "unset" => style.text.colour = parent.text.colour,
            _ => set(&mut style.text.colour, colour::css(value)),
        },
        "background-color" => match value {
            "inherit" => style.background = parent.background,
            _ => set(&mut style.background, background(value).map(Some)),
        },
        "background" => style.background = background(value),
        "background-image" => set(&mut style.background, colour::first_within(value).map(Some)),
        "opacity" => set(&mut style.own_opacity, value.parse().ok().map(|opacity: f32| opacity.clamp(0.0, 1.0))),
        "visibility" => style.text.visible = value == "visible" || value == "inherit" && parent.text.visible,
        "width" => set_auto(&mut style.width, value, length()),
        "height" => set_auto(&mut style.height, value, length()),
        "min-width" => set_auto(&mut style.min_width, value, length()),
        "min-height" => set_auto(&mut style.min_height, value, length()),
        "max-width" => set_auto(&mut style.max_width, value, length()),
        "max-height" => set_auto(&mut style.max_height, value, length()),
        "box-sizing" => style.border_box = value == "border-box",
        "overflow" | "overflow-x" | "overflow-y" => style.clips = value != "visible",
        "float" => {
            style.float = match value {
                "left" => Float::Left,
                "right" => Float::Right,
                _ => Float::None,
            };
        }
        "clear" => style.clear = value != "none",
        "position" => style.out_of_flow = matches!(value, "absolute" | "fixed"),
        "table-layout" => style.fixed = value == "fixed",
        "border-collapse" => style.text.collapse = value == "collapse",
        "border-spacing" => {
            let gaps: Vec<_> = value::split(value, ' ').into_iter().filter_map(|gap| value::length(gap, em)).collect();
            if let Some(first) = gaps.first() {
                style.text.spacing = (first.fixed, gaps.get(1).unwrap_or(first).fixed);
            }
        }
        "vertical-align" => {
            style.vertical_align =
                if value == "inherit" { parent.vertical_align } else { user_agent::vertical_align(value) }
        }
        "mso-hide" if view.outlook => style.hidden |= value == "all",
        name if name.starts_with("margin") || name.starts_with("padding") => spacing(style, name, value),
        name if name.starts_with("border") => border(style, name, value),
        name => text(style, name, value, parent),
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn set_auto(place: &mut Option<Length>, value: &str, length: Option<Length>) {
    if matches!(value, "auto" | "none" | "initial" | "unset") {
        *place = None;
    } else if let Some(length) = length.filter(|length| length.fixed >= 0 || length.is_relative()) {
        *place = Some(length);
    }
}

fn display(value: &str, before: Display) -> Display {
    match value {
        "none" => Display::None,
        "inline" | "contents" => Display::Inline,
        "inline-block" | "inline-flex" | "inline-grid" => Display::InlineBlock,
        "block" | "flex" | "grid" | "flow-root" | "-webkit-box" => Display::Block,
        "list-item" => Display::ListItem,
        "table" => Display::Table,
        "inline-table" => Display::InlineTable,
        "table-row-group" | "table-header-group" | "table-footer-group" => Display::RowGroup,
        "table-row" => Display::Row,
        "table-cell" => Display::Cell,
        "table-caption" => Display::Caption,
        "table-column" | "table-column-group" => Display::Column,
        _ => before,
    }
}

/// The colour of `background`: a gradient's first counts more than the colour below it.
fn background(value: &str) -> Option<Rgba> {
    let words = value::split(value, ' ');
    let gradient = words.iter().find(|word| word.contains("gradient(")).and_then(|word| colour::first_within(word));
    gradient.or_else(|| words.iter().find_map(|word| colour::css(word)))
}

/// `margin…` and `padding…`.
fn spacing(style: &mut Style, name: &str, value: &str) {
    let em = style.text.size;
    let is_margin = name.starts_with("margin");
    let mut put = |side: usize, value: &str| {
        let length = value::length(value, em);
        if is_margin {
            if value == "auto" || length.is_some() {
                style.margin[side] = length;
            }
        } else if let Some(length) = length.filter(|length| length.fixed >= 0 && length.percent >= 0) {
            style.padding[side] = length;
        }
    };
    match name.trim_start_matches("margin").trim_start_matches("padding") {
        "" => {
            let words = value::split(value, ' ');
            // Every word counts, or none does.
            if words.iter().any(|word| *word != "auto" && value::length(word, em).is_none()) {
                return;
            }
            for (side, word) in four(&words) {
                put(side, word);
            }
        }
        "-top" => put(TOP, value),
        "-right" | "-inline-end" => put(RIGHT, value),
        "-bottom" => put(BOTTOM, value),
        "-left" | "-inline-start" => put(LEFT, value),
        _ => {}
    }
}

/// One to four words as the four sides have them.
fn four<'a>(words: &[&'a str]) -> Vec<(usize, &'a str)> {
    let at = |index: usize| words.get(index).copied();
    let Some(top) = at(0) else { return Vec::new() };
    let right = at(1).unwrap_or(top);
    vec![(TOP, top), (RIGHT, right), (BOTTOM, at(2).unwrap_or(top)), (LEFT, at(3).unwrap_or(right))]
}

/// `border…`.
fn border(style: &mut Style, name: &str, value: &str) {
    let em = style.text.size;
    let rest = name.trim_start_matches("border");
    if rest.ends_with("radius") {
        style.round =
            value::split(value, ' ').iter().any(|word| value::length(word, em).is_some_and(|it| it != Length::ZERO));
        return;
    }
    let sides: &[usize] = match rest {
        _ if rest.starts_with("-top") => &[TOP],
        _ if rest.starts_with("-right") => &[RIGHT],
        _ if rest.starts_with("-bottom") => &[BOTTOM],
        _ if rest.starts_with("-left") => &[LEFT],
        "" | "-width" | "-style" | "-color" => &[TOP, RIGHT, BOTTOM, LEFT],
        _ => return,
    };
    let words = value::split(value, ' ');
    if rest.ends_with("-width") || rest.ends_with("-style") || rest.ends_with("-color") {
        let each = four(&words);
        for side in sides {
            let word = if sides.len() == 1 {
                words.first().copied()
            } else {
                each.iter().find(|(it, _)| it == side).map(|(_, word)| *word)
            };
            if let Some(word) = word {
                edge(&mut style.border[*side], word, em);
            }
        }
        return;
    }
    for side in sides {
        let mut new = Edge { width: 3 * PX, drawn: false, colour: None };
        for word in &words {
            edge(&mut new, word, em);
        }
        style.border[*side] = new;
    }
}

/// What a word says about an edge: its width, style or colour.
fn edge(edge: &mut Edge, word: &str, em: Unit) {
    match word {
        "none" | "hidden" => edge.drawn = false,
        "solid" | "dashed" | "dotted" | "double" | "groove" | "ridge" | "inset" | "outset" => edge.drawn = true,
        "thin" => edge.width = PX,
        "medium" => edge.width = 3 * PX,
        "thick" => edge.width = 5 * PX,
        "currentcolor" => edge.colour = None,
        _ => match value::length(word, em) {
            Some(length) => edge.width = length.fixed.max(0),
            None => set(&mut edge.colour, colour::css(word).map(Some)),
        },
    }
}

/// Properties that children inherit.
fn text(style: &mut Style, name: &str, value: &str, parent: &Style) {
    match name {
        "font-weight" => set(&mut style.text.weight, weight(value, parent.text.weight)),
        "font-style" => style.text.italic = matches!(value, "italic" | "oblique"),
        "font" => {
            let words = value::split(value, ' ');
            let named = words.iter().find_map(|word| weight(word, parent.text.weight));
            style.text.weight = named.unwrap_or(NORMAL);
            style.text.italic = words.iter().any(|word| matches!(*word, "italic" | "oblique"));
            if let Some(line) = font(value).and_then(|(_, line)| line) {
                self::line(style, line);
            }
        }
        "line-height" | "mso-line-height-alt" if name == "line-height" => line(style, value),
        "text-align" => {
            let align = match value {
                "center" | "-webkit-center" => Align::Centre,
                "right" | "end" | "-webkit-right" => Align::End,
                "left" | "start" | "justify" | "-webkit-left" | "initial" => Align::Start,
                "inherit" => parent.text.align,
                _ => return,
            };
            style.text.align = align;
            style.text.aligned = true;
            style.text.blocks = if value.starts_with("-webkit-") { align } else { Align::Start };
        }
        "direction" => style.text.rtl = value == "rtl",
        "text-decoration" | "text-decoration-line" => {
            let has = |wanted: &str| value.split_ascii_whitespace().any(|word| word == wanted);
            (style.own_underline, style.own_strike) = (has("underline"), has("line-through"));
        }
        "text-transform" => {
            style.text.transform = match value {
                "uppercase" => Transform::Upper,
                "lowercase" => Transform::Lower,
                "capitalize" => Transform::Capital,
                "inherit" => parent.text.transform,
                _ => Transform::None,
            };
        }
        "white-space" => {
            let (blanks, breaks, wraps) = match value {
                "pre" => (true, true, false),
                "nowrap" => (false, false, false),
                "pre-wrap" | "break-spaces" => (true, true, true),
                "pre-line" => (false, true, true),
                "inherit" => (parent.text.keep_blanks, parent.text.keep_breaks, parent.text.wraps),
                _ => (false, false, true),
            };
            (style.text.keep_blanks, style.text.keep_breaks, style.text.wraps) = (blanks, breaks, wraps);
        }
        "word-break" => {
            style.text.word_break = match value {
                "keep-all" => WordBreak::KeepAll,
                "break-all" => WordBreak::BreakAll,
                _ => WordBreak::Normal,
            };
            if value == "break-word" {
                (style.text.breaks_words, style.text.breaks_anywhere) = (true, true);
            }
        }
        "overflow-wrap" | "word-wrap" => {
            style.text.breaks_words = matches!(value, "break-word" | "anywhere");
            style.text.breaks_anywhere = value == "anywhere";
        }
        "list-style-type" => set(&mut style.text.marker, user_agent::marker(value)),
        "list-style-position" => style.text.marker_inside = value == "inside",
        "list-style" => {
            for word in value::split(value, ' ') {
                set(&mut style.text.marker, user_agent::marker(word));
                style.text.marker_inside |= word == "inside";
            }
        }
        _ => {}
    }
}

fn weight(value: &str, parent: u16) -> Option<u16> {
    match value {
        "bold" => Some(700),
        "bolder" => Some(user_agent::bolder(parent)),
        "lighter" => Some(user_agent::lighter(parent)),
        "normal" | "initial" => Some(NORMAL),
        "inherit" | "unset" => Some(parent),
        _ => value.parse().ok().filter(|weight| (1..=1000).contains(weight)),
    }
}

fn line(style: &mut Style, value: &str) {
    (style.text.line, style.text.line_factor) = (None, None);
    if let Ok(factor) = value.parse::<f64>() {
        style.text.line_factor = Some(px(factor.clamp(0.0, 100.0)));
    } else {
        style.text.line = value::length(value, style.text.size).map(|line| line.of(style.text.size).max(0));
    }
}
