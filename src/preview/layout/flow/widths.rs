//! The min-content and the max-content width of blocks, in this order.

use super::Flow;
use super::box_tree::Item;
use super::line::seam;
use super::paragraph::{Paragraph, What};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::{Length, Unit};
use crate::preview::layout::style::{Display, Float, LEFT, RIGHT};

impl Flow<'_> {
    /// The widths of a block's contents.
    pub(super) fn content_widths(&mut self, id: Id) -> (Unit, Unit) {
        if let Some(widths) = self.widths.get(&id) {
            return *widths;
        }
        let mut widths: (Unit, Unit) = (0, 0);
        let mut floating = 0;
        for (index, item) in self.items(id).iter().enumerate() {
            let (min_content, max_content) = match item {
                Item::Lines(_) => {
                    let paragraph = self.paragraph(id, index);
                    self.line_widths(&paragraph)
                }
                Item::Cells(cells) => self.table_widths(id, cells),
                Item::Block(child) => self.outer_widths(*child),
            };
            let beside = matches!(item, Item::Block(child) if self.style(*child).float != Float::None);
            floating = if beside { floating + max_content } else { 0 };
            widths = (widths.0.max(min_content), widths.1.max(max_content).max(floating));
        }
        self.widths.insert(id, widths);
        widths
    }

    /// The widths of a block with its margins.
    pub(super) fn outer_widths(&mut self, id: Id) -> (Unit, Unit) {
        let style = self.style(id);
        let fixed = |length: Option<Length>| length.filter(|length| !length.is_relative()).map(|length| length.fixed);
        let border_padding = style.border_padding(LEFT, 0) + style.border_padding(RIGHT, 0);
        let margins = [LEFT, RIGHT].iter().map(|side| fixed(style.margin[*side]).unwrap_or(0)).sum::<Unit>();
        let is_image = self.dom.element(id).is_some_and(|element| element.name() == "img");
        let is_table = matches!(style.display, Display::Table | Display::InlineTable);
        let outer =
            |specified: Unit| if style.border_box { specified.max(border_padding) } else { specified + border_padding };
        let (mut min_content, mut max_content) = if is_image {
            let is_relative = |length: Option<Length>| length.is_some_and(Length::is_relative);
            // A percentage of the container asks nothing of it. A limit in percent lets it shrink, but its max-content
            // width is the specified or natural one, without the limit.
            let max_content = match style.width {
                Some(width) if width.is_relative() => width.fixed.max(0),
                _ if is_relative(style.max_width) => self.image_width(id, 0),
                _ => self.image_size(id, 0).0,
            };
            let is_soft = is_relative(style.width) || is_relative(style.max_width);
            (if is_soft { 0 } else { max_content + border_padding }, max_content + border_padding)
        } else if is_table {
            let (min_content, max_content) = self.table_widths_of(id);
            fixed(style.width)
                .map_or((min_content, max_content), |width| (min_content.max(width), min_content.max(width)))
        } else if let Some(width) = fixed(style.width) {
            (outer(width), outer(width))
        } else {
            let (min_content, max_content) = self.content_widths(id);
            (min_content + border_padding, max_content + border_padding)
        };
        let floor = if is_table { min_content } else { 0 };
        if let Some(limit) = fixed(style.max_width) {
            min_content = min_content.min(outer(limit)).max(floor);
            max_content = max_content.min(outer(limit)).max(floor);
        }
        if let Some(limit) = fixed(style.min_width) {
            min_content = min_content.max(outer(limit));
            max_content = max_content.max(outer(limit));
        }
        (min_content + margins, max_content.max(min_content) + margins)
    }

    /// The widths of lines: their widest part that is not broken, and the widest of them; each with the least length
    /// there is, since Chromium's texts are that much wider than their letters.
    fn line_widths(&mut self, paragraph: &Paragraph) -> (Unit, Unit) {
        let (mut min_content, mut max_content) = (0, 0);
        let (mut part, mut line, mut blanks) = (0, 0, 0);
        for (index, token) in paragraph.tokens.iter().enumerate() {
            if token.chance {
                min_content = min_content.max(part);
                part = 0;
            }
            match token.what {
                What::Word { width, blank: true, style, .. } => {
                    blanks += width;
                    if !self.style(style).text.wraps {
                        part += width;
                    }
                }
                What::Word { width, start, end, style, .. } => {
                    line += blanks + width;
                    blanks = 0;
                    if self.style(style).text.breaks_anywhere && self.style(style).text.wraps {
                        // Broken between any two letters.
                        let wide = paragraph.text[start..end].is_ascii();
                        part = part.max(super::COLUMN * if wide { 1 } else { 2 });
                    } else {
                        part += width;
                    }
                }
                What::Open(node) => {
                    let edge = self.side(node, LEFT, 0) + seam(paragraph, index);
                    part += edge;
                    line += edge;
                }
                What::Close(node) => {
                    let edge = self.side(node, RIGHT, 0) + seam(paragraph, index);
                    part += edge;
                    line += edge;
                }
                What::Break(_) => {
                    max_content = max_content.max(line);
                    min_content = min_content.max(part);
                    (part, line, blanks) = (0, 0, 0);
                }
                What::Atom(node) => {
                    let (narrow, wide) = self.outer_widths(node);
                    part += narrow;
                    line += blanks + wide;
                    blanks = 0;
                }
            }
        }
        let (min_content, max_content) = (min_content.max(part), max_content.max(line));
        (min_content + Unit::from(min_content > 0), max_content + Unit::from(max_content > 0))
    }

    /// Margin, border and padding at an end of an inline element.
    pub(super) fn side(&self, node: Id, side: usize, base: Unit) -> Unit {
        let style = self.style(node);
        style.margin[side].map_or(0, |margin| margin.of(base)) + style.border_padding(side, base)
    }
}
