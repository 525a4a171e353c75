//! Boxes: how wide they are, margins that collapse, what floats.

use super::gather::Item;
use super::{COLUMN, Content, Flow, ROW, list};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::Unit;
use crate::preview::layout::style::{Align, BOTTOM, Display, Float, LEFT, RIGHT, Style, TOP};

/// A margin that may still collapse with others: the largest of those that part, the largest of those that draw
/// together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    apart: Unit,
    together: Unit,
}

impl Margin {
    fn new(margin: Unit) -> Self {
        Self { apart: margin.max(0), together: margin.min(0) }
    }

    fn with(self, other: Self) -> Self {
        Self { apart: self.apart.max(other.apart), together: self.together.min(other.together) }
    }

    /// What it comes to.
    pub fn value(self) -> Unit {
        self.apart + self.together
    }
}

/// Where a block is to stand.
#[derive(Clone, Debug)]
pub struct Room {
    /// How wide its container is inside.
    pub width: Unit,
    /// How its container moves blocks.
    pub blocks: Align,
    /// Whether it is only as wide as its contents.
    pub shrink: bool,
    /// What floats beside it, from its container's inner corner, where the block is at `y`.
    pub floats: Vec<Floating>,
    /// Where it stands in its container.
    pub y: Unit,
}

impl Room {
    /// A container of that width with nothing in it.
    pub fn new(width: Unit) -> Self {
        Self { width, blocks: Align::Start, shrink: false, floats: Vec::new(), y: 0 }
    }
}

/// What floats.
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

/// Which margins of contents go beyond the container.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open {
    /// At the top.
    pub top: bool,
    /// At the bottom.
    pub bottom: bool,
}

impl Style {
    /// Padding and border on a side.
    pub fn inset(&self, side: usize, base: Unit) -> Unit {
        self.padding[side].of(base).max(0) + self.border[side].room()
    }

    /// A width or height as told, as that of the contents.
    fn content(&self, told: Unit, insets: Unit) -> Unit {
        (if self.border_box { told - insets } else { told }).max(0)
    }
}

impl Flow<'_> {
    /// Lays a block out, at the top of its container: the caller moves it down.
    pub(super) fn block(&mut self, id: Id, room: &Room) -> Block {
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
        let base = room.width;
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
            let insets = [TOP, RIGHT, BOTTOM, LEFT].map(|side| style.inset(side, base));
            let picture = &mut self.fragments[image];
            (picture.x, picture.y, picture.width, picture.height) = (insets[LEFT], insets[TOP], width, height);
            block.width = width + insets[LEFT] + insets[RIGHT];
            block.height = height + insets[TOP] + insets[BOTTOM];
        } else {
            self.plain_block(id, room, available, &mut block);
        }
        self.close(fragment);
        block.x = match (left, right) {
            // What floats or stands in a line has no margins that grow.
            _ if room.shrink => left.unwrap_or(0),
            (None, None) => ((base - block.width) / 2).max(0),
            (None, Some(right)) => (base - block.width - right).max(0),
            (Some(left), right) => {
                let free = (available - block.width).max(0);
                let moved = match room.blocks {
                    _ if right.is_none() => 0,
                    Align::Start => 0,
                    Align::Centre => free / 2,
                    Align::End => free,
                };
                left + moved
            }
        };
        block.right = right.unwrap_or(0);
        let box_ = &mut self.fragments[fragment];
        (box_.x, box_.width, box_.height) = (block.x, block.width, block.height);
        block
    }

    /// Everything but tables and images.
    fn plain_block(&mut self, id: Id, room: &Room, available: Unit, block: &mut Block) {
        let style = self.style(id);
        let base = room.width;
        let insets = [TOP, RIGHT, BOTTOM, LEFT].map(|side| style.inset(side, base));
        let across = insets[LEFT] + insets[RIGHT];
        let mut width = match style.width {
            Some(width) => style.content(width.of(base), across),
            None if room.shrink => {
                let (least, most) = self.content_widths(id);
                most.min(available - across).max(least)
            }
            None => available - across,
        };
        if let Some(most) = style.max_width {
            width = width.min(style.content(most.of(base), across));
        }
        if let Some(least) = style.min_width {
            width = width.max(style.content(least.of(base), across));
        }
        let width = width.max(0);
        block.width = width + across;

        let down = insets[TOP] + insets[BOTTOM];
        let told = |length: Option<crate::preview::layout::style::value::Length>| {
            length.filter(|length| !length.is_relative()).map(|length| style.content(length.fixed, down))
        };
        let height = told(style.height);
        let alone = room.shrink || style.clips || matches!(style.display, Display::Cell | Display::Caption);
        let open = Open {
            top: !alone && insets[TOP] == 0,
            bottom: !alone && insets[BOTTOM] == 0 && height.is_none() && told(style.min_height).unwrap_or(0) == 0,
        };
        // What floats beside the block narrows its lines.
        let left = style.margin[LEFT].map_or(0, |margin| margin.of(base)) + insets[LEFT];
        let y = room.y + insets[TOP];
        let floats = room.floats.iter().map(|floating| Floating {
            x0: floating.x0 - left,
            x1: floating.x1 - left,
            y0: floating.y0 - y,
            y1: floating.y1 - y,
            ..*floating
        });
        let floats = floats.filter(|floating| floating.y1 > 0).collect();
        let start = self.fragments.len();
        let contents = self.contents(id, width, open, floats);
        self.shift(start, insets[LEFT], insets[TOP]);
        let mut inner = contents.height.max(height.unwrap_or(0));
        // Text of cells may be higher than the text that the author measured: only what hides the rest is held to.
        if style.clips {
            inner = height.unwrap_or(inner).min(told(style.max_height).unwrap_or(Unit::MAX));
        }
        inner = inner.max(told(style.min_height).unwrap_or(0));
        block.height = inner + down;
        block.through = contents.through && block.height == 0 && !alone;
        block.top = block.top.with(contents.top);
        block.bottom = block.bottom.with(contents.bottom);
        if style.display == Display::ListItem {
            self.marker(id, insets[LEFT], insets[TOP]);
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
    pub(super) fn contents(&mut self, id: Id, width: Unit, open: Open, floats: Vec<Floating>) -> Contents {
        let blocks = self.style(id).text.blocks;
        let mut down = Down { y: 0, pending: Margin::default(), top: None, open, floats, inherited: 0 };
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
                    let room = width;
                    let fragment = self.push(id, Content::Group);
                    let (wide, height) = self.bare_table(id, cells, room);
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

    /// A block in the flow.
    fn child(&mut self, child: Id, width: Unit, blocks: Align, down: &mut Down, start: usize) {
        let style = self.style(child);
        let y = down.y + down.pending.with(Margin::new(style.margin[TOP].map_or(0, |margin| margin.of(width)))).value();
        let is_table = style.display == Display::Table;
        let mut room = Room { width, blocks, shrink: false, floats: Vec::new(), y };
        let mut beside = 0;
        if !down.floats.is_empty() {
            if is_table {
                // Tables stand beside what floats, or below it.
                let least = self.outer_widths(child).0;
                let (y, left, right) = down.gap(y, least, width);
                if y > down.y {
                    down.settle();
                    down.y = down.y.max(y);
                }
                beside = left;
                room.width = (right - left).max(0);
            } else {
                room.floats.clone_from(&down.floats);
            }
        }
        let block = self.block(child, &room);
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

    /// A block beside the flow.
    fn float(&mut self, child: Id, width: Unit, down: &mut Down, start: usize) {
        let style = self.style(child);
        let block = self.block(child, &Room { shrink: true, ..Room::new(width) });
        let outer = (block.x + block.width + block.right).max(0);
        let height = (block.top.value() + block.height + block.bottom.value()).max(0);
        let from = down.y + if down.at_top() { 0 } else { down.pending.value() };
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
    open: Open,
    floats: Vec<Floating>,
    /// How many of them float in a container further out.
    inherited: usize,
}

impl Down {
    /// Whether nothing has been placed yet and the margin goes beyond the top.
    fn at_top(&self) -> bool {
        self.top.is_none() && self.open.top
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
        match (through, self.open.bottom) {
            (true, true) => contents.top = self.pending,
            (true, false) => contents.top = self.pending,
            (false, true) => contents.bottom = self.pending,
            (false, false) => self.y += self.pending.value(),
        }
        if let Some(top) = self.top.filter(|_| self.open.top) {
            contents.top = top;
        }
        contents.height = self.y.max(0);
        contents
    }
}

/// What floats leave of a width at a height.
pub fn beside(floats: &[Floating], y: Unit, height: Unit, width: Unit) -> (Unit, Unit) {
    let mut room = (0, width);
    for floating in floats.iter().filter(|floating| floating.y0 < y + height && floating.y1 > y) {
        if floating.left {
            room.0 = room.0.max(floating.x1);
        } else {
            room.1 = room.1.min(floating.x0);
        }
    }
    room
}

/// The lowest end of what floats at a height.
pub fn below(floats: &[Floating], y: Unit) -> Option<Unit> {
    floats.iter().filter(|floating| floating.y0 <= y && floating.y1 > y).map(|floating| floating.y1).min()
}
