//! Whether all is well: what `verifydesk doctor` looks at, as it is seen from this host. What was found stays when this is
//! closed, with its age.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::parts::{complaint, screen};
use super::{Body, Dialog, KeyContext};
use crate::doctor::{CHECKS, Found, GROUPS, State};
use crate::domain::Time;
use crate::text::width;
use crate::tui::effect::{Answer, Load, Problem};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::modal;
use crate::tui::{Effect, Model, when};

/// Columns of what was found.
const COLUMNS: u16 = 100;

/// How old what was found may be where it is opened again: older than that, it is looked again at once.
const FRESH: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// What was found, and what is being looked at.
#[derive(Clone, Debug, Default)]
pub struct Doctor {
    /// What the last look has found, and when that ended.
    last: Option<(Time, Vec<Found>)>,
    /// What the present one has found so far, with its number.
    present: Option<(u64, Vec<Found>)>,
    problem: Option<Problem>,
}

#[derive(Clone, Debug, Default)]
pub struct DoctorDialog {
    scroll: usize,
}

pub(super) fn open(model: &mut Model, fx: &mut Vec<Effect>) -> Dialog {
    if model.doctor.last.as_ref().is_none_or(|(at, _)| model.now - *at > FRESH) {
        look(model, fx);
    }
    Dialog::Doctor(DoctorDialog::default())
}

/// Looks again, unless that is under way.
pub fn look(model: &mut Model, fx: &mut Vec<Effect>) {
    if model.doctor.present.is_none() {
        model.generation += 1;
        model.doctor.present = Some((model.generation, Vec::new()));
        fx.push(Effect::Load(Load::Doctor { generation: model.generation }));
    }
}

/// Something was found.
pub fn found(model: &mut Model, generation: u64, found: Found) {
    if let Some((_, so_far)) = model.doctor.present.as_mut().filter(|(present, _)| *present == generation) {
        so_far.push(found);
    }
}

/// All was looked at, or could not be.
pub fn looked(model: &mut Model, generation: u64, answer: Answer<()>) {
    let Some((_, found)) = model.doctor.present.take_if(|(present, _)| *present == generation) else { return };
    model.doctor.problem = answer.err();
    if model.doctor.problem.is_none() {
        model.doctor.last = Some((model.now, found));
    }
}

impl Body for DoctorDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Doctor
    }

    fn scroll(&mut self, model: &Model) -> Option<(&mut usize, usize)> {
        let over = screen(model);
        let most = modal::most(lines(model, &Theme::plain(), over).len(), over);
        Some((&mut self.scroll, most))
    }

    fn next_change(&self, model: &Model) -> Option<Time> {
        let (at, _) = model.doctor.last.as_ref()?;
        when::next_change(*at, model.now)
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let lines = lines(model, canvas.theme, area);
        modal::scrolled(canvas, area, "Is all well?", modal::columns(COLUMNS, area), &lines, self.scroll);
        None
    }
}

fn lines(model: &Model, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let doctor = &model.doctor;
    let mut lines = Lines::new(theme, modal::columns(COLUMNS, area));
    let so_far = doctor.present.as_ref().map(|(_, found)| found.as_slice());
    let shown = doctor.last.as_ref().map(|(_, found)| found.as_slice()).or(so_far).unwrap_or_default();
    if !shown.is_empty() {
        summary(&mut lines, shown);
    }
    let age = doctor.last.as_ref().map(|(at, _)| when::relative((*at).min(model.now), model.now));
    let words = match (so_far, age) {
        (Some(found), Some(age)) => {
            format!("seen {age}; looking again: {} of {}", found.len(), CHECKS.len())
        }
        (Some(found), None) => format!("looking: {} of {}", found.len(), CHECKS.len()),
        (None, Some(age)) => format!("seen {age} from this host, with its settings"),
        (None, None) => String::new(),
    };
    if !words.is_empty() {
        lines.text(&words, Tone::Quiet);
    }
    if let Some(problem) = &doctor.problem {
        lines.gap();
        complaint(&mut lines, theme, problem);
    }
    groups(&mut lines, theme, shown);
    elsewhere(&mut lines, theme, shown);
    if doctor.last.is_some() {
        lines.gap();
        lines.text("`verifydesk doctor` also prints what it found where all is green.", Tone::Quiet);
    }
    lines.finish()
}

/// How many there are of each.
fn summary(lines: &mut Lines<'_>, found: &[Found]) {
    let count = |state| found.iter().filter(|(_, finding)| finding.state == state).count();
    let words = [
        (State::Red, "red", Tone::Bad),
        (State::Yellow, "yellow", Tone::Warn),
        (State::Green, "green", Tone::Good),
        (State::Skipped, "not looked at", Tone::Quiet),
    ];
    let mut pieces = Vec::new();
    for (state, word, tone) in words {
        let count = count(state);
        if !pieces.is_empty() {
            pieces.push((", ".to_owned(), Tone::Quiet));
        }
        pieces.push((format!("{count} {word}"), if count == 0 { Tone::Quiet } else { tone }));
    }
    lines.pieces(pieces);
}

/// Whether only another host can look at it.
fn is_elsewhere((_, finding): &Found) -> bool {
    finding.state == State::Skipped && finding.next.is_some()
}

/// Group by group, those with something red first.
fn groups(lines: &mut Lines<'_>, theme: &Theme, found: &[Found]) {
    let of = |name: &str| {
        let mut of: Vec<&Found> = found.iter().filter(|one| one.0.group() == name && !is_elsewhere(one)).collect();
        // As they come in they are in no order.
        of.sort_by_key(|(check, _)| CHECKS.iter().position(|other| std::ptr::eq(*check, other)));
        of
    };
    let mut groups: Vec<(&str, Vec<&Found>)> = GROUPS.iter().map(|(name, title)| (*title, of(name))).collect();
    groups.retain(|(_, found)| !found.is_empty());
    groups.sort_by_key(|(_, found)| std::cmp::Reverse(found.iter().map(|(_, finding)| finding.state).max()));
    for (title, found) in groups {
        lines.heading(title);
        group(lines, theme, &found);
    }
}

fn short((check, _): &Found) -> String {
    check.short().replace('_', " ")
}

/// What is wrong in it with what to do; then what is well, in few words; then what was not looked at, with the reason.
fn group(lines: &mut Lines<'_>, theme: &Theme, found: &[&Found]) {
    let [good, bad, attention] = theme.glyphs().marks;
    for (state, mark, tone) in [(State::Red, bad, Tone::Bad), (State::Yellow, attention, Tone::Warn)] {
        for one in found.iter().filter(|(_, finding)| finding.state == state) {
            lines.marked(mark, &format!("{}: {}", short(one), one.1.found), tone);
            if let Some(next) = &one.1.next {
                lines.marked(&" ".repeat(width(mark)), &format!("-> {next}"), Tone::Text);
            }
        }
    }
    let names = |of: &[&&Found]| of.iter().map(|one| short(one)).collect::<Vec<_>>().join(", ");
    let well: Vec<_> = found.iter().filter(|(_, finding)| finding.state == State::Green).collect();
    if !well.is_empty() {
        lines.marked(good, &names(&well), Tone::Good);
    }
    let mut rest: Vec<_> = found.iter().filter(|(_, finding)| finding.state == State::Skipped).collect();
    while let Some((_, finding)) = rest.first().copied() {
        let why = finding.found.as_str();
        let (same, others) = rest.into_iter().partition::<Vec<_>, _>(|(_, other)| other.found.as_str() == why);
        lines.marked(theme.glyphs().off, &format!("{}: {why}", names(&same)), Tone::Quiet);
        rest = others;
    }
}

/// What another host has to look at, and how.
fn elsewhere(lines: &mut Lines<'_>, theme: &Theme, found: &[Found]) {
    let mut nexts: Vec<&str> = Vec::new();
    for (_, finding) in found.iter().filter(|one| is_elsewhere(one)) {
        let next = finding.next.as_ref().map_or("", |next| next.as_str());
        if !nexts.contains(&next) {
            nexts.push(next);
        }
    }
    if nexts.is_empty() {
        return;
    }
    lines.heading("Not to be seen from here");
    for next in nexts {
        let is_so = |one: &&Found| is_elsewhere(one) && one.1.next.as_ref().is_some_and(|other| other.as_str() == next);
        for (group, title) in GROUPS {
            let of: Vec<String> = found.iter().filter(is_so).filter(|one| one.0.group() == group).map(short).collect();
            if !of.is_empty() {
                lines.marked(theme.glyphs().off, &format!("{title}: {}", of.join(", ")), Tone::Quiet);
            }
        }
        lines.marked(" ", &format!("-> {next}"), Tone::Text);
    }
}
