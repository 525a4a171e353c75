//! Where everything stands, in units of a 64th pixel: blocks, lines, tables.
//!
//! The measures of text are those of cells, 8 px a column and 18 px a row, whatever the size of the font; all else is
//! measured as a browser does. Only painting rounds to cells, so that small margins add up instead of each growing to
//! a row.
//!
//! ```text
//! block.rs      boxes: widths, heights, floats
//! margin.rs     margins: those that collapse, those that are `auto`
//! box_tree.rs   a container's contents as blocks and lines
//! paragraph.rs  the text of lines: blanks collapse, words are found
//! line_break.rs where lines may break
//! line.rs       lines are filled
//! widths.rs     min-content and max-content widths
//! table.rs      tables: the grid, heights
//! columns.rs    tables: widths of columns
//! image.rs      images
//! list.rs       numbers and bullets
//! ```

mod block;
mod box_tree;
mod columns;
mod image;
mod line;
mod line_break;
mod list;
mod margin;
mod paragraph;
mod table;
mod widths;

use std::collections::HashMap;
use std::rc::Rc;

use super::source::dom::{Dom, Id};
use super::style::value::{PX, Unit};
use super::style::{Style, Styles};
use crate::preview::view::{CELL_HEIGHT, CELL_WIDTH, View};
use box_tree::Item;
use paragraph::Paragraph;

/// A column, in units.
pub const COLUMN: Unit = CELL_WIDTH as Unit * PX;

/// A row, in units.
pub const ROW: Unit = CELL_HEIGHT as Unit * PX;

/// How far below the top of a line its letters stand.
const ASCENT: Unit = 14 * PX;

/// Most fragments of a mail.
const FRAGMENTS_MAX: usize = 200_000;

/// Something that is seen. Those within it follow it.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// From the left of what it is in.
    pub x: Unit,
    /// From the top of what it is in.
    pub y: Unit,
    /// How wide.
    pub width: Unit,
    /// How high.
    pub height: Unit,
    /// How many of the fragments that follow are within it.
    pub count: usize,
    /// The element whose style it has.
    pub node: Id,
    pub content: Content,
}

/// What a fragment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing by itself.
    Group,
    /// A box with background and border.
    Box,
    /// A box that hides what does not fit.
    Clip,
    /// A part of an inline box; whether it begins and ends there.
    Inline(bool, bool),
    /// Text: where it is in [`Flow::text`].
    Text(usize, usize),
    /// An image that stands for itself; its alternative text is in [`Flow::text`].
    Image(usize, usize),
    /// A list's bullet or number.
    Marker(usize, usize),
}

/// What is laid out, and what came of it.
pub struct Flow<'a> {
    dom: &'a Dom,
    styles: &'a Styles,
    view: View,
    /// Everything that is seen, in order.
    pub fragments: Vec<Fragment>,
    /// The text of all fragments, plain.
    pub text: String,
    /// Whether a budget was used up: what is there is of no use.
    pub exhausted: bool,
    widths: HashMap<Id, (Unit, Unit)>,
    items: HashMap<Id, Rc<Vec<Item>>>,
    paragraphs: HashMap<(Id, usize), Rc<Paragraph>>,
    ordinals: HashMap<Id, i64>,
}

impl<'a> Flow<'a> {
    /// Lays a mail out.
    pub fn run(dom: &'a Dom, styles: &'a Styles, view: View) -> Self {
        let mut flow = Self {
            dom,
            styles,
            view,
            fragments: Vec::new(),
            text: String::new(),
            exhausted: false,
            widths: HashMap::new(),
            items: HashMap::new(),
            paragraphs: HashMap::new(),
            ordinals: list::ordinals(dom),
        };
        if let Some(html) = dom.find("html").filter(|html| styles.of(*html).is_some()) {
            let window = Unit::from(view.width.pixels()) * PX;
            let block = flow.block(html, &block::AvailableSpace::new(window));
            flow.fragments[0].y = block.top.value();
        }
        flow
    }

    /// An element's style. Only what is shown is laid out.
    fn style(&self, id: Id) -> &'a Style {
        let styles = self.styles;
        styles.get(id)
    }

    fn push(&mut self, node: Id, content: Content) -> usize {
        if self.fragments.len() >= FRAGMENTS_MAX {
            self.exhausted = true;
        }
        self.fragments.push(Fragment { x: 0, y: 0, width: 0, height: 0, count: 0, node, content });
        self.fragments.len() - 1
    }

    /// Everything pushed since belongs to the fragment.
    fn close(&mut self, fragment: usize) {
        self.fragments[fragment].count = self.fragments.len() - fragment - 1;
    }

    /// Moves the fragments from `start` on that are not within others of them.
    fn shift(&mut self, start: usize, x: Unit, y: Unit) {
        self.shift_within(start, self.fragments.len(), x, y);
    }

    /// The same for those from `start` to `end`.
    fn shift_within(&mut self, start: usize, end: usize, x: Unit, y: Unit) {
        let mut at = start;
        while at < end {
            let fragment = &mut self.fragments[at];
            fragment.x += x;
            fragment.y += y;
            at += fragment.count + 1;
        }
    }

    /// Keeps text; returns where it is.
    fn keep(&mut self, text: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(text);
        (start, self.text.len())
    }
}
