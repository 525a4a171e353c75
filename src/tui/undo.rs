//! The last act, as long as a key takes it back.

use chrono::Duration;

use super::effect::{Act, Answer};
use super::model::Level;
use super::{Effect, Model};
use crate::domain::Time;
use crate::domain::audit::Action;
use crate::domain::id::VerificationId;
use crate::domain::undo::{UNDO_FOR, Which};

/// An act that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which, in a few words: *the resend to …*.
    pub what: String,
    pub which: Which,
    /// Until when.
    pub until: Time,
    /// Whether it is being taken back.
    pub busy: bool,
}

/// An act of this kind was done, about the user of this verification or about no one.
pub(super) fn offer(model: &mut Model, what: String, action: Action, verification: Option<VerificationId>) {
    let seconds = i64::try_from(UNDO_FOR.as_secs()).unwrap_or_default();
    offer_for(model, what, action, verification, seconds);
}

/// The same for so many seconds; the message that says what was done says this too.
pub(super) fn offer_for(
    model: &mut Model,
    what: String,
    action: Action,
    verification: Option<VerificationId>,
    seconds: i64,
) {
    let until = model.now + Duration::seconds(seconds);
    forget(model);
    if let Some(toast) = model.toasts.last_mut() {
        toast.until = toast.until.max(until);
        toast.undo_until = Some(until);
    }
    model.undo = Some(Offer { what, which: Which::Of { action, verification }, until, busy: false });
}

/// The last act is another now, or was taken back.
pub(super) fn forget(model: &mut Model) {
    model.undo = None;
    for toast in &mut model.toasts {
        toast.undo_until = None;
    }
}

/// Why there is nothing to take back.
pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    let hint = "For ten seconds after an act, z takes it back; later: verifydesk undo.";
    model.undo.is_none().then(|| ("There is nothing to take back now.".to_owned(), hint.to_owned()))
}

/// Takes it back.
pub(super) fn take_back(model: &mut Model, fx: &mut Vec<Effect>) {
    if let Some(offer) = model.undo.as_mut().filter(|offer| !offer.busy) {
        offer.busy = true;
        fx.push(Effect::Act(Act::Undo { which: offer.which }));
    }
}

/// It was taken back, or not.
pub(super) fn undone(model: &mut Model, which: Which, answer: Answer<()>) {
    let offer = model.undo.take_if(|offer| offer.which == which);
    match answer {
        Ok(()) => {
            model.toasts.retain(|toast| toast.undo_until.is_none());
            if matches!(which, Which::Of { action: Action::StartJob, .. }) {
                model.queue.started.pop();
            }
            let what = offer.map_or_else(|| "the act".to_owned(), |offer| offer.what);
            model.toast(Level::Done, format!("Taken back: {what}."), "The audit log has both.");
        }
        Err(problem) => {
            forget(model);
            model.toast(Level::Failed, problem.what, problem.hint);
        }
    }
}

/// Time has passed.
pub(super) fn settle(model: &mut Model) {
    let now = model.now;
    model.undo.take_if(|offer| !offer.busy && offer.until <= now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::{Acted, Problem};
    use crate::tui::tests::fixture::{Console, now};

    fn resent(columns: u16, rows: u16) -> Console {
        let (mut console, world) = Console::loaded(columns, rows);
        console.run(&world, "r y");
        console
    }

    #[test]
    fn a_key_takes_the_last_act_back_for_ten_seconds() {
        for (columns, rows) in [(80, 24), (40, 10), (120, 40)] {
            let mut console = resent(columns, rows);
            let shown = console.screen();
            assert!(shown.contains("z takes it back, 10 s"), "{shown}");
            assert!(shown.contains("z take back"), "{shown}");
            console.send(Msg::Clock(now() + Duration::seconds(3)));
            assert!(console.screen().contains("z takes it back, 7 s"), "{}", console.screen());
            console.press("z z");
            let which = Which::Of { action: Action::Resend, verification: Some(VerificationId(49_993)) };
            assert_eq!(console.asked, [Effect::Act(Act::Undo { which })]);
            console.send(Msg::Acted(Acted::Undone { which, answer: Ok(()) }));
            let shown = console.screen();
            assert!(shown.contains("Taken back: the resend to"), "{shown}");
            assert!(!shown.contains("takes it back"), "{shown}");
            console.take_asked();
            console.press("z");
            assert!(console.take_asked().is_empty());
            assert!(console.screen().contains("There is nothing to take back now."), "{}", console.screen());
        }
    }

    #[test]
    fn what_is_over_is_not_offered() {
        let mut console = resent(80, 24);
        console.send(Msg::Clock(now() + Duration::seconds(10)));
        assert!(!console.screen().contains("back"), "{}", console.screen());
        console.press("z");
        assert!(console.take_asked().is_empty());
    }

    #[test]
    fn the_last_act_is_the_one_and_a_sign_up_is_none() {
        let (mut console, world) = Console::loaded(80, 24);
        console.run(&world, "r y");
        console.run(&world, "n");
        console.type_text("hana@example.com");
        console.run(&world, "Enter");
        assert!(!console.screen().contains("takes it back"), "{}", console.screen());
        console.press("z");
        assert!(console.take_asked().is_empty());
    }

    #[test]
    fn why_it_was_not_taken_back_is_said() {
        let mut console = resent(80, 24);
        console.press("z");
        let which = console.model.undo.as_ref().unwrap().which;
        let problem = Problem { what: "a worker has begun its mail".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::Undone { which, answer: Err(problem) }));
        let shown = console.screen();
        assert!(shown.contains("a worker has begun its mail") && !shown.contains("takes it back"), "{shown}");
    }

    /// The acts, the keys that lead to them, and what the offer says.
    #[test]
    fn whatever_can_be_taken_back_says_so() {
        let table = [
            ("", "v", Action::ForceVerify, "the force-verify of minji.kim@example.com"),
            ("2", "V", Action::Unverify, "the un-verify of sora.kang@example.com"),
            ("", "x", Action::Revoke, "the revocation for minji.kim@example.com"),
            ("3", "e", Action::Extend, "the extension for "),
            ("o", "P", Action::Pause, "the pause"),
            ("o", "D", Action::Drain, "the drain"),
        ];
        for (place, key, expected, words) in table {
            let (mut console, world) = Console::loaded(80, 24);
            console.run(&world, place);
            console.press(key);
            console.type_text("by mistake");
            console.run(&world, "Enter");
            let offer = console.model.undo.clone().unwrap();
            assert!(offer.what.starts_with(words), "{offer:?}");
            assert!(matches!(offer.which, Which::Of { action, .. } if action == expected), "{offer:?}");
            assert!(console.screen().contains("z takes it back, 10 s"), "{}", console.screen());
        }
    }
}
