//! Why an action cannot be done now, if it cannot: asked before it is done, and by the footer, which shows it dimmed.

use super::action::Action;
use super::model::{Link, View};
use super::screen::layout;
use super::view::templates::model::Mode;
use super::{Model, clipboard};
use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::verification::Status;

/// Why an action cannot be done now: what, and what to do instead.
#[must_use]
pub fn blocked(model: &Model, action: Action) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    if action.changes_data() && matches!(model.link, Link::Away { .. }) {
        return say("The database is away, so nothing can be changed.", "Wait for it, or press R to try now.");
    }
    match action {
        Action::Open => match model.view {
            View::Verifications => model.verifications.selected().is_none(),
            View::Mail if model.send_open || layout::whole(model).divider.width > 0 => {
                let send = model.mail.selected();
                if send.is_some_and(|send| send.verification_id.is_none()) {
                    return say("The user of this mail was deleted.", "Only the mail's own record is left.");
                }
                send.is_none()
            }
            View::Mail => model.mail.selected().is_none(),
            View::Queue => model.queue_selected().is_none(),
            View::Templates => model.workbench.mode == Mode::Checks && model.workbench.chosen_finding().is_none(),
        }
        .then(|| {
            let hint = if matches!(model.view, View::Queue | View::Templates) {
                ""
            } else {
                "Choose another tab or change the search."
            };
            ("There is nothing to open.".into(), hint.into())
        }),
        Action::Resend | Action::ForceVerify => {
            let Some(subject) = model.subject() else {
                return say("No verification is selected.", "Choose a row first.");
            };
            let what = if action == Action::Resend { "there is nothing to resend" } else { "there is nothing to do" };
            if subject.status == Some(Status::Verified) || subject.user_verified {
                return Some((format!("{} is verified already; {what}.", subject.email), String::new()));
            }
            None
        }
        Action::Edit | Action::Explain | Action::TestSend => {
            on_the_bench(model, action).and_then(|(what, hint)| say(what, hint))
        }
        Action::CopyEmail if clipboard::email(model).is_none() => say("No user is selected.", "Choose a row first."),
        Action::Preview if model.subject().is_none() => say("No verification is selected.", "Choose a row first."),
        _ => on_the_outbox(model, action).and_then(|(what, hint)| say(what, hint)),
    }
}

/// Why something about the outbox cannot be done now: what, and what to do instead.
fn on_the_outbox(model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
    let brake = model.outbox.as_ref().and_then(|outbox| outbox.brake.as_ref());
    match action {
        Action::Mark => model
            .verifications
            .selected()
            .is_none()
            .then_some(("There is nothing to mark.", "Choose another tab first.")),
        Action::BulkResend => {
            let is_verified = model.verifications.list().is_some_and(|list| list.tab == Some(Status::Verified));
            (model.marks.is_empty() && is_verified)
                .then_some(("The verified need no mail.", "Choose another tab, or mark rows with Space."))
        }
        Action::Pause => brake
            .is_some_and(|brake| brake.state == BrakeState::Paused && brake.cause == BrakeCause::Operator)
            .then_some(("Sending is paused already.", "U lets it go again.")),
        Action::Drain => match brake?.state {
            BrakeState::Paused => Some(("Sending is paused: nothing goes out.", "Resume with U first.")),
            BrakeState::Draining => Some(("The outbox drains already.", "U lets it go again.")),
            BrakeState::Off => None,
        },
        Action::Resume if brake.is_some() => None,
        Action::Resume => Some(match model.outbox.as_ref().and_then(|outbox| outbox.pace.left()) {
            Some(0) => ("Only the quota holds mail back.", "It goes on by itself as places come free."),
            _ => ("Nothing holds the outbox back.", "P in the Queue pauses it."),
        }),
        Action::HoldJob | Action::CancelJob => match model.selected_job() {
            None => Some(("No job is selected.", "B in Verifications starts one.")),
            Some(job) if !job.state.is_open() => Some(("This job is over.", "B in Verifications starts another.")),
            Some(_) => None,
        },
        _ => None,
    }
}

/// Why an action of the workbench cannot be done now.
fn on_the_bench(model: &Model, action: Action) -> Option<(&'static str, &'static str)> {
    let bench = &model.workbench;
    match action {
        Action::TestSend if bench.entry().is_none() => Some(("There is no template to send.", "")),
        Action::Explain if bench.chosen_finding().is_none() => Some(("There is no finding to explain.", "")),
        Action::Edit if bench.sources.is_empty() => Some(("There is no file to edit yet.", "")),
        Action::Edit if bench.editable().is_none() => Some((
            "This template is built in; there is no file to edit.",
            "`verifydesk templates eject DIR` writes the built-in ones as files; then set `templates.dir`.",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {

    use crate::tui::action::KeyContext;
    use crate::tui::effect::{Load, Problem};
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::{Console, now};
    use crate::tui::tests::queue::worlds::{Make, bare, busy, draining, misconfigured, paused, quota_used_up};
    use crate::tui::{Effect, Msg};
    use chrono::Duration;

    #[test]
    fn nothing_is_changed_while_the_database_is_away() {
        let (mut console, _) = Console::loaded(80, 24);
        let problem = Problem { what: "the database is gone".into(), away: true, ..Problem::default() };
        console.send(Msg::DatabaseAway { problem, retry_at: now() + Duration::seconds(5) });
        for key in ["r", "v", "n"] {
            console.press(key);
            assert!(console.model.dialog.is_none(), "{key}");
        }
        assert!(console.take_asked().is_empty());
        assert!(console.model.toasts.last().unwrap().what.contains("away"));
        console.press("R");
        assert!(console.take_asked().contains(&Effect::Load(Load::Reconnect)));
    }

    #[test]
    fn nothing_is_done_to_the_outbox_while_the_database_is_away() {
        let (mut console, world) = (Console::new(80, 24), paused());
        console.serve(&world);
        console.press("o");
        let problem = Problem { what: "the database is gone".into(), away: true, ..Problem::default() };
        console.send(Msg::DatabaseAway { problem, retry_at: now() + Duration::seconds(5) });
        for key in ["P", "D", "U", "p", "x"] {
            console.press(key);
            assert!(console.model.dialog.is_none() && console.take_asked().is_empty(), "{key}");
        }
        assert!(console.screen().contains("As last seen"), "{}", console.screen());
    }

    #[test]
    fn says_why_an_act_on_the_outbox_cannot_be_done() {
        let table: [(&str, Make, &str); 9] = [
            ("o P", paused, "Sending is paused already."),
            ("o D", paused, "Sending is paused: nothing goes out."),
            ("o D", draining, "The outbox drains already."),
            ("o U", busy, "Nothing holds the outbox back."),
            ("U", busy, "Nothing holds the outbox back."),
            ("U", quota_used_up, "Only the quota holds mail back."),
            ("o x", bare, "No job is selected."),
            ("o j j x", busy, "This job is over."),
            ("/ z z z Enter Space", busy, "There is nothing to mark."),
        ];
        for (keys, world, what) in table {
            let (mut console, world) = (Console::new(80, 24), world());
            console.serve(&world);
            console.run(&world, keys);
            let toast = console.model.toasts.last().unwrap();
            assert_eq!((toast.level, toast.what.as_str()), (Level::Refused, what), "{keys:?}");
            assert!(console.model.dialog.is_none(), "{keys:?}");
        }
        // What a machine has stopped, a person may stop in their own name: then it does not end by itself.
        let (mut console, world) = (Console::new(80, 24), misconfigured());
        console.serve(&world);
        console.run(&world, "o P");
        assert_eq!(console.model.key_context(), KeyContext::Reason);
    }
}
