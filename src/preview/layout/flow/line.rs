//! Lines are filled.

use std::rc::Rc;

use unicode_segmentation::UnicodeSegmentation as _;

use super::block::{AvailableSpace, Floating, below, beside};
use super::box_tree::Item;
use super::paragraph::{Paragraph, What};
use super::{ASCENT, COLUMN, Content, Flow, Fragment, ROW};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::Unit;
use crate::preview::layout::style::{Align, BOTTOM, LEFT, RIGHT, TOP, Text, VerticalAlign};
use crate::text::width;

/// What stands in a line.
struct Placed {
    x: Unit,
    width: Unit,
    what: Place,
}

enum Place {
    Text { start: usize, end: usize, style: Id, blank: bool },
    Open(Id),
    Close(Id),
    Atom(Atom),
}

/// A block within a line.
struct Atom {
    fragments: Vec<Fragment>,
    node: Id,
    x: Unit,
    outer: Unit,
    /// From margin to margin.
    height: Unit,
    /// From its top to what stands on the line.
    base: Unit,
    top: Unit,
}

/// A line that is being filled.
#[derive(Default)]
struct Line {
    places: Vec<Placed>,
    x: Unit,
    /// Where what is not blank ends.
    solid: Unit,
    /// Whether anything stands in it.
    filled: bool,
}

/// Lines of a container that are being filled.
struct Filler<'p> {
    container: Id,
    paragraph: &'p Paragraph,
    floats: &'p [Floating],
    width: Unit,
    /// Where the lines begin in the container.
    top: Unit,
    /// How far down the next line is.
    y: Unit,
    line: Line,
    /// Inline elements that have begun before the line.
    open: Vec<Id>,
    /// What floats leave for the line: from, to.
    available: (Unit, Unit),
}

impl Flow<'_> {
    /// A container's paragraph, built once.
    pub(super) fn paragraph(&mut self, container: Id, index: usize) -> Rc<Paragraph> {
        if let Some(paragraph) = self.paragraphs.get(&(container, index)) {
            return Rc::clone(paragraph);
        }
        let items = self.items(container);
        let paragraph = match items.get(index) {
            Some(Item::Lines(pieces)) => self.build(pieces),
            _ => Paragraph::default(),
        };
        let paragraph = Rc::new(paragraph);
        self.paragraphs.insert((container, index), Rc::clone(&paragraph));
        paragraph
    }

    /// Fills lines from `top` on; returns how high they are.
    pub(super) fn lines(
        &mut self,
        container: Id,
        paragraph: &Paragraph,
        width: Unit,
        floats: &[Floating],
        top: Unit,
    ) -> Unit {
        let mut filler = Filler {
            container,
            paragraph,
            floats,
            width,
            top,
            y: 0,
            line: Line::default(),
            open: Vec::new(),
            available: beside(floats, top, ROW, width),
        };
        let mut atoms: Vec<Option<Atom>> = Vec::new();
        for token in &paragraph.tokens {
            if let What::Atom(node) = token.what {
                let atom = self.atom(node, width);
                atoms.push(Some(atom));
            }
        }
        let mut next_atom = 0;
        for (index, token) in paragraph.tokens.iter().enumerate() {
            if self.exhausted {
                break;
            }
            if token.chance && filler.line.filled {
                let part = self.part(paragraph, index, &atoms, next_atom, width);
                if filler.line.x + part > filler.available.1 - filler.available.0 {
                    self.end_line(&mut filler, None);
                }
            }
            match token.what {
                What::Word { start, end, style, width, blank } => {
                    self.word(&mut filler, (start, end), style, width, blank);
                }
                What::Open(node) => {
                    filler.line.x += seam(paragraph, index);
                    let x = filler.line.x;
                    filler.line.places.push(Placed { x, width: 0, what: Place::Open(node) });
                    filler.advance(self.side(node, LEFT, width));
                }
                What::Close(node) => {
                    filler.line.x += seam(paragraph, index);
                    filler.advance(self.side(node, RIGHT, width));
                    let x = filler.line.x;
                    filler.line.places.push(Placed { x, width: 0, what: Place::Close(node) });
                }
                What::Break(node) => {
                    self.end_line(&mut filler, Some(node));
                    if self.style(node).clear {
                        while let Some(y) = below(filler.floats, filler.top + filler.y) {
                            filler.y = y - filler.top;
                        }
                    }
                }
                What::Atom(_) => {
                    if let Some(atom) = atoms.get_mut(next_atom).and_then(Option::take) {
                        filler.below_floats(atom.outer);
                        let x = filler.line.x;
                        let outer = atom.outer;
                        filler.line.places.push(Placed { x, width: outer, what: Place::Atom(atom) });
                        filler.line.x += outer;
                        filler.line.solid = filler.line.x;
                        filler.line.filled = true;
                    }
                    next_atom += 1;
                }
            }
        }
        if filler.line.filled || filler.line.places.iter().any(|place| !matches!(place.what, Place::Text { .. })) {
            self.end_line(&mut filler, None);
        }
        filler.y
    }

    /// How wide what follows is up to where the line may break again.
    fn part(&self, paragraph: &Paragraph, from: usize, atoms: &[Option<Atom>], atom: usize, base: Unit) -> Unit {
        let mut atom = atom;
        let mut part = 0;
        for (index, token) in paragraph.tokens[from..].iter().enumerate() {
            if index > 0 && token.chance {
                break;
            }
            match token.what {
                What::Word { blank: true, .. } | What::Break(_) => break,
                What::Word { width, .. } => part += width,
                What::Open(node) => part += self.side(node, LEFT, base),
                What::Close(node) => part += self.side(node, RIGHT, base),
                What::Atom(_) => {
                    part += atoms.get(atom).and_then(Option::as_ref).map_or(0, |atom| atom.outer);
                    atom += 1;
                }
            }
        }
        part
    }

    /// Lays a block within a line out.
    fn atom(&mut self, node: Id, width: Unit) -> Atom {
        let start = self.fragments.len();
        let block = self.block(node, &AvailableSpace { shrink: true, ..AvailableSpace::new(width) });
        let (top, bottom) = (block.top.value(), block.bottom.value());
        let base = self.base_line(start).map_or(block.height + bottom, |base| base);
        let fragments = self.fragments.split_off(start);
        Atom {
            fragments,
            node,
            x: 0,
            outer: (block.x + block.width + block.right).max(0),
            height: top + block.height + bottom,
            base: base + top,
            top,
        }
    }

    /// Where the last line of what was laid out since stands, from the top.
    fn base_line(&self, start: usize) -> Option<Unit> {
        let mut base = None;
        let mut stack: Vec<(usize, Unit)> = Vec::new();
        for (at, fragment) in self.fragments.iter().enumerate().skip(start) {
            while stack.last().is_some_and(|(end, _)| at >= *end) {
                stack.pop();
            }
            let y = stack.last().map_or(0, |(_, y)| *y) + if at == start { 0 } else { fragment.y };
            match fragment.content {
                Content::Text(..) => base = Some(y + ASCENT),
                Content::Clip => return None,
                _ => {}
            }
            stack.push((at + fragment.count + 1, y));
        }
        base
    }

    /// A word, or blanks.
    fn word(&mut self, filler: &mut Filler, (start, end): (usize, usize), style: Id, width: Unit, blank: bool) {
        let look = &self.style(style).text;
        if blank && !filler.line.filled {
            return;
        }
        if !blank {
            filler.below_floats(if look.breaks_words { COLUMN } else { width });
            let available = filler.available.1 - filler.available.0;
            if filler.line.x + width > available && look.wraps && look.breaks_words && width > 0 {
                self.broken(filler, (start, end), style);
                return;
            }
        }
        let x = filler.line.x;
        filler.line.places.push(Placed { x, width, what: Place::Text { start, end, style, blank } });
        filler.line.x += width;
        if !blank {
            filler.line.solid = filler.line.x;
            filler.line.filled = true;
        }
    }

    /// A word that is too long for a line, in parts.
    fn broken(&mut self, filler: &mut Filler, (start, end): (usize, usize), style: Id) {
        let text = &filler.paragraph.text[start..end];
        let mut from = start;
        let mut part = 0;
        for (at, grapheme) in text.grapheme_indices(true) {
            let wide = Unit::try_from(width(grapheme)).unwrap_or(0) * COLUMN;
            let available = filler.available.1 - filler.available.0;
            if filler.line.x + part + wide > available && (part > 0 || filler.line.filled) {
                filler.text((from, start + at), style, part);
                self.end_line(filler, None);
                (from, part) = (start + at, 0);
            }
            part += wide;
        }
        filler.text((from, end), style, part);
    }

    /// The line is full: everything in it gets its place.
    fn end_line(&mut self, filler: &mut Filler, at: Option<Id>) {
        let mut line = std::mem::take(&mut filler.line);
        if self.style(filler.container).text.rtl {
            line.reverse();
        }
        let (above, under) = self.height(filler, &line, at);
        let free = (filler.available.1 - filler.available.0 - line.solid).max(0);
        let left = filler.available.0
            + match self.style(filler.container).text.align {
                Align::Start => 0,
                Align::Centre => free / 2,
                Align::End => free,
            };
        let top = filler.top + filler.y;
        let base = top + above;
        self.inline_boxes(filler, &line, left, base - ASCENT);
        let mut run: Option<(usize, usize, Id, Unit, Unit)> = None;
        for place in line.places {
            match place.what {
                // Blanks at the end hang out of the line and are not seen.
                Place::Text { blank: true, .. } if place.x >= line.solid => {}
                Place::Text { start, end, style, .. } => match &mut run {
                    Some((_, last, same, _, width)) if *last == start && *same == style => {
                        *last = end;
                        *width += place.width;
                    }
                    _ => {
                        self.place_text(filler, run.take(), left, base);
                        run = Some((start, end, style, place.x, place.width));
                    }
                },
                Place::Open(_) | Place::Close(_) => self.place_text(filler, run.take(), left, base),
                Place::Atom(atom) => {
                    self.place_text(filler, run.take(), left, base);
                    let y = top
                        + match self.style(atom.node).vertical_align {
                            VerticalAlign::Baseline => above - atom.base,
                            VerticalAlign::Top => 0,
                            VerticalAlign::Middle => (above + under - atom.height) / 2,
                            VerticalAlign::Bottom => above + under - atom.height,
                        };
                    let start = self.fragments.len();
                    self.fragments.extend(atom.fragments);
                    self.shift(start, left + place.x + atom.x, y + atom.top);
                }
            }
        }
        self.place_text(filler, run, left, base);
        filler.y += above + under;
        filler.available = beside(filler.floats, filler.top + filler.y, ROW, filler.width);
    }

    fn place_text(&mut self, filler: &Filler, run: Option<(usize, usize, Id, Unit, Unit)>, left: Unit, base: Unit) {
        let Some((start, end, style, x, width)) = run else { return };
        if width == 0 {
            return;
        }
        let (start, end) = self.keep(&filler.paragraph.text[start..end]);
        let fragment = self.push(style, Content::Text(start, end));
        let text = &mut self.fragments[fragment];
        (text.x, text.y, text.width, text.height) = (left + x, base - ASCENT, width, ROW);
    }

    /// How far a line reaches above and below where its letters stand.
    fn height(&self, filler: &Filler, line: &Line, at: Option<Id>) -> (Unit, Unit) {
        let has_text = line.places.iter().any(|place| matches!(place.what, Place::Text { .. }));
        let has_room = has_text || line.places.is_empty() || at.is_some();
        let strut = if self.dom.loose && !has_room { 0 } else { self.strut(filler, line) };
        // A line's foot is where letters hang below it.
        let (mut above, mut under) = (strut * ASCENT / ROW, strut - strut * ASCENT / ROW);
        let mut tallest = 0;
        for place in &line.places {
            if let Place::Atom(atom) = &place.what {
                match self.style(atom.node).vertical_align {
                    VerticalAlign::Baseline => {
                        above = above.max(atom.base);
                        under = under.max(atom.height - atom.base);
                    }
                    VerticalAlign::Middle => {
                        let half = atom.height / 2;
                        let middle = 4 * COLUMN / 8;
                        above = above.max(half + middle);
                        under = under.max(atom.height - half - middle);
                    }
                    VerticalAlign::Top | VerticalAlign::Bottom => tallest = tallest.max(atom.height),
                }
            }
        }
        if tallest > above + under {
            under = tallest - above;
        }
        (above, under)
    }

    /// How high a line is for its text alone: a row, but for those that only make space.
    fn strut(&self, filler: &Filler, line: &Line) -> Unit {
        let own = &self.style(filler.container).text;
        let mut height = line_height(own).unwrap_or(ROW).min(ROW);
        for place in &line.places {
            if let Place::Text { start, end, style, .. } = place.what {
                let look = &self.style(style).text;
                let empty = place.width == 0
                    || filler.paragraph.text[start..end]
                        .chars()
                        .all(|c| matches!(c, ' ' | '\u{a0}' | '\u{2002}'..='\u{200b}'));
                if empty {
                    let text_height = line_height(look).unwrap_or(ROW);
                    if line.places.len() == 1 {
                        return text_height;
                    }
                    height = height.max(text_height.min(ROW));
                } else {
                    return ROW;
                }
            }
        }
        height
    }

    /// Boxes of inline elements, behind the text.
    fn inline_boxes(&mut self, filler: &mut Filler, line: &Line, left: Unit, top: Unit) {
        // Elements, where they begin, and whether they do so in this line.
        let mut open: Vec<(Id, Unit, bool)> = filler.open.iter().map(|node| (*node, 0, false)).collect();
        let mut boxes = Vec::new();
        for place in &line.places {
            match place.what {
                Place::Open(node) => open.push((node, place.x, true)),
                Place::Close(node) => {
                    if let Some(at) = open.iter().rposition(|(it, ..)| *it == node) {
                        let (node, x, begins) = open.remove(at);
                        boxes.push((at, node, x, place.x, begins, true));
                    }
                }
                _ => {}
            }
        }
        boxes
            .extend(open.iter().enumerate().map(|(at, (node, x, begins))| (at, *node, *x, line.solid, *begins, false)));
        filler.open = open.into_iter().map(|(node, ..)| node).collect();
        boxes.sort_by_key(|(depth, ..)| *depth);
        for (_, node, from, to, begins, ends) in boxes {
            let style = self.style(node);
            let seen = style.background.is_some() || style.border.iter().any(|edge| edge.used_width() > 0);
            let margin = |side: usize| style.margin[side].map_or(0, |margin| margin.of(filler.width));
            let from = from + if begins { margin(LEFT) } else { 0 };
            let to = to - if ends { margin(RIGHT) } else { 0 };
            if !seen || to <= from {
                continue;
            }
            let (above, under) = (style.border_padding(TOP, filler.width), style.border_padding(BOTTOM, filler.width));
            let fragment = self.push(node, Content::Inline(begins, ends));
            let box_ = &mut self.fragments[fragment];
            (box_.x, box_.y) = (left + from, top - above);
            (box_.width, box_.height) = (to - from, above + ROW + under);
        }
    }
}

impl Line {
    /// Reverses blocks within the line; text from right to left is not laid out.
    fn reverse(&mut self) {
        let is_text = |place: &Placed| matches!(place.what, Place::Text { blank: false, .. });
        if !self.places.iter().any(is_text) {
            for place in self.places.iter_mut().filter(|place| place.x < self.solid) {
                place.x = self.solid - place.x - place.width;
            }
        }
    }
}

impl Filler<'_> {
    fn advance(&mut self, by: Unit) {
        self.line.x += by;
        if by > 0 {
            self.line.solid = self.line.x;
            self.line.filled = true;
        }
    }

    fn text(&mut self, (start, end): (usize, usize), style: Id, width: Unit) {
        if start == end {
            return;
        }
        let x = self.line.x;
        self.line.places.push(Placed { x, width, what: Place::Text { start, end, style, blank: false } });
        self.line.x += width;
        self.line.solid = self.line.x;
        self.line.filled = true;
    }

    /// Goes down to where something fits beside what floats, while the line is empty.
    fn below_floats(&mut self, wanted: Unit) {
        while !self.line.filled && self.line.x + wanted > self.available.1 - self.available.0 {
            let Some(y) = below(self.floats, self.top + self.y) else { return };
            self.y = y - self.top;
            self.available = beside(self.floats, y, ROW, self.width);
        }
    }
}

/// What a text is wider than its letters in Chromium, where something else follows it: a line that is exactly as wide
/// as two texts does not hold them.
pub fn seam(paragraph: &Paragraph, index: usize) -> Unit {
    let before = index.checked_sub(1).and_then(|before| paragraph.tokens.get(before));
    Unit::from(before.is_some_and(|token| matches!(token.what, What::Word { .. })))
}

/// The specified height of a line; `None` if the font decides.
fn line_height(look: &Text) -> Option<Unit> {
    match (look.line, look.line_factor) {
        (Some(line), _) => Some(line),
        (None, Some(factor)) => Some(look.size * factor / 64),
        (None, None) => (look.size < 8 * 64).then_some(look.size * 9 / 8),
    }
}
