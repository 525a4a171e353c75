//! Mail again? It says first what would happen.

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, keys, operator, put, who};
use super::{Body, Dialog, KeyContext, Then, answered};
use crate::desk::{Resent, ResentHow};
use crate::domain::Time;
use crate::domain::id::VerificationId;
use crate::tui::effect::{Act, Answer, Load, Problem};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::theme::Tone;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, when};

/// The question before a resend.
#[derive(Clone, Debug)]
pub struct ResendDialog {
    pub subject: Subject,
    /// What would happen; None until the desk has answered.
    pub plan: Option<Answer<ResentHow>>,
    pub busy: bool,
}

pub(super) fn open(model: &Model, fx: &mut Vec<Effect>) -> Option<Dialog> {
    let subject = model.subject()?;
    fx.push(Effect::Load(Load::ResendPlan { id: subject.id }));
    Some(Dialog::Resend(ResendDialog { subject, plan: None, busy: false }))
}

/// What a resend would do.
pub(super) fn planned(model: &mut Model, id: VerificationId, plan: Answer<ResentHow>) {
    if let Some(Dialog::Resend(dialog)) = &mut model.dialog
        && dialog.subject.id == id
        && !dialog.busy
    {
        dialog.plan = Some(plan);
    }
}

/// A resend was done, or not.
pub(super) fn resent(model: &mut Model, id: VerificationId, answer: Answer<Resent>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Resend(dialog) if dialog.subject.id == id);
    let Some((resent, dialog)) = answered(model, answer, is_it) else { return };
    let to = match dialog {
        Some(Dialog::Resend(dialog)) => dialog.subject.email,
        _ => format!("verification {id}"),
    };
    // Also where it was opened again in the meantime.
    model.dialog.take_if(|dialog| is_it(dialog));
    let (what, hint) = match resent.how {
        ResentHow::SameLink => (format!("The same link is on its way to {to}."), String::new()),
        ResentHow::NewKey => (
            format!("A new link is on its way to {to}."),
            format!("Verification {} takes the place of {id}.", resent.verification_id),
        ),
        ResentHow::BroughtForward => (format!("The mail to {to} goes first now."), String::new()),
    };
    model.toast(Level::Done, what, hint);
}

impl Body for ResendDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Confirm
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn confirm(&mut self, model: &mut Model, fx: &mut Vec<Effect>) -> Then {
        match &self.plan {
            None => {}
            Some(Ok(_)) => {
                self.busy = true;
                fx.push(Effect::Act(Act::Resend { id: self.subject.id }));
            }
            Some(Err(Problem { possible_at: Some(at), .. })) if *at > model.now => {}
            Some(Err(Problem { possible_at: Some(_), .. })) => {
                self.plan = None;
                fx.push(Effect::Load(Load::ResendPlan { id: self.subject.id }));
            }
            Some(Err(_)) => return Then::Close,
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.plan) = (false, Some(Err(problem)));
    }

    fn next_change(&self, model: &Model) -> Option<Time> {
        match &self.plan {
            Some(Err(Problem { possible_at: Some(at), .. })) => when::next_second(*at, model.now),
            _ => None,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        who(&mut lines, &self.subject);
        match &self.plan {
            _ if self.busy => lines.text("queueing the mail…", Tone::Quiet),
            None => lines.text("asking the desk what a resend would do…", Tone::Quiet),
            Some(Ok(plan)) => {
                let (what, then) = match plan {
                    ResentHow::SameLink => (
                        "The same link is mailed again.",
                        "Its life starts again; the link in the earlier mail keeps working too.",
                    ),
                    ResentHow::NewKey => (
                        "A new link is mailed.",
                        "A new verification takes the place of this one; its old link does not work any more.",
                    ),
                    ResentHow::BroughtForward => {
                        ("A mail is waiting to be sent already; it goes first.", "No second mail is queued.")
                    }
                };
                lines.text(what, Tone::Strong);
                lines.text(then, Tone::Text);
                lines.gap();
                lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
                keys(&mut lines, &[("y", "mail it"), ("Esc", "cancel")]);
            }
            Some(Err(problem)) => {
                complaint(&mut lines, theme, problem);
                match problem.possible_at {
                    Some(at) if at > model.now => {
                        let left = when::seconds_until(at, model.now);
                        let clock = when::time_of_day(at, model.setup.zone);
                        lines.text(&format!("Possible at {clock}, in {left} s."), Tone::Strong);
                        keys(&mut lines, &[("Esc", "close")]);
                    }
                    Some(_) => {
                        lines.text("It is possible now.", Tone::Strong);
                        keys(&mut lines, &[("y", "ask again"), ("Esc", "close")]);
                    }
                    None => keys(&mut lines, &[("Esc", "close")]),
                }
            }
        }
        put(canvas, area, "Resend", &lines.finish());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::Loaded;
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::{Console, World, now};
    use chrono::Duration;

    #[test]
    fn a_resend_says_what_will_happen_and_then_does_it() {
        let table = [
            (
                ResentHow::SameLink,
                "The same link is mailed again.",
                "The same link is on its way to minji.kim@example.com.",
            ),
            (ResentHow::NewKey, "A new link is mailed.", "A new link is on its way to minji.kim@example.com."),
            (
                ResentHow::BroughtForward,
                "A mail is waiting to be sent already; it goes first.",
                "The mail to minji.kim@example.com goes first now.",
            ),
        ];
        for (plan, before, after) in table {
            let mut console = Console::new(80, 24);
            let world = World { plan: Ok(plan), ..World::default() };
            console.serve(&world);
            console.press("r");
            assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
            console.press("y");
            assert!(console.take_asked().is_empty(), "confirmed before it was known what would happen");
            console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_993), answer: Ok(plan) }));
            let shown = console.screen();
            assert!(shown.contains(before) && shown.contains("minji.kim@example.com"), "{shown}");
            console.press("y");
            assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_993) })]);
            console.press("y Enter");
            assert_eq!(console.asked.len(), 1, "sent twice");
            console.serve(&world);
            assert_eq!(console.model.key_context(), KeyContext::Verifications);
            let toast = console.model.toasts.last().unwrap();
            assert_eq!((toast.level, toast.what.as_str()), (Level::Done, after));
        }
    }

    #[test]
    fn a_resend_that_is_refused_says_when_it_is_possible() {
        let mut console = Console::new(80, 24);
        let problem = Problem {
            what: "a mail went out less than 60 s ago".into(),
            hint: "wait".into(),
            possible_at: Some(now() + Duration::seconds(40)),
            ..Problem::default()
        };
        let world = World { plan: Err(problem), ..World::default() };
        console.serve(&world);
        console.run(&world, "r");
        assert!(console.screen().contains("Possible at 14:31:00, in 40 s."), "{}", console.screen());
        console.run(&world, "y Enter");
        assert_eq!(console.model.key_context(), KeyContext::Confirm);
        assert_eq!(console.next_deadline(), Some(now() + Duration::seconds(1)));
        console.send(Msg::Clock(now() + Duration::seconds(1)));
        assert!(console.screen().contains("in 39 s."));
        console.send(Msg::Clock(now() + Duration::seconds(41)));
        assert!(console.screen().contains("It is possible now."), "{}", console.screen());
        console.take_asked();
        console.press("y");
        assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
    }

    #[test]
    fn a_late_answer_to_another_question_changes_nothing() {
        let (mut console, world) = Console::loaded(80, 24);
        console.press("r Esc j r");
        console.take_asked();
        console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_993), answer: Ok(ResentHow::NewKey) }));
        console.press("y");
        assert!(console.take_asked().is_empty());
        console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_992), answer: Ok(ResentHow::SameLink) }));
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_992) })]);
        // Cancelled while under way: what came of it is reported all the same.
        console.press("Esc");
        console.serve(&world);
        assert!(console.model.toasts.last().unwrap().what.contains("verification 49992"));
    }
}
