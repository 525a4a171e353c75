//! HTML and CSS → cells.
//!
//! ```text
//! source/    conditional comments, style sheets, the tree
//! style/     what each node looks like
//! flow/      where everything stands
//! paint.rs   cells
//! invert.rs  colours inverted
//! ```

mod flow;
mod invert;
mod paint;
pub(in crate::preview) mod source;
mod style;

#[cfg(test)]
mod tests;

use super::cell_layout::{CellLayout, Note};
use super::fallback;
use super::view::View;
use flow::Flow;
use style::Styles;

/// Longest mail that is laid out, in bytes: ten times what Gmail shows.
const BYTES_MAX: usize = 1_200_000;

/// Lays a mail's HTML out as a mail program shows it. Ends within a fixed budget whatever it is given; takes some
/// milliseconds for a usual mail.
#[must_use]
pub fn lay_out(html: &str, view: &View) -> CellLayout {
    try_lay_out(html, *view)
        .unwrap_or_else(|| CellLayout { notes: vec![Note::TooMuch], ..fallback::lay_out(html, view) })
}

/// Whether a mail's tree stays within budgets: parsers take quadratic time and room for some that do not.
pub(super) fn fits(html: &str, nodes: usize, depth: u16) -> bool {
    source::is_harmless(html) || source::dom::Dom::parse_within(html, nodes, depth).is_some()
}

/// `None` if the mail is beyond the budgets.
fn try_lay_out(html: &str, view: View) -> Option<CellLayout> {
    if html.len() > BYTES_MAX {
        return None;
    }
    let (dom, note) = source::read(html, view)?;
    let styles = Styles::compute(&dom, view);
    let flow = Flow::run(&dom, &styles, view);
    if flow.exhausted {
        return None;
    }
    let background = |name: &str| dom.find(name).and_then(|id| styles.of(id)?.background);
    let canvas = background("html").or_else(|| background("body"));
    let (rows, needed, background) = paint::paint(&flow, &styles, view, canvas)?;
    Some(CellLayout {
        columns: view.width.columns(),
        needed,
        background,
        rows,
        links: styles.links,
        notes: Vec::from_iter(note),
    })
}
