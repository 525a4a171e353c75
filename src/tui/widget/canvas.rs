//! The one way onto the buffer: every text passes [`plain`] here, so nothing from outside reaches the terminal raw,
//! whichever screen draws it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use crate::text::{fit, plain, width};
use crate::tui::theme::{Glyphs, Theme, Tone};

/// A buffer and the theme it is drawn with.
pub struct Canvas<'a> {
    buf: &'a mut Buffer,
    pub theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    pub fn new(buf: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buf, theme }
    }

    #[must_use]
    pub fn glyphs(&self) -> &'static Glyphs {
        self.theme.glyphs()
    }

    /// A meaning's style.
    #[must_use]
    pub fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// The part of a rectangle that is on the buffer.
    #[must_use]
    pub fn clip(&self, area: Rect) -> Rect {
        area.intersection(self.buf.area)
    }

    /// Text as it may be shown here.
    fn clean(&self, text: &str) -> String {
        let text = plain(text).into_string();
        if self.theme.is_unicode() || text.is_ascii() { text } else { ascii(&text) }
    }

    /// Writes text into the first row of an area, cut where it ends; returns the columns used.
    pub fn text(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let area = self.clip(area);
        if area.is_empty() {
            return 0;
        }
        let text = fit(&self.clean(text), usize::from(area.width), self.glyphs().ellipsis);
        self.buf.set_stringn(area.x, area.y, &text, usize::from(area.width), style);
        u16::try_from(width(&text)).unwrap_or(area.width)
    }

    /// Writes a styled line into the first row of an area, cut where it ends; returns the columns used.
    pub fn line(&mut self, area: Rect, line: &Line<'_>) -> u16 {
        let area = self.clip(area);
        let mut used = 0;
        for (at, span) in line.spans.iter().enumerate() {
            let room = Rect { x: area.x + used, width: area.width - used, ..area };
            if room.is_empty() {
                break;
            }
            let wide = width(&self.clean(&span.content));
            // Cut here, and not at the next span, if the ellipsis would have no room there.
            let more = line.spans[at + 1..].iter().any(|s| !s.content.trim().is_empty());
            let cut = wide == usize::from(room.width) && more && wide > 1;
            let text = if cut { format!("{}  ", span.content) } else { span.content.to_string() };
            used += self.text(room, &text, line.style.patch(span.style));
        }
        used
    }

    /// Puts one character, made plain, into the first cell of an area, or none where it is too wide for it.
    pub fn cell(&mut self, area: Rect, symbol: &str, style: Style) {
        let area = self.clip(area);
        let wide = width(symbol);
        if area.is_empty() {
            return;
        }
        let symbol = if wide > usize::from(area.width) { " " } else { symbol };
        let symbol = self.clean(symbol);
        self.buf.set_stringn(area.x, area.y, &symbol, usize::from(area.width).min(wide.max(1)), style);
    }

    /// Fills the first row of an area with blanks of a style.
    pub fn fill(&mut self, area: Rect, style: Style) {
        let area = self.clip(row(area, 0));
        self.clear(area);
        self.buf.set_style(area, style);
    }

    /// Adds a style to what stands in an area.
    pub fn restyle(&mut self, area: Rect, style: Style) {
        let area = self.clip(area);
        self.buf.set_style(area, style);
    }

    pub fn clear(&mut self, area: Rect) {
        let area = self.clip(area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
            }
            // A wide character that reaches into the area from the left would be cut in half by the terminal.
            if area.width > 0
                && let Some(left) = area.x.checked_sub(1).filter(|x| *x >= self.buf.area.x)
                && width(self.buf[(left, y)].symbol()) > 1
            {
                self.buf[(left, y)].set_symbol(" ");
            }
        }
    }

    /// Fills the first row of an area with a glyph one column wide.
    pub fn rule(&mut self, area: Rect, glyph: &'static str, tone: Tone) {
        let area = self.clip(area);
        let style = self.style(tone);
        for x in area.left()..area.right().min(if area.height > 0 { area.right() } else { area.left() }) {
            self.buf[(x, area.y)].set_symbol(glyph).set_style(style);
        }
    }

    /// Whether a rule of the thin kind stands in an area's first cell.
    #[must_use]
    pub fn is_rule(&self, area: Rect) -> bool {
        let area = self.clip(area);
        !area.is_empty() && self.buf[(area.x, area.y)].symbol() == self.glyphs().rule
    }

    /// Fills the first column of an area with a glyph one column wide.
    pub fn upright(&mut self, area: Rect, glyph: &'static str, tone: Tone) {
        let area = self.clip(area);
        if area.width == 0 {
            return;
        }
        let style = self.style(tone);
        for y in area.top()..area.bottom() {
            self.buf[(area.x, y)].set_symbol(glyph).set_style(style);
        }
    }

    /// Says at the right edge of an area that there is more above or below.
    pub fn beyond(&mut self, area: Rect, is_above: bool, is_below: bool) {
        let [above, below] = self.glyphs().beyond;
        let style = self.style(Tone::Strong);
        for (is_so, n, glyph) in [(is_above, 0, above), (is_below, area.height.saturating_sub(1), below)] {
            let place = row(area, n);
            if is_so && place.width > 1 {
                self.text(Rect { x: place.right() - 1, width: 1, ..place }, glyph, style);
            }
        }
    }

    /// Steps an area back behind what covers it.
    pub fn dim(&mut self, area: Rect) {
        let area = self.clip(area);
        let style = Style::reset().add_modifier(Modifier::DIM);
        self.buf.set_style(area, style);
    }
}

/// Replaces the marks that we write ourselves; letters of other scripts stay.
fn ascii(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '…' => out.push_str("..."),
            '⏎' => out.push('/'),
            '\u{2400}'..='\u{2421}' => out.push('^'),
            '\u{fffd}' => out.push('?'),
            c => out.push(c),
        }
        out
    })
}

/// The row of an area, counted from its top; empty where there is none.
#[must_use]
pub fn row(area: Rect, n: u16) -> Rect {
    let inside = n < area.height;
    Rect { y: area.y.saturating_add(n), height: u16::from(inside), ..area }
}

/// An area with columns taken off at both sides.
#[must_use]
pub fn inset(area: Rect, columns: u16) -> Rect {
    let columns = if area.width > 2 * columns { columns } else { 0 };
    Rect { x: area.x + columns, width: area.width - 2 * columns, ..area }
}
