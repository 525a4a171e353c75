//! The least and the most width that contents want.

use super::Flow;
use super::gather::Item;
use super::line::seam;
use super::paragraph::{Paragraph, What};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::{Length, Unit};
use crate::preview::layout::style::{Display, Float, LEFT, RIGHT};

impl Flow<'_> {
    /// What a block's contents want.
    pub(super) fn content_widths(&mut self, id: Id) -> (Unit, Unit) {
        if let Some(widths) = self.widths.get(&id) {
            return *widths;
        }
        let mut widths: (Unit, Unit) = (0, 0);
        let mut floating = 0;
        for (index, item) in self.items(id).iter().enumerate() {
            let (least, most) = match item {
                Item::Lines(_) => {
                    let paragraph = self.paragraph(id, index);
                    self.line_widths(&paragraph)
                }
                Item::Cells(cells) => self.table_widths(id, cells),
                Item::Block(child) => self.outer_widths(*child),
            };
            let beside = matches!(item, Item::Block(child) if self.style(*child).float != Float::None);
            floating = if beside { floating + most } else { 0 };
            widths = (widths.0.max(least), widths.1.max(most).max(floating));
        }
        self.widths.insert(id, widths);
        widths
    }

    /// What a block wants with its margins.
    pub(super) fn outer_widths(&mut self, id: Id) -> (Unit, Unit) {
        let style = self.style(id);
        let fixed = |length: Option<Length>| length.filter(|length| !length.is_relative()).map(|length| length.fixed);
        let insets = style.inset(LEFT, 0) + style.inset(RIGHT, 0);
        let margins = [LEFT, RIGHT].iter().map(|side| fixed(style.margin[*side]).unwrap_or(0)).sum::<Unit>();
        let is_image = self.dom.element(id).is_some_and(|element| element.name() == "img");
        let is_table = matches!(style.display, Display::Table | Display::InlineTable);
        let outer = |told: Unit| if style.border_box { told.max(insets) } else { told + insets };
        let (mut least, mut most) = if is_image {
            let is_relative = |length: Option<Length>| length.is_some_and(Length::is_relative);
            // What is measured against its container asks nothing of it. A limit in percent lets it shrink, but what it
            // would like is what it is told, or is, without the limit.
            let most = match style.width {
                Some(width) if width.is_relative() => width.fixed.max(0),
                _ if is_relative(style.max_width) => self.image_width(id, 0),
                _ => self.image_size(id, 0).0,
            };
            let is_soft = is_relative(style.width) || is_relative(style.max_width);
            (if is_soft { 0 } else { most + insets }, most + insets)
        } else if is_table {
            let (least, most) = self.table_widths_of(id);
            fixed(style.width).map_or((least, most), |width| (least.max(width), least.max(width)))
        } else if let Some(width) = fixed(style.width) {
            (outer(width), outer(width))
        } else {
            let (least, most) = self.content_widths(id);
            (least + insets, most + insets)
        };
        let floor = if is_table { least } else { 0 };
        if let Some(limit) = fixed(style.max_width) {
            least = least.min(outer(limit)).max(floor);
            most = most.min(outer(limit)).max(floor);
        }
        if let Some(limit) = fixed(style.min_width) {
            least = least.max(outer(limit));
            most = most.max(outer(limit));
        }
        (least + margins, most.max(least) + margins)
    }

    /// What lines want, and the least length there is: Chromium's texts are that much wider than their letters.
    ///
    /// Least is their widest part that is not broken, most the widest of them.
    fn line_widths(&mut self, paragraph: &Paragraph) -> (Unit, Unit) {
        let (mut least, mut most) = (0, 0);
        let (mut part, mut line, mut blanks) = (0, 0, 0);
        for (index, token) in paragraph.tokens.iter().enumerate() {
            if token.chance {
                least = least.max(part);
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
                    let room = self.side(node, LEFT, 0) + seam(paragraph, index);
                    part += room;
                    line += room;
                }
                What::Close(node) => {
                    let room = self.side(node, RIGHT, 0) + seam(paragraph, index);
                    part += room;
                    line += room;
                }
                What::Break(_) => {
                    most = most.max(line);
                    least = least.max(part);
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
        let (least, most) = (least.max(part), most.max(line));
        (least + Unit::from(least > 0), most + Unit::from(most > 0))
    }

    /// Margin, border and padding at an end of an inline element.
    pub(super) fn side(&self, node: Id, side: usize, base: Unit) -> Unit {
        let style = self.style(node);
        style.margin[side].map_or(0, |margin| margin.of(base)) + style.inset(side, base)
    }
}
