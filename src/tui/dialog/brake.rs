//! Pause or drain the outbox, or resume it?

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, input, keys, put, recorded};
use super::{Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, because, reason_missing};
use crate::domain::audit::Action;
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::tui::effect::{Act, Answer, BrakeChange, Problem};
use crate::tui::model::Level;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, undo, when};

/// The question before the outbox is stopped or let go.
#[derive(Clone, Debug)]
pub struct BrakeDialog {
    pub change: BrakeChange,
    /// Not for letting it go.
    pub reason: Field,
    /// What is wrong with it, or why it was not done.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn blocked(model: &Model, change: BrakeChange) -> Option<(String, String)> {
    let outbox = model.outbox.as_ref();
    let brake = outbox.and_then(|outbox| outbox.brake.as_ref());
    match (change, brake) {
        (BrakeChange::Pause, Some(Brake { state: BrakeState::Paused, cause: BrakeCause::Operator, .. })) => {
            because("Sending is paused already.", "U lets it go again.")
        }
        (BrakeChange::Drain, Some(Brake { state: BrakeState::Paused, .. })) => {
            because("Sending is paused: nothing goes out.", "Resume with U first.")
        }
        (BrakeChange::Drain, Some(Brake { state: BrakeState::Draining, .. })) => {
            because("The outbox drains already.", "U lets it go again.")
        }
        (BrakeChange::Resume, None) => match outbox.and_then(|outbox| outbox.pace.left()) {
            Some(0) => because("Only the quota holds mail back.", "It goes on by itself as places come free."),
            _ => because("Nothing holds the outbox back.", "P in the Queue pauses it."),
        },
        _ => None,
    }
}

pub(super) fn open(change: BrakeChange) -> Dialog {
    Dialog::Brake(BrakeDialog { change, reason: Field::default(), problem: None, busy: false })
}

/// The outbox was stopped or let go, or not.
pub(super) fn set(model: &mut Model, change: BrakeChange, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Brake(dialog) if dialog.change == change);
    if answered(model, answer, is_it).is_none() {
        return;
    }
    let (what, hint) = match change {
        BrakeChange::Pause => ("Sending is paused.", "U lets it go again."),
        BrakeChange::Drain => ("What is queued goes out, then nothing.", "U lets the outbox go again."),
        BrakeChange::Resume => ("Sending goes on.", ""),
    };
    model.toast(Level::Done, what, hint);
    match change {
        BrakeChange::Pause => undo::offer(model, "the pause".into(), Action::Pause, None),
        BrakeChange::Drain => undo::offer(model, "the drain".into(), Action::Drain, None),
        BrakeChange::Resume => {}
    }
}

impl Body for BrakeDialog {
    fn key_context(&self) -> KeyContext {
        if self.change.needs_reason() { KeyContext::Reason } else { KeyContext::Confirm }
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.change.needs_reason().then_some(&mut self.reason)
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let reason = self.reason.text().trim().to_owned();
        if self.change.needs_reason() && reason.chars().count() < REASON_MIN {
            self.problem = Some(reason_missing("Every console shows it while the outbox is stopped."));
            return Then::Stay;
        }
        (self.problem, self.busy) = (None, true);
        fx.push(Effect::Act(Act::SetBrake { change: self.change, reason }));
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        let yes = match self.change {
            BrakeChange::Pause => "pause",
            BrakeChange::Drain => "drain",
            BrakeChange::Resume => "resume",
        };
        vec![(if self.change.needs_reason() { "Enter" } else { "y" }, yes), ("Esc", "cancel")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let is_short = area.height < 18;
        let (title, what, then) = match self.change {
            BrakeChange::Pause => (
                "Pause sending",
                "No mail goes out any more, sign-ups included.",
                "Mails in progress are finished; the rest waits until someone resumes.",
            ),
            BrakeChange::Drain => (
                "Drain the outbox",
                "What is queued now goes out, then nothing.",
                "Jobs make no more mails; what comes later waits until someone resumes.",
            ),
            BrakeChange::Resume => {
                ("Resume sending", "Mail goes out again.", "Make sure that what stopped it is fixed.")
            }
        };
        let mut lines = Lines::new(theme, columns);
        if self.change == BrakeChange::Resume
            && let Some(brake) = model.outbox.as_ref().and_then(|outbox| outbox.brake.as_ref())
        {
            was_stopped(&mut lines, model, brake, usize::from(area.height.saturating_sub(15)).max(3));
        }
        if !is_short || !self.change.needs_reason() {
            explain(&mut lines, model, what, then);
        }
        let mut at = None;
        if self.change.needs_reason() {
            if !is_short {
                lines.gap();
            }
            at = Some(lines.count());
            lines.value("reason", "", Tone::Text);
        }
        if self.busy || self.problem.is_some() {
            if !is_short {
                lines.gap();
            }
            match &self.problem {
                Some(problem) => complaint(&mut lines, theme, problem),
                None => lines.text("notifying the workers…", Tone::Quiet),
            }
        }
        if is_short && self.change.needs_reason() {
            explain(&mut lines, model, what, then);
        }
        if !is_short || !self.change.needs_reason() {
            keys(&mut lines, &self.keys(model, theme));
        }
        let place = put(canvas, area, title, &lines.finish());
        at.and_then(|at| input(canvas, place, at, &self.reason, true))
    }
}

fn explain(lines: &mut Lines<'_>, model: &Model, what: &str, then: &str) {
    lines.text(what, Tone::Strong);
    lines.text(then, Tone::Text);
    lines.text(&recorded(model, ""), Tone::Quiet);
}

/// Why it stands still: no one resumes without having read it.
fn was_stopped(lines: &mut Lines<'_>, model: &Model, brake: &Brake, most: usize) {
    let ago = when::relative(brake.set_at, model.now);
    let word = if brake.state == BrakeState::Draining { "drains" } else { "paused" };
    lines.value(word, &format!("by {}, {ago}", brake.set_by.plain()), Tone::Text);
    lines.value_within("reason", brake.reason.plain().as_str(), Tone::Strong, most);
    lines.gap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;

    use crate::tui::tests::fixture::Console;
    use crate::tui::tests::queue::worlds::paused;

    #[test]
    fn the_brake_asks_why_and_is_set() {
        let table = [
            ("P", BrakeChange::Pause, "Sending is paused."),
            ("D", BrakeChange::Drain, "What is queued goes out, then nothing."),
        ];
        for (key, change, done) in table {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, &format!("o {key} Enter"));
            assert!(console.screen().contains("A reason of at least 3 characters is needed."));
            console.type_text("  SES maintenance ");
            assert!(!console.screen().contains("at least 3"));
            console.press("Enter");
            assert_eq!(console.asked, [Effect::Act(Act::SetBrake { change, reason: "SES maintenance".into() })]);
            console.press("Enter");
            assert_eq!(console.asked.len(), 1, "set twice");
            console.serve(&world);
            assert_eq!(console.model.key_context(), KeyContext::Queue);
            assert_eq!(console.model.toasts.last().unwrap().what, done);
        }
    }

    #[test]
    fn resuming_shows_why_mail_stood_still() {
        for keys in ["U", "m U", "t U", "o U", "Enter U"] {
            let (mut console, world) = (Console::new(80, 24), paused());
            console.serve(&world);
            console.run(&world, keys);
            let shown = console.screen();
            let parts =
                ["Resume sending", "by mina@bastion, 12 min ago", "SES maintenance in ap-northeast-2 until four"];
            for part in parts {
                assert!(shown.contains(part), "{keys:?}: {part} is missing in\n{shown}");
            }
            console.press("y");
            assert_eq!(
                console.asked,
                [Effect::Act(Act::SetBrake { change: BrakeChange::Resume, reason: String::new() })]
            );
            let problem = Problem { what: "sending is not paused".into(), ..Problem::default() };
            console.send(Msg::Acted(Acted::BrakeSet { change: BrakeChange::Resume, answer: Err(problem) }));
            assert!(console.screen().contains("✗ sending is not paused"), "{}", console.screen());
        }
    }
}
