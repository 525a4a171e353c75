//! To which address, and why?

use ratatui::layout::{Position, Rect};

use super::parts::{AddressAndReason, draw_address_and_reason};
use super::{Action, Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, reason_missing};
use crate::domain::audit;
use crate::domain::id::VerificationId;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::{Effect, Model, undo};

/// The question before a change of address.
#[derive(Clone, Debug)]
pub struct ChangeAddressDialog {
    pub subject: Subject,
    /// The new address; the old one to begin with, since most changes are of a letter.
    pub address: Field,
    pub reason: Field,
    /// Whether typing goes to the reason.
    pub at_reason: bool,
    /// What is wrong.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let subject = model.subject()?;
    let mut address = Field::default();
    address.paste(&subject.email);
    Some(Dialog::ChangeAddress(ChangeAddressDialog {
        subject,
        address,
        reason: Field::default(),
        at_reason: false,
        problem: None,
        busy: false,
    }))
}

/// The address was changed, or not.
pub(super) fn changed(model: &mut Model, id: VerificationId, answer: Answer<(String, VerificationId)>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::ChangeAddress(dialog) if dialog.subject.id == id);
    let Some(((email, mailed), _)) = answered(model, answer, is_it) else { return };
    model.follow(id, mailed);
    model.toast(Level::Done, format!("The address is {email} now."), "A new link is queued to be mailed there.");
    undo::offer(model, format!("the change of address to {email}"), audit::Action::ChangeAddress, Some(id));
}

impl Body for ChangeAddressDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Form
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(if self.at_reason { &mut self.reason } else { &mut self.address })
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn step(&mut self, action: Action) {
        if matches!(action, Action::NextField | Action::PreviousField) {
            self.at_reason ^= true;
        }
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let [address, reason] = [&self.address, &self.reason].map(|field| field.text().trim().to_owned());
        if address.is_empty() || [&self.subject.email, &self.subject.mailed].contains(&&address) {
            self.at_reason = false;
            self.problem = Some(Problem {
                what: "Another address is needed.".into(),
                hint: "A new link is mailed there.".into(),
                ..Problem::default()
            });
        } else if reason.chars().count() < REASON_MIN {
            // Enter goes from the address to the reason; only there it is missing.
            self.problem = self.at_reason.then(|| reason_missing("The audit log keeps it, with the old address."));
            self.at_reason = true;
        } else {
            (self.problem, self.busy) = (None, true);
            fx.push(Effect::Act(Act::ChangeAddress { id: self.subject.id, address, reason }));
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("Enter", "change it"), ("Tab", "next field"), ("Esc", "cancel")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let asked = AddressAndReason {
            title: "Change the address",
            label: "new",
            subject: Some(&self.subject),
            address: &self.address,
            reason: &self.reason,
            at_reason: self.at_reason,
            problem: self.problem.as_ref(),
            doing: self.busy.then_some("changing it…"),
            keys: self.keys(model, canvas.theme),
        };
        draw_address_and_reason(canvas, area, &asked, |below, _| {
            below.text(
                "A new link is mailed there; earlier ones stop working. Until it is opened, the user is not verified.",
                Tone::Text,
            );
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixture::Console;

    #[test]
    fn a_letter_is_corrected_and_the_reason_asked_for() {
        let (mut console, world) = Console::loaded(80, 24);
        console.press("a Enter");
        assert!(console.screen().contains("Another address is needed."), "{}", console.screen());
        console.press("Backspace");
        console.type_text("n");
        console.press("Enter Enter");
        assert!(console.screen().contains("A reason of at least 3 characters is needed."), "{}", console.screen());
        assert!(console.take_asked().is_empty());
        console.type_text("a typo");
        console.press("Enter Enter");
        let done = Act::ChangeAddress {
            id: VerificationId(49_993),
            address: "minji.kim@example.con".into(),
            reason: "a typo".into(),
        };
        assert_eq!(console.asked, [Effect::Act(done)]);
        console.serve(&world);
        assert!(console.model.dialog.is_none());
        assert_eq!(console.model.toasts.last().unwrap().what, "The address is minji.kim@example.con now.");
        assert_eq!(console.model.opened, None);
    }

    #[test]
    fn what_is_open_becomes_the_one_that_is_mailed() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "Enter a Backspace n Enter");
        console.type_text("a typo");
        console.run(&world, "Enter");
        assert_eq!(console.model.opened, Some(VerificationId(49_994)), "{}", console.screen());
    }
}
