//! Why an action cannot be done now, if it cannot: asked before it is done, and by the footer, which shows it dimmed. What
//! a dialog asks about has its rule in the dialog's file.

use super::action::Action;
use super::model::{Link, View};
use super::screen::layout;
use super::view::templates::model::Mode;
use super::{Model, clipboard, dialog, undo};

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
            View::Mail if model.row_open || layout::whole(model).divider.width > 0 => {
                let send = model.mail.selected();
                if send.is_some_and(|send| send.verification_id.is_none()) {
                    return say("The user of this mail was deleted.", "Only the mail's own record is left.");
                }
                send.is_none()
            }
            View::Mail => model.mail.selected().is_none(),
            View::Audit => return audited(model),
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
        Action::Undo => undo::blocked(model),
        Action::Edit => uneditable(model).and_then(|(what, hint)| say(what, hint)),
        Action::Mark if model.verifications.selected().is_none() => {
            say("There is nothing to mark.", "Choose another tab first.")
        }
        Action::CopyEmail if clipboard::email(model).is_none() => say("No user is selected.", "Choose a row first."),
        Action::Preview if model.subject().is_none() => say("No verification is selected.", "Choose a row first."),
        _ => dialog::blocked(model, action),
    }
}

/// Why nothing can be opened in the audit log.
fn audited(model: &Model) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    let Some(row) = model.audit.selected() else {
        return say("There is nothing to open.", "Choose another tab or change the search.");
    };
    let is_in_full = model.row_open || layout::whole(model).divider.width > 0;
    match (row.shown_by, row.entry.user_id) {
        _ if !is_in_full => None,
        (Some(_), _) => None,
        (None, Some(_)) => say("The user of this entry was deleted.", "Only what the audit log says is left."),
        (None, None) => say("This entry is about no user.", "All that is known of it is here."),
    }
}

/// Why the chosen template cannot be edited now.
fn uneditable(model: &Model) -> Option<(&'static str, &'static str)> {
    let bench = &model.workbench;
    if bench.sources.is_empty() {
        return Some(("There is no file to edit yet.", ""));
    }
    bench.editable().is_none().then_some((
        "This template is built in; there is no file to edit.",
        "`verifydesk templates eject DIR` writes the built-in ones as files; then set `templates.dir`.",
    ))
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
