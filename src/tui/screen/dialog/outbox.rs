//! Questions about the outbox: a bulk resend, the brake, the end of a job.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::{answer, columns_for, complaint, input, operator, put};
use crate::domain::brake::{Brake, BrakeState};
use crate::domain::job::{JobPlan, Skip};
use crate::tui::Model;
use crate::tui::effect::BrakeChange;
use crate::tui::look::{Look, Tone};
use crate::tui::model::overlay::{BrakeDialog, BulkDialog, CancelDialog};
use crate::tui::screen::lines::Lines;
use crate::tui::screen::queue::scope_words;
use crate::tui::when;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::number::{rate, thousands};

/// How many of the first addresses are shown.
const FIRST_MAX: usize = 5;

/// Columns of a number in front of what it counts.
const NUMBER: usize = 11;

/// Rows that a sheet takes around its text.
const SHEET: u16 = 4;

/// How much of a plan is told: all, without what is only good to know, or what must not be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Little,
    Most,
    All,
}

/// The question before a bulk resend.
pub fn bulk(canvas: &mut Canvas<'_>, model: &Model, area: Rect, dialog: &BulkDialog) -> Option<Position> {
    let look = canvas.look;
    let columns = columns_for(area);
    let told = |detail| {
        let mut lines = Lines::new(look, columns);
        let asked = bulk_lines(&mut lines, model, look, dialog, detail);
        (lines.finish(), asked)
    };
    // What is asked must be on the screen; what explains it gives way.
    let fits = |lines: &[Line<'_>]| lines.len() + usize::from(SHEET) <= usize::from(area.height);
    let all = [Detail::All, Detail::Most].into_iter().map(told).find(|(lines, _)| fits(lines));
    let (lines, asked) = all.unwrap_or_else(|| told(Detail::Little));
    let place = put(canvas, area, "Bulk resend", &lines);
    input(canvas, place, asked?, &dialog.number, !dialog.busy)
}

/// The dialog's lines; returns the one on which the number is typed.
fn bulk_lines(lines: &mut Lines<'_>, model: &Model, look: &Look, dialog: &BulkDialog, detail: Detail) -> Option<usize> {
    if detail == Detail::Little
        && let Some(Ok(plan)) = &dialog.plan
    {
        return in_short(lines, model, look, dialog, plan);
    }
    lines.value("for", &scope_words(&dialog.scope, look), Tone::Strong);
    lines.gap();
    match &dialog.plan {
        None => {
            lines.text("counting…", Tone::Strong);
            lines.text("Nothing is mailed before you agree.", Tone::Quiet);
            answer(lines, &[("Esc", "cancel")]);
            None
        }
        Some(Err(problem)) => {
            complaint(lines, look, problem);
            answer(lines, &[("Enter", "count again"), ("Esc", "close")]);
            None
        }
        Some(Ok(plan)) => {
            planned(lines, model, look, plan, detail);
            agree(lines, model, look, dialog, detail)
        }
    }
}

/// What must not be missing, the most needed first.
fn in_short(lines: &mut Lines<'_>, model: &Model, look: &Look, dialog: &BulkDialog, plan: &JobPlan) -> Option<usize> {
    let mut asked = None;
    if plan.mails == 0 {
        lines.text("There is nobody to mail.", Tone::Strong);
    } else {
        going(lines, plan);
        asked = number(lines, look, dialog);
    }
    lines.value("for", &scope_words(&dialog.scope, look), Tone::Text);
    if plan.skipped.total() > 0 {
        count(lines, -plan.skipped.total(), "skipped", Tone::Quiet);
    }
    cost(lines, model, plan);
    asked
}

/// A number and what it counts.
fn count(lines: &mut Lines<'_>, n: i64, words: &str, tone: Tone) {
    lines.pieces(vec![(format!("{:>NUMBER$}", thousands(n)), tone), (format!("  {words}"), tone)]);
}

fn planned(lines: &mut Lines<'_>, model: &Model, look: &Look, plan: &JobPlan, detail: Detail) {
    let found = if plan.found == 1 { "verification found" } else { "verifications found" };
    count(lines, plan.found, found, Tone::Text);
    for skip in Skip::ALL {
        if plan.skipped.of(skip) > 0 {
            count(lines, -plan.skipped.of(skip), skip.title(), Tone::Quiet);
        }
    }
    if plan.mails == 0 {
        lines.gap();
        lines.text("There is nobody to mail.", Tone::Strong);
        return;
    }
    going(lines, plan);
    lines.gap();
    cost(lines, model, plan);
    if detail == Detail::All {
        let ellipsis = look.glyphs().ellipsis;
        for (n, email) in plan.first.iter().take(FIRST_MAX).enumerate() {
            let email = crate::text::fit(email.plain().as_str(), lines.room(0), ellipsis);
            lines.value(if n == 0 { "first" } else { "" }, &email, Tone::Quiet);
        }
    }
}

fn going(lines: &mut Lines<'_>, plan: &JobPlan) {
    count(lines, plan.mails, if plan.mails == 1 { "mail goes out" } else { "mails go out" }, Tone::Strong);
}

/// How long it takes, and whether the quota is enough.
fn cost(lines: &mut Lines<'_>, model: &Model, plan: &JobPlan) {
    if plan.mails == 0 {
        return;
    }
    let at = model.outbox.as_ref().map(|outbox| format!(" at {}", rate(outbox.pace.rate))).unwrap_or_default();
    lines.value("takes", &format!("{}{at}, behind sign-ups", when::about(plan.seconds)), Tone::Text);
    if let Some(over) = plan.over_quota.filter(|over| *over > 0) {
        let words = format!("{} more than the quota has left; they wait", thousands(over));
        lines.value("quota", &words, Tone::Warn);
    }
}

/// What has to be done to start it; returns the line on which the number is typed.
fn agree(lines: &mut Lines<'_>, model: &Model, look: &Look, dialog: &BulkDialog, detail: Detail) -> Option<usize> {
    if dialog.mails().is_none() {
        answer(lines, &[("Enter", "close")]);
        return None;
    }
    lines.gap();
    let at = number(lines, look, dialog);
    if detail == Detail::All {
        lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
    }
    answer(lines, &[(if at.is_some() { "Enter" } else { "y" }, "start it"), ("Esc", "cancel")]);
    at
}

/// Where the number is typed, and what is wrong with it; returns its line.
fn number(lines: &mut Lines<'_>, look: &Look, dialog: &BulkDialog) -> Option<usize> {
    let at = dialog.asks_for_number().then(|| lines.count());
    if at.is_some() {
        lines.value("type", "", Tone::Text);
    }
    if dialog.busy {
        lines.text("starting…", Tone::Quiet);
    } else if let Some(problem) = &dialog.problem {
        complaint(lines, look, problem);
    } else if let (Some(mails), Some(_)) = (dialog.mails(), at) {
        lines.text(&format!("Type {} and press Enter: so many mails go out.", thousands(mails)), Tone::Text);
    }
    at
}

/// The question before the outbox is stopped or let go.
pub fn brake(canvas: &mut Canvas<'_>, model: &Model, area: Rect, dialog: &BrakeDialog) -> Option<Position> {
    let look = canvas.look;
    let columns = columns_for(area);
    let is_short = area.height < 18;
    let (title, what, then, yes) = match dialog.change {
        BrakeChange::Pause => (
            "Pause sending",
            "No mail goes out any more, sign-ups included.",
            "Mails in hand are finished; the rest waits until somebody resumes.",
            "pause",
        ),
        BrakeChange::Drain => (
            "Drain the outbox",
            "What is queued now goes out, then nothing.",
            "Jobs make no more mails; what comes later waits until somebody resumes.",
            "drain",
        ),
        BrakeChange::Resume => {
            ("Resume sending", "Mail goes out again.", "Make sure that what stopped it is mended.", "resume")
        }
    };
    let mut lines = Lines::new(look, columns);
    if dialog.change == BrakeChange::Resume
        && let Some(brake) = model.outbox.as_ref().and_then(|outbox| outbox.brake.as_ref())
    {
        was_stopped(&mut lines, model, brake, usize::from(area.height.saturating_sub(15)).max(3));
    }
    if !is_short || !dialog.change.needs_reason() {
        explain(&mut lines, model, what, then);
    }
    let mut at = None;
    if dialog.change.needs_reason() {
        if !is_short {
            lines.gap();
        }
        at = Some(lines.count());
        lines.value("reason", "", Tone::Text);
    }
    if dialog.busy || dialog.problem.is_some() {
        if !is_short {
            lines.gap();
        }
        match &dialog.problem {
            Some(problem) => complaint(&mut lines, look, problem),
            None => lines.text("telling the workers…", Tone::Quiet),
        }
    }
    if is_short && dialog.change.needs_reason() {
        explain(&mut lines, model, what, then);
    }
    if !is_short || !dialog.change.needs_reason() {
        answer(&mut lines, &[(if dialog.change.needs_reason() { "Enter" } else { "y" }, yes), ("Esc", "cancel")]);
    }
    let place = put(canvas, area, title, &lines.finish());
    at.and_then(|at| input(canvas, place, at, &dialog.reason, true))
}

fn explain(lines: &mut Lines<'_>, model: &Model, what: &str, then: &str) {
    lines.text(what, Tone::Strong);
    lines.text(then, Tone::Text);
    lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
}

/// Why it stands still: nobody resumes without having read it.
fn was_stopped(lines: &mut Lines<'_>, model: &Model, brake: &Brake, most: usize) {
    let ago = when::relative(brake.set_at, model.now);
    let word = if brake.state == BrakeState::Draining { "drains" } else { "paused" };
    lines.value(word, &format!("by {}, {ago}", brake.set_by.plain()), Tone::Text);
    lines.value_within("reason", brake.reason.plain().as_str(), Tone::Strong, most);
    lines.gap();
}

/// The question before a job is called off.
pub fn cancel_job(canvas: &mut Canvas<'_>, model: &Model, area: Rect, dialog: &CancelDialog) {
    let look = canvas.look;
    let mut lines = Lines::new(look, columns_for(area));
    if let Some(job) = model.job(dialog.id) {
        lines.value("for", &scope_words(&job.scope, look), Tone::Strong);
        lines.value("by", job.created_by.plain().as_str(), Tone::Text);
        lines.gap();
        if job.is_in_grace(model.now) {
            let left = when::countdown(when::seconds_until(job.starts_at, model.now));
            lines.text(&format!("It has mailed nobody yet; it starts in {left}."), Tone::Strong);
        } else if job.queued == 0 {
            lines.text("It has mailed nobody yet.", Tone::Strong);
        } else {
            let gone = thousands((job.queued - job.open).max(0));
            let words = format!("{gone} of its mails have gone out; {} that wait are called off.", thousands(job.open));
            lines.text(&words, Tone::Strong);
        }
    }
    lines.text("It cannot go on after that; another can be started.", Tone::Text);
    lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
    if dialog.busy {
        lines.gap();
        lines.text("calling it off…", Tone::Quiet);
    } else if let Some(problem) = &dialog.problem {
        lines.gap();
        complaint(&mut lines, look, problem);
    }
    answer(&mut lines, &[("y", "call it off"), ("Esc", "leave it")]);
    let lines: Vec<Line<'_>> = lines.finish();
    put(canvas, area, "Call the job off", &lines);
}
