//! A container's contents as blocks and lines.

use std::rc::Rc;

use super::Flow;
use crate::preview::layout::source::dom::{Data, Id};
use crate::preview::layout::style::{Display, Float};

/// A part of a container, from top to bottom.
#[derive(Debug)]
pub enum Item {
    /// A block, a table, or what floats.
    Block(Id),
    /// Rows or cells without a table of their own.
    Cells(Vec<Id>),
    /// What stands in lines.
    Lines(Vec<Piece>),
}

/// A part of lines, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text of a node, in the style of an element.
    Text(Id, Id),
    /// An inline element begins.
    Open(Id),
    /// An inline element ends.
    Close(Id),
    /// A line ends.
    Break(Id),
    /// A line may end.
    Chance,
    /// An inline block or an image.
    Atom(Id),
}

impl Flow<'_> {
    /// What stands in a container.
    pub(super) fn items(&mut self, container: Id) -> Rc<Vec<Item>> {
        if let Some(items) = self.items.get(&container) {
            return Rc::clone(items);
        }
        let mut items = Vec::new();
        self.collect(container, &mut items);
        items.retain(|item| match item {
            Item::Lines(pieces) => !self.is_nothing(pieces),
            _ => true,
        });
        let items = Rc::new(items);
        self.items.insert(container, Rc::clone(&items));
        items
    }

    fn collect(&self, container: Id, items: &mut Vec<Item>) {
        for child in self.dom.children(container) {
            match self.dom.data(child) {
                Data::Text(text) => {
                    let blank = is_blank(text);
                    // Blanks between cells are no contents.
                    if !(blank && matches!(items.last(), Some(Item::Cells(_)))) {
                        piece(items, Piece::Text(child, container));
                    }
                }
                Data::Element(element) => {
                    let Some(style) = self.styles.of(child) else { continue };
                    match (style.display, element.name()) {
                        (_, "br") => piece(items, Piece::Break(child)),
                        (_, "wbr") => piece(items, Piece::Chance),
                        _ if style.float != Float::None || style.out_of_flow => items.push(Item::Block(child)),
                        (Display::Inline, "img") | (Display::InlineBlock | Display::InlineTable, _) => {
                            piece(items, Piece::Atom(child));
                        }
                        (Display::Inline, _) => {
                            piece(items, Piece::Open(child));
                            self.collect(child, items);
                            piece(items, Piece::Close(child));
                        }
                        (Display::Cell | Display::Row | Display::RowGroup | Display::Caption | Display::Column, _) => {
                            match items.last_mut() {
                                Some(Item::Cells(cells)) => cells.push(child),
                                _ => items.push(Item::Cells(vec![child])),
                            }
                        }
                        _ => items.push(Item::Block(child)),
                    }
                }
                Data::Other => {}
            }
        }
    }

    /// Whether lines would have nothing in them, not even space.
    fn is_nothing(&self, pieces: &[Piece]) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Text(node, style) => match self.dom.data(*node) {
                Data::Text(text) => !self.style(*style).text.keep_breaks && is_blank(text),
                _ => true,
            },
            Piece::Open(node) => {
                let style = self.style(*node);
                let side = |side: usize| style.padding[side].fixed + style.border[side].used_width();
                side(1) + side(3) == 0
            }
            Piece::Close(_) => true,
            Piece::Break(_) | Piece::Chance | Piece::Atom(_) => false,
        })
    }
}

/// Whether a text collapses to nothing between blocks.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | 0x0c))
}

fn piece(items: &mut Vec<Item>, piece: Piece) {
    match items.last_mut() {
        Some(Item::Lines(pieces)) => pieces.push(piece),
        _ => items.push(Item::Lines(vec![piece])),
    }
}
