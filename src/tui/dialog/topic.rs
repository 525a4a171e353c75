//! Let a topic of SNS post events?

use ratatui::layout::{Position, Rect};

use super::parts::{columns_for, complaint, keys, put, recorded};
use super::{Body, Dialog, KeyContext, Keys, Then, answered, because};
use crate::domain::Time;
use crate::text::Untrusted;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::queue::model::DecidedTopic;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, when};

/// The question whether a topic is approved or refused.
#[derive(Clone, Debug)]
pub struct TopicDialog {
    pub topic: Untrusted,
    pub asked_at: Option<Time>,
    /// Why it was not done.
    pub problem: Option<Problem>,
    /// What was answered and is being done: whether it is approved.
    pub answer: Option<bool>,
}

/// For the first that waits.
pub(super) fn open(model: &Model) -> Option<Dialog> {
    let waiting = model.outbox.as_ref()?.webhook.waiting().next()?;
    Some(Dialog::Topic(TopicDialog {
        topic: waiting.topic.clone(),
        asked_at: waiting.asked_at,
        problem: None,
        answer: None,
    }))
}

pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    let is_asked = model.outbox.as_ref().is_some_and(|outbox| outbox.webhook.waiting().next().is_some());
    if is_asked { None } else { because("No topic of SNS asks to post events.", "") }
}

/// It was approved or refused, or not.
pub(super) fn decided(model: &mut Model, topic: &str, is_approved: bool, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Topic(dialog) if dialog.topic.raw() == topic);
    if answered(model, answer, is_it).is_none() {
        return;
    }
    // Before it is loaded again: the same key, pressed at once, is about the next one.
    if let Some(outbox) = &mut model.outbox {
        let asked = outbox.webhook.waiting().find(|one| one.topic.raw() == topic);
        let asked_at = asked.and_then(|one| one.asked_at);
        outbox.webhook.decided(topic, is_approved);
        model.queue.decided.retain(|one| one.topic != topic);
        model.queue.decided.push(DecidedTopic { topic: topic.to_owned(), asked_at, is_approved });
    }
    let (what, hint) = if is_approved {
        ("The topic is approved.", "`serve` confirms its subscription within seconds.")
    } else {
        ("The topic is refused.", "`verifydesk events approve` takes it after all.")
    };
    model.toast(Level::Done, what, hint);
}

impl TopicDialog {
    fn decide(&mut self, is_approved: bool, fx: &mut Vec<Effect>) {
        (self.problem, self.answer) = (None, Some(is_approved));
        fx.push(Effect::Act(Act::DecideTopic { topic: self.topic.raw().to_owned(), is_approved }));
    }
}

impl Body for TopicDialog {
    fn key_context(&self) -> KeyContext {
        KeyContext::Decide
    }

    fn is_busy(&self) -> bool {
        self.answer.is_some()
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        self.decide(true, fx);
        Then::Stay
    }

    fn refuse(&mut self, fx: &mut Vec<Effect>) {
        self.decide(false, fx);
    }

    fn refused(&mut self, problem: Problem) {
        (self.answer, self.problem) = (None, Some(problem));
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        vec![("y", "approve it"), ("x", "refuse it"), ("Esc", "leave it")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        lines.value("topic", self.topic.plain().as_str(), Tone::Strong);
        if let Some(at) = self.asked_at.filter(|_| area.height >= 18) {
            lines.value("asked", &when::relative(at, model.now), Tone::Text);
        }
        lines.gap();
        lines.text("Once approved, its events are taken. Anyone's topic may ask: is it yours?", Tone::Text);
        lines.text(&recorded(model, ""), Tone::Quiet);
        if let Some(is_approved) = self.answer {
            lines.gap();
            lines.text(if is_approved { "approving it…" } else { "refusing it…" }, Tone::Quiet);
        } else if let Some(problem) = &self.problem {
            lines.gap();
            complaint(&mut lines, theme, problem);
        }
        keys(&mut lines, &self.keys(model, theme));
        put(canvas, area, "A topic of SNS asks to post events", &lines.finish());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Msg;
    use crate::tui::effect::{Acted, Loaded};
    use crate::tui::tests::fixture::Console;
    use crate::tui::tests::queue::worlds::{busy, topic_asks};

    const TOPIC: &str = "arn:aws:sns:ap-northeast-2:123456789012:ses-events";

    #[test]
    fn a_topic_that_asks_is_shown_and_approved_or_refused() {
        for (key, is_approved, done) in [("y", true, "The topic is approved."), ("x", false, "The topic is refused.")] {
            let (mut console, world) = (Console::new(80, 24), topic_asks());
            console.serve(&world);
            console.run(&world, "o");
            assert!(console.screen().contains("a subscription waits for approval"), "{}", console.screen());
            console.press("A");
            for part in ["A topic of SNS asks to post events", TOPIC, "13 min ago", "is it yours?", "x refuse it"] {
                assert!(console.screen().contains(part), "{part} is missing in\n{}", console.screen());
            }
            console.press(key);
            assert_eq!(console.asked, [Effect::Act(Act::DecideTopic { topic: TOPIC.into(), is_approved })]);
            // While that is being done, nothing else is.
            console.press("y");
            console.press("x");
            assert_eq!(console.asked.len(), 1);
            let answer = Err(Problem { what: "this role may not".into(), ..Problem::default() });
            console.send(Msg::Acted(Acted::TopicDecided { topic: TOPIC.into(), is_approved, answer }));
            assert!(console.screen().contains("✗ this role may not"), "{}", console.screen());
            console.take_asked();
            console.press(key);
            // What is loaded after that comes later than the next key.
            console.send(Msg::Acted(Acted::TopicDecided { topic: TOPIC.into(), is_approved, answer: Ok(()) }));
            assert_eq!(console.model.key_context(), KeyContext::Queue);
            assert_eq!(console.model.toasts.last().unwrap().what, done);
            console.press("A");
            assert!(console.model.dialog.is_none(), "{}", console.screen());
            // What was read before may come later still.
            console.take_asked();
            console.send(Msg::Loaded(Loaded::Outbox(Ok(Box::new(world.outbox.clone())))));
            console.press("A");
            assert!(console.model.dialog.is_none(), "{}", console.screen());
            // Unless it asks again.
            let mut outbox = world.outbox;
            outbox.webhook.subscriptions[0].asked_at = Some(outbox.webhook.as_of);
            console.send(Msg::Loaded(Loaded::Outbox(Ok(Box::new(outbox)))));
            console.press("A");
            assert!(console.model.dialog.is_some(), "{}", console.screen());
        }
    }

    #[test]
    fn where_none_asks_there_is_nothing_to_approve() {
        let (mut console, world) = (Console::new(80, 24), busy());
        console.serve(&world);
        console.run(&world, "o A");
        assert!(console.model.dialog.is_none());
        assert!(console.screen().contains("No topic of SNS asks to post events."), "{}", console.screen());
    }
}
