//! Boxes: how wide and how high they are, what floats.

use super::box_tree::Item;
use super::margin::{self, Margin, MarginCollapse};
use super::{COLUMN, Content, Flow, ROW, list};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::{Length, Unit};
use crate::preview::layout::style::{Align, BOTTOM, Display, Float, LEFT, RIGHT, Style, TOP};

/// The space for a block in its container.
#[derive(Clone, Debug)]
pub struct AvailableSpace {
    /// How wide its container is inside.
    pub width: Unit,
    /// How its container moves blocks.
    pub blocks: Align,
    /// Whether it is only as wide as its contents.
    pub shrink: bool,
    /// What floats next to it, from its container's inner corner, where the block is at `y`.
    pub floats: Vec<Floating>,
    /// Where it stands in its container.
    pub y: Unit,
}

impl AvailableSpace {
    /// A container of that width with nothing in it.
    pub fn new(width: Unit) -> Self {
        Self { width, blocks: Align::Start, shrink: false, floats: Vec::new(), y: 0 }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Floating {
    left: bool,
    x0: Unit,
    x1: Unit,
    y0: Unit,
    y1: Unit,
}

/// A block that has been laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// From the left of its container to its border.
    pub x: Unit,
    /// From border to border.
    pub width: Unit,
    /// From border to border.
    pub height: Unit,
    /// The margin on its right.
    pub right: Unit,
    /// Its margin at the top, with those of its contents that collapse with it.
    pub top: Margin,
    /// Its margin at the bottom, likewise.
    pub bottom: Margin,
    /// Whether nothing is between the two.
    pub through: bool,
}

/// A container's contents that have been laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contents {
    /// How high they are.
    pub height: Unit,
    /// The margin at the top that is not in the height.
    pub top: Margin,
    /// The margin at the bottom that is not in the height.
    pub bottom: Margin,
    /// Whether nothing is between the two.
    pub through: bool,
}

impl Style {
    pub fn border_padding(&self, side: usize, base: Unit) -> Unit {
        self.padding[side].of(base).max(0) + self.border[side].used_width()
    }

    /// A specified width or height, as that of the contents.
    fn content(&self, specified: Unit, border_padding: Unit) -> Unit {
        (if self.border_box { specified - border_padding } else { specified }).max(0)
    }
}

impl Flow<'_> {
    /// Lays a block out, at the top of its container: the caller moves it down.
    pub(super) fn block(&mut self, id: Id, space: &AvailableSpace) -> Block {
        let style = self.style(id);
        let content = if style.clips && (style.height.is_some() || style.max_height.is_some()) {
            Content::Clip
        } else {
            Content::Box
        };
        let fragment = self.push(id, content);
        if self.exhausted {
            return Block::default();
        }
        let base = space.width;
        let margin = |side: usize| style.margin[side].map(|margin| margin.of(base));
        let (left, right) = (margin(LEFT), margin(RIGHT));
        let mut block = Block {
            top: Margin::new(margin(TOP).unwrap_or(0)),
            bottom: Margin::new(margin(BOTTOM).unwrap_or(0)),
            ..Block::default()
        };
        let available = base - left.unwrap_or(0) - right.unwrap_or(0);
        let is_image = self.dom.element(id).is_some_and(|element| element.name() == "img");
        if matches!(style.display, Display::Table | Display::InlineTable) {
            let size = self.table(id, base, available);
            (block.width, block.height) = size;
        } else if is_image {
            let (width, height) = self.image_size(id, base);
            let text = self.alternative(id);
            let (start, end) = self.keep(&text);
            let image = self.push(id, Content::Image(start, end));
            let border_padding = [TOP, RIGHT, BOTTOM, LEFT].map(|side| style.border_padding(side, base));
            let picture = &mut self.fragments[image];
            (picture.x, picture.y, picture.width, picture.height) =
                (border_padding[LEFT], border_padding[TOP], width, height);
            block.width = width + border_padding[LEFT] + border_padding[RIGHT];
            block.height = height + border_padding[TOP] + border_padding[BOTTOM];
        } else {
            self.plain_block(id, space, available, &mut block);
        }
        self.close(fragment);
        block.x = margin::inline_start(left, right, space, block.width);
        block.right = right.unwrap_or(0);
        let box_ = &mut self.fragments[fragment];
        (box_.x, box_.width, box_.height) = (block.x, block.width, block.height);
        block
    }

    /// Everything but tables and images.
    fn plain_block(&mut self, id: Id, space: &AvailableSpace, available: Unit, block: &mut Block) {
        let style = self.style(id);
        let base = space.width;
        let border_padding = [TOP, RIGHT, BOTTOM, LEFT].map(|side| style.border_padding(side, base));
        let across = border_padding[LEFT] + border_padding[RIGHT];
        let mut width = match style.width {
            Some(width) => style.content(width.of(base), across),
            None if space.shrink => {
                let (min_content, max_content) = self.content_widths(id);
                max_content.min(available - across).max(min_content)
            }
            None => available - across,
        };
        if let Some(max) = style.max_width {
            width = width.min(style.content(max.of(base), across));
        }
        if let Some(min) = style.min_width {
            width = width.max(style.content(min.of(base), across));
        }
        let width = width.max(0);
        block.width = width + across;

        let down = border_padding[TOP] + border_padding[BOTTOM];
        let specified = |length: Option<Length>| {
            length.filter(|length| !length.is_relative()).map(|length| style.content(length.fixed, down))
        };
        let height = specified(style.height);
        let alone = space.shrink || style.clips || matches!(style.display, Display::Cell | Display::Caption);
        let collapse = MarginCollapse {
            top: !alone && border_padding[TOP] == 0,
            bottom: !alone
                && border_padding[BOTTOM] == 0
                && height.is_none()
                && specified(style.min_height).unwrap_or(0) == 0,
        };
        // What floats beside the block narrows its lines.
        let left = style.margin[LEFT].map_or(0, |margin| margin.of(base)) + border_padding[LEFT];
        let y = space.y + border_padding[TOP];
        let floats = space.floats.iter().map(|floating| Floating {
            x0: floating.x0 - left,
            x1: floating.x1 - left,
            y0: floating.y0 - y,
            y1: floating.y1 - y,
            ..*floating
        });
        let floats = floats.filter(|floating| floating.y1 > 0).collect();
        let start = self.fragments.len();
        let contents = self.contents(id, width, collapse, floats);
        self.shift(start, border_padding[LEFT], border_padding[TOP]);
        let mut inner = contents.height.max(height.unwrap_or(0));
        // Text of cells may be higher than the text that the author measured: only what hides the rest is held to.
        if style.clips {
            inner = height.unwrap_or(inner).min(specified(style.max_height).unwrap_or(Unit::MAX));
        }
        inner = inner.max(specified(style.min_height).unwrap_or(0));
        block.height = inner + down;
        block.through = contents.through && block.height == 0 && !alone;
        block.top = block.top.with(contents.top);
        block.bottom = block.bottom.with(contents.bottom);
        if style.display == Display::ListItem {
            self.marker(id, border_padding[LEFT], border_padding[TOP]);
        }
    }

    /// A list item's number or bullet, before its first line.
    fn marker(&mut self, id: Id, left: Unit, top: Unit) {
        let look = &self.style(id).text;
        let text = list::marker(look.marker, self.ordinals.get(&id).copied().unwrap_or(1));
        if text.is_empty() || !look.visible {
            return;
        }
        let width = Unit::try_from(text.chars().count()).unwrap_or(0) * COLUMN;
        let (start, end) = self.keep(text.trim_end());
        let fragment = self.push(id, Content::Marker(start, end));
        let marker = &mut self.fragments[fragment];
        (marker.x, marker.y, marker.width, marker.height) = (left - width, top, width - COLUMN, ROW);
    }

    /// Lays a container's contents out below each other.
    pub(super) fn contents(
        &mut self,
        id: Id,
        width: Unit,
        collapse: MarginCollapse,
        floats: Vec<Floating>,
    ) -> Contents {
        let blocks = self.style(id).text.blocks;
        let mut down = Down { y: 0, pending: Margin::default(), top: None, collapse, floats, inherited: 0 };
        down.inherited = down.floats.len();
        for (index, item) in self.items(id).iter().enumerate() {
            if self.exhausted {
                break;
            }
            let start = self.fragments.len();
            match item {
                Item::Lines(_) => {
                    let paragraph = self.paragraph(id, index);
                    down.settle();
                    let height = self.lines(id, &paragraph, width, &down.floats, down.y);
                    down.y += height;
                }
                Item::Cells(cells) => {
                    let fragment = self.push(id, Content::Group);
                    let (wide, height) = self.bare_table(id, cells, width);
                    self.close(fragment);
                    down.settle();
                    let group = &mut self.fragments[fragment];
                    (group.y, group.width, group.height) = (down.y, wide, height);
                    down.y += height;
                }
                Item::Block(child) => {
                    let style = self.style(*child);
                    if style.clear {
                        down.clear();
                    }
                    if style.float != Float::None || style.out_of_flow {
                        self.float(*child, width, &mut down, start);
                        continue;
                    }
                    self.child(*child, width, blocks, &mut down, start);
                }
            }
        }
        down.end()
    }

    fn child(&mut self, child: Id, width: Unit, blocks: Align, down: &mut Down, start: usize) {
        let style = self.style(child);
        let y = down.y + down.pending.with(Margin::new(style.margin[TOP].map_or(0, |margin| margin.of(width)))).value();
        let is_table = style.display == Display::Table;
        let mut space = AvailableSpace { width, blocks, shrink: false, floats: Vec::new(), y };
        let mut beside = 0;
        if !down.floats.is_empty() {
            if is_table {
                // Tables stand next to what floats, or below it.
                let min_content = self.outer_widths(child).0;
                let (y, left, right) = down.gap(y, min_content, width);
                if y > down.y {
                    down.settle();
                    down.y = down.y.max(y);
                }
                beside = left;
                space.width = (right - left).max(0);
            } else {
                space.floats.extend(down.floats.iter().filter(|floating| floating.y1 > y));
            }
        }
        let block = self.block(child, &space);
        if block.through {
            down.pending = down.pending.with(block.top).with(block.bottom);
            self.shift(start, beside, down.y + if down.at_top() { 0 } else { down.pending.value() });
            return;
        }
        down.pending = down.pending.with(block.top);
        down.settle();
        self.shift(start, beside, down.y);
        down.y += block.height;
        down.pending = block.bottom;
    }

    fn float(&mut self, child: Id, width: Unit, down: &mut Down, start: usize) {
        let style = self.style(child);
        let block = self.block(child, &AvailableSpace { shrink: true, ..AvailableSpace::new(width) });
        let outer = (block.x + block.width + block.right).max(0);
        let height = (block.top.value() + block.height + block.bottom.value()).max(0);
        let from = down.y + if down.at_top() { 0 } else { down.pending.value() };
        // What floats never stands above what floated before it.
        let from = down.floats.last().map_or(from, |last| from.max(last.y0));
        let (y, left, right) = down.gap(from, outer, width);
        let at_left = style.float != Float::Right;
        let x = if at_left { left } else { right - outer };
        self.shift(start, x, y + block.top.value());
        down.floats.push(Floating { left: at_left, x0: x, x1: x + outer, y0: y, y1: y + height });
    }
}

/// The way down a container.
struct Down {
    y: Unit,
    pending: Margin,
    /// The margin that went beyond the top, once it is known.
    top: Option<Margin>,
    collapse: MarginCollapse,
    floats: Vec<Floating>,
    /// How many of them float in an outer container.
    inherited: usize,
}

impl Down {
    /// Whether nothing has been placed yet and the margin goes beyond the top.
    fn at_top(&self) -> bool {
        self.top.is_none() && self.collapse.top
    }

    /// The margin so far is final.
    fn settle(&mut self) {
        if self.at_top() {
            self.top = Some(self.pending);
        } else {
            self.y += self.pending.value();
            self.top.get_or_insert_default();
        }
        self.pending = Margin::default();
    }

    fn clear(&mut self) {
        if let Some(below) = self.floats.iter().map(|floating| floating.y1).max() {
            let y = self.y + self.pending.value();
            if below > y {
                self.settle();
                self.y = below;
            }
        }
    }

    /// The first place from `y` on where something of that width fits beside what floats: where, from, to.
    fn gap(&self, y: Unit, wanted: Unit, width: Unit) -> (Unit, Unit, Unit) {
        let mut y = y;
        loop {
            let (left, right) = beside(&self.floats, y, 1, width);
            if right - left >= wanted {
                return (y, left, right);
            }
            let Some(next) = self.floats.iter().map(|floating| floating.y1).filter(|below| *below > y).min() else {
                return (y, left, right);
            };
            y = next;
        }
    }

    fn end(mut self) -> Contents {
        // What floats is enclosed: a simplification, since browsers let it reach into what follows.
        let own = &self.floats[self.inherited.min(self.floats.len())..];
        let below = own.iter().map(|floating| floating.y1).max().unwrap_or(0);
        if below > self.y {
            self.settle();
            self.y = self.y.max(below);
        }
        let through = self.at_top();
        let mut contents = Contents { through, ..Contents::default() };
        match (through, self.collapse.bottom) {
            (true, _) => contents.top = self.pending,
            (false, true) => contents.bottom = self.pending,
            (false, false) => self.y += self.pending.value(),
        }
        if let Some(top) = self.top.filter(|_| self.collapse.top) {
            contents.top = top;
        }
        contents.height = self.y.max(0);
        contents
    }
}

/// What floats leave of a width at a height.
pub fn beside(floats: &[Floating], y: Unit, height: Unit, width: Unit) -> (Unit, Unit) {
    let mut left = (0, width);
    for floating in floats.iter().filter(|floating| floating.y0 < y + height && floating.y1 > y) {
        if floating.left {
            left.0 = left.0.max(floating.x1);
        } else {
            left.1 = left.1.min(floating.x0);
        }
    }
    left
}

/// The lowest end of what floats at a height.
pub fn below(floats: &[Floating], y: Unit) -> Option<Unit> {
    floats.iter().filter(|floating| floating.y0 <= y && floating.y1 > y).map(|floating| floating.y1).min()
}
