//! Let a topic of SNS post events?

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, keys, operator, put};
use super::{Body, Dialog, KeyContext, Then, answered, because};
use crate::domain::Time;
use crate::text::Untrusted;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::theme::Tone;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, when};

/// The question before a topic is approved.
#[derive(Clone, Debug)]
pub struct ApproveTopicDialog {
    pub topic: Untrusted,
    pub asked_at: Option<Time>,
    /// Why it was not done.
    pub problem: Option<Problem>,
    pub busy: bool,
}

/// For the first that waits.
pub(super) fn open(model: &Model) -> Option<Dialog> {
    let waiting = model.outbox.as_ref()?.webhook.waiting().next()?;
    Some(Dialog::ApproveTopic(ApproveTopicDialog {
        topic: waiting.topic.clone(),
        asked_at: waiting.asked_at,
        problem: None,
        busy: false,
    }))
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    let is_asked = model.outbox.as_ref().is_some_and(|outbox| outbox.webhook.waiting().next().is_some());
    if is_asked { None } else { because("No subscription waits for approval.", "") }
}

/// It was approved, or not.
pub(super) fn approved(model: &mut Model, topic: &str, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::ApproveTopic(dialog) if dialog.topic.raw() == topic);
    if answered(model, answer, is_it).is_some() {
        model.toast(Level::Done, "The topic is approved.", "`serve` confirms its subscription within seconds.");
    }
}

impl Body for ApproveTopicDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Confirm
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        (self.problem, self.busy) = (None, true);
        fx.push(Effect::Act(Act::ApproveTopic { topic: self.topic.raw().to_owned() }));
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        lines.value("topic", self.topic.plain().as_str(), Tone::Strong);
        if let Some(at) = self.asked_at.filter(|_| area.height >= 18) {
            lines.value("asked", &when::relative(at, model.now), Tone::Text);
        }
        lines.gap();
        lines.text("Its events are taken from then on. Anyone's topic may ask: is it yours?", Tone::Text);
        lines.text(&format!("It is audited under {}.", operator(model)), Tone::Quiet);
        if self.busy {
            lines.gap();
            lines.text("approving it…", Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            lines.gap();
            complaint(&mut lines, theme, problem);
        }
        keys(&mut lines, &[("y", "approve it"), ("Esc", "leave it")]);
        put(canvas, area, "Approve a topic of SNS", &lines.finish());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::Acted;
    use crate::tui::tests::fixture::Console;
    use crate::tui::tests::queue::worlds::{busy, topic_asks};

    const TOPIC: &str = "arn:aws:sns:ap-northeast-2:123456789012:ses-events";

    #[test]
    fn a_topic_that_asks_is_shown_and_approved() {
        let (mut console, world) = (Console::new(80, 24), topic_asks());
        console.serve(&world);
        console.run(&world, "o");
        assert!(console.screen().contains("a subscription waits for approval"), "{}", console.screen());
        console.press("A");
        for part in ["Approve a topic of SNS", TOPIC, "13 min ago", "is it yours?"] {
            assert!(console.screen().contains(part), "{part} is missing in\n{}", console.screen());
        }
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::ApproveTopic { topic: TOPIC.into() })]);
        let problem = Problem { what: "this role may not".into(), ..Problem::default() };
        console.send(Msg::Acted(Acted::TopicApproved { topic: TOPIC.into(), answer: Err(problem) }));
        assert!(console.screen().contains("✗ this role may not"), "{}", console.screen());
        console.take_asked();
        console.press("y");
        console.serve(&world);
        assert_eq!(console.model.key_context(), KeyContext::Queue);
        assert_eq!(console.model.toasts.last().unwrap().what, "The topic is approved.");
    }

    #[test]
    fn where_none_asks_there_is_nothing_to_approve() {
        let (mut console, world) = (Console::new(80, 24), busy());
        console.serve(&world);
        console.run(&world, "o A");
        assert!(console.model.dialog.is_none());
        assert!(console.screen().contains("No subscription waits for approval."), "{}", console.screen());
    }
}
