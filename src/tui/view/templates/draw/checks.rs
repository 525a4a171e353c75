//! What the checks have found about the chosen mail, the worst first.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::preview::check::{Finding, Report, Severity};
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::empty::{self, State};
use crate::tui::view::templates::model::Workbench;
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::severity::mark;
use crate::tui::widget::wrap::wrap;

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let bench = &model.workbench;
    let Some(report) = bench.report.as_deref() else {
        return empty::draw(canvas, area, &State::quiet("checking…"));
    };
    let findings = bench.findings();
    if findings.is_empty() {
        return empty::draw(canvas, area, &all_is_well(report));
    }
    let top = u16::from(area.height > 5) * 2;
    if top > 0 {
        canvas.line(row(area, 0), &summary(bench, report, &findings, canvas.theme));
    }
    let area = Rect { y: area.y + top, height: area.height - top, ..area };
    let chosen = bench.finding.min(findings.len() - 1);
    let mut lines = Vec::new();
    let mut at = 0;
    for (n, finding) in findings.iter().enumerate() {
        if n == chosen {
            at = lines.len();
        }
        lines.extend(one(finding, n == chosen, canvas.theme, usize::from(area.width)));
    }
    let height = usize::from(area.height);
    let top = at.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    for (n, line) in (0..area.height).zip(lines.iter().skip(top)) {
        canvas.line(row(area, n), line);
    }
}

fn all_is_well(report: &Report) -> State {
    let kept = report.suppressed.len();
    let state = State::quiet(format!("Nothing was found in {} mails.", report.mails));
    let state = if report.unfinished { state.hint("But time ran out before all were looked at.") } else { state };
    if kept > 0 { state.hint(format!("{kept} findings are left to stand, with a reason in the file.")) } else { state }
}

fn summary(bench: &Workbench, report: &Report, findings: &[&Finding], theme: &Theme) -> Line<'static> {
    let dot = format!(" {} ", theme.glyphs().dot);
    let mut spans = Vec::new();
    for severity in Severity::ALL {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        if count == 0 {
            continue;
        }
        if !spans.is_empty() {
            spans.push(Span::styled(dot.clone(), theme.style(Tone::Quiet)));
        }
        let word = match (severity, count) {
            (Severity::Info, _) => "worth a thought".to_owned(),
            (severity, 1) => severity.to_string(),
            (severity, _) => format!("{severity}s"),
        };
        spans.push(Span::styled(format!("{count} {word}"), theme.style(mark(severity, theme).1)));
    }
    let fixtures = bench.fixtures().len();
    let mut said = format!("{dot}with {fixtures} fixtures");
    if report.unfinished {
        said.push_str(", but time ran out");
    }
    spans.push(Span::styled(said, theme.style(Tone::Quiet)));
    Line::from(spans)
}

/// What is wrong, then where.
fn one(finding: &Finding, chosen: bool, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (glyph, tone) = mark(finding.severity, theme);
    let marker = if chosen { theme.glyphs().selected } else { "  " };
    let lead = format!("{glyph} {} ", finding.rule.id);
    let indent = 2 + crate::text::width(&lead);
    let strong = theme.style(if chosen { Tone::Strong } else { Tone::Text });
    let mut lines = Vec::new();
    for (n, part) in wrap(&finding.message, columns.saturating_sub(indent).max(8)).into_iter().enumerate() {
        let mut spans = if n == 0 {
            vec![Span::styled(marker, theme.style(Tone::Here)), Span::styled(lead.clone(), theme.style(tone))]
        } else {
            vec![Span::raw(" ".repeat(indent))]
        };
        spans.push(Span::styled(part, strong));
        lines.push(Line::from(spans));
    }
    let mut place =
        finding.file.as_ref().map_or_else(|| finding.subject(), |f| format!("{}:{}", f.shown, finding.line));
    if let Some(fixtures) = finding.fixtures_shown() {
        place = format!("{place}, {fixtures}");
    }
    lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(place, theme.style(Tone::Quiet))]));
    lines
}
