//! The mail as a mail program shows it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::preview::cell_layout::Note;
use crate::preview::proof::{Proof, Values};
use crate::preview::view::View;
use crate::text::plain;
use crate::tui::theme::Tone;
use crate::tui::view::templates::model::{Mode, Workbench};
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::laid::{self, Sight};

/// How many columns it takes.
pub fn columns(bench: &Workbench) -> u16 {
    // An older proof has the width that it was made for.
    bench.proved().map_or(bench.view, |(order, _)| order.view).width.columns()
}

/// Lines above the mail: its subject, and what could not be shown as it is.
pub fn head(area: Rect, _beside: bool) -> u16 {
    u16::from(area.height > 6)
}

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
        if bench.is_old() {
            spans.push(Span::styled(format!("   {}", as_it_was(bench)), quiet));
        }
        canvas.line(inset(row(area, 0), 1), &Line::from(spans));
    }
    let area = Rect { y: area.y + top, height: area.height - top, ..area };
    // A mail does not stick to the edge where it need not.
    let margin = u16::from(area.width > columns(bench) + 2);
    let area = Rect { x: area.x + margin, width: area.width - margin, ..area };
    let most = proof.laid.rows.len().saturating_sub(usize::from(area.height));
    let scroll = if beside { 0 } else { bench.scroll[Mode::Rendered.index()].min(most) };
    let sight = Sight { top: scroll, left: bench.left, faded: bench.is_old() };
    laid::draw(canvas, area, &proof.laid, sight);
}

/// What of an older proof is not as the line on top says, or that it is about to be replaced.
fn as_it_was(bench: &Workbench) -> String {
    if bench.awaiting.is_some() {
        return "rendering…".to_owned();
    }
    let (Some((was, _)), Some(order)) = (bench.proved(), bench.order()) else { return String::new() };
    let mut with = Vec::new();
    if let (Values::Fixture(was), true) = (&was.values, was.values != order.values) {
        with.push(plain(was).into_string());
    }
    if was.view.width != order.view.width {
        with.push(format!("{} px", was.view.width.pixels()));
    }
    if was.view != (View { width: was.view.width, ..order.view }) {
        with.push("other toggles".to_owned());
    }
    if with.is_empty() { "as it was".to_owned() } else { format!("as it was with {}", with.join(", ")) }
}

fn note_text(note: &Note) -> &'static str {
    match note {
        Note::Styles(_) => "Without <style>, which could not be read:",
        Note::TooMuch => "Too much to lay out, shown as text:",
    }
}
