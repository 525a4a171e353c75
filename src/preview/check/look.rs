//! What rules on HTML ask of an element.

use ego_tree::NodeRef;
use scraper::{ElementRef, Node};

use super::finding::Violation;
use super::mails::RenderedMail;
use crate::mail::templates::Part;
use crate::preview::dom::cascade::Cascade;
use crate::preview::dom::css::Declaration;
use crate::preview::dom::{Dom, above};

/// Pixels of text where no style says it.
const TEXT_SIZE: f32 = 16.0;

/// Something in a line of the HTML, at the column where the needle stands, if it does.
pub fn violation(mail: &RenderedMail<'_>, line: usize, needle: &str, message: impl Into<String>) -> Violation {
    let text = mail.rendered_line(Part::Html, line);
    let at = text.find(needle).unwrap_or_else(|| text.len() - text.trim_start().len());
    Violation::rendered(Part::Html, line, text[..at].chars().count() + 1, message)
}

/// Something about an element.
pub fn violation_of(mail: &RenderedMail<'_>, element: ElementRef<'_>, message: impl Into<String>) -> Violation {
    mail.violation(element, message)
}

/// The elements that a reader sees, but for their images.
pub fn visible<'a>(dom: &'a Dom, cascade: &'a Cascade) -> impl Iterator<Item = ElementRef<'a>> {
    dom.elements().filter(|element| !dom.is_hidden(*element, cascade))
}

/// Whether an element has text of its own, not only in elements within.
pub fn has_own_text(element: ElementRef<'_>) -> bool {
    element.children().any(|child| child.value().as_text().is_some_and(|text| text.chars().any(is_seen)))
}

fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{34f}' | '\u{ad}' | '\u{feff}')
}

/// A length in pixels, where it is plain: `px`, `pt`, or 0.
pub fn pixels(value: f32, unit: &str) -> Option<f32> {
    match unit {
        "px" => Some(value),
        "pt" => Some(value * 4.0 / 3.0),
        _ if value == 0.0 => Some(0.0),
        _ => None,
    }
}

/// The size of an element's text in pixels.
pub fn text_size(element: ElementRef<'_>, cascade: &Cascade) -> f32 {
    let mut factor = 1.0;
    for element in std::iter::once(element).chain(above(element)) {
        let style = cascade.style(element);
        let declared = style.get("font-size").or_else(|| style.get("font"));
        let Some((value, unit)) = declared.and_then(|declared| declared.parts.lengths.first()) else { continue };
        match unit.as_str() {
            "em" => factor *= value,
            "%" => factor *= value / 100.0,
            "rem" => return factor * value * TEXT_SIZE,
            unit => {
                if let Some(size) = pixels(*value, unit) {
                    return factor * size;
                }
            }
        }
    }
    factor * TEXT_SIZE
}

/// The declaration of an element's own ground, by `background-color` or `background`, unless it lets through what is
/// behind.
fn shared<'a>(element: ElementRef<'_>, cascade: &'a Cascade) -> Option<&'a Declaration> {
    let style = cascade.style(element);
    let declared = style.get("background-color").or_else(|| style.get("background"))?;
    let through = ["transparent", "none", "inherit", "initial", "unset"].iter().any(|word| declared.has(word));
    (!through).then_some(declared)
}

/// Whether an element has a background of its own.
pub fn has_background(element: ElementRef<'_>, cascade: &Cascade) -> bool {
    element.attr("bgcolor").is_some() || shared(element, cascade).is_some()
}

/// Space and border above and below an element's content, in pixels.
fn upright_space(element: ElementRef<'_>, cascade: &Cascade) -> f32 {
    let style = cascade.style(element);
    let lengths = |name: &str| -> Vec<f32> {
        let declared = style.get(name);
        let lengths = declared.into_iter().flat_map(|declared| &declared.parts.lengths);
        lengths.filter_map(|(value, unit)| pixels(*value, unit)).collect()
    };
    let (around, border) = (lengths("padding"), lengths("border"));
    let side = |name: &str, at: usize| lengths(name).first().or_else(|| around.get(at)).copied();
    let top = side("padding-top", 0).unwrap_or(0.0);
    let bottom = side("padding-bottom", 2).or_else(|| around.first().copied()).unwrap_or(0.0);
    let edge = |name: &str| lengths(name).first().or_else(|| border.first()).copied().unwrap_or(0.0);
    top + bottom + edge("border-top") + edge("border-bottom")
}

/// How high an element of one line is, in pixels, with its own padding and border.
pub fn line_box(element: ElementRef<'_>, cascade: &Cascade) -> f32 {
    let size = text_size(element, cascade);
    let line = cascade.inherited(element, "line-height").and_then(|declared| declared.parts.lengths.first());
    let line = match line {
        Some((value, unit)) if unit.is_empty() => value * size,
        Some((value, unit)) if unit == "%" => value / 100.0 * size,
        Some((value, unit)) if unit == "em" => value * size,
        Some((value, unit)) => pixels(*value, unit).unwrap_or(size * 1.2),
        None => size * 1.2,
    };
    line + upright_space(element, cascade)
}

/// The cell that has nothing but this link in it to read. The first other text is the end of the search: cells may have
/// thousands of links.
pub fn own_cell<'a>(dom: &Dom, link: ElementRef<'a>, cascade: &Cascade) -> Option<ElementRef<'a>> {
    let cell = above(link).find(|above| matches!(above.value().name(), "td" | "th"))?;
    let is_other = |text: NodeRef<'_, Node>| {
        let around = || text.ancestors().take_while(|above| above.id() != cell.id());
        let is_read = text.value().as_text().is_some_and(|text| !text.trim().is_empty());
        is_read
            && around().all(|above| above.id() != link.id())
            && around().filter_map(ElementRef::wrap).all(|above| !cascade.hides(above))
    };
    (!cell.descendants().any(is_other) && !dom.is_hidden(cell, cascade)).then_some(cell)
}

/// Whether a link looks like a button: it, or the cell that holds nothing else, has a background and space around its
/// text.
pub fn is_button(dom: &Dom, link: ElementRef<'_>, cascade: &Cascade) -> bool {
    let cell = own_cell(dom, link, cascade);
    let is_button = |one: ElementRef<'_>| has_background(one, cascade);
    let padded = upright_space(link, cascade) > 0.0 || cell.is_some_and(|cell| upright_space(cell, cascade) > 0.0);
    padded && (is_button(link) || cell.is_some_and(is_button))
}

/// The links that a reader sees.
pub fn links<'a>(dom: &'a Dom, cascade: &'a Cascade) -> impl Iterator<Item = ElementRef<'a>> {
    visible(dom, cascade).filter(|element| element.value().name() == "a" && element.attr("href").is_some())
}

/// Whether an image is only there to be fetched, or to keep room.
pub fn is_dot(image: ElementRef<'_>, cascade: &Cascade) -> bool {
    let side = |name: &str| {
        let said = image.attr(name).and_then(|value| value.trim().trim_end_matches("px").parse::<f32>().ok());
        said.or_else(|| cascade.style(image).get(name).and_then(Declaration::pixels))
    };
    let flat = |name: &str| side(name).is_some_and(|side| side <= 1.0);
    flat("width") && flat("height")
}
