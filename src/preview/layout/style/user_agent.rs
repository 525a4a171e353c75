//! What a browser thinks of elements and their attributes by itself: its style sheet, and the attributes that came
//! before CSS.

use super::colour::{self, Rgba};
use super::value::{self, Length, PX, Unit, px};
use super::{Align, BOTTOM, Context, Display, Edge, Float, LEFT, Marker, NORMAL, RIGHT, Style, TOP, VerticalAlign};
use crate::preview::cell_layout::Rgb;
use crate::preview::layout::source::dom::Element;

/// Most links of a mail that are distinguished.
const LINKS_MAX: usize = 10_000;

/// How deep lists change their bullets.
const LISTS_MAX: u8 = 3;

/// The size of an element's font before any declaration.
pub fn size(element: &Element, parent: Unit) -> Unit {
    let factor = match element.name() {
        "h1" => 2.0,
        "h2" => 1.5,
        "h3" => 1.17,
        "h5" | "small" | "sub" | "sup" => 0.83,
        "h6" => 0.67,
        "big" => 1.2,
        "pre" | "code" | "tt" | "kbd" | "samp" => return if parent == 16 * PX { 13 * PX } else { parent },
        "font" => return element.attribute("size").and_then(font_size).unwrap_or(parent),
        _ => return parent,
    };
    px(value::as_pixels(parent) * factor)
}

/// The attribute `size` of `<font>`.
fn font_size(value: &str) -> Option<Unit> {
    let value = value.trim();
    let number: i32 = value.trim_start_matches('+').parse().ok()?;
    let step = if value.starts_with(['+', '-']) { number.saturating_add(3) } else { number };
    let pixels = match step {
        ..=1 => 10,
        2 => 13,
        3 => 16,
        4 => 18,
        5 => 24,
        6 => 32,
        _ => 48,
    };
    Some(pixels * PX)
}

/// What a browser's style sheet says about an element.
pub fn element(style: &mut Style, element: &Element, context: &Context, links: &mut Vec<String>) {
    style.display = display(element.name());
    let em = style.text.size;
    let text = &mut style.text;
    match element.name() {
        "b" | "strong" => text.weight = bolder(text.weight),
        "i" | "em" | "cite" | "dfn" | "var" | "address" => text.italic = true,
        "u" | "ins" => style.own_underline = true,
        "s" | "strike" | "del" => style.own_strike = true,
        "center" => (text.align, text.blocks) = (Align::Centre, Align::Centre),
        "nobr" => text.wraps = false,
        "pre" | "listing" | "xmp" => {
            (text.keep_blanks, text.keep_breaks, text.wraps) = (true, true, false);
            margins(style, px(value::as_pixels(em)));
        }
        "p" | "dl" => margins(style, em),
        "h1" => heading(style, 0.67),
        "h2" => heading(style, 0.83),
        "h3" => heading(style, 1.0),
        "h4" => heading(style, 1.33),
        "h5" => heading(style, 1.67),
        "h6" => heading(style, 2.33),
        "blockquote" | "figure" => {
            margins(style, em);
            style.margin[LEFT] = Some(Length::fixed(40 * PX));
            style.margin[RIGHT] = style.margin[LEFT];
        }
        "dd" => style.margin[LEFT] = Some(Length::fixed(40 * PX)),
        "ul" | "ol" | "menu" | "dir" => list(style, element),
        "hr" => {
            margins(style, em / 2);
            style.margin[LEFT] = None;
            style.margin[RIGHT] = None;
            let grey = Some(Rgba::opaque(Rgb(128, 128, 128)));
            style.border = [Edge { width: PX, drawn: true, colour: grey }; 4];
        }
        "body" => {
            style.margin = [Some(Length::fixed(8 * PX)); 4];
        }
        "a" => {
            if let Some(target) = element.attribute("href") {
                style.own_underline = true;
                text.colour = Rgba::opaque(if context.dark { Rgb(158, 158, 255) } else { Rgb(0, 0, 238) });
                let target: String = target.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
                let target = target.trim();
                // A link that is taken up again behind something else is the same link.
                if links.last().is_none_or(|last| last != target) && links.len() < LINKS_MAX {
                    links.push(target.to_owned());
                }
                text.link = u16::try_from(links.len() - 1).ok();
            }
        }
        "table" => table(style, context),
        "td" | "th" => cell(style, element),
        "tr" | "tbody" | "thead" | "tfoot" => style.vertical_align = VerticalAlign::Middle,
        "mark" => {
            style.background = Some(Rgba::opaque(Rgb(255, 255, 0)));
            text.colour = Rgba::opaque(Rgb::BLACK);
        }
        "button" | "input" | "select" | "textarea" => control(style, element),
        "caption" => (style.text.align, style.text.blocks) = (Align::Centre, Align::Centre),
        _ => {}
    }
}

fn display(name: &str) -> Display {
    match name {
        "head" | "title" | "meta" | "link" | "style" | "script" | "base" | "template" | "xml" | "area" | "map"
        | "param" | "datalist" | "option" | "optgroup" | "source" | "track" | "svg" | "math" | "object" | "iframe"
        | "audio" | "video" | "canvas" | "noframes" => Display::None,
        "html" | "body" | "address" | "article" | "aside" | "blockquote" | "center" | "dd" | "details" | "dialog"
        | "dir" | "div" | "dl" | "dt" | "fieldset" | "figcaption" | "figure" | "footer" | "form" | "h1" | "h2"
        | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup" | "hr" | "legend" | "listing" | "main" | "menu" | "nav"
        | "ol" | "p" | "pre" | "search" | "section" | "summary" | "ul" | "xmp" => Display::Block,
        "li" => Display::ListItem,
        "table" => Display::Table,
        "tbody" | "thead" | "tfoot" => Display::RowGroup,
        "tr" => Display::Row,
        "td" | "th" => Display::Cell,
        "caption" => Display::Caption,
        "col" | "colgroup" => Display::Column,
        "button" | "input" | "select" | "textarea" | "meter" | "progress" => Display::InlineBlock,
        name if name.starts_with("o:") => Display::None,
        _ => Display::Inline,
    }
}

fn margins(style: &mut Style, margin: Unit) {
    style.margin[TOP] = Some(Length::fixed(margin));
    style.margin[BOTTOM] = style.margin[TOP];
}

fn heading(style: &mut Style, ems: f64) {
    style.text.weight = 700;
    margins(style, px(value::as_pixels(style.text.size) * ems));
}

fn list(style: &mut Style, element: &Element) {
    let margin = if style.text.lists == 0 { style.text.size } else { 0 };
    margins(style, margin);
    style.padding[LEFT] = Length::fixed(40 * PX);
    let ordered = element.name() == "ol";
    style.text.marker = match style.text.lists {
        _ if ordered => Marker::Decimal,
        0 => Marker::Disc,
        1 => Marker::Circle,
        _ => Marker::Square,
    };
    style.text.lists = (style.text.lists + 1).min(LISTS_MAX);
}

fn table(style: &mut Style, context: &Context) {
    style.border_box = true;
    let text = &mut style.text;
    text.spacing = (2 * PX, 2 * PX);
    text.collapse = false;
    text.cell_padding = PX;
    text.cell_border = false;
    // What `align` further out moved is not moved by it within a table.
    if text.blocks != Align::Start {
        (text.align, text.blocks, text.aligned) = (Align::Start, Align::Start, false);
    }
    if context.quirks {
        (text.align, text.blocks, text.aligned) = (Align::Start, Align::Start, false);
        (text.keep_blanks, text.keep_breaks, text.wraps) = (false, false, true);
        (text.weight, text.italic, text.size) = (NORMAL, false, 16 * PX);
        text.line = None;
        text.line_factor = None;
    }
}

fn cell(style: &mut Style, element: &Element) {
    style.padding = [Length::fixed(style.text.cell_padding); 4];
    style.vertical_align = VerticalAlign::Middle;
    if style.text.cell_border {
        let grey = Some(Rgba::opaque(Rgb(128, 128, 128)));
        style.border = [Edge { width: PX, drawn: true, colour: grey }; 4];
    }
    if element.name() == "th" {
        style.text.weight = 700;
    }
    if element.name() == "th" && !style.text.aligned {
        style.text.align = Align::Centre;
    }
}

fn control(style: &mut Style, element: &Element) {
    let kind = element.attribute("type").unwrap_or("text");
    if element.name() == "input" && kind.eq_ignore_ascii_case("hidden") {
        style.hidden = true;
    }
    style.text.colour = Rgba::opaque(Rgb::BLACK);
    style.background = Some(Rgba::opaque(Rgb(239, 239, 239)));
    style.padding = [PX, 6 * PX, PX, 6 * PX].map(Length::fixed);
    style.border = [Edge { width: 2 * PX, drawn: true, colour: Some(Rgba::opaque(Rgb(118, 118, 118))) }; 4];
    style.text.align = Align::Centre;
}

/// What the attributes that came before CSS say.
pub fn attributes(style: &mut Style, element: &Element) {
    let name = element.name();
    let is_cell = matches!(name, "td" | "th");
    let is_table = name == "table";
    let of_table = is_cell || is_table || matches!(name, "tr" | "tbody" | "thead" | "tfoot" | "col" | "colgroup");
    for (attribute, text) in element.attributes() {
        let text = text.trim();
        match attribute {
            "hidden" => style.hidden = true,
            "bgcolor" if of_table || name == "body" => style.background = colour::attribute(text),
            "fillcolor" if name.starts_with("v:") => style.background = colour::attribute(text),
            "text" if name == "body" => set(&mut style.text.colour, colour::attribute(text)),
            "color" if name == "font" => set(&mut style.text.colour, colour::attribute(text)),
            "color" if name == "hr" => style.border.iter_mut().for_each(|edge| edge.colour = colour::attribute(text)),
            "size" if name == "hr" => {
                style.height = value::attribute(text).map(|size| Length::fixed((size.fixed - 2 * PX).max(0)));
            }
            "noshade" if name == "hr" => {}
            "width" if of_table || matches!(name, "img" | "hr" | "pre") => style.width = positive(text),
            "height" if of_table || name == "img" => style.height = positive(text),
            "align" => align(style, name, text, of_table),
            "valign" if of_table => style.vertical_align = vertical_align(text),
            "nowrap" if is_cell => style.text.wraps = false,
            "cellpadding" if is_table => style.text.cell_padding = pixels(text).unwrap_or(PX),
            "cellspacing" if is_table => set(&mut style.text.spacing, pixels(text).map(|gap| (gap, gap))),
            "border" if is_table || name == "img" => border(style, text, is_table),
            "hspace" if name == "img" => {
                style.margin[LEFT] = value::attribute(text);
                style.margin[RIGHT] = style.margin[LEFT];
            }
            "vspace" if name == "img" => {
                style.margin[TOP] = value::attribute(text);
                style.margin[BOTTOM] = style.margin[TOP];
            }
            "type" if matches!(name, "ul" | "ol" | "li") => set(&mut style.text.marker, marker(text)),
            "clear" if name == "br" => style.clear = true,
            _ => {}
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn pixels(text: &str) -> Option<Unit> {
    value::attribute(text).map(|length| length.fixed)
}

/// Widths and heights; one of 0 says nothing.
fn positive(text: &str) -> Option<Length> {
    value::attribute(text).filter(|length| *length != Length::ZERO)
}

fn border(style: &mut Style, text: &str, is_table: bool) {
    let width = if text.is_empty() { Some(PX) } else { pixels(text) };
    let Some(width) = width else { return };
    let grey = is_table.then_some(Rgba::opaque(Rgb(128, 128, 128)));
    style.border = [Edge { width, drawn: width > 0, colour: grey }; 4];
    style.text.cell_border |= is_table && width > 0;
}

fn align(style: &mut Style, name: &str, text: &str, of_table: bool) {
    let align = match text.to_ascii_lowercase().as_str() {
        "center" | "middle" => Align::Centre,
        "right" => Align::End,
        "left" | "justify" => Align::Start,
        _ => return,
    };
    match (name, align) {
        ("table" | "img", Align::Start) => style.float = Float::Left,
        ("table" | "img", Align::End) => style.float = Float::Right,
        ("img", Align::Centre) => style.vertical_align = VerticalAlign::Middle,
        ("hr", _) => {
            style.margin[LEFT] = (align == Align::Start).then_some(Length::ZERO);
            style.margin[RIGHT] = (align == Align::End).then_some(Length::ZERO);
        }
        ("table", Align::Centre) => {
            style.margin[LEFT] = None;
            style.margin[RIGHT] = None;
        }
        _ if of_table || matches!(name, "div" | "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "caption") => {
            (style.text.align, style.text.blocks, style.text.aligned) = (align, align, true);
        }
        _ => {}
    }
}

/// `valign` and `vertical-align`.
pub fn vertical_align(text: &str) -> VerticalAlign {
    match text.to_ascii_lowercase().as_str() {
        "top" | "text-top" => VerticalAlign::Top,
        "middle" | "center" => VerticalAlign::Middle,
        "bottom" | "text-bottom" => VerticalAlign::Bottom,
        _ => VerticalAlign::Baseline,
    }
}

/// `type` of a list, and `list-style-type`.
pub fn marker(text: &str) -> Option<Marker> {
    Some(match text {
        "1" | "decimal" | "decimal-leading-zero" => Marker::Decimal,
        "a" | "lower-alpha" | "lower-latin" => Marker::Lower,
        "A" | "upper-alpha" | "upper-latin" => Marker::Upper,
        "i" | "lower-roman" => Marker::LowerRoman,
        "I" | "upper-roman" => Marker::UpperRoman,
        "disc" => Marker::Disc,
        "circle" => Marker::Circle,
        "square" => Marker::Square,
        "none" => Marker::None,
        _ => return None,
    })
}

/// `font-weight: bolder` within a weight.
pub fn bolder(weight: u16) -> u16 {
    match weight {
        ..350 => NORMAL,
        350..550 => 700,
        _ => 900,
    }
}

/// `font-weight: lighter` within a weight.
pub fn lighter(weight: u16) -> u16 {
    match weight {
        ..550 => 100,
        550..750 => NORMAL,
        _ => 700,
    }
}
