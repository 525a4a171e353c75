//! HTML as text without layout, by html2text: for mails beyond the layout's budgets, and for a first text part.

use std::borrow::Cow;

use html2text::config;
use html2text::render::{RichAnnotation, TaggedLine};

use super::cell_layout::{CellLayout, Kind, Paint, Rgb, Row, Run};
use super::dom::{self, Dom};
use super::layout;
use super::view::View;
use crate::text::{plain, width};

/// Columns of a suggested text part.
const TEXT_COLUMNS: usize = 72;

/// Longest mail that is given to html2text, in bytes.
const BYTES_MAX: usize = 300_000;

/// Deepest nesting that is given to html2text: its parser takes quadratic time to leave deep ones.
const DEPTH_MAX: u16 = 500;

/// Most nodes that html2text is given.
const NODES_MAX: usize = 100_000;

/// Most rows that are shown.
const ROWS_MAX: usize = 5_000;

/// Lines of pieces with what html2text found out about them; none where the HTML cannot be shown as text.
fn lines(html: &str, view: View) -> Option<Vec<TaggedLine<Vec<RichAnnotation>>>> {
    // Layout tables are flattened instead of drawn as boxes.
    let config = config::rich().raw_mode(true).no_table_borders().allow_width_overflow();
    config.lines_from_read(seen(html, view).as_bytes(), usize::from(view.width.columns())).ok()
}

/// HTML that html2text can take, without what the mail hides, and without its style sheets: html2text takes exponential
/// time for selectors with several parts. In what is too large for the cascade nothing is hidden.
fn seen(html: &str, view: View) -> Cow<'_, str> {
    let html = tamed(html);
    // Well within the bounds of [`Dom`], so that nothing is cut off.
    if !layout::fits(&html, dom::ELEMENTS_MAX / 2, DEPTH_MAX / 2) {
        return html;
    }
    let dom = Dom::parse(&html);
    dom.visible_html(&dom.cascade(&view)).into()
}

/// A mail as text without layout.
#[must_use]
pub fn lay_out(html: &str, view: &View) -> CellLayout {
    let columns = view.width.columns();
    let mut laid = CellLayout { columns, ..CellLayout::default() };
    for line in lines(html, *view).unwrap_or_default().iter().take(ROWS_MAX) {
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
    let mut paint = Paint::plain(Rgb::BLACK, Rgb::WHITE, Kind::Text);
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
    let config = config::plain().raw_mode(true).no_table_borders().allow_width_overflow().link_footnotes(true);
    let text = config.string_from_read(seen(html, View::default()).as_bytes(), TEXT_COLUMNS).unwrap_or_default();
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

/// HTML that html2text can take: what nests too deep or has too many parts loses all tags, but not its text.
pub(super) fn tamed(html: &str) -> Cow<'_, str> {
    let cut = &html[..html.floor_char_boundary(BYTES_MAX)];
    if layout::fits(cut, NODES_MAX, DEPTH_MAX) {
        return cut.into();
    }
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tail)) = rest.split_once('<') {
        if text.len() + before.len() > BYTES_MAX {
            break;
        }
        text.push_str(before);
        let name = tail.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        let end = match name.to_ascii_lowercase().as_str() {
            "style" => tail.find("</style"),
            "script" => tail.find("</script"),
            _ => tail.find('>').map(|end| end + 1),
        };
        rest = end.map_or("", |end| &tail[end..]);
        text.push(' ');
    }
    text.push_str(&rest[..rest.floor_char_boundary(BYTES_MAX)]);
    text.into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

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
    fn what_is_hidden_by_whatever_selector_is_not_suggested() {
        for rule in [".h", "p[title]", "td > p.h", "p:not(.x)", "table p", "* [class~=h]", "@media screen { .h"] {
            let html = format!(
                "<style>{rule} {{ display: none }}</style><table><tr><td>\
                 <p class=h title=x>hidden</p><div>seen</div></td></tr></table>"
            );
            assert_eq!(suggested_text(&html), "seen\n", "{rule}");
        }
        let html = "<p style='display:none'>hidden</p><div hidden>hidden</div>seen";
        assert_eq!(suggested_text(html), "seen\n");
    }

    #[test]
    fn selectors_of_many_parts_take_no_time() {
        // Matched by trying each ancestor for each part, this takes longer than there are seconds in a year.
        let selector = format!("i {}p", "div ".repeat(30));
        let html = format!("<style>{selector} {{ display: none }}</style>{}<p>text", "<div>".repeat(80));
        let began = Instant::now();
        assert_eq!(suggested_text(&html), "text\n");
        assert!(!lines(&html, View::default()).unwrap().is_empty());
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }

    #[test]
    fn tames() {
        let deep = "<div>".repeat(100_000) + "<b>deep</b>";
        let laid = lay_out(&deep, &View::default());
        assert!(laid.rows.iter().any(|row| row.runs.iter().any(|run| run.text.contains("deep"))));
        assert_eq!(tamed("a <b>c</b>"), "a <b>c</b>");
        let bomb = (0..400).fold("<p>".to_owned(), |bomb, id| bomb + &format!("<b id={id}>")) + &"<p>x".repeat(10_000);
        assert!(!tamed(&bomb).contains('<'));
    }
}
