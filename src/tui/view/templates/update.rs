//! The templates' workbench: what each key changes, what has to be rendered for it, and what came of that.

use std::sync::Arc;

use super::draw;
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::preview::check::Report;
use crate::preview::proof::{Attempt, PreviewRequest, TemplateIndex};
use crate::preview::view::{Scheme, Width};
use crate::text::plain;
use crate::tui::action::Action;
use crate::tui::dialog;
use crate::tui::effect::{Answer, Bench, Benched, TerminalCommand};
use crate::tui::model::slot::Slot;
use crate::tui::model::{Level, View};
use crate::tui::view::templates::model::{File, KEPT, Mode, Workbench};

use crate::tui::{Effect, Model};

/// After every message: asks for what the workbench lacks.
pub fn settle(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.view != View::Templates {
        return;
    }
    let bench = &mut model.workbench;
    if !bench.watched {
        bench.watched = true;
        fx.push(Effect::Bench(Bench::Watch));
    }
    if bench.stale {
        bench.stale = false;
        bench.kept.clear();
        bench.ordered = None;
        bench.stocking = true;
        bench.unchecked = true;
        fx.push(Effect::Bench(Bench::List));
    } else if bench.stock.is_none() && !bench.stocking {
        bench.stocking = true;
        bench.unchecked = true;
        fx.push(Effect::Bench(Bench::List));
    }
    let Some(order) = bench.order() else { return };
    if bench.ordered.as_ref() == Some(&order) {
        // The mail comes first, what is to be said about it after.
        if bench.unchecked && bench.awaiting.is_none() {
            bench.unchecked = false;
            if bench.checking.ask() {
                fx.push(Effect::Bench(Bench::Check));
            }
        }
        return;
    }
    bench.ordered = Some(order.clone());
    bench.left = 0;
    if let Some(at) = bench.kept.iter().position(|(kept, _)| *kept == order) {
        let kept = bench.kept.remove(at);
        bench.kept.push(kept.clone());
        (bench.proof, bench.trouble, bench.awaiting) = (Some(kept), None, None);
        (bench.problem, bench.waits) = (None, false);
        return;
    }
    model.generation += 1;
    bench.awaiting = Some(model.generation);
    bench.waits = false;
    fx.push(Effect::Bench(Bench::Prove { order: Box::new(order), generation: model.generation }));
}

/// What came of what the workbench asked for.
pub fn benched(model: &mut Model, benched: Benched, fx: &mut Vec<Effect>) {
    match benched {
        Benched::Listed(answer) => stocked(model, answer),
        Benched::Proved { order, generation, answer } => proved(model, *order, generation, answer),
        Benched::ProofWaits { generation } => waits(model, generation),
        Benched::Checked(answer) => checked(model, answer, fx),
        Benched::CheckedLate(report) => checked_late(model, report),
        Benched::FilesChanged => changed(model, None),
        Benched::Unwatched(why) => changed(model, Some(why)),
        Benched::TestSaid { generation, line } => dialog::test_said(model, generation, line),
        Benched::TestSent { generation, answer } => dialog::test_sent(model, generation, answer),
        Benched::Ejected(answer) => dialog::ejected(model, answer),
        Benched::PageStarted(answer) => dialog::page_started(model, answer),
    }
}

/// Files have changed, or are not watched any more, which is one more change.
fn changed(model: &mut Model, unwatched: Option<String>) {
    (model.workbench.stale, model.workbench.unwatched) = (true, unwatched);
}

fn stocked(model: &mut Model, answer: Answer<Box<TemplateIndex>>) {
    model.workbench.stocking = false;
    match answer {
        Ok(stock) => model.workbench.stock = Some(*stock),
        Err(problem) => {
            // Asking again at once would not help.
            model.workbench.stock.get_or_insert_default();
            model.complain(problem);
        }
    }
}

/// A proof, or what is wrong.
fn proved(model: &mut Model, order: PreviewRequest, generation: u64, answer: Answer<Box<Attempt>>) {
    let bench = &mut model.workbench;
    // What took too long may come after all.
    let late = bench.problem.as_ref().is_some_and(|(given_up, _)| *given_up == generation);
    if bench.awaiting != Some(generation) && !(late && bench.awaiting.is_none()) {
        return;
    }
    (bench.awaiting, bench.problem, bench.waits) = (None, None, false);
    match answer {
        Ok(attempt) => {
            bench.sources = attempt.sources;
            match attempt.outcome {
                Ok(proof) => {
                    let proof = Arc::from(proof);
                    if bench.kept.len() >= KEPT {
                        bench.kept.remove(0);
                    }
                    bench.kept.push((order.clone(), Arc::clone(&proof)));
                    (bench.proof, bench.trouble) = (Some((order, proof)), None);
                }
                Err(trouble) => {
                    if bench.trouble.as_ref() != Some(&trouble)
                        && let Some(part) = trouble.part
                    {
                        bench.file = File { part, rendered: false };
                        bench.line = trouble.place.map_or(0, |(line, _)| line.saturating_sub(1));
                        bench.row = None;
                    }
                    bench.trouble = Some(trouble);
                }
            }
            bench.line = bench.line.min(bench.source_lines().saturating_sub(1));
        }
        // In the pane rather than in a message that goes: it holds as long as nothing else is shown.
        Err(problem) => (bench.problem, bench.trouble) = (Some((generation, problem)), None),
    }
}

/// What was ordered waits for its turn.
fn waits(model: &mut Model, generation: u64) {
    model.workbench.waits = model.workbench.awaiting == Some(generation);
}

/// Checks that took too long have ended. Newer ones know better.
fn checked_late(model: &mut Model, report: Arc<Report>) {
    let bench = &mut model.workbench;
    if bench.checking == Slot::Idle {
        bench.report = Some(report);
        follow(bench, bench.finding);
    }
}

fn checked(model: &mut Model, answer: Answer<Arc<Report>>, fx: &mut Vec<Effect>) {
    let bench = &mut model.workbench;
    if bench.checking.done() {
        fx.push(Effect::Bench(Bench::Check));
    }
    match answer {
        Ok(report) => {
            bench.report = Some(report);
            follow(bench, bench.finding);
        }
        Err(problem) => model.complain(problem),
    }
}

/// Chooses a finding; the source beside goes to its line.
fn follow(bench: &mut Workbench, finding: usize) {
    let count = bench.findings().len();
    bench.finding = finding.min(count.saturating_sub(1));
    if bench.mode != Mode::Checks {
        return;
    }
    let Some(finding) = bench.chosen_finding() else { return };
    let shown = finding.file.as_ref().map(|file| file.shown.as_str());
    let own = bench.sources.iter().find(|(_, source)| Some(source.shown.as_str()) == shown);
    if let Some((part, _)) = own {
        let (part, line) = (*part, finding.line.saturating_sub(1));
        bench.file = File { part, rendered: false };
        bench.line = line;
    }
}

/// To the line of the chosen finding, or to the chosen mail.
pub fn open(model: &mut Model) {
    let bench = &mut model.workbench;
    match bench.mode {
        Mode::Matrix => bench.mode = Mode::Rendered,
        Mode::Checks => {
            follow(bench, bench.finding);
            let Some(finding) = bench.chosen_finding() else { return };
            let shown = finding.file.as_ref().map(|file| file.shown.clone());
            if bench.sources.iter().any(|(_, source)| Some(&source.shown) == shown.as_ref()) {
                bench.mode = Mode::Source;
                return;
            }
            let what = shown.map_or_else(
                || "It is about the mail as a whole; no line of a file says it.".to_owned(),
                |shown| format!("It is in {shown}, which is no file of this template alone."),
            );
            model.toast(Level::Refused, what, "e opens the file, where there is one; ? explains the rule.");
        }
        _ => {}
    }
}

/// The editor was closed, or could not be opened. What it wrote is seen by the watch; where that cannot be, here.
pub fn edited(model: &mut Model, answer: Answer<()>) {
    model.workbench.stale = true;
    if let Err(problem) = answer {
        model.complain(problem);
    }
}

/// Does an action of the workbench.
pub fn act(model: &mut Model, action: Action, fx: &mut Vec<Effect>) {
    let bench = &mut model.workbench;
    match action {
        Action::Language => {
            let Some(entry) = bench.entry() else {
                // It is not known yet what there is.
                bench.locale = other(bench.locale);
                return;
            };
            let to = other(entry.locale);
            if bench.entries().iter().any(|one| one.template == entry.template && one.locale == to) {
                (bench.template, bench.locale) = (entry.template, to);
            } else {
                let what = format!("{} has no file in {}.", plain(&entry.template), to.as_str());
                model.toast(Level::Refused, what, "J and K go to other templates.");
            }
        }
        Action::Width => bench.view.width = next(&Width::ALL, bench.view.width),
        Action::Scheme => bench.view.scheme = next(&Scheme::ALL, bench.view.scheme),
        Action::Images => bench.view.images ^= true,
        Action::Styles => bench.view.styles ^= true,
        Action::Outlook => bench.view.outlook ^= true,
        Action::NextFixture | Action::PreviousFixture => fixture(bench, action == Action::NextFixture),
        Action::NextTemplate | Action::PreviousTemplate => template(bench, action == Action::NextTemplate),
        Action::OtherForm if bench.mode == Mode::Source => {
            bench.file.rendered ^= true;
            bench.line = 0;
        }
        Action::OtherForm => bench.encoded ^= true,
        Action::NextFile => {
            bench.file.part = next(&Part::ALL, bench.file.part);
            bench.line = 0;
        }
        Action::Wider => bench.wide ^= true,
        Action::ShiftLeft => bench.left = bench.left.saturating_sub(8),
        Action::ShiftRight => {
            let columns = bench.proof().map_or(0, |proof| proof.laid.needed.max(proof.laid.columns));
            bench.left = bench.left.saturating_add(8).min(columns.saturating_sub(8));
        }
        Action::Edit => {
            if let Some((file, line)) = bench.editable() {
                fx.push(Effect::Terminal(TerminalCommand::Edit { file, line }));
            }
        }
        _ => {}
    }
}

fn other(locale: Locale) -> Locale {
    match locale {
        Locale::Ko => Locale::En,
        Locale::En => Locale::Ko,
    }
}

fn next<T: Copy + PartialEq>(all: &[T], now: T) -> T {
    let at = all.iter().position(|one| *one == now).unwrap_or(0);
    all.get((at + 1) % all.len().max(1)).copied().unwrap_or(now)
}

fn fixture(bench: &mut Workbench, forward: bool) {
    let count = bench.fixtures().len().max(1);
    // Out of a real verification back to the fixture that was there before.
    let by = match (bench.person.take(), forward) {
        (Some(_), _) => 0,
        (None, true) => 1,
        (None, false) => count - 1,
    };
    let at = (bench.fixture_index() + by) % count;
    bench.fixture = bench.fixtures().get(at).map(|(id, _)| id.clone()).unwrap_or_default();
}

fn template(bench: &mut Workbench, forward: bool) {
    let entries = bench.entries();
    let by = if forward { 1 } else { entries.len().saturating_sub(1) };
    if let Some(entry) = entries.get((bench.chosen() + by) % entries.len().max(1)) {
        (bench.template, bench.locale) = (entry.template.clone(), entry.locale);
        bench.line = 0;
    }
}

pub fn mode(bench: &mut Workbench, mode: Mode) {
    bench.mode = mode;
    follow(bench, bench.finding);
}

/// Moves by lines, but through a line that is higher than the pane by its rows.
fn step_source(model: &mut Model, by: isize) {
    let (row, most) = draw::source_fold(model);
    let bench = &mut model.workbench;
    let last = bench.source_lines().saturating_sub(1);
    let all = by == isize::MIN || by == isize::MAX;
    let to = row.saturating_add_signed(by).min(most);
    if !all && to != row {
        bench.row = Some((bench.line, to));
        return;
    }
    let was = bench.line;
    bench.line = bench.line.saturating_add_signed(by).min(last);
    if by > 0 && !all {
        bench.row = Some((bench.line, if bench.line == was { row } else { 0 }));
    } else if all {
        bench.row = Some((bench.line, if by > 0 { usize::MAX } else { 0 }));
    } else {
        // Upwards into a line comes to its end.
        bench.row = Some((bench.line, if bench.line == was { 0 } else { usize::MAX }));
    }
}

/// Moves the cursor where the mode has one, else scrolls.
pub fn step(model: &mut Model, by: isize) {
    if model.workbench.mode == Mode::Source {
        return step_source(model, by);
    }
    let bench = &mut model.workbench;
    match bench.mode {
        Mode::Checks => {
            let to = bench.finding.min(bench.findings().len()).saturating_add_signed(by);
            return follow(bench, to);
        }
        Mode::Matrix => {
            bench.person = None;
            let last = bench.fixtures().len().saturating_sub(1);
            let to = bench.fixture_index().saturating_add_signed(by).min(last);
            bench.fixture = bench.fixtures().get(to).map(|(id, _)| id.clone()).unwrap_or_default();
            return;
        }
        _ => {}
    }
    let most = draw::max_scroll(model);
    let bench = &mut model.workbench;
    let place = &mut bench.scroll[bench.mode.index()];
    *place = (*place).min(most).saturating_add_signed(by).min(most);
}
