//! Addresses as people read them: their domains in their own script.

use ratatui::text::Span;

use super::lines::Lines;
use crate::domain::idn::{self, readable};
use crate::text::{self, Untrusted, plain};
use crate::tui::theme::{Theme, Tone};

/// In a list. A domain that mixes scripts stays in Punycode, and is marked.
#[must_use]
pub fn spans(theme: &Theme, address: &Untrusted) -> Vec<Span<'static>> {
    let readable = readable(address.raw());
    let mut spans = Vec::new();
    if readable.mixed.is_some() {
        spans.push(Span::styled(format!("{} ", attention(theme)), theme.style(Tone::Warn)));
    }
    spans.push(Span::raw(plain(&readable.text).into_string()));
    spans
}

/// How many columns these take.
#[must_use]
pub fn width(address: &Untrusted) -> usize {
    let readable = readable(address.raw());
    plain(&readable.text).width() + if readable.mixed.is_some() { text::width("! ") } else { 0 }
}

/// In full: as it is read, as it is mailed, and what to beware of.
pub fn explain(lines: &mut Lines<'_>, theme: &Theme, address: &Untrusted, tone: Tone) {
    let (shown, mailed) = (idn::shown(address), address.plain());
    lines.text(shown.as_str(), tone);
    if shown != mailed {
        lines.text(mailed.as_str(), Tone::Quiet);
    }
    if let Some(looks) = readable(address.raw()).mixed {
        let [open, close] = theme.glyphs().quotes;
        let what = format!("Its domain mixes scripts: it would look like {open}{}{close}.", plain(&looks));
        lines.marked(attention(theme), &what, Tone::Warn);
    }
}

fn attention(theme: &Theme) -> &'static str {
    let [_, _, attention] = theme.glyphs().marks;
    attention
}
