//! What the site was not told, with what it answered. Try it again?

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, keys, put, recorded};
use super::{Body, Dialog, KeyContext, Keys, Then, answered, because};
use crate::domain::Time;
use crate::domain::hook::Delivery;
use crate::domain::page::Page;
use crate::text::fit;
use crate::tui::effect::{Act, Answer, Load, Problem};
use crate::tui::model::Level;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, when};

/// Rows of the dialog that are none of the list's, and those of a message.
const AROUND: u16 = 13;
const ROWS: u16 = 2;

/// The question whether all that was given up is tried again.
#[derive(Clone, Debug, Default)]
pub struct GivenUpDialog {
    /// The newest of them, once they were read.
    list: Option<Page<Delivery>>,
    problem: Option<Problem>,
    busy: bool,
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    let endpoints = model.outbox.as_ref().map(|outbox| outbox.hooks.as_slice()).unwrap_or_default();
    match endpoints {
        [] => because("The site is told nothing by webhooks.", "docs/webhooks.md says how that is set."),
        all if all.iter().all(|one| one.given_up == 0) => because("No webhook was given up.", ""),
        _ => None,
    }
}

pub(super) fn open(fx: &mut Vec<Effect>) -> Dialog {
    fx.push(Effect::Load(Load::GivenUp));
    Dialog::GivenUp(GivenUpDialog::default())
}

/// They were read, or could not be.
pub(super) fn loaded(model: &mut Model, answer: Answer<Box<Page<Delivery>>>) {
    let Some(Dialog::GivenUp(dialog)) = &mut model.dialog else { return };
    match answer {
        Ok(page) => dialog.list = Some(*page),
        Err(problem) => dialog.problem = Some(problem),
    }
}

/// They are tried again, so many of them, or not.
pub(super) fn retried(model: &mut Model, answer: Answer<i64>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::GivenUp(_));
    let Some((count, _)) = answered(model, answer, is_it) else { return };
    let what =
        if count == 1 { "1 webhook is tried again.".into() } else { format!("{count} webhooks are tried again.") };
    model.toast(Level::Done, what, "`verifydesk webhooks list` says what became of each.");
}

impl GivenUpDialog {
    fn list(&self, lines: &mut Lines<'_>, model: &Model, theme: &Theme, area: Rect) {
        let ellipsis = theme.glyphs().ellipsis;
        let Some(page) = &self.list else {
            if self.problem.is_none() {
                lines.text("reading them…", Tone::Quiet);
            }
            return;
        };
        let room = usize::from((area.height.saturating_sub(AROUND) / ROWS).max(1));
        let columns = usize::from(columns_for(area)).saturating_sub(2);
        for delivery in page.rows.iter().take(room) {
            let of = delivery.user_id.map(|id| format!(" of user {id}")).unwrap_or_default();
            let ago = when::relative(delivery.changed_at, model.now);
            let words = format!("{}{of} to {}, {ago}", delivery.kind.plain(), delivery.endpoint.plain());
            lines.text(&fit(&words, columns + 2, ellipsis), Tone::Strong);
            let answer = delivery.answer().unwrap_or_default();
            lines.under(&fit(&answer, columns, ellipsis), Tone::Text);
        }
        if page.older || page.rows.len() > room {
            lines.text("All: `verifydesk webhooks list --state given-up`", Tone::Quiet);
        }
    }
}

impl Body for GivenUpDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Confirm
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        // What no one has seen is not tried again.
        if self.list.is_some() {
            (self.problem, self.busy) = (None, true);
            fx.push(Effect::Act(Act::RetryWebhooks));
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn next_change(&self, model: &Model) -> Option<Time> {
        let shown = self.list.as_ref().map(|page| page.rows.as_slice()).unwrap_or_default();
        shown.iter().filter_map(|delivery| when::next_change(delivery.changed_at, model.now)).min()
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        match &self.list {
            Some(_) => vec![("y", "try all of them again"), ("Esc", "leave them")],
            None => vec![("Esc", "close")],
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        self.list(&mut lines, model, theme, area);
        if area.height >= 18 {
            lines.gap();
            lines.text(
                "Each is sent with the id that it had, for three days. What is not so any more stays given up.",
                Tone::Text,
            );
            lines.text(&recorded(model, ""), Tone::Quiet);
        }
        if self.busy {
            lines.gap();
            lines.text("asking for it…", Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            lines.gap();
            complaint(&mut lines, theme, problem);
        }
        keys(&mut lines, &self.keys(model, theme));
        put(canvas, area, "The site was not told", &lines.finish());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::{Acted, Loaded};
    use crate::tui::tests::fixture::Console;
    use crate::tui::tests::queue::worlds::{busy, hooks_given_up, hooks_told};

    #[test]
    fn what_was_given_up_is_shown_and_tried_again() {
        let (mut console, world) = (Console::new(80, 24), hooks_given_up());
        console.serve(&world);
        console.run(&world, "o");
        for part in
            ["12 webhooks wait, the oldest written 3 min ago; 2 given up (w shows", "site: failing: it answered 503"]
        {
            assert!(console.screen().contains(part), "{part} is missing in\n{}", console.screen());
        }
        console.press("w");
        assert_eq!(console.asked, [Effect::Load(Load::GivenUp)]);
        // What is not read yet is not answered.
        console.press("y");
        assert_eq!(console.asked.len(), 1);
        console.serve(&world);
        for part in ["user.verified of user 19990 to site, 1 h ago", "it answered 422", "no answer within 15s"] {
            assert!(console.screen().contains(part), "{part} is missing in\n{}", console.screen());
        }
        console.press("y y");
        assert_eq!(console.asked, [Effect::Act(Act::RetryWebhooks)]);
        let problem = Problem { what: "it is switched off".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::WebhooksRetried(Err(problem))));
        assert!(console.screen().contains("✗ it is switched off"), "{}", console.screen());
        console.take_asked();
        console.press("y");
        console.send(Msg::Acted(Acted::WebhooksRetried(Ok(2))));
        assert!(console.model.dialog.is_none());
        assert_eq!(console.model.toasts.last().unwrap().what, "2 webhooks are tried again.");
        // An answer that comes late opens nothing.
        console.send(Msg::Loaded(Loaded::GivenUp(Err(Problem::default()))));
        assert!(console.model.dialog.is_none());
    }

    #[test]
    fn where_none_was_given_up_there_is_nothing_to_try() {
        for (world, says) in
            [(busy(), "The site is told nothing by webhooks."), (hooks_told(), "No webhook was given up.")]
        {
            let mut console = Console::new(80, 24);
            console.serve(&world);
            console.run(&world, "o");
            let is_shown = console.screen().contains("told all");
            assert_eq!(is_shown, !world.outbox.hooks.is_empty(), "{}", console.screen());
            console.press("w");
            assert!(console.model.dialog.is_none());
            assert!(console.screen().contains(says), "{}", console.screen());
        }
    }
}
