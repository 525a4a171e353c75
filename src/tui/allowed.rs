//! Why an action cannot be done now, if it cannot: asked before it is done, and by the footer, which shows it dimmed. What
//! a dialog asks about has its rule in the dialog's file.

use super::action::Action;
use super::model::{Link, View};
use super::screen::layout;
use super::view::detail::cursor;
use super::view::templates::model::Mode;
use super::{Model, clipboard, dialog, undo};
use crate::domain::idn;
use crate::domain::right::Right;

/// Why an action cannot be done here, whatever is selected: it is not offered at all.
#[must_use]
pub fn forbidden(model: &Model, action: Action) -> Option<(String, String)> {
    let right = action.right();
    if right.is_none() && !action.changes_data() {
        return None;
    }
    if model.setup.is_read_only {
        let hint = "It was started with --read-only, or the setting `read_only` is on.";
        return Some(("This console is read-only.".into(), hint.into()));
    }
    let rights = model.rights.as_ref()?;
    if rights.is_read_only {
        let hint = "The server is a standby, or lets this login only read.";
        return Some((format!("The database {} is read-only here.", rights.database.plain()), hint.into()));
    }
    let right = right.filter(|right| !rights.has(*right))?;
    let what = format!("The login {} may not {}.", rights.role.plain(), right.in_words());
    Some((what, "Ask someone whose role may; docs/roles.md has the roles.".into()))
}

/// How little may be done here, in a word or two; nothing where all may be done.
#[must_use]
pub fn limits(model: &Model) -> Option<&'static str> {
    if model.setup.is_read_only {
        return Some("read-only");
    }
    let rights = model.rights.as_ref()?;
    match rights.may.as_slice() {
        _ if rights.only_reads() => Some("read-only"),
        [Right::Resend] => Some("resend only"),
        may => (may.len() < Right::ALL.len()).then_some("limited"),
    }
}

/// Why an action cannot be done now: what, and what to do instead.
#[must_use]
pub fn blocked(model: &Model, action: Action) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    let forbidden = forbidden(model, action);
    if forbidden.is_some() {
        return forbidden;
    }
    if action.changes_data() && matches!(model.link, Link::Away { .. }) {
        return say("The database is away, so nothing can be changed.", "Wait for it, or press R to try now.");
    }
    match action {
        Action::Open if model.opened.is_some() => match cursor::leads_to(model) {
            Some(_) => None,
            None => say("No mail and no other verification is chosen.", "Choose one with the arrow keys."),
        },
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
            View::Suppressed => return suppressed(model),
            View::Queue if model.queue.open && model.selected_job().is_none() => {
                return say("A worker has no mails of its own.", "Select a job to see its mails.");
            }
            View::Account => true,
            View::Queue => model.queue_selected().is_none(),
            View::Templates => model.workbench.mode == Mode::Checks && model.workbench.chosen_finding().is_none(),
        }
        .then(|| {
            let hint = if matches!(model.view, View::Account | View::Queue | View::Templates) {
                ""
            } else {
                "Choose another tab or change the search."
            };
            ("There is nothing to open.".into(), hint.into())
        }),
        Action::Undo => undo::blocked(model),
        Action::Edit => uneditable(model).and_then(|(what, hint)| say(what, hint)),
        Action::Mark if has_selected(model) => unmarkable(model),
        Action::Mark | Action::MarkDown | Action::MarkUp | Action::MarkTo | Action::MarkAll | Action::MarkOthers
            if !has_selected(model) =>
        {
            say("There is nothing to mark.", "Choose another tab first.")
        }
        Action::CopyEmail if clipboard::email(model).is_none() => {
            if model.opened.is_none() {
                return say("No user is selected.", "Choose a row first.");
            }
            dialog::no_subject(model)
        }
        Action::Preview if model.subject().is_none() => dialog::no_subject(model),
        _ => dialog::blocked(model, action),
    }
}

/// Whether a row is selected that could be marked.
fn has_selected(model: &Model) -> bool {
    match model.view {
        View::Mail => model.mail.selected().is_some(),
        _ => model.verifications.selected().is_some(),
    }
}

/// Why the selected row cannot be marked. What is marked can be unmarked, whatever has become of it.
fn unmarkable(model: &Model) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    if model.view != View::Mail {
        let row = model.verifications.selected()?;
        let is_free = row.user.delete_after.is_none() || model.marks.contains(&row.verification.id);
        return if is_free { None } else { dialog::being_deleted(idn::shown(&row.user.email).as_str()) };
    }
    match model.mail.selected()? {
        send if model.mail_marks.contains_key(&send.id) => None,
        send if send.test_of.is_some() => say("A test mail is for no one.", "Mark mails of users."),
        send if send.verification_id.is_none() => {
            say("The user of this mail was deleted.", "No one can be mailed again for it.")
        }
        send if send.is_leaving => dialog::being_deleted(idn::shown(&send.recipient).as_str()),
        _ => None,
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

/// Why nothing can be opened in the suppression list.
fn suppressed(model: &Model) -> Option<(String, String)> {
    let say = |what: &str, hint: &str| Some((what.to_owned(), hint.to_owned()));
    match model.suppressed.selected() {
        None => say("There is nothing to open.", ""),
        Some(row) if row.user.as_ref().is_none_or(|user| user.verification.is_none()) => {
            say("No user has this address.", "`x` takes it off the list.")
        }
        Some(_) => None,
    }
}

/// Why the chosen template cannot be edited now.
fn uneditable(model: &Model) -> Option<(&'static str, &'static str)> {
    let bench = &model.workbench;
    if bench.sources.is_empty() {
        return Some(("There is no file to edit yet.", ""));
    }
    let hint = if model.setup.templates_dir.is_some() {
        "E makes a file of it."
    } else {
        "`verifydesk templates eject DIR` writes the built-in ones as files; then set `templates.dir`."
    };
    bench.editable().is_none().then_some(("This template is built in; there is no file to edit.", hint))
}

#[cfg(test)]
mod tests {

    use crate::domain::right::Right;
    use crate::tui::action::{Action, KeyContext};
    use crate::tui::effect::{Load, Problem};
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::{Console, now};
    use crate::tui::tests::queue::worlds::{Make, bare, busy, draining, misconfigured, paused, quota_used_up};
    use crate::tui::{Effect, Msg};
    use chrono::Duration;

    /// Keys, each with what it would do.
    const ACTS: [(&str, Right); 19] = [
        ("r", Right::Resend),
        ("v", Right::ForceVerify),
        ("V", Right::Unverify),
        ("a", Right::ChangeAddress),
        ("x", Right::Revoke),
        ("e", Right::Extend),
        ("d", Right::Delete),
        ("L", Right::ChangeSuppression),
        ("n", Right::SignUp),
        ("B", Right::BulkResend),
        ("o P", Right::StopOutbox),
        ("o D", Right::StopOutbox),
        ("o A", Right::ApproveTopic),
        ("o w", Right::RetryWebhooks),
        ("t T", Right::TestSend),
        ("S a", Right::AddIdentity),
        ("S L L", Right::ChangeSuppression),
        ("S L x", Right::ChangeSuppression),
        ("S L a", Right::ChangeSuppression),
    ];

    /// Presses the keys; whether anything was opened or asked for, and what was said.
    fn opens(console: &mut Console, keys: &str) -> (bool, String) {
        let (place, key) = keys.rsplit_once(' ').unwrap_or(("", keys));
        console.press(place);
        console.take_asked();
        console.press(key);
        let said = console.model.toasts.last().map(|toast| format!("{} {}", toast.what, toast.hint));
        (console.model.dialog.is_some() || !console.take_asked().is_empty(), said.unwrap_or_default())
    }

    #[test]
    fn a_read_only_console_does_nothing_and_says_so() {
        for (keys, _) in ACTS {
            let (mut console, _) = Console::loaded(120, 40);
            console.model.setup.is_read_only = true;
            let (is_open, said) = opens(&mut console, keys);
            assert!(!is_open && said.starts_with("This console is read-only. It was started with"), "{keys}: {said}");
        }
    }

    #[test]
    fn what_a_role_may_not_is_said_and_never_offered() {
        for (keys, right) in ACTS {
            let (mut console, mut world) = Console::loaded(120, 40);
            world.rights.may.retain(|may| *may != right);
            console.send(Msg::Loaded(crate::tui::effect::Loaded::Rights(Ok(world.rights))));
            let (is_open, said) = opens(&mut console, keys);
            let expected = format!("The login mina may not {}.", right.in_words());
            assert!(!is_open && said.starts_with(&expected), "{keys}: {said}");
            assert!(console.screen().contains("limited"), "{}", console.screen());
        }
        for (width, may, sign, offered) in [
            (80, vec![Right::Resend], "resend only", &["r resend"][..]),
            (80, vec![], "read-only", &[]),
            (200, vec![Right::Resend], "resend only", &["r resend"]),
            (200, vec![], "read-only", &[]),
        ] {
            let (mut console, mut world) = Console::loaded(width, 40);
            world.rights.may = may;
            console.send(Msg::Loaded(crate::tui::effect::Loaded::Rights(Ok(world.rights))));
            let shown = console.screen();
            assert!(shown.lines().next().unwrap().contains(sign), "{shown}");
            let footer = shown.trim_end().lines().last().unwrap();
            for act in ["r resend", "v force-verify", "B bulk resend", "n sign up"] {
                assert_eq!(footer.contains(act), offered.contains(&act), "{width}: {act} in {footer}");
            }
        }
    }

    #[test]
    fn on_a_standby_nothing_is_offered() {
        let (mut console, mut world) = Console::loaded(80, 24);
        world.rights.is_read_only = true;
        console.send(Msg::Loaded(crate::tui::effect::Loaded::Rights(Ok(world.rights))));
        let (is_open, said) = opens(&mut console, "r");
        assert!(!is_open && said.starts_with("The database verifydesk is read-only here."), "{said}");
    }

    /// Every action that needs a right is one that changes something, and the other way round.
    #[test]
    fn each_act_needs_a_right() {
        for entry in crate::tui::action::all() {
            let action = entry.action;
            let changes = action.changes_data() && action != Action::Undo || action == Action::TestSend;
            assert_eq!(action.right().is_some(), changes, "{action:?}");
        }
    }

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
        console.run(&world, "o");
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
