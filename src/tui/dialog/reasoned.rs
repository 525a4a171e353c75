//! What is done to one verification with a reason: verify without the link, take that back, revoke, extend, take the address
//! off SES's suppression list. Why?

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::parts::{choose, columns_for, complaint, input, keys, put, recorded, who};
use super::{
    Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, because, being_read, no_subject, reason_missing,
    subject_done,
};
use crate::domain::audit::Action;
use crate::domain::id::VerificationId;
use crate::domain::verification::Status;
use crate::tui::effect::{Act, Answer, Problem, Reasoned};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, undo};

/// Why an address is taken off the suppression list.
pub(super) const OFF_THE_LIST: &[&str] = &["they asked for it", "the mailbox works again", "it was listed by mistake"];

/// The question before it.
#[derive(Clone, Debug)]
pub struct ReasonedDialog {
    pub what: Reasoned,
    pub subject: Subject,
    pub reason: Field,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    pub busy: bool,
}

/// What the dialog says of an act.
struct Words {
    title: &'static str,
    /// What it does.
    explained: &'static str,
    /// What the reason has to answer.
    asked: &'static str,
    /// Reasons that are common, to be chosen and added to.
    usual: &'static [&'static str],
    /// Its *yes*.
    yes: &'static str,
    /// While it is being done.
    busy: &'static str,
    /// What has become of the user or their link.
    done: &'static str,
    /// What comes after it.
    next: &'static str,
}

fn words(what: Reasoned) -> Words {
    match what {
        Reasoned::ForceVerify => Words {
            title: "Force-verify",
            explained: "The address counts as verified from now on, without the link.",
            asked: "The audit log keeps it: how do you know that the address is theirs?",
            usual: &[
                "called from the number we have",
                "answered from the address",
                "known in person",
                "confirmed by their company's administrator",
            ],
            yes: "verify",
            busy: "verifying…",
            done: "is verified.",
            next: "Your reason is in the audit log.",
        },
        Reasoned::Unverify => Words {
            title: "Un-verify",
            explained: "The user is not verified any more; the link that did it is revoked.",
            asked: "The audit log keeps it: why is the address not theirs?",
            usual: &[
                "the wrong person was verified",
                "a mail scanner opened the link",
                "the address is someone else's",
            ],
            yes: "un-verify",
            busy: "taking it back…",
            done: "is not verified any more.",
            next: "`r` mails a new link.",
        },
        Reasoned::Revoke => Words {
            title: "Revoke the link",
            explained: "The link stops working, and its mail that waits is cancelled.",
            asked: "The audit log keeps it: why may the link not be used?",
            usual: &["mailed to the wrong person", "the user asked for it", "the mailbox may be compromised"],
            yes: "revoke",
            busy: "revoking…",
            done: "has no link that works.",
            next: "`r` mails a new one.",
        },
        Reasoned::Extend => Words {
            title: "Extend the link",
            explained: "The link works for its whole lifetime again, from now on. Nothing is mailed.",
            asked: "The audit log keeps it: why should the link work for longer?",
            usual: &["they have the mail open", "the mail came late", "they are away"],
            yes: "extend",
            busy: "extending…",
            done: "has more time for the link.",
            next: "Nothing was mailed; `r` mails the same link again.",
        },
        Reasoned::Unlist => Words {
            title: "Off the suppression list",
            explained: "A worker takes the address off SES's suppression list, then mails the link again.",
            asked: "The audit log keeps it: how do you know that mail to the address arrives?",
            usual: OFF_THE_LIST,
            yes: "take it off",
            busy: "asking for it…",
            done: "is to be taken off SES's suppression list.",
            next: "A worker does it; the user's page says what it came to.",
        },
    }
}

pub(super) fn open(model: &Model, what: Reasoned) -> Option<Dialog> {
    let subject = model.subject()?;
    Some(Dialog::Reasoned(ReasonedDialog { what, subject, reason: Field::default(), problem: None, busy: false }))
}

/// Why it cannot be done, as far as the screen tells; the database has the last word.
pub(super) fn blocked(model: &Model, what: Reasoned) -> Option<(String, String)> {
    if what == Reasoned::ForceVerify
        && let done @ Some(_) = subject_done(model, "there is nothing to do", "`V` takes that back.")
    {
        return done;
    }
    let Some(subject) = model.subject() else { return no_subject(model) };
    let email = &subject.email;
    let Some(status) = subject.status else { return still_read(&subject, what) };
    match (what, status) {
        (Reasoned::ForceVerify | Reasoned::Unlist, _) | (Reasoned::Unverify, Status::Verified) => None,
        (Reasoned::Unverify, _) if subject.user_verified => {
            because(&format!("{email} is verified by another verification."), "Choose the one that verified them.")
        }
        (Reasoned::Unverify, _) => because(&format!("{email} is not verified; there is nothing to take back."), ""),
        (_, Status::Verified) => {
            because(&format!("{email} is verified already; the link has done its work."), "`V` takes that back.")
        }
        (_, _) if subject.user_verified => {
            because(&format!("{email} is verified already, by another verification."), "")
        }
        (_, Status::Revoked) => because("This link is revoked already.", "`r` mails a new one."),
        (_, Status::Pending | Status::Expired) => None,
    }
}

/// The same of one of whom a mail is all that is known yet.
fn still_read(subject: &Subject, what: Reasoned) -> Option<(String, String)> {
    let email = &subject.email;
    match what {
        Reasoned::Unverify if !subject.user_verified => {
            because(&format!("{email} is not verified; there is nothing to take back."), "")
        }
        // Whatever has become of their link.
        Reasoned::Unlist => None,
        Reasoned::Revoke | Reasoned::Extend if subject.user_verified => {
            because(&format!("{email} is verified already."), "")
        }
        _ => being_read(),
    }
}

/// It was done, or not.
pub(super) fn done(model: &mut Model, what: Reasoned, id: VerificationId, answer: Answer<()>) {
    let is_it =
        |dialog: &Dialog| matches!(dialog, Dialog::Reasoned(dialog) if dialog.what == what && dialog.subject.id == id);
    let Some(((), dialog)) = answered(model, answer, is_it) else { return };
    let who = match dialog {
        Some(Dialog::Reasoned(dialog)) => dialog.subject.email,
        _ => format!("Verification {id}"),
    };
    // Also where it was opened again in the meantime.
    model.dialog.take_if(|dialog| is_it(dialog));
    let words = words(what);
    model.toast(Level::Done, format!("{who} {}", words.done), words.next);
    let (what, action) = match what {
        Reasoned::ForceVerify => ("force-verify of", Action::ForceVerify),
        Reasoned::Unverify => ("un-verify of", Action::Unverify),
        Reasoned::Revoke => ("revocation for", Action::Revoke),
        Reasoned::Extend => ("extension for", Action::Extend),
        // What is at AWS is put back by hand.
        Reasoned::Unlist => return,
    };
    undo::offer(model, format!("the {what} {who}"), action, Some(id));
}

impl ReasonedDialog {
    /// What it does, to this one.
    fn explained(&self) -> &'static str {
        match (self.what, self.subject.status) {
            (Reasoned::ForceVerify, Some(Status::Revoked)) => {
                "This link is revoked, and stays so. The address counts as verified from now on, by their open link or by \
                 one made for this."
            }
            (Reasoned::Unlist, _) if self.subject.user_verified => {
                "A worker takes the address off SES's suppression list. Nothing is mailed: they are verified."
            }
            _ => words(self.what).explained,
        }
    }
}

impl Body for ReasonedDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Reason
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        let back = match event.code {
            KeyCode::Down => false,
            KeyCode::Up => true,
            _ => return false,
        };
        if !self.busy && choose(&mut self.reason, words(self.what).usual, back) {
            self.problem = None;
        }
        true
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
            self.problem = Some(reason_missing(words(self.what).asked));
            return Then::Stay;
        }
        fx.push(Effect::Act(Act::Reasoned { what: self.what, id: self.subject.id, reason: reason.to_owned() }));
        (self.problem, self.busy) = (None, true);
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, theme: &Theme) -> Keys {
        let arrows = if theme.is_unicode() { "↑ ↓" } else { "Up Down" };
        vec![("Enter", words(self.what).yes), (arrows, "usual reasons"), ("Esc", "cancel")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = columns_for(area);
        let words = words(self.what);
        // Where not everything fits, what is typed and what is wrong with it come before what is explained.
        let short = area.height < 18;
        let mut explained = Lines::new(theme, columns);
        explained.text(self.explained(), Tone::Strong);
        explained.text(&recorded(model, ", with your reason"), Tone::Text);
        let explained = explained.finish();
        let mut wrong = Lines::new(theme, columns);
        if self.busy {
            wrong.text(words.busy, Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            complaint(&mut wrong, theme, problem);
        }
        let wrong = wrong.finish();
        let mut lines = Lines::new(theme, columns);
        who(&mut lines, "user", &self.subject, short);
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
            keys(&mut below, &self.keys(model, theme));
            lines.extend(below.finish());
        }
        let place = put(canvas, area, words.title, &lines);
        input(canvas, place, at, &self.reason, true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts::assert_passes;
    use super::*;
    use crate::domain::send::SendRow;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;
    use crate::tui::tests::fixture::{Console, World};

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
        let done = Effect::Act(Act::Reasoned {
            what: Reasoned::ForceVerify,
            id: VerificationId(49_993),
            reason: "ok by phone".into(),
        });
        assert_eq!(console.asked, [done]);
        console.press("Enter x");
        assert_eq!(console.asked.len(), 1);
        console.serve(&world);
        assert_eq!(console.model.toasts.last().unwrap().what, "minji.kim@example.com is verified.");
    }

    #[test]
    fn on_a_revoked_link_it_says_what_verifies_them() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("v");
        let Some(Dialog::Reasoned(dialog)) = &mut console.model.dialog else { panic!("no dialog") };
        dialog.subject.status = Some(Status::Revoked);
        assert!(console.screen().contains("This link is revoked, and stays so."), "{}", console.screen());
    }

    #[test]
    fn a_forced_verification_that_fails_keeps_the_reason() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("v");
        console.type_text("by phone");
        console.press("Enter");
        let problem =
            Problem { what: "the database is away".into(), hint: "try again".into(), away: true, possible_at: None };
        console.send(Msg::Acted(Acted::Reasoned {
            what: Reasoned::ForceVerify,
            id: VerificationId(49_993),
            answer: Err(problem),
        }));
        let shown = console.screen();
        assert!(shown.contains("the database is away") && shown.contains("by phone"), "{shown}");
        console.take_asked();
        console.press("Enter");
        assert_eq!(console.asked.len(), 1);
    }

    #[test]
    fn the_usual_reasons_are_a_key_away_and_never_take_what_was_typed() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("v Up Down Down");
        assert!(console.screen().contains("answered from the address"), "{}", console.screen());
        console.type_text(" today");
        console.press("Down Up Enter");
        let reason = "answered from the address today".to_owned();
        let done = Act::Reasoned { what: Reasoned::ForceVerify, id: VerificationId(49_993), reason };
        assert_eq!(console.asked, [Effect::Act(done)]);
        for what in [Reasoned::ForceVerify, Reasoned::Unverify, Reasoned::Revoke, Reasoned::Extend] {
            for reason in words(what).usual {
                assert_passes(reason);
            }
        }
    }

    #[test]
    fn what_the_state_forbids_is_not_asked() {
        // The keys that lead to a row, the act's key, and what is said; nothing where the dialog opens.
        let table = [
            ("", "V", "minji.kim@example.com is not verified; there is nothing to take back."),
            ("2", "V", ""),
            ("2", "v", "sora.kang@example.com is verified already; there is nothing to do."),
            ("2", "x", "sora.kang@example.com is verified already; the link has done its work."),
            ("2", "e", "sora.kang@example.com is verified already; the link has done its work."),
            ("", "x", ""),
            ("", "e", ""),
            ("3", "e", ""),
            ("3", "x", ""),
            ("4", "x", "This link is revoked already."),
            ("4", "e", "This link is revoked already."),
        ];
        for (row, key, said) in table {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, row);
            console.press(key);
            assert_eq!(console.model.dialog.is_some(), said.is_empty(), "{row} {key}\n{}", console.screen());
            let last = console.model.toasts.last().map_or("", |toast| &toast.what);
            assert_eq!(last, said, "{row} {key}");
        }
    }

    #[test]
    fn of_whom_a_mail_alone_is_known_nothing_is_asked() {
        let being_read = "They are still being read.";
        let table = [
            (false, "v", being_read),
            (false, "V", "minji.kim@example.com is not verified; there is nothing to take back."),
            (false, "x", being_read),
            (false, "e", being_read),
            (true, "v", "minji.kim@example.com is verified already; there is nothing to do."),
            (true, "V", being_read),
            (true, "x", "minji.kim@example.com is verified already."),
            (true, "e", "minji.kim@example.com is verified already."),
        ];
        for (is_verified, key, said) in table {
            let mut world = World::default();
            let is_theirs = |mail: &&mut SendRow| mail.verification_id == Some(VerificationId(49_993));
            let mail = world.sends.iter_mut().find(is_theirs).unwrap();
            mail.is_verified = is_verified;
            let id = mail.id;
            let mut console = Console::new(80, 24);
            console.serve(&world);
            console.run(&world, "m");
            let list = console.model.mail.list_mut().unwrap();
            list.cursor = list.items.iter().position(|item| item.row.id == id).unwrap();
            console.model.verifications.lists.iter_mut().for_each(|list| list.items.clear());
            console.press(&format!("Enter Enter {key}"));
            assert!(console.model.dialog.is_none() && console.model.opened.is_some(), "{key}\n{}", console.screen());
            assert_eq!(console.model.toasts.last().unwrap().what, said, "{is_verified} {key}");
        }
    }

    #[test]
    fn each_act_asks_for_itself_and_says_what_comes_next() {
        let table = [
            ("2", "V", Reasoned::Unverify, "is not verified any more.", "`r` mails a new link."),
            ("", "x", Reasoned::Revoke, "has no link that works.", "`r` mails a new one."),
            ("3", "e", Reasoned::Extend, "has more time for the link.", "Nothing was mailed"),
        ];
        for (row, key, expected, done, next) in table {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, row);
            console.press(key);
            console.type_text("a mistake");
            console.press("Enter");
            let asked = console.asked.clone();
            assert!(
                matches!(&asked[..], [Effect::Act(Act::Reasoned { what, reason, .. })]
                    if *what == expected && reason == "a mistake"),
                "{asked:?}"
            );
            console.serve(&world);
            assert!(console.model.dialog.is_none());
            let toast = console.model.toasts.last().unwrap();
            assert!(toast.what.ends_with(done) && toast.hint.starts_with(next), "{toast:?}");
        }
    }

    #[test]
    fn taking_an_address_off_the_list_says_whether_it_mails() {
        let (mut console, _) = Console::loaded(80, 24);
        console.press("L");
        let shown = console.screen();
        for part in
            ["Off the suppression list", "A worker takes the address off", "mails the link again", "take it off"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        console.press("Down Enter");
        let asked = console.take_asked();
        assert!(
            matches!(
                &asked[..],
                [Effect::Act(Act::Reasoned { what: Reasoned::Unlist, reason, .. })] if reason == "they asked for it"
            ),
            "{asked:?}"
        );
        let Some(Dialog::Reasoned(dialog)) = &mut console.model.dialog else { panic!() };
        dialog.busy = false;
        dialog.subject.user_verified = true;
        assert!(console.screen().contains("Nothing is mailed"), "{}", console.screen());
        let id = console.model.subject().unwrap().id;
        console.send(Msg::Acted(Acted::Reasoned { what: Reasoned::Unlist, id, answer: Ok(()) }));
        let said = &console.model.toasts.last().unwrap();
        assert!(said.what.ends_with("is to be taken off SES's suppression list."), "{}", said.what);
    }
}
