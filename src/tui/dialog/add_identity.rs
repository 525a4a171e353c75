//! Which address or domain is SES to let mails come from?

use ratatui::layout::{Position, Rect};

use super::parts::{AddressAndReason, draw_address_and_reason, recorded};
use super::{Action, Body, Dialog, KeyContext, Keys, Then, answered};
use crate::domain::account::identity_name::IdentityName;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::{Effect, Model};

/// The question which identity is added.
#[derive(Clone, Debug, Default)]
pub struct AddIdentityDialog {
    pub name: Field,
    /// May be left empty.
    pub reason: Field,
    /// Whether typing goes to the reason.
    pub at_reason: bool,
    /// What is wrong.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn open() -> Dialog {
    Dialog::AddIdentity(AddIdentityDialog::default())
}

/// It is asked for, or not.
pub(super) fn asked(model: &mut Model, name: &IdentityName, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::AddIdentity(_));
    if answered(model, answer, is_it).is_none() {
        return;
    }
    let next = match name {
        IdentityName::Address(_) => "A worker does it; then AWS mails it a link that its owner has to open.",
        IdentityName::Domain(_) => "A worker does it; then this view says what has to be in DNS, and `y` copies it.",
    };
    model.toast(Level::Done, format!("{} is to be added at SES.", name.shown()), next);
}

impl Body for AddIdentityDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Form
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(if self.at_reason { &mut self.reason } else { &mut self.name })
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
        match IdentityName::parse(self.name.text()) {
            Ok(name) => {
                let reason = Some(self.reason.text().trim().to_owned()).filter(|reason| !reason.is_empty());
                (self.problem, self.busy) = (None, true);
                fx.push(Effect::Act(Act::AddIdentity { name, reason }));
            }
            Err(error) => {
                self.at_reason = false;
                self.problem = Some(if self.name.text().trim().is_empty() {
                    Problem { what: "An address or a domain is needed.".into(), ..Problem::default() }
                } else {
                    Problem {
                        what: "This is neither an address nor a domain.".into(),
                        hint: super::parts::sentence(&error.to_string()),
                        ..Problem::default()
                    }
                });
            }
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("Enter", "add it"), ("Tab", "next field"), ("Esc", "cancel")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let asked = AddressAndReason {
            title: "Add an identity at SES",
            label: "name",
            subject: None,
            address: &self.name,
            reason: &self.reason,
            at_reason: self.at_reason,
            problem: self.problem.as_ref(),
            doing: self.busy.then_some("asking for it…"),
            keys: self.keys(model, canvas.theme),
        };
        draw_address_and_reason(canvas, area, &asked, |below, _| {
            below.text(
                "An address or a domain that mails may come from; in the sandbox, also one that may be mailed.",
                Tone::Strong,
            );
            below.text(
                "AWS mails an address a link that its owner has to open. Of a domain this view says what has to be in DNS.",
                Tone::Text,
            );
            below.text(&recorded(model, ", with the reason if you give one"), Tone::Text);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;
    use crate::tui::tests::fixture::Console;

    fn asked(name: &str, reason: Option<&str>) -> Effect {
        let name = IdentityName::parse(name).unwrap();
        Effect::Act(Act::AddIdentity { name, reason: reason.map(Into::into) })
    }

    #[test]
    fn an_address_or_a_domain_is_asked_for_and_a_reason_need_not_be_given() {
        for (typed, name, next) in [
            ("Mina@Example.com", "Mina@example.com", "AWS mails it a link"),
            ("example.org", "example.org", "what has to be in DNS"),
        ] {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, "S");
            console.take_asked();
            console.press("a");
            console.type_text(typed);
            console.press("Enter");
            assert_eq!(console.asked, [asked(name, None)]);
            // Once is enough.
            console.press("Enter");
            assert_eq!(console.asked.len(), 1);
            console.serve(&world);
            assert!(console.model.dialog.is_none());
            let toast = console.model.toasts.last().unwrap();
            assert_eq!(toast.what, format!("{name} is to be added at SES."));
            assert!(toast.hint.contains(next), "{}", toast.hint);
        }
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "S a");
        console.take_asked();
        console.type_text("example.org");
        console.press("Tab");
        console.type_text(" our shop ");
        console.press("Enter");
        assert_eq!(console.asked, [asked("example.org", Some("our shop"))]);
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_asked_for() {
        for (typed, what) in [
            ("", "An address or a domain is needed."),
            ("   ", "An address or a domain is needed."),
            ("mina kim", "neither an address nor a domain"),
            ("\"mina\"@example.com", "neither an address nor a domain"),
            ("example", "neither an address nor a domain"),
        ] {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, "S a");
            console.take_asked();
            console.type_text(typed);
            console.press("Tab Enter");
            assert!(console.take_asked().is_empty(), "{typed}");
            assert!(console.screen().contains(what), "{typed}:\n{}", console.screen());
        }
    }

    #[test]
    fn why_it_could_not_be_asked_for_stands_where_it_was_typed() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "S a");
        console.type_text("example.org");
        console.press("Enter");
        let answer = Err(Problem { what: "too much waits already\u{1b}[2J".into(), ..Problem::default() });
        let name = IdentityName::parse("example.org").unwrap();
        console.send(Msg::Acted(Acted::IdentityAsked { name, answer }));
        let shown = console.screen();
        assert!(shown.contains("too much waits already") && shown.contains("example.org"), "{shown}");
    }
}
