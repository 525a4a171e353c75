//! Verify without the link, and why?

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::parts::{columns_for, complaint, input, keys, operator, put, who};
use super::{Body, Dialog, KeyContext, REASON_MIN, Then, answered, reason_missing};
use crate::domain::id::VerificationId;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::Tone;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model};

/// The question before a forced verification.
#[derive(Clone, Debug)]
pub struct ForceVerifyDialog {
    pub subject: Subject,
    pub reason: Field,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let subject = model.subject()?;
    Some(Dialog::ForceVerify(ForceVerifyDialog { subject, reason: Field::default(), problem: None, busy: false }))
}

/// A forced verification was done, or not.
pub(super) fn verified(model: &mut Model, id: VerificationId, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::ForceVerify(dialog) if dialog.subject.id == id);
    let Some(((), dialog)) = answered(model, answer, is_it) else { return };
    let who = match dialog {
        Some(Dialog::ForceVerify(dialog)) => dialog.subject.email,
        _ => format!("Verification {id}"),
    };
    // Also where it was opened again in the meantime.
    model.dialog.take_if(|dialog| is_it(dialog));
    let what = format!("{who} is verified.");
    model.toast(Level::Done, what, "Your reason is in the audit log.");
}

impl Body for ForceVerifyDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Reason
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.reason)
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let reason = self.reason.text().trim();
        if reason.chars().count() < REASON_MIN {
            let hint = "The audit log keeps it: how do you know that the address is theirs?";
            self.problem = Some(reason_missing(hint));
            return Then::Stay;
        }
        fx.push(Effect::Act(Act::ForceVerify { id: self.subject.id, reason: reason.to_owned() }));
        (self.problem, self.busy) = (None, true);
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        // Where not everything fits, what is typed and what is wrong with it come before what is explained.
        let short = area.height < 18;
        let mut explained = Lines::new(theme, columns);
        explained.text("The address counts as verified from now on, without the link.", Tone::Strong);
        explained.text(&format!("It is audited under {}, with your reason.", operator(model)), Tone::Text);
        let explained = explained.finish();
        let mut wrong = Lines::new(theme, columns);
        if self.busy {
            wrong.text("verifying…", Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            complaint(&mut wrong, theme, problem);
        }
        let wrong = wrong.finish();
        let mut lines = Lines::new(theme, columns);
        if short {
            lines.value("to", &self.subject.email, Tone::Strong);
        } else {
            who(&mut lines, &self.subject);
        }
        let mut lines = lines.finish();
        if !short {
            lines.extend(explained.clone());
            lines.push(Line::default());
        }
        let at = lines.len();
        lines.push(Line::styled("reason", theme.style(Tone::Quiet)));
        if !wrong.is_empty() {
            lines.extend(Some(Line::default()).filter(|_| !short));
            lines.extend(wrong);
        }
        if short {
            lines.extend(explained);
        } else {
            let mut below = Lines::new(theme, columns);
            keys(&mut below, &[("Enter", "verify"), ("Esc", "cancel")]);
            lines.extend(below.finish());
        }
        let place = put(canvas, area, "Force-verify", &lines);
        input(canvas, place, at, &self.reason, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;
    use crate::tui::tests::fixture::Console;

    #[test]
    fn a_forced_verification_needs_a_reason() {
        let (mut console, world) = Console::loaded(80, 24);
        console.press("v Enter");
        assert!(console.take_asked().is_empty());
        assert!(console.screen().contains("A reason of at least 3 characters is needed."));
        console.type_text("  ok ");
        console.press("Enter");
        assert!(console.take_asked().is_empty());
        console.type_text("by phone");
        assert!(!console.screen().contains("at least 3"));
        let shown = console.screen();
        for part in ["minji.kim@example.com", "김민지", "mina@bastion", "verified from now on"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        console.press("Enter");
        let done = Effect::Act(Act::ForceVerify { id: VerificationId(49_993), reason: "ok by phone".into() });
        assert_eq!(console.asked, [done]);
        console.press("Enter x");
        assert_eq!(console.asked.len(), 1);
        console.serve(&world);
        assert_eq!(console.model.toasts.last().unwrap().what, "minji.kim@example.com is verified.");
    }

    #[test]
    fn a_forced_verification_that_fails_keeps_the_reason() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("v");
        console.type_text("by phone");
        console.press("Enter");
        let problem =
            Problem { what: "the database is away".into(), hint: "try again".into(), away: true, possible_at: None };
        console.send(Msg::Acted(Acted::ForceVerified { id: VerificationId(49_993), answer: Err(problem) }));
        let shown = console.screen();
        assert!(shown.contains("the database is away") && shown.contains("by phone"), "{shown}");
        console.take_asked();
        console.press("Enter");
        assert_eq!(console.asked.len(), 1);
    }
}
