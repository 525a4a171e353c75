//! What a rule asks for, why, and where that comes from.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::{Body, Dialog, KeyContext};
use crate::preview::check::Finding;
use crate::text::plain;
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::modal;
use crate::tui::widget::severity::mark;

/// Columns of the explanation.
const COLUMNS: u16 = 66;

#[derive(Clone, Debug)]
pub struct FindingDialog {
    pub finding: Box<Finding>,
    /// First line shown.
    pub scroll: usize,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    model.workbench.chosen_finding().is_none().then(|| ("There is no finding to explain.".into(), String::new()))
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let finding = model.workbench.chosen_finding().cloned().map(Box::new)?;
    Some(Dialog::Finding(FindingDialog { finding, scroll: 0 }))
}

impl Body for FindingDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Help
    }

    fn scroll(&mut self, model: &Model) -> Option<(&mut usize, usize)> {
        let over = super::parts::screen(model);
        let most = modal::most(lines(&Theme::plain(), over, &self.finding).len(), over);
        Some((&mut self.scroll, most))
    }

    fn draw(&self, canvas: &mut Canvas<'_>, _: &Model, area: Rect) -> Option<Position> {
        let lines = lines(canvas.theme, area, &self.finding);
        let title = format!("{} {} {}", plain(self.finding.rule.id), canvas.glyphs().dot, self.finding.severity);
        modal::scrolled(canvas, area, &title, modal::columns(COLUMNS, area), &lines, self.scroll);
        None
    }
}

fn lines(theme: &Theme, area: Rect, finding: &Finding) -> Vec<Line<'static>> {
    let (_, tone) = mark(finding.severity, theme);
    let mut lines = Lines::new(theme, modal::columns(COLUMNS, area));
    lines.text(finding.rule.title, Tone::Strong);
    lines.gap();
    lines.text(finding.rule.why, Tone::Text);
    lines.gap();
    lines.value("here", &finding.message, tone);
    let line = finding.file.as_ref().map(|file| format!("{}:{}", file.shown, finding.line));
    lines.value("at", &line.unwrap_or_else(|| finding.subject()), Tone::Text);
    if let Some(fixtures) = finding.fixtures_shown() {
        lines.value("seen", &fixtures, Tone::Text);
    }
    lines.value("by", finding.rule.source, Tone::Quiet);
    lines.gap();
    lines.text("To let it stand, with a reason, write into the file:", Tone::Quiet);
    lines.text(&format!("{{# mail-lint: allow {} the reason #}}", finding.rule.id), Tone::Text);
    lines.finish()
}
