//! HTML as text without layout, by html2text: for mails beyond the layout's budgets, and for a first text part.

use html2text::config;
use html2text::render::{RichAnnotation, TaggedLine};

use super::laid::{Kind, Laid, Paint, Rgb, Row, Run};
use super::view::View;
use crate::text::{plain, width};

/// Columns of a suggested text part.
const TEXT_COLUMNS: usize = 72;

/// Longest mail that is given to html2text, in bytes.
const BYTES_MAX: usize = 300_000;

/// Deepest nesting that is given to html2text: its parser takes quadratic time to leave deep ones.
const DEPTH_MAX: usize = 200;

/// Most rows that are shown.
const ROWS_MAX: usize = 5_000;

/// Lines of pieces with what html2text found out about them; none where the HTML cannot be shown as text.
#[must_use]
pub fn lines(html: &str, columns: u16) -> Option<Vec<TaggedLine<Vec<RichAnnotation>>>> {
    // Layout tables are flattened instead of drawn as boxes; what `display: none` hides stays hidden.
    let config = config::rich().use_doc_css().raw_mode(true).no_table_borders().allow_width_overflow();
    config.lines_from_read(tamed(html).as_bytes(), usize::from(columns)).ok()
}

/// A mail as text without layout.
#[must_use]
pub fn laid(html: &str, view: &View) -> Laid {
    let columns = view.width.columns();
    let mut laid = Laid { columns, ..Laid::default() };
    for line in lines(html, columns).unwrap_or_default().iter().take(ROWS_MAX) {
        let mut row = Row::default();
        let mut column = 0;
        for piece in line.tagged_strings() {
            let text = plain(&piece.s).into_string();
            let wide = u16::try_from(width(&text)).unwrap_or(u16::MAX);
            if wide == 0 || column > u16::MAX - wide {
                continue;
            }
            let paint = paint(&piece.tag, &mut laid.links);
            row.runs.push(Run { column, text, paint });
            column += wide;
        }
        laid.needed = laid.needed.max(column);
        laid.rows.push(row);
    }
    laid
}

fn paint(tags: &[RichAnnotation], links: &mut Vec<String>) -> Paint {
    let mut paint = Paint {
        text: Rgb::BLACK,
        ground: Rgb::WHITE,
        bold: false,
        italic: false,
        underline: false,
        strike: false,
        size: 16,
        link: None,
        kind: Kind::Text,
    };
    for tag in tags {
        match tag {
            RichAnnotation::Link(target) => {
                if links.last() != Some(target) {
                    links.push(target.clone());
                }
                paint.link = u16::try_from(links.len() - 1).ok();
                paint.underline = true;
            }
            RichAnnotation::Image(_) => paint.kind = Kind::Image,
            RichAnnotation::Emphasis => paint.italic = true,
            RichAnnotation::Strong => paint.bold = true,
            RichAnnotation::Strikeout => paint.strike = true,
            _ => {}
        }
    }
    paint
}

/// A first text part for a mail that has none: 72 columns, links as footnotes. Empty where there is nothing to say.
#[must_use]
pub fn suggested_text(html: &str) -> String {
    let config =
        config::plain().use_doc_css().raw_mode(true).no_table_borders().allow_width_overflow().link_footnotes(true);
    let text = config.string_from_read(tamed(html).as_bytes(), TEXT_COLUMNS).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in crate::text::plain_lines(&text) {
        let line = line.as_str().trim_end();
        // Layout leaves rooms of many empty lines.
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// HTML without what would take html2text too long: tags nested too deep are dropped, their text is not.
pub(super) fn tamed(html: &str) -> String {
    let html = &html[..html.floor_char_boundary(BYTES_MAX)];
    let mut out = String::with_capacity(html.len());
    let mut depth = 0_usize;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tail) = rest.split_at(at);
        out.push_str(text);
        let end = tail.find('>').map_or(tail.len(), |end| end + 1);
        let (tag, after) = tail.split_at(end);
        rest = after;
        let bytes = tag.as_bytes();
        match bytes.get(1) {
            Some(b'/') => {
                if depth <= DEPTH_MAX {
                    out.push_str(tag);
                }
                depth = depth.saturating_sub(1);
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let name = tag[1..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
                depth += usize::from(!is_flat(name));
                if depth <= DEPTH_MAX {
                    out.push_str(tag);
                }
            }
            _ => out.push_str(tag),
        }
    }
    out.push_str(rest);
    out.truncate(out.floor_char_boundary(BYTES_MAX));
    out
}

/// Whether an element has no end of its own, or need not have one.
fn is_flat(name: &str) -> bool {
    const FLAT: [&str; 24] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "p",
        "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot", "option",
    ];
    FLAT.iter().any(|flat| name.eq_ignore_ascii_case(flat))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_text() {
        let html = "<html><head><title>x</title><style>.h{display:none}</style></head><body><p class=h>hidden</p>\
                    <table><tr><td><h1>Confirm</h1><p>Hello <b>Mina</b>,</p></td></tr></table>\
                    <a href='https://example.org/verify/?key=a'>Confirm</a></body></html>";
        let text = suggested_text(html);
        assert!(text.contains("Hello") && text.contains("https://example.org/verify/?key=a"), "{text}");
        assert!(!text.contains("hidden") && !text.contains("\n\n\n") && text.ends_with('\n'), "{text}");
        assert_eq!(suggested_text(""), "");
    }

    #[test]
    fn tames() {
        let deep = "<div>".repeat(100_000) + "<b>deep</b>";
        let laid = laid(&deep, &View::default());
        assert!(laid.rows.iter().any(|row| row.runs.iter().any(|run| run.text.contains("deep"))));
        assert_eq!(tamed("a <b>c</b> < d <!-- e --> <p>f"), "a <b>c</b> < d <!-- e --> <p>f");
    }
}
