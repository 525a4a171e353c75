//! All about the selected job or worker.

use super::tables;
use crate::domain::job::{COUNTED_MAX, JobResults, JobRow, JobState, Skip};
use crate::domain::worker::WorkerRow;
use crate::tui::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::pane::{Laid, Target, Targets};
use crate::tui::view::queue::model::{Item, JobFacts};
use crate::tui::when;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::number::{rate, thousands, up_to};
use crate::tui::widget::scope::scope_words;

/// A job's glyph, tone and word: in its grace period how long that still is, and whether the brake holds it back.
pub(super) fn job_state(model: &Model, theme: &Theme, job: &JobRow) -> (&'static str, Tone, String) {
    let (glyph, tone) = theme.job(job.state);
    if job.is_in_grace(model.now) {
        let left = when::seconds_until(job.starts_at, model.now);
        return (theme.glyphs().off, Tone::Waiting, format!("starts in {}", when::countdown(left)));
    }
    let is_held = model.outbox.as_ref().is_some_and(|outbox| outbox.brake.is_some());
    if is_held && job.state == JobState::Running {
        let (glyph, tone) = theme.job(JobState::Paused);
        return (glyph, tone, "held back".into());
    }
    (glyph, tone, job.state.to_string())
}

/// A worker's glyph, tone and the word for its last heartbeat.
pub(super) fn worker_state(model: &Model, theme: &Theme, worker: &WorkerRow) -> (&'static str, Tone, String) {
    let glyphs = theme.glyphs();
    let [_, bad, attention] = glyphs.marks;
    let ago = when::relative(worker.beat_at, model.now);
    match worker.stopped_at {
        Some(at) => (glyphs.off, Tone::Quiet, format!("ended {}", when::relative(at, model.now))),
        None if !worker.is_alive(model.now) => (bad, Tone::Bad, format!("silent, {ago}")),
        None if worker.waits_for.is_some() => (attention, Tone::Warn, format!("waits, {ago}")),
        None if worker.last_error.is_some() => (attention, Tone::Warn, ago),
        None => (glyphs.on, Tone::Good, ago),
    }
}

/// All about the selected row, for a width; fewer lines where it `is_short` of rows.
#[must_use]
pub fn laid(model: &Model, theme: &Theme, columns: u16, is_short: bool) -> Laid {
    let mut lines = Lines::new(theme, columns);
    let mut targets = Targets::new();
    match model.queue_selected() {
        Some(Item::Job(job)) => {
            of_job(&mut lines, model, theme, job, is_short);
            if !is_short {
                targets = left_out(&mut lines, model, theme, job);
            }
        }
        Some(Item::Worker(worker)) => of_worker(&mut lines, model, theme, worker),
        None => {}
    }
    Laid { lines: lines.finish(), targets }
}

fn title(model: &Model) -> Tone {
    if model.queue.open { Tone::Here } else { Tone::Strong }
}

fn of_job(lines: &mut Lines<'_>, model: &Model, theme: &Theme, job: &JobRow, is_short: bool) {
    let (glyph, tone, word) = job_state(model, theme, job);
    lines.text(&format!("Bulk resend: {}", scope_words(&job.scope, theme, model.setup.zone)), title(model));
    let mut keys = vec![(format!("{glyph} {word}"), tone)];
    if job.state.is_open() {
        let toggle = if job.state == JobState::Paused { " resumes it   " } else { " pauses it   " };
        let off = [("   x".into(), Tone::Key), (" cancels it   ".into(), Tone::Quiet)];
        keys.extend(off.into_iter().chain([("p".into(), Tone::Key), (toggle.into(), Tone::Quiet)]));
    }
    lines.pieces(keys);
    lines.value("checked", &tables::counted(job), Tone::Text);
    results(lines, model, job, is_short);
    skipped(lines, job, is_short);
    if let Some(reason) = &job.reason {
        lines.value("reason", reason.plain().as_str(), Tone::Strong);
    }
    lines.value("by", job.created_by.plain().as_str(), Tone::Text);
    lines.value("asked", &when::absolute(job.created_at, model.setup.zone), Tone::Text);
    if let Some(at) = job.ended_at {
        lines.value("ended", &when::absolute(at, model.setup.zone), Tone::Text);
    }
    lines.value("as of", &when::absolute(job.cut_off, model.setup.zone), Tone::Quiet);
    lines.value("job", &job.id.to_string(), Tone::Quiet);
}

/// What became of its mails, as far as that was counted.
fn results(lines: &mut Lines<'_>, model: &Model, job: &JobRow, is_short: bool) {
    if job.queued == 0 {
        lines.value("mails", "no one mailed yet", Tone::Text);
        return;
    }
    let Some(facts) = facts(model, job) else {
        let words = format!("{}, {} of them queued", thousands(job.queued), thousands(job.open));
        lines.value("mails", &words, Tone::Text);
        return;
    };
    let counted = facts.results.as_ref().map(JobResults::parts).unwrap_or_default();
    let counted: Vec<_> = counted.into_iter().map(|(count, word)| (up_to(COUNTED_MAX, count), word)).collect();
    if is_short {
        let words: Vec<String> = counted.iter().map(|(count, word)| format!("{count} {word}")).collect();
        let words = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        lines.value("mails", &format!("{}{words}", thousands(job.queued)), Tone::Text);
        return;
    }
    let mut open = vec![(thousands(job.queued), Tone::Text)];
    if model.queue.open && model.queue.skipped.is_none() {
        open.extend([("   ".into(), Tone::Quiet), ("Enter".into(), Tone::Key), (" lists them".into(), Tone::Quiet)]);
    }
    lines.labelled("mails", open);
    let number = counted.iter().map(|(count, _)| count.len()).max().unwrap_or_default();
    for (count, word) in counted {
        lines.labelled("", vec![(format!("{count:>number$}  {word}"), Tone::Text)]);
    }
    if facts.results.as_ref().is_none_or(|results| results.opened.is_none()) {
        lines.value("", &format!("`verifydesk jobs show {}` counts all", job.id), Tone::Quiet);
    }
}

fn facts<'a>(model: &'a Model, job: &JobRow) -> Option<&'a JobFacts> {
    model.queue.facts.as_deref().filter(|facts| facts.id == job.id)
}

/// The first of the people that it skipped, each with the reason; those who are still there can be opened.
fn left_out(lines: &mut Lines<'_>, model: &Model, theme: &Theme, job: &JobRow) -> Targets {
    let mut targets = Targets::new();
    let Some(facts) = facts(model, job).filter(|facts| !facts.skips.is_empty()) else { return targets };
    lines.heading("Skipped");
    let dot = theme.glyphs().dot;
    for skip in &facts.skips {
        if skip.email.is_some() {
            targets.push((lines.count(), Target::Verification(skip.verification_id)));
        }
        lines.text(&skip.whom(), Tone::Text);
        lines.under(&format!("{} {dot} verification {}", skip.reason.title(), skip.verification_id), Tone::Quiet);
    }
    if facts.has_more_skips {
        lines.gap();
        lines.text(&format!("All of them: `verifydesk jobs skipped {} --all`", job.id), Tone::Quiet);
    }
    targets
}

/// Who was left out so far, and why.
fn skipped(lines: &mut Lines<'_>, job: &JobRow, is_short: bool) {
    let total = job.skipped.total();
    if total == 0 {
        lines.value("skipped", "no one", Tone::Quiet);
        return;
    }
    let reasons = Skip::ALL.into_iter().map(|skip| (skip, job.skipped.of(skip))).filter(|(_, count)| *count > 0);
    if is_short {
        let words: Vec<String> =
            reasons.map(|(skip, count)| format!("{} {}", thousands(count), skip.title())).collect();
        lines.value("skipped", &format!("{}: {}", thousands(total), words.join(", ")), Tone::Text);
        return;
    }
    let number = thousands(total).len();
    lines.value("skipped", &thousands(total), Tone::Text);
    for (skip, count) in reasons {
        lines.labelled("", vec![(format!("{:>number$}  {}", thousands(count), skip.title()), Tone::Quiet)]);
    }
}

/// The fingerprint of its secret, and of the one before it.
fn secret(worker: &WorkerRow) -> String {
    let previous = worker.secret_previous_fingerprint.as_ref();
    let previous = previous.map(|secret| format!(", before it {}", secret.plain())).unwrap_or_default();
    format!("{}{previous}", worker.secret_fingerprint.plain())
}

fn of_worker(lines: &mut Lines<'_>, model: &Model, theme: &Theme, worker: &WorkerRow) {
    let (glyph, tone, word) = worker_state(model, theme, worker);
    lines.text(&format!("Worker on {}, process {}", worker.host.plain(), worker.pid), title(model));
    let word = if worker.stopped_at.is_none() { format!("heartbeat {word}") } else { word };
    lines.pieces(vec![(format!("{glyph} {word}"), tone)]);
    if let Some(error) = &worker.last_error {
        let tone = if worker.is_alive(model.now) { Tone::Warn } else { Tone::Text };
        lines.value("error", error.plain().as_str(), tone);
    }
    lines.value("sends to", &tables::target(worker), Tone::Text);
    if worker.is_alive(model.now) {
        lines.value("pace", &format!("{} over {} lanes", rate(worker.rate), worker.lanes), Tone::Text);
    }
    lines.value("result", &format!("{} sent, {} failed", thousands(worker.sent), thousands(worker.failed)), Tone::Text);
    lines.value("since", &when::absolute(worker.started_at, model.setup.zone), Tone::Text);
    lines.value("secret", &secret(worker), Tone::Quiet);
    lines.value("run", &worker.id.to_string(), Tone::Quiet);
}
