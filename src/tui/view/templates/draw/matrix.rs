//! Every fixture in every language, a verdict a cell; below, what was found in the chosen one.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::locale::Locale;
use crate::preview::check::{Finding, Report, Severity};
use crate::text::{pad, plain, width};
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::empty::{self, State};
use crate::tui::view::templates::model::{Entry, Workbench};
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::severity::mark;

/// Columns of a cell.
const CELL: usize = 12;

pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let bench = &model.workbench;
    let (Some(report), Some(entry)) = (bench.report.as_deref(), bench.entry()) else {
        return empty::draw(canvas, area, &State::quiet("checking…"));
    };
    let locales: Vec<Locale> = bench
        .entries()
        .into_iter()
        .filter(|other| other.template == entry.template)
        .map(|other| other.locale)
        .collect();
    let fixtures = bench.fixtures();
    let longest = fixtures.iter().map(|(id, _)| width(plain(id).as_str())).max().unwrap_or(0);
    let name = longest.min(usize::from(area.width).saturating_sub(4 + CELL * locales.len())).max(8);
    let mut head =
        vec![Span::styled(pad(&format!("  {}", plain(&entry.template)), name + 4, ""), canvas.style(Tone::Quiet))];
    head.extend(locales.iter().map(|locale| Span::styled(pad(locale.as_str(), CELL, ""), canvas.style(Tone::Quiet))));
    canvas.line(row(area, 0), &Line::from(head));
    let found = found(bench, report, &entry, canvas.theme);
    let below =
        if area.height > 12 { u16::try_from(found.len() + 1).unwrap_or(u16::MAX).min(area.height / 2) } else { 0 };
    let room = usize::from(area.height.saturating_sub(1 + below));
    let chosen = bench.fixture_index();
    let top = chosen.saturating_sub(room.saturating_sub(1));
    let mut n = 1;
    for (at, (id, _)) in fixtures.iter().enumerate().skip(top).take(room) {
        let here = at == chosen;
        let tone = if here { Tone::Strong } else { Tone::Text };
        let mut spans = vec![
            Span::styled(if here { canvas.glyphs().selected } else { "  " }, canvas.style(Tone::Here)),
            Span::styled(pad(plain(id).as_str(), name, canvas.glyphs().ellipsis), canvas.style(tone)),
            Span::raw("  "),
        ];
        for locale in &locales {
            let chosen = here && *locale == entry.locale;
            spans.extend(cell(report, &entry.template, *locale, id, chosen, canvas.theme));
        }
        canvas.line(row(area, n), &Line::from(spans));
        n += 1;
    }
    if below > 0 {
        let rest = Rect { y: area.y + n + 1, height: area.height.saturating_sub(n + 1), ..area };
        for (n, line) in (0..rest.height).zip(&found) {
            canvas.line(row(rest, n), line);
        }
    }
}

/// A verdict, between brackets where it is the chosen one.
fn cell(
    report: &Report,
    template: &str,
    locale: Locale,
    fixture: &str,
    chosen: bool,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let [good, ..] = theme.glyphs().marks;
    let matters = |finding: &&Finding| finding.severity < Severity::Info && finding.is_with(fixture);
    let count = report.of(template, locale).filter(matters).count();
    let (text, tone) = match report.worst(template, locale, fixture) {
        // What is worth a thought is no reason not to send it.
        None | Some(Severity::Info) => (good.to_owned(), Tone::Good),
        Some(severity) => {
            let (glyph, tone) = mark(severity, theme);
            (format!("{glyph} {count}"), tone)
        }
    };
    let (open, close) = if chosen { ("[", "]") } else { (" ", " ") };
    let used = width(&text) + 2;
    vec![
        Span::styled(open, theme.style(Tone::Here)),
        Span::styled(text, theme.style(tone)),
        Span::styled(close, theme.style(Tone::Here)),
        Span::raw(" ".repeat(CELL.saturating_sub(used))),
    ]
}

/// What was found in the chosen cell, a line each.
fn found(bench: &Workbench, report: &Report, entry: &Entry, theme: &Theme) -> Vec<Line<'static>> {
    let Some((fixture, _)) = bench.fixtures().get(bench.fixture_index()) else { return Vec::new() };
    let mut findings: Vec<_> =
        report.of(&entry.template, entry.locale).filter(|finding| finding.is_with(fixture)).collect();
    findings.sort_by_key(|finding| finding.severity);
    if findings.is_empty() {
        return vec![Line::styled(
            format!("Nothing was found in {} with {}.", entry.locale, plain(fixture)),
            theme.style(Tone::Quiet),
        )];
    }
    let line = |finding: &&Finding| {
        let (glyph, tone) = mark(finding.severity, theme);
        Line::from(vec![
            Span::styled(format!("{glyph} {} ", finding.rule.id), theme.style(tone)),
            Span::styled(finding.message.clone(), theme.style(Tone::Text)),
        ])
    };
    findings.iter().map(line).collect()
}
