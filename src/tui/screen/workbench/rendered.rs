//! The mail as a mail program shows it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::preview::laid::Note;
use crate::preview::proof::Proof;
use crate::text::plain;
use crate::tui::look::Tone;
use crate::tui::model::workbench::{Mode, Workbench};
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::laid::{self, Sight};

/// How many columns it takes.
pub fn columns(bench: &Workbench) -> u16 {
    bench.view.width.columns()
}

/// Lines above the mail: its subject, and what could not be shown as it is.
pub fn head(area: Rect, _beside: bool) -> u16 {
    u16::from(area.height > 6)
}

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, bench: &Workbench, proof: &Proof, area: Rect, beside: bool) {
    let top = head(area, beside);
    if top > 0 {
        let quiet = canvas.style(Tone::Quiet);
        let strong = canvas.style(Tone::Strong);
        let mut spans = vec![Span::styled(plain(&proof.subject).into_string(), strong)];
        if let Some(note) = proof.laid.notes.first() {
            spans.insert(0, Span::styled(format!("{} ", note_text(note)), canvas.style(Tone::Warn)));
        } else if proof.laid.needed > proof.laid.columns {
            let text = format!("   needs {} px", u32::from(proof.laid.needed) * 8);
            spans.push(Span::styled(text, canvas.style(Tone::Warn)));
        }
        if bench.trouble.is_some() {
            spans.push(Span::styled("   as it was", quiet));
        }
        canvas.line(inset(row(area, 0), 1), &Line::from(spans));
    }
    let area = Rect { y: area.y + top, height: area.height - top, ..area };
    let most = proof.laid.rows.len().saturating_sub(usize::from(area.height));
    let scroll = if beside { 0 } else { bench.scroll[Mode::Rendered.index()].min(most) };
    let sight = Sight { top: scroll, left: bench.left, faded: bench.trouble.is_some() };
    laid::draw(canvas, area, &proof.laid, sight);
}

fn note_text(note: &Note) -> &'static str {
    match note {
        Note::Styles(_) => "Without <style>, which could not be read:",
        Note::TooMuch => "Too much to lay out, shown as text:",
    }
}
