//! Mail many again? It counts first, and from some number of mails on has that number typed.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::parts::{columns_for, complaint, input, keys, put, recorded};
use super::{Body, Dialog, KeyContext, Keys, Then, answered, because};
use crate::domain::audit::Action;
use crate::domain::idn;
use crate::domain::job::{JobPlan, JobScope, PlanProgress, Skip};
use crate::domain::verification::Status;
use crate::tui::effect::{Act, Answer, JobStarted, Load, Problem};
use crate::tui::model::Level;
use crate::tui::model::View;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::queue::model::ItemId;
use crate::tui::view::{mail, verifications};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::number::{rate, thousands};
use crate::tui::widget::scope::scope_words;
use crate::tui::{Effect, Model, undo, when};

/// From how many mails on their number has to be typed.
const NUMBER_FROM: i64 = 26;

/// How many of the first addresses are shown.
const FIRST_MAX: usize = 5;

/// Columns of a number in front of what it counts.
const NUMBER: usize = 11;

/// Rows that the box takes around a dialog's text.
const FRAME: u16 = 4;

/// The question before a bulk resend.
#[derive(Clone, Debug)]
pub struct BulkDialog {
    pub scope: JobScope,
    /// Which plan is awaited; answers to earlier questions are dropped.
    pub generation: u64,
    /// How far the counting is.
    pub progress: Option<PlanProgress>,
    /// What would happen; None while it is counted.
    pub plan: Option<Answer<Box<JobPlan>>>,
    /// The number of mails, typed.
    pub number: Field,
    /// What is wrong with it, or why the job was not started.
    pub problem: Option<Problem>,
    pub busy: bool,
}

impl BulkDialog {
    /// How many mails would go out, where there is something to confirm.
    fn mails(&self) -> Option<i64> {
        match &self.plan {
            Some(Ok(plan)) if plan.mails > 0 => Some(plan.mails),
            _ => None,
        }
    }

    /// Whether the number of mails has to be typed.
    fn asks_for_number(&self) -> bool {
        self.mails().is_some_and(|mails| mails >= NUMBER_FROM)
    }
}

/// For the marked, or for all that the list shows.
pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    if model.view == View::Mail {
        return None;
    }
    let is_verified = model.verifications.list().is_some_and(|list| list.tab == Some(Status::Verified));
    if model.marks.is_empty() && is_verified {
        return because("The verified need no mail.", "Choose another tab, or mark rows with Space.");
    }
    None
}

pub(super) fn open(model: &mut Model, fx: &mut Vec<Effect>) -> Dialog {
    let scope = match model.view {
        View::Mail if model.mail_marks.is_empty() => JobScope::Mails(mail::update::filter(model).unsorted()),
        View::Mail => {
            let marked: BTreeSet<_> = model.mail_marks.values().copied().collect();
            JobScope::Marked(marked.into_iter().collect())
        }
        _ if model.marks.is_empty() => JobScope::Filter(verifications::update::filter(model).unsorted()),
        _ => JobScope::Marked(model.marks.iter().copied().collect()),
    };
    Dialog::Bulk(plan(model, scope, fx))
}

/// Asks what a bulk resend would do; the dialog is there at once.
fn plan(model: &mut Model, scope: JobScope, fx: &mut Vec<Effect>) -> BulkDialog {
    model.generation += 1;
    let generation = model.generation;
    fx.push(Effect::Load(Load::JobPlan { scope: scope.clone(), generation }));
    BulkDialog { scope, generation, progress: None, plan: None, number: Field::default(), problem: None, busy: false }
}

/// How far the counting is.
pub(super) fn counted(model: &mut Model, generation: u64, progress: PlanProgress) {
    if let Some(Dialog::Bulk(dialog)) = &mut model.dialog
        && dialog.generation == generation
    {
        dialog.progress = Some(progress);
    }
}

/// What a bulk resend would do.
pub(super) fn planned(model: &mut Model, generation: u64, plan: Answer<Box<JobPlan>>) {
    if let Some(Dialog::Bulk(dialog)) = &mut model.dialog
        && dialog.generation == generation
    {
        dialog.plan = Some(plan);
    }
}

/// A bulk resend was started, or not.
pub(super) fn started(model: &mut Model, answer: Answer<JobStarted>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Bulk(_));
    let Some((job, dialog)) = answered(model, answer, is_it) else { return };
    let mails = match &dialog {
        Some(Dialog::Bulk(dialog)) => dialog.mails(),
        _ => None,
    };
    let what = match mails {
        Some(1) => "The bulk resend of 1 mail".to_owned(),
        Some(mails) => format!("The bulk resend of {} mails", thousands(mails)),
        None => "The bulk resend".to_owned(),
    };
    let act = what.replacen('T', "t", 1);
    let (what, hint) = match job.starts_in {
        0 => (format!("{what} has started."), "It goes on whatever happens to this console."),
        seconds => (
            format!("{what} starts in {}.", when::countdown(seconds)),
            "After that it goes on by itself; x cancels it.",
        ),
    };
    model.queue.selected = Some(ItemId::Job(job.id));
    model.queue.started.push(job.id);
    // Those of the view in which it was started.
    if model.view == View::Mail {
        model.mail_marks.clear();
    } else {
        model.marks.clear();
    }
    if dialog.is_some() {
        model.show(View::Queue);
    }
    model.toast(Level::Done, what, hint);
    if job.starts_in > 0 {
        undo::offer_for(model, act, Action::StartJob, None, job.starts_in);
    }
}

impl Body for BulkDialog {
    fn key_context(&self) -> KeyContext {
        if self.asks_for_number() { KeyContext::Reason } else { KeyContext::Confirm }
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        // No letter belongs into a number.
        matches!(event.code, KeyCode::Char(c) if c.is_alphabetic() && event.modifiers.is_empty())
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.asks_for_number().then_some(&mut self.number)
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn confirm(&mut self, model: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let agreed = match (&self.plan, self.mails()) {
            (None, _) => return Then::Stay,
            (Some(Err(_)), _) => {
                *self = plan(model, self.scope.clone(), fx);
                return Then::Stay;
            }
            (Some(Ok(_)), None) => return Then::Close,
            (Some(Ok(plan)), Some(_)) => plan.clone(),
        };
        let typed: String = self.number.text().chars().filter(char::is_ascii_digit).collect();
        if self.asks_for_number() && typed.parse() != Ok(agreed.mails) {
            self.problem = Some(Problem {
                what: format!("Type {} to agree.", thousands(agreed.mails)),
                hint: "It is the number of mails that go out.".into(),
                ..Problem::default()
            });
            return Then::Stay;
        }
        (self.problem, self.busy) = (None, true);
        fx.push(Effect::Act(Act::StartJob { scope: self.scope.clone(), plan: agreed }));
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn cancelled(&self, fx: &mut Vec<Effect>) {
        if self.plan.is_none() {
            fx.push(Effect::Load(Load::ForgetJobPlan));
        }
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        match (&self.plan, self.mails()) {
            _ if self.busy => vec![("Esc", "close; it goes on")],
            (None, _) => vec![("Esc", "cancel")],
            (Some(Err(_)), _) => vec![("Enter", "count again"), ("Esc", "close")],
            (Some(Ok(_)), None) => vec![("Enter", "close")],
            (Some(Ok(_)), Some(_)) => {
                vec![(if self.asks_for_number() { "Enter" } else { "y" }, "start it"), ("Esc", "cancel")]
            }
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let with = |detail| {
            let mut lines = Lines::new(theme, columns);
            let asked = bulk_lines(&mut lines, model, theme, self, detail);
            (lines.finish(), asked)
        };
        // What is asked must be on the screen; what explains it makes room.
        let fits = |lines: &[Line<'_>]| lines.len() + usize::from(FRAME) <= usize::from(area.height);
        let all = [Detail::All, Detail::Most].into_iter().map(with).find(|(lines, _)| fits(lines));
        let (lines, asked) = all.unwrap_or_else(|| with(Detail::Little));
        let place = put(canvas, area, "Bulk resend", &lines);
        input(canvas, place, asked?, &self.number, !self.busy)
    }
}

/// How much of a plan is shown: all, without what is only good to know, or what must not be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Little,
    Most,
    All,
}

/// The dialog's lines; returns the one on which the number is typed.
fn bulk_lines(
    lines: &mut Lines<'_>,
    model: &Model,
    theme: &Theme,
    dialog: &BulkDialog,
    detail: Detail,
) -> Option<usize> {
    if detail == Detail::Little
        && let Some(Ok(plan)) = &dialog.plan
    {
        return in_short(lines, model, theme, dialog, plan);
    }
    lines.value("for", &scope_words(&dialog.scope, theme, model.setup.zone), Tone::Strong);
    lines.gap();
    match &dialog.plan {
        None => {
            counting(lines, dialog.progress.as_ref());
            lines.text("Nothing is mailed before you agree.", Tone::Quiet);
            keys(lines, &dialog.keys(model, theme));
            None
        }
        Some(Err(problem)) => {
            complaint(lines, theme, problem);
            keys(lines, &dialog.keys(model, theme));
            None
        }
        Some(Ok(plan)) => {
            plan_lines(lines, model, theme, (&dialog.scope, plan), detail);
            agree(lines, model, theme, dialog, detail)
        }
    }
}

/// What is known while it is counted, in the places of what follows.
fn counting(lines: &mut Lines<'_>, progress: Option<&PlanProgress>) {
    let Some(progress) = progress else { return lines.text("counting…", Tone::Strong) };
    count(lines, progress.about, "found (estimate)", Tone::Text);
    count(lines, progress.mails, "mails so far", Tone::Text);
    lines.text(&format!("counting… {} %", progress.percent()), Tone::Strong);
}

/// What must not be missing, the most needed first.
fn in_short(lines: &mut Lines<'_>, model: &Model, theme: &Theme, dialog: &BulkDialog, plan: &JobPlan) -> Option<usize> {
    let mut asked = None;
    if plan.mails == 0 {
        lines.text("There is no one to mail.", Tone::Strong);
    } else {
        going(lines, plan);
        asked = number(lines, theme, dialog);
    }
    lines.value("for", &scope_words(&dialog.scope, theme, model.setup.zone), Tone::Text);
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

fn plan_lines(
    lines: &mut Lines<'_>,
    model: &Model,
    theme: &Theme,
    (scope, plan): (&JobScope, &JobPlan),
    detail: Detail,
) {
    count(lines, plan.found, &format!("{} found", scope.noun(plan.found)), Tone::Text);
    for skip in Skip::ALL {
        if plan.skipped.of(skip) > 0 {
            count(lines, -plan.skipped.of(skip), skip.title(), Tone::Quiet);
        }
    }
    if plan.mails == 0 {
        lines.gap();
        lines.text("There is no one to mail.", Tone::Strong);
        return;
    }
    going(lines, plan);
    lines.gap();
    cost(lines, model, plan);
    if detail == Detail::All {
        let ellipsis = theme.glyphs().ellipsis;
        for (n, email) in plan.first.iter().take(FIRST_MAX).enumerate() {
            let email = crate::text::fit(idn::shown(email).as_str(), lines.room(0), ellipsis);
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
fn agree(lines: &mut Lines<'_>, model: &Model, theme: &Theme, dialog: &BulkDialog, detail: Detail) -> Option<usize> {
    if dialog.mails().is_none() {
        keys(lines, &dialog.keys(model, theme));
        return None;
    }
    lines.gap();
    let at = number(lines, theme, dialog);
    if detail == Detail::All {
        lines.text(&recorded(model, ""), Tone::Quiet);
    }
    keys(lines, &dialog.keys(model, theme));
    at
}

/// Where the number is typed, and what is wrong with it; returns its line.
fn number(lines: &mut Lines<'_>, theme: &Theme, dialog: &BulkDialog) -> Option<usize> {
    let at = dialog.asks_for_number().then(|| lines.count());
    if at.is_some() {
        lines.value("type", "", Tone::Text);
    }
    if dialog.busy {
        lines.text("starting…", Tone::Quiet);
    } else if let Some(problem) = &dialog.problem {
        complaint(lines, theme, problem);
    } else if let (Some(mails), Some(_)) = (dialog.mails(), at) {
        lines.text(&format!("Type {} and press Enter: so many mails go out.", thousands(mails)), Tone::Text);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::{Filter, Search};
    use crate::domain::id::VerificationId;
    use crate::domain::job::JobState;
    use crate::domain::send::SendState;
    use crate::domain::verification::Status;
    use crate::tui::Msg;
    use crate::tui::effect::{JobChange, Loaded};
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::{Console, World, job, job_id, job_plan};
    use crate::tui::tests::queue::worlds::{counting, grace};

    #[test]
    fn a_bulk_resend_is_for_the_marked_or_else_for_what_is_shown() {
        let filter =
            |status, search| JobScope::Filter(Filter { status, search: Search::parse(search), ..Filter::default() });
        let table = [
            ("Space Space B", JobScope::Marked(vec![VerificationId(49_992), VerificationId(49_993)])),
            ("Space 2 B", JobScope::Marked(vec![VerificationId(49_993)])),
            ("B", filter(Some(Status::Pending), "")),
            ("3 B", filter(Some(Status::Expired), "")),
            ("/ n a v e r Enter 3 B", filter(Some(Status::Expired), "naver")),
            ("3 / n a v e r Enter B", filter(None, "naver")),
            ("5 B", filter(None, "")),
        ];
        for (keys, scope) in table {
            let (mut console, world) = Console::loaded(80, 24);
            let (before, last) = keys.rsplit_once(' ').unwrap_or(("", keys));
            console.run(&world, before);
            console.press(last);
            let asked = console.take_asked();
            assert!(
                matches!(&asked[..], [Effect::Load(Load::JobPlan { scope: asked, .. })] if *asked == scope),
                "{keys:?}: {asked:?}"
            );
            assert!(console.screen().contains("counting…"), "{keys:?}");
        }
        let of = |state: Option<SendState>| Filter { mail: state.into(), ..Filter::default() };
        for (keys, scope) in [
            ("m / m a i l : f a i l e d Enter B", JobScope::Mails(of(Some(SendState::Failed)))),
            ("m B", JobScope::Mails(of(None))),
            ("m j Space B", JobScope::Marked(vec![VerificationId(49_992)])),
            ("m Space Space Space Esc 2 B", JobScope::Mails(of(Some(SendState::Queued)))),
            ("Space m B", JobScope::Mails(of(None))),
        ] {
            let (mut console, world) = Console::loaded(80, 24);
            let (before, last) = keys.rsplit_once(' ').unwrap();
            console.run(&world, before);
            console.press(last);
            let asked = console.take_asked();
            assert!(
                matches!(&asked[..], [Effect::Load(Load::JobPlan { scope: asked, .. })] if *asked == scope),
                "{keys:?}: {asked:?}"
            );
        }
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "2 B");
        let toast = console.model.toasts.last().unwrap();
        assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, "The verified need no mail."));
    }

    #[test]
    fn the_last_plan_wins_and_an_abandoned_one_is_forgotten() {
        let (mut console, _) = counting(80, 24);
        let generation = |asked: Vec<Effect>| {
            asked.iter().find_map(|e| {
                if let Effect::Load(Load::JobPlan { generation, .. }) = e { Some(*generation) } else { None }
            })
        };
        let first = generation(console.take_asked()).unwrap();
        console.press("y Enter");
        assert!(console.take_asked().is_empty(), "agreed before it was known to what");
        console.press("Esc");
        assert_eq!(console.take_asked(), [Effect::Load(Load::ForgetJobPlan)]);
        console.press("B");
        let second = generation(console.take_asked()).unwrap();
        console.send(Msg::Loaded(Loaded::JobPlan { generation: first, answer: Ok(Box::new(job_plan(1, 1))) }));
        console.press("y");
        assert!(console.take_asked().is_empty(), "took the answer to an abandoned question");
        console.send(Msg::Loaded(Loaded::JobPlan { generation: second, answer: Ok(Box::new(job_plan(1, 1))) }));
        console.press("y");
        assert!(
            matches!(&console.asked[..], [Effect::Act(Act::StartJob { plan, .. })] if plan.mails == 1),
            "{:?}",
            console.asked
        );
    }

    #[test]
    fn the_number_is_typed_from_26_mails_on() {
        let start = |mails: i64, keys: &str| {
            let (mut console, _) = counting(80, 24);
            console.serve(&World { job_plan: Ok(job_plan(mails, mails)), ..World::default() });
            console.press(keys);
            console.take_asked().iter().filter(|effect| matches!(effect, Effect::Act(Act::StartJob { .. }))).count()
        };
        let table = [
            (25, "y", 1),
            (25, "Enter", 1),
            (1, "y y Enter", 1),
            (25, "n", 0),
            (26, "y", 0),
            (26, "Enter", 0),
            (26, "2 6 Enter", 1),
            (26, "2 6 Enter Enter", 1),
            (26, "2 7 Enter", 0),
            (26, "2 7 Enter Backspace 6 Enter", 1),
            (26, "a 2 b 6 Enter", 1),
            (1_204, "1 , 2 0 4 Enter", 1),
            (1_204, "1 2 0 4 Enter", 1),
            (1_204, "1 2 0 Enter", 0),
            (0, "y Enter", 0),
        ];
        for (mails, keys, started) in table {
            assert_eq!(start(mails, keys), started, "{mails} mails, {keys:?}");
        }
    }

    #[test]
    fn a_started_job_is_selected_in_the_queue_and_can_be_cancelled() {
        let (mut console, mut world) = Console::loaded(80, 24);
        console.run(&world, "Space Space B");
        console.type_text("1204");
        let mut started = grace();
        started.outbox.jobs.push(job(2, JobState::Running));
        world.outbox = started.outbox;
        console.press("Enter");
        assert!(console.screen().contains("starting…"));
        console.serve(&world);
        assert_eq!((console.model.key_context(), console.model.marks.len()), (KeyContext::Queue, 0));
        assert_eq!(console.model.selected_job().map(|job| job.id), Some(job_id(1)));
        let toast = console.model.toasts.last().unwrap();
        assert_eq!(toast.what, "The bulk resend of 1,204 mails starts in 10 s.");
        assert!(toast.hint.ends_with("x cancels it."));
        console.press("x");
        assert!(console.screen().contains("It has mailed no one yet; it starts in 8 s."), "{}", console.screen());
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::ChangeJob { id: job_id(1), change: JobChange::Cancel })]);
        console.press("y Enter");
        assert_eq!(console.asked.len(), 1, "cancelled twice");
        console.serve(&world);
        assert_eq!(console.model.toasts.last().unwrap().what, "The job is cancelled.");
    }

    #[test]
    fn a_job_started_behind_a_closed_dialog_is_reported_all_the_same() {
        let (mut console, world) = counting(80, 24);
        console.serve(&world);
        console.type_text("1204");
        console.press("Enter Esc");
        console.serve(&world);
        assert_eq!(console.model.view, View::Verifications, "the operator stays with what they went on with");
        assert!(console.model.toasts.last().unwrap().what.contains("starts in 10 s"));
    }
}
