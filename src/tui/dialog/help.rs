//! All keys, from the table of actions.

use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Body, KeyContext};
use crate::text::width;
use crate::tui::Model;
use crate::tui::action::all;
use crate::tui::model::View;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::modal;

/// Columns of the keys.
const KEYS: usize = 20;

#[derive(Clone, Debug, Default)]
pub struct HelpDialog {
    /// First line shown.
    pub scroll: usize,
}

impl Body for HelpDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Help
    }

    fn scroll(&mut self, model: &Model) -> Option<(&mut usize, usize)> {
        let rows = usize::from(model.size.1).saturating_sub(6);
        let most = lines(model, &Theme::plain()).len().saturating_sub(rows);
        Some((&mut self.scroll, most))
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let lines = lines(model, canvas.theme);
        let columns = lines.iter().map(Line::width).max().unwrap_or(0);
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(4));
        let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width.saturating_sub(6));
        let title = if model.setup.operator.is_empty() {
            "Keys".to_owned()
        } else {
            format!("Keys {} you act as {}", canvas.glyphs().dot, model.setup.operator)
        };
        let area = modal::draw(canvas, area, &title, columns, rows);
        let most = lines.len().saturating_sub(usize::from(area.height));
        for (n, line) in (0..area.height).zip(lines.iter().skip(self.scroll.min(most))) {
            canvas.line(row(area, n), line);
        }
        if self.scroll < most && area.height > 2 {
            let last = row(area, area.height - 1);
            canvas.clear(last);
            let [_, down, ..] = canvas.glyphs().arrows;
            let style = canvas.style(Tone::Quiet);
            canvas.text(last, &format!("{down} {} more", most - self.scroll + 1), style);
        }
        None
    }
}

fn lines(model: &Model, theme: &Theme) -> Vec<Line<'static>> {
    let main = [
        KeyContext::Verifications,
        KeyContext::Mail,
        KeyContext::Queue,
        KeyContext::Templates,
        KeyContext::Detail,
        KeyContext::Send,
    ];
    // The workbench's modes have keys of their own.
    let bench = [KeyContext::Templates, KeyContext::Checks, KeyContext::Matrix, KeyContext::Page];
    let in_bench = model.setup.only_templates || model.view == View::Templates;
    let contexts = if in_bench { &bench[..] } else { &main[..] };
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    for entry in all().filter(|entry| contexts.iter().any(|context| entry.contexts.contains(*context))) {
        let names: Vec<String> = entry.keys.iter().map(|key| key.name(theme)).collect();
        // One line an act; in the workbench one for each of its keys, since its modes differ in them.
        let is_seen = |(action, keys): &(_, Vec<String>)| *action == entry.action && (!in_bench || *keys == names);
        if seen.iter().any(is_seen) || !model.offers(entry.action) {
            continue;
        }
        seen.push((entry.action, names.clone()));
        let names = match &names[..] {
            [first, .., last] if names.len() > 4 => format!("{first}-{last}"),
            _ => names.join(" "),
        };
        let fill = " ".repeat(KEYS.saturating_sub(width(&names)).max(1));
        lines.push(Line::from(vec![
            Span::styled(names, theme.style(Tone::Key)),
            Span::raw(fill),
            Span::styled(entry.help, theme.style(Tone::Text)),
        ]));
    }
    lines.push(Line::default());
    let note = "Keys also work while a Korean keyboard is on.";
    lines.push(Line::styled(note, theme.style(Tone::Quiet)));
    lines
}
