//! A test mail: to whom it goes, then what the mail server and we say to each other.

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::lines::Lines;
use super::{answer, complaint, input};
use crate::desk::test_send::Recorded;
use crate::domain::send::SendState;
use crate::mail::transport::dialogue::{DialogueLine, Speaker};
use crate::ses::simulator::Simulator;
use crate::text::{pad, plain};
use crate::tui::look::{Look, Tone};
use crate::tui::model::overlay::{TestDialog, TestTo};
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::sheet;
use crate::tui::widget::wrap::wrap;

/// Columns of the dialog: lines of SMTP are long.
const COLUMNS: u16 = 76;

/// Columns of an address.
const ADDRESS: usize = 42;

/// Draws it; returns where the cursor is while an address is typed.
pub fn test_send(canvas: &mut Canvas<'_>, area: Rect, dialog: &TestDialog) -> Option<Position> {
    let look = canvas.look;
    let columns = COLUMNS.min(area.width.saturating_sub(6)).max(area.width.saturating_sub(2).min(20));
    let mut lines = Lines::new(look, columns);
    let dot = look.glyphs().dot;
    lines.text(&format!("{} {dot} {} {dot} {}", dialog.template, dialog.locale, dialog.fixture), Tone::Strong);
    lines.text("With sample values and a link that opens nothing.", Tone::Quiet);
    lines.gap();
    let mut lines = lines.finish();
    let at = lines.len() + dialog.recipients.len();
    if dialog.busy || dialog.outcome.is_some() {
        lines.extend(dialogue(dialog, look, columns, area.height));
    } else {
        lines.extend(choices(dialog, look));
        let mut keys = Lines::new(look, columns);
        answer(&mut keys, &[("Enter", "send"), ("Tab", "next"), ("Esc", "cancel")]);
        lines.extend(keys.finish());
    }
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = sheet::draw(canvas, area, "Test send", columns, rows);
    // Where not all fits, what is chosen or was said last does.
    let wanted = if dialog.busy || dialog.outcome.is_some() { lines.len() } else { 4 + dialog.chosen };
    let top = wanted.saturating_sub(usize::from(place.height)).min(lines.len());
    for (n, line) in (0..place.height).zip(&lines[top..]) {
        canvas.line(row(place, n), line);
    }
    let typed = dialog.address.as_ref().filter(|_| dialog.outcome.is_none() && !dialog.busy)?;
    input(canvas, place, at.saturating_sub(top), typed, dialog.is_typed())
}

fn choices(dialog: &TestDialog, look: &Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (n, to) in dialog.recipients.iter().enumerate() {
        let chosen = n == dialog.chosen;
        let (address, about) = match to {
            TestTo::Address(address) => (plain(address).into_string(), ""),
            TestTo::Simulator(simulator) => (simulator.address(), about(*simulator)),
        };
        lines.push(Line::from(vec![
            Span::styled(if chosen { look.glyphs().selected } else { "  " }, look.style(Tone::Here)),
            Span::styled(
                pad(&address, ADDRESS, look.glyphs().ellipsis),
                look.style(if chosen { Tone::Strong } else { Tone::Text }),
            ),
            Span::styled(about, look.style(Tone::Quiet)),
        ]));
    }
    if dialog.address.is_some() {
        lines.push(Line::styled("address", look.style(Tone::Quiet)));
    }
    lines
}

fn about(simulator: Simulator) -> &'static str {
    match simulator {
        Simulator::Success => "takes it",
        Simulator::Bounce => "refuses it for good",
        Simulator::Complaint => "calls it spam",
        Simulator::OutOfTheOffice => "answers that nobody is there",
        Simulator::Suppression => "is suppressed",
    }
}

/// What was said, the last lines of it, and what became of it.
fn dialogue(dialog: &TestDialog, look: &Look, columns: u16, height: u16) -> Vec<Line<'static>> {
    let mut said: Vec<Line<'static>> =
        dialog.said.iter().flat_map(|line| one(line, look, usize::from(columns))).collect();
    let room = usize::from(height.saturating_sub(14).max(4));
    if said.len() > room {
        said.drain(..said.len() - room);
    }
    let mut end = Lines::new(look, columns);
    end.gap();
    match &dialog.outcome {
        None => end.text("sending…", Tone::Quiet),
        Some(Err(problem)) => complaint(&mut end, look, problem),
        Some(Ok(sent)) => {
            let [good, bad, warn] = look.glyphs().marks;
            let (mark, tone) = match sent.state {
                SendState::Accepted => (good, Tone::Good),
                SendState::Unknown => (warn, Tone::Warn),
                _ => (bad, Tone::Bad),
            };
            end.text(&format!("{mark} {} for {}: {}", sent.state, sent.recipient, sent.words.plain()), tone);
            match &sent.recorded {
                Recorded::Yes => end.text("It is among the mails, marked as a test.", Tone::Quiet),
                Recorded::NoDatabase => end.text("Shown only: there is no database.", Tone::Quiet),
                Recorded::Failed(why) => end.text(&format!("{warn} This could not be recorded: {why}"), Tone::Warn),
            }
        }
    }
    let keys: &[(&str, &str)] = if dialog.busy { &[("Esc", "close; it goes on")] } else { &[("Enter", "close")] };
    answer(&mut end, keys);
    said.extend(end.finish());
    said
}

fn one(line: &DialogueLine, look: &Look, columns: usize) -> Vec<Line<'static>> {
    let (lead, lead_tone, tone) = match line.speaker {
        Speaker::Client => ("C: ", Tone::Here, Tone::Strong),
        Speaker::Server => ("S: ", Tone::Quiet, Tone::Text),
        Speaker::Note => ("   ", Tone::Quiet, Tone::Quiet),
    };
    let parts = wrap(line.text.as_str(), columns.saturating_sub(3).max(8)).into_iter().enumerate();
    parts
        .map(|(n, part)| {
            let lead = Span::styled(if n == 0 { lead } else { "   " }, look.style(lead_tone));
            Line::from(vec![lead, Span::styled(part, look.style(tone))])
        })
        .collect()
}
