//! The lists under the head: jobs, then workers, with one cursor over both.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::item;
use crate::domain::job::JobRow;
use crate::domain::worker::{OutboxView, WorkerRow};
use crate::text::width;
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::when;
use crate::tui::widget::canvas::{Canvas, inset, row};
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::number::{rate, thousands};
use crate::tui::widget::scope::scope_words;
use crate::tui::widget::table::{self, Column, HIDDEN, NARROW, RowMark, usual};

/// A row of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    JobTitles,
    Job(usize),
    NoJob,
    Gap,
    WorkerTitles,
    Worker(usize),
    NoWorker,
}

/// The rows, from top to bottom.
pub(super) fn pieces(outbox: &OutboxView) -> Vec<Piece> {
    let mut pieces = vec![if outbox.jobs.is_empty() { Piece::NoJob } else { Piece::JobTitles }];
    pieces.extend((0..outbox.jobs.len()).map(Piece::Job));
    pieces.extend([Piece::Gap, if outbox.workers.is_empty() { Piece::NoWorker } else { Piece::WorkerTitles }]);
    pieces.extend((0..outbox.workers.len()).map(Piece::Worker));
    pieces
}

/// Draws as many as fit, the selected one among them.
pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, outbox: &OutboxView, pieces: &[Piece], area: Rect) {
    let height = usize::from(area.height);
    let cursor = model.queue_cursor(&model.queue_items());
    let mut items = pieces.iter().enumerate().filter(|(_, piece)| piece.is_item());
    let at = items.nth(cursor).map_or(0, |(at, _)| at);
    // A low screen has no room for titles.
    let pieces: Vec<Piece> = if height < 5 {
        pieces
            .iter()
            .copied()
            .filter(|piece| piece.is_item() || matches!(piece, Piece::NoJob | Piece::NoWorker))
            .collect()
    } else {
        pieces.to_vec()
    };
    let at = if height < 5 {
        pieces.iter().enumerate().filter(|(_, p)| p.is_item()).nth(cursor).map_or(0, |(at, _)| at)
    } else {
        at
    };
    let top = (at + 2).min(pieces.len()).saturating_sub(height).min(at);
    let is_narrow = area.width < NARROW;
    // The last column is kept for what points to rows beyond, a blank before it.
    let room = area.width.saturating_sub(2);
    let jobs = job_columns(model, &outbox.jobs, canvas.theme, area.width);
    let job_widths = table::widths(&jobs, room);
    let workers = worker_columns(model, canvas.theme, &outbox.workers, area.width);
    let worker_widths = table::widths(&workers, room);
    for (n, piece) in (0..area.height).zip(&pieces[top..]) {
        let place = row(area, n);
        let mark = RowMark {
            selected: top + usize::from(n) == at && piece.is_item(),
            away: model.queue.open,
            ..RowMark::default()
        };
        match *piece {
            Piece::Gap => {}
            Piece::JobTitles => table::head(canvas, place, &jobs, &job_widths),
            Piece::WorkerTitles => table::head(canvas, place, &workers, &worker_widths),
            Piece::NoJob => remark(canvas, place, "No bulk resend yet.", "B in Verifications plans one"),
            Piece::NoWorker => remark(canvas, place, "No worker in the last 24 h.", "run: verifydesk worker"),
            Piece::Job(n) => {
                let Some(job) = outbox.jobs.get(n) else { continue };
                let cells = job_cells(model, canvas.theme, job, &job_widths, is_narrow);
                table::body_row(canvas, place, &jobs, &job_widths, &cells, mark);
            }
            Piece::Worker(n) => {
                let Some(worker) = outbox.workers.get(n) else { continue };
                let cells = worker_cells(model, canvas.theme, worker);
                let mark = RowMark { stale: worker.stopped_at.is_some(), ..mark };
                table::body_row(canvas, place, &workers, &worker_widths, &cells, mark);
            }
        }
    }
    canvas.beyond(area, top > 0, pieces.len() > top + height);
}

fn remark(canvas: &mut Canvas<'_>, place: Rect, what: &str, hint: &str) {
    let line = Line::from(vec![
        Span::styled(what.to_owned(), canvas.style(Tone::Text)),
        Span::styled(format!("  {hint}"), canvas.style(Tone::Quiet)),
    ]);
    let place = inset(place, 1);
    canvas.line(Rect { x: place.x + 1.min(place.width), width: place.width.saturating_sub(1), ..place }, &line);
}

fn cap(n: usize, least: u16, most: u16) -> u16 {
    u16::try_from(n).unwrap_or(most).clamp(least, most)
}

fn job_columns(model: &Model, jobs: &[JobRow], theme: &Theme, room: u16) -> [Column; 6] {
    let narrow = room < NARROW;
    let wide_only = |least: u16| if narrow { HIDDEN } else { least };
    let scope = usual(jobs.iter().map(|job| width(&scope_words(&job.scope, theme, model.setup.zone))));
    let by = usual(jobs.iter().map(|job| job.created_by.plain().width()));
    let mails = jobs.iter().map(|job| width(&counted(job))).max().unwrap_or(0);
    [
        Column::new("Job", 14, 15, 1),
        Column::new("Progress", if narrow { 5 } else { 14 }, if narrow { 12 } else { 24 }, 2),
        Column::new("Checked", wide_only(cap(mails, 9, 24)), cap(mails, 9, 24), 5).at_right(),
        Column::new("For", wide_only(cap(scope, 8, 16)), cap(scope, 8, 48), 3),
        Column::new("By", wide_only(cap(by, 6, 12)), cap(by, 6, 28), 4),
        Column::new("Asked for", wide_only(11), 11, 6),
    ]
}

/// "4,512 of 10,000".
pub(super) fn counted(job: &JobRow) -> String {
    match job.found {
        Some(found) => format!("{} of {}", thousands(job.looked_at), thousands(found)),
        None => thousands(job.looked_at),
    }
}

fn job_cells(model: &Model, theme: &Theme, job: &JobRow, widths: &[u16], narrow: bool) -> [Line<'static>; 6] {
    let quiet = |text: String| Line::styled(text, theme.style(Tone::Quiet));
    let (glyph, tone, word) = item::job_state(model, theme, job);
    let value = |text: String| if job.state.is_open() { Line::from(text) } else { quiet(text) };
    let mut progress = Vec::new();
    if let Some(part) = job.progress() {
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        let percent = format!("{:>3} %", (part * 100.0).floor() as i64);
        let room = widths[1].saturating_sub(7);
        if room >= 4 {
            progress = gauge(theme, part, room, tone);
            progress.push(Span::raw("  "));
        }
        let style = if job.state.is_open() { Tone::Text } else { Tone::Quiet };
        progress.push(Span::styled(percent, theme.style(style)));
    } else {
        progress.push(Span::styled(theme.glyphs().none, theme.style(Tone::Quiet)));
    }
    let word = if narrow && width(&word) > 12 { word.replace("starts ", "") } else { word };
    [
        Line::styled(format!("{glyph} {word}"), theme.style(tone)),
        Line::from(progress),
        value(counted(job)),
        value(scope_words(&job.scope, theme, model.setup.zone)),
        value(job.created_by.plain().into_string()),
        quiet(when::relative(job.created_at, model.now)),
    ]
}

fn worker_columns(model: &Model, theme: &Theme, workers: &[WorkerRow], room: u16) -> [Column; 8] {
    let narrow = room < NARROW;
    let wide_only = |least: u16| if narrow { HIDDEN } else { least };
    let host = usual(workers.iter().map(|worker| name(worker).chars().count()));
    let target = usual(workers.iter().map(|worker| width(&target(worker))));
    let error = workers.iter().filter_map(|worker| worker.last_error.as_ref()).map(|e| e.plain().width()).max();
    let (error_least, error_rank) = if error.is_some() { (wide_only(16), 4) } else { (HIDDEN, 9) };
    let beat = workers.iter().map(|worker| width(&item::worker_state(model, theme, worker).2)).max().unwrap_or(0);
    [
        Column::new("Worker", 14, cap(host + 2, 15, 32), 1),
        Column::new("Heartbeat", cap(beat, 9, if narrow { 9 } else { 17 }), cap(beat, 9, 17), 2),
        Column::new("Pace", 7, 7, 3).at_right(),
        Column::new("Lanes", wide_only(5), 5, 6).at_right(),
        Column::new("Sent", wide_only(7), 9, 5).at_right(),
        Column::new("Failed", wide_only(6), 7, 7).at_right(),
        Column::new("Last error", error_least, cap(error.unwrap_or(0), 16, 60), error_rank),
        Column::new("Sends to", wide_only(cap(target, 8, 20)), cap(target, 8, 60), 8),
    ]
}

/// Host and process.
fn name(worker: &WorkerRow) -> String {
    format!("{} {}", worker.host.plain(), worker.pid)
}

/// How and where mail goes.
pub(super) fn target(worker: &WorkerRow) -> String {
    format!("{} {}", worker.transport.plain(), worker.target.plain())
}

fn worker_cells(model: &Model, theme: &Theme, worker: &WorkerRow) -> [Line<'static>; 8] {
    let (glyph, tone, beat) = item::worker_state(model, theme, worker);
    let quiet = theme.style(Tone::Quiet);
    let is_alive = worker.is_alive(model.now);
    let pace = if is_alive { rate(worker.rate) } else { theme.glyphs().none.to_owned() };
    let error = worker.last_error.as_ref().map(|error| error.plain().into_string());
    let error_tone = if is_alive { Tone::Waiting } else { Tone::Quiet };
    [
        Line::from(vec![
            Span::styled(format!("{glyph} "), theme.style(tone)),
            Span::raw(worker.host.plain().into_string()),
            Span::styled(format!(" {}", worker.pid), quiet),
        ]),
        Line::styled(beat, if is_alive { quiet } else { theme.style(tone) }),
        Line::from(pace),
        Line::styled(worker.lanes.to_string(), quiet),
        Line::from(thousands(worker.sent)),
        Line::styled(thousands(worker.failed), if worker.failed > 0 { theme.style(Tone::Text) } else { quiet }),
        match error {
            Some(error) => Line::styled(error, theme.style(error_tone)),
            None => Line::styled(theme.glyphs().none, quiet),
        },
        Line::styled(target(worker), quiet),
    ]
}
