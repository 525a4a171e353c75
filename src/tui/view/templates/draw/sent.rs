//! Above a real mail: from whom, to whom and when, and whether what is shown is what was sent.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::preview::as_sent::Likeness;
use crate::preview::proof::{Proof, Values};
use crate::text::fit;
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::templates::model::Mode;
use crate::tui::when;
use crate::tui::widget::lines::Lines;

/// From how many lines on there is room for more than a word on it.
const ROOMY: u16 = 12;

const SAMPLE: &str = "The link is a sample; theirs is never shown.";

/// None where no real mail is shown, or where the mode is about the template.
pub fn lines(model: &Model, theme: &Theme, room: Rect) -> Vec<Line<'static>> {
    let bench = &model.workbench;
    let is_mail = matches!(bench.mode, Mode::Rendered | Mode::Inbox | Mode::Text | Mode::Mime | Mode::Headers);
    let Some((order, proof)) = bench.proved().filter(|_| is_mail) else { return Vec::new() };
    let (Values::Person(person), Some(likeness)) = (&order.values, proof.likeness) else { return Vec::new() };
    let [good, _, warn] = theme.glyphs().marks;
    let (mark, tone) = match likeness {
        Likeness::Same => (good, Tone::Good),
        Likeness::NotSent => (theme.glyphs().dot, Tone::Text),
        _ => (warn, Tone::Warn),
    };
    let mut lines = Lines::new(theme, room.width);
    if room.height < ROOMY {
        let text = format!("{mark} {}; sample link", likeness.in_short());
        lines.pieces(vec![(fit(&text, usize::from(room.width), theme.glyphs().ellipsis), tone)]);
        return lines.finish();
    }
    if bench.mode != Mode::Headers {
        addressed(&mut lines, proof);
        if let Some(at) = person.sent.and_then(|sent| sent.at) {
            let dot = theme.glyphs().dot;
            let at = format!("{} {dot} {}", when::absolute(at, model.setup.zone), when::relative(at, model.now));
            lines.value_within("Sent", &at, Tone::Text, 1);
        }
        if bench.mode != Mode::Rendered {
            lines.value_within("Subject", &proof.subject, Tone::Strong, 1);
        }
    }
    lines.marked(mark, &format!("{} {SAMPLE}", likeness.in_words()), tone);
    lines.finish()
}

fn addressed(lines: &mut Lines<'_>, proof: &Proof) {
    for (label, value) in [("From", &proof.from), ("To", &proof.to)] {
        lines.value_within(label, value, Tone::Text, 1);
    }
}
