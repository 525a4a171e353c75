//! Erase a user: which one, typed, and why?

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};

use super::parts::{AddressAndReason, choose, draw_address_and_reason};
use super::{Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, reason_missing};
use crate::domain::audit;
use crate::domain::id::VerificationId;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::{Effect, Model, undo};

/// Reasons that are common, to be chosen and added to.
const USUAL: [&str; 3] = ["they asked for it", "signed up by someone else", "a test of ours"];

/// The question before a deletion.
#[derive(Clone, Debug)]
pub struct DeleteDialog {
    pub subject: Subject,
    /// The user's address, typed: a key that was pressed by mistake, or in the wrong row, deletes no one.
    pub address: Field,
    pub reason: Field,
    /// Whether typing goes to the reason.
    pub at_reason: bool,
    /// What is wrong.
    pub problem: Option<Problem>,
    pub busy: bool,
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    Some(Dialog::Delete(DeleteDialog {
        subject: model.subject()?,
        address: Field::default(),
        reason: Field::default(),
        at_reason: false,
        problem: None,
        busy: false,
    }))
}

/// They are being deleted, or not.
pub(super) fn deleting(model: &mut Model, id: VerificationId, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Delete(dialog) if dialog.subject.id == id);
    let Some(((), dialog)) = answered(model, answer, is_it) else { return };
    let who = match dialog {
        Some(Dialog::Delete(dialog)) => dialog.subject.email,
        _ => format!("The user of verification {id}"),
    };
    model.toast(
        Level::Done,
        format!("{who} is being deleted."),
        "In ten seconds a worker, or `verifydesk prune`, erases them.",
    );
    undo::offer(model, format!("the deletion of {who}"), audit::Action::Delete, Some(id));
}

impl Body for DeleteDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Reason
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        match event.code {
            KeyCode::Tab | KeyCode::BackTab => self.at_reason ^= true,
            KeyCode::Down | KeyCode::Up if !self.at_reason => self.at_reason = true,
            KeyCode::Down | KeyCode::Up => {
                if !self.busy && choose(&mut self.reason, &USUAL, event.code == KeyCode::Up) {
                    self.problem = None;
                }
            }
            _ => return false,
        }
        true
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(if self.at_reason { &mut self.reason } else { &mut self.address })
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let [address, reason] = [&self.address, &self.reason].map(|field| field.text().trim().to_owned());
        let theirs = [&self.subject.email, &self.subject.mailed];
        if !theirs.iter().any(|theirs| address.eq_ignore_ascii_case(theirs)) {
            self.at_reason = false;
            self.problem = Some(Problem {
                what: "That is not their address.".into(),
                hint: "Type the address above, to be sure who it is.".into(),
                ..Problem::default()
            });
        } else if reason.chars().count() < REASON_MIN {
            // Enter goes from the address to the reason; only there it is missing.
            self.problem = self.at_reason.then(|| reason_missing("The audit log keeps it."));
            self.at_reason = true;
        } else {
            (self.problem, self.busy) = (None, true);
            fx.push(Effect::Act(Act::Delete { id: self.subject.id, reason }));
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, theme: &Theme) -> Keys {
        let mut keys = vec![("Enter", "delete"), ("Tab", "next field"), ("Esc", "cancel")];
        if self.at_reason {
            keys.insert(2, (if theme.is_unicode() { "↑ ↓" } else { "Up Down" }, "reasons"));
        }
        keys
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let asked = AddressAndReason {
            title: "Delete the user",
            label: "type it",
            subject: Some(&self.subject),
            address: &self.address,
            reason: &self.reason,
            at_reason: self.at_reason,
            problem: self.problem.as_ref(),
            doing: self.busy.then_some("deleting…"),
            keys: self.keys(model, canvas.theme),
        };
        draw_address_and_reason(canvas, area, &asked, |below, theme| {
            let [_, bad, _] = theme.glyphs().marks;
            below.marked(bad, "They do not come back, once they are erased.", Tone::Bad);
            let what = "Their links, what their mails said and what SES reported go with them. For ten seconds z takes it \
                        back.";
            below.text(what, Tone::Text);
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::super::parts::assert_passes;
    use super::*;
    use crate::domain::undo::Which;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;
    use crate::tui::tests::fixture::{Console, World, now};

    const EMAIL: &str = "minji.kim@example.com";

    fn opened() -> (Console, World) {
        let (mut console, world) = Console::loaded(80, 24);
        console.press("d");
        console.take_asked();
        (console, world)
    }

    #[test]
    fn no_one_is_deleted_whose_address_was_not_typed() {
        let (mut console, _) = opened();
        for typed in ["", "minji.kim@example.co", " x"] {
            console.type_text(typed);
            console.press("Enter");
            assert!(console.screen().contains("That is not their address."), "{}", console.screen());
            assert!(console.take_asked().is_empty(), "{typed}");
        }
    }

    #[test]
    fn the_address_and_a_reason_delete_and_a_key_takes_it_back() {
        let (mut console, world) = opened();
        console.type_text("MINJI.kim@example.com");
        console.press("Enter");
        assert!(console.take_asked().is_empty());
        console.press("Enter");
        assert!(console.screen().contains("A reason of at least 3 characters is needed."), "{}", console.screen());
        console.press("Down Enter Enter");
        let id = VerificationId(49_993);
        assert_eq!(console.asked, [Effect::Act(Act::Delete { id, reason: USUAL[0].into() })]);
        console.serve(&world);
        let shown = console.screen();
        assert!(
            shown.contains(&format!("{EMAIL} is being deleted.")) && shown.contains("z takes it back, 10 s"),
            "{shown}"
        );
        let offer = console.model.undo.clone().unwrap();
        assert_eq!(offer.what, format!("the deletion of {EMAIL}"));
        let expected = Which::Of { action: audit::Action::Delete, verification: Some(id) };
        assert_eq!(offer.which, expected);
    }

    #[test]
    fn the_usual_reasons_are_taken() {
        for reason in USUAL {
            assert_passes(reason);
        }
    }

    #[test]
    fn about_one_who_is_being_deleted_nothing_else_is_asked() {
        let mut world = World::default();
        world.row_mut(49_993).user.delete_after = Some(now() + Duration::seconds(8));
        for (columns, rows) in [(80, 24), (120, 40), (40, 10)] {
            let mut console = Console::new(columns, rows);
            console.serve(&world);
            let shown = console.screen();
            assert!(shown.contains("deleting") || columns < 80, "{shown}");
            for key in ["r", "v", "a", "x", "e", "d"] {
                console.press(key);
                assert!(console.model.dialog.is_none(), "{key}");
                let toast = console.model.toasts.last().unwrap();
                assert_eq!(toast.what, format!("{EMAIL} is being deleted."), "{key}");
            }
        }
    }

    #[test]
    fn in_mail_nothing_is_asked_about_them_either() {
        let mut world = World::default();
        let mail = world.sends.iter_mut().find(|mail| mail.verification_id == Some(VerificationId(49_993))).unwrap();
        mail.is_leaving = true;
        let id = mail.id;
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.run(&world, "m");
        let list = console.model.mail.list_mut().unwrap();
        list.cursor = list.items.iter().position(|item| item.row.id == id).unwrap();
        // What else is known of them is older.
        console.model.verifications.lists.iter_mut().for_each(|list| list.items.clear());
        for key in ["r", "Space"] {
            console.press(key);
            assert!(console.model.dialog.is_none() && console.model.mail_marks.is_empty(), "{key}");
            let toast = console.model.toasts.last().unwrap();
            assert_eq!(toast.what, format!("{EMAIL} is being deleted."), "{key}");
        }
    }

    #[test]
    fn they_are_not_marked_and_what_was_marked_before_can_be_unmarked() {
        let mut world = World::default();
        world.row_mut(49_993).user.delete_after = Some(now() + Duration::seconds(8));
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.press("Space");
        assert!(console.model.marks.is_empty());
        assert_eq!(console.model.toasts.last().unwrap().what, format!("{EMAIL} is being deleted."));
        console.press("ctrl-a");
        assert!(!console.model.marks.is_empty() && !console.model.marks.contains(&VerificationId(49_993)));
        console.model.marks.insert(VerificationId(49_993));
        console.press("Space");
        assert!(!console.model.marks.contains(&VerificationId(49_993)));
    }

    #[test]
    fn what_was_refused_is_said_where_it_was_asked() {
        let (mut console, _) = opened();
        console.type_text(EMAIL);
        console.press("Tab Up Enter");
        let problem = Problem { what: "this user is being deleted".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::Deleting { id: VerificationId(49_993), answer: Err(problem) }));
        let shown = console.screen();
        assert!(shown.contains("↑ ↓ reasons   Esc cancel  "), "all keys have room in the dialog: {shown}");
        assert!(shown.contains("this user is being deleted") && shown.contains(USUAL[2]), "{shown}");
    }
}
