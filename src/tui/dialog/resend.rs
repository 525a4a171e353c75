//! Mail again? It says first what would happen.

use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::parts::{columns_for, complaint, input, keys, put, recorded, sentence, who};
use super::{Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, reason_missing};
use crate::desk::{ResendPlan, Resent, ResentHow};
use crate::domain::Time;
use crate::domain::audit::Action;
use crate::domain::id::VerificationId;
use crate::domain::resend::Block;
use crate::tui::effect::{Act, Answer, Load, Problem};
use crate::tui::model::Level;
use crate::tui::model::Subject;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::lines::Lines;
use crate::tui::{Effect, Model, undo, when};

/// The question before a resend.
#[derive(Clone, Debug)]
pub struct ResendDialog {
    pub subject: Subject,
    /// What would happen; `None` until the desk has answered.
    pub plan: Option<Answer<ResendPlan>>,
    /// Why an address that takes no mail is mailed all the same.
    pub reason: Field,
    pub is_reason_missing: bool,
    pub busy: bool,
}

impl ResendDialog {
    /// Why it needs a reason, if it does.
    fn block(&self) -> Option<Block> {
        self.plan.as_ref()?.as_ref().ok()?.block
    }
}

pub(super) fn open(model: &Model, fx: &mut Vec<Effect>) -> Option<Dialog> {
    let subject = model.subject()?;
    fx.push(Effect::Load(Load::ResendPlan { id: subject.id }));
    Some(Dialog::Resend(ResendDialog {
        subject,
        plan: None,
        reason: Field::default(),
        is_reason_missing: false,
        busy: false,
    }))
}

/// What a resend would do.
pub(super) fn planned(model: &mut Model, id: VerificationId, plan: Answer<ResendPlan>) {
    if let Some(Dialog::Resend(dialog)) = &mut model.dialog
        && dialog.subject.id == id
        && !dialog.busy
    {
        match plan {
            // What no waiting helps against is said as it is where the list knows it: nothing is left to ask.
            Err(problem) if problem.possible_at.is_none() && !problem.away => {
                model.dialog = None;
                model.toast(Level::Refused, sentence(&problem.what), sentence(&problem.hint));
            }
            plan => dialog.plan = Some(plan),
        }
    }
}

/// A resend was done, or not.
pub(super) fn resent(model: &mut Model, id: VerificationId, answer: Answer<Resent>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Resend(dialog) if dialog.subject.id == id);
    let Some((resent, dialog)) = answered(model, answer, is_it) else { return };
    let to = match dialog {
        Some(Dialog::Resend(dialog)) => dialog.subject.email,
        _ => format!("verification {id}"),
    };
    // Also where it was opened again in the meantime.
    model.dialog.take_if(|dialog| is_it(dialog));
    model.follow(id, resent.verification_id);
    let (what, hint) = match resent.how {
        ResentHow::SameLink => (format!("The same link goes to {to}."), String::new()),
        ResentHow::NewKey => (
            format!("A new link goes to {to}."),
            format!("Verification {} takes the place of {id}.", resent.verification_id),
        ),
        ResentHow::BroughtForward => (format!("The mail to {to} goes first now."), String::new()),
    };
    model.toast(Level::Done, what, hint);
    undo::offer(model, format!("the resend to {to}"), Action::Resend, Some(id));
}

impl Body for ResendDialog {
    fn key_context(&self) -> KeyContext {
        if self.block().is_some() { KeyContext::Reason } else { KeyContext::Confirm }
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.block().map(|_| &mut self.reason)
    }

    fn edited(&mut self) {
        self.is_reason_missing = false;
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn confirm(&mut self, model: &mut Model, fx: &mut Vec<Effect>) -> Then {
        match &self.plan {
            None => {}
            Some(Ok(plan)) => {
                let reason = plan.block.map(|_| self.reason.text().trim().to_owned());
                if reason.as_ref().is_some_and(|reason| reason.chars().count() < REASON_MIN) {
                    self.is_reason_missing = true;
                    return Then::Stay;
                }
                self.busy = true;
                fx.push(Effect::Act(Act::Resend { id: self.subject.id, reason }));
            }
            Some(Err(Problem { possible_at: Some(at), .. })) if *at > model.now => {}
            Some(Err(Problem { possible_at: Some(_), .. })) => {
                self.plan = None;
                fx.push(Effect::Load(Load::ResendPlan { id: self.subject.id }));
            }
            Some(Err(_)) => return Then::Close,
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.plan) = (false, Some(Err(problem)));
    }

    fn next_change(&self, model: &Model) -> Option<Time> {
        match &self.plan {
            Some(Err(Problem { possible_at: Some(at), .. })) => when::next_second(*at, model.now),
            _ => None,
        }
    }

    fn keys(&self, model: &Model, _: &Theme) -> Keys {
        match &self.plan {
            _ if self.busy => vec![("Esc", "close; it goes on")],
            None => vec![("Esc", "cancel")],
            Some(Ok(ResendPlan { block: Some(_), .. })) => vec![("Enter", "mail it anyway"), ("Esc", "cancel")],
            Some(Ok(plan)) if plan.how == ResentHow::BroughtForward => {
                vec![("y", "have it go first"), ("Esc", "cancel")]
            }
            Some(Ok(_)) => vec![("y", "mail it"), ("Esc", "cancel")],
            Some(Err(Problem { possible_at: Some(at), .. })) if *at <= model.now => {
                vec![("y", "ask again"), ("Esc", "close")]
            }
            Some(Err(_)) => vec![("Esc", "close")],
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let mut lines = Lines::new(theme, columns_for(area));
        who(&mut lines, "to", &self.subject, false);
        match &self.plan {
            _ if self.busy => lines.text("queueing the mail…", Tone::Quiet),
            None => lines.text("asking the desk what a resend would do…", Tone::Quiet),
            Some(Ok(plan)) => {
                let (what, then) = match plan.how {
                    ResentHow::SameLink => (
                        "The same link is mailed again.",
                        "Its life starts again; the link in the earlier mail keeps working too.",
                    ),
                    ResentHow::NewKey => (
                        "A new link is mailed.",
                        "A new verification takes the place of this one; its old link does not work any more.",
                    ),
                    ResentHow::BroughtForward => {
                        ("A mail is queued already; it goes first.", "No second mail is queued.")
                    }
                };
                if let Some(block) = plan.block {
                    return self.draw_blocked(canvas, model, area, block);
                }
                lines.text(what, Tone::Strong);
                lines.text(then, Tone::Text);
                lines.gap();
                lines.text(&recorded(model, ""), Tone::Quiet);
                keys(&mut lines, &self.keys(model, theme));
            }
            Some(Err(problem)) => {
                // From when on it is possible is said below, as the operator's clock has it.
                let what = problem.what.split("; the next is possible").next().unwrap_or_default().to_owned();
                complaint(&mut lines, theme, &Problem { what, ..problem.clone() });
                match problem.possible_at {
                    Some(at) if at > model.now => {
                        let left = when::seconds_until(at, model.now);
                        let clock = when::time_of_day(at, model.setup.zone);
                        lines.text(&format!("Possible at {clock}, in {left} s."), Tone::Strong);
                    }
                    Some(_) => lines.text("It is possible now.", Tone::Strong),
                    None => {}
                }
                keys(&mut lines, &self.keys(model, theme));
            }
        }
        put(canvas, area, "Resend", &lines.finish());
        None
    }
}

impl ResendDialog {
    /// Mailing it is the exception: what it does stands first, and a reason is asked for.
    fn draw_blocked(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect, block: Block) -> Option<Position> {
        let theme = canvas.theme;
        // Where not everything fits, what is typed and what is wrong with it come before what is explained.
        let short = area.height < 18;
        let mut lines = Lines::new(theme, columns_for(area));
        who(&mut lines, "to", &self.subject, short);
        let mut words = block.in_words().to_owned();
        words[..1].make_ascii_uppercase();
        lines.marked(theme.glyphs().marks[1], &format!("{words}."), Tone::Bad);
        if !short {
            lines.text("Ask for the right address instead. If you know that this one works, say why:", Tone::Text);
        }
        let mut lines = lines.finish();
        let at = lines.len();
        lines.push(Line::styled("reason", theme.style(Tone::Quiet)));
        let mut below = Lines::new(theme, columns_for(area));
        if self.is_reason_missing {
            complaint(&mut below, theme, &reason_missing("The audit log keeps it."));
        }
        if !short {
            keys(&mut below, &self.keys(model, theme));
        }
        lines.extend(below.finish());
        let place = put(canvas, area, "Resend", &lines);
        input(canvas, place, at, &self.reason, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Refusal;
    use crate::tui::Msg;
    use crate::tui::effect::Loaded;
    use crate::tui::model::Level;
    use crate::tui::tests::fixture::{Console, World, now};
    use chrono::Duration;

    #[test]
    fn a_resend_says_what_will_happen_and_then_does_it() {
        let table = [
            (ResentHow::SameLink, "The same link is mailed again.", "The same link goes to minji.kim@example.com."),
            (ResentHow::NewKey, "A new link is mailed.", "A new link goes to minji.kim@example.com."),
            (
                ResentHow::BroughtForward,
                "A mail is queued already; it goes first.",
                "The mail to minji.kim@example.com goes first now.",
            ),
        ];
        for (how, before, after) in table {
            let mut console = Console::new(80, 24);
            let plan = ResendPlan { how, block: None };
            let world = World { plan: Ok(plan), ..World::default() };
            console.serve(&world);
            console.press("r");
            assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
            console.press("y");
            assert!(console.take_asked().is_empty(), "confirmed before it was known what would happen");
            console.send(Msg::Loaded(Loaded::ResendPlan { id: VerificationId(49_993), answer: Ok(plan) }));
            let shown = console.screen();
            assert!(shown.contains(before) && shown.contains("minji.kim@example.com"), "{shown}");
            console.press("y");
            assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_993), reason: None })]);
            console.press("y Enter");
            assert_eq!(console.asked.len(), 1, "sent twice");
            console.serve(&world);
            assert_eq!(console.model.key_context(), KeyContext::Verifications);
            let toast = console.model.toasts.last().unwrap();
            assert_eq!((toast.level, toast.what.as_str()), (Level::Done, after));
        }
    }

    #[test]
    fn an_address_that_takes_no_mail_is_mailed_for_a_reason_only() {
        for (block, words) in [
            (Block::Bounced, "This address refused a mail for good"),
            (Block::Suppressed, "This address is on a suppression list"),
        ] {
            let mut console = Console::new(80, 24);
            let plan = ResendPlan { how: ResentHow::SameLink, block: Some(block) };
            let world = World { plan: Ok(plan), ..World::default() };
            console.serve(&world);
            console.run(&world, "r");
            assert!(console.screen().contains(words), "{}", console.screen());
            // A letter is a letter of the reason.
            console.press("y Enter");
            assert!(console.asked.is_empty());
            assert!(console.screen().contains("A reason of at least 3 characters is needed."), "{}", console.screen());
            console.type_text("es, it works");
            console.press("Enter");
            let reason = Some("yes, it works".to_owned());
            assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_993), reason })]);
        }
    }

    #[test]
    fn a_resend_that_is_refused_says_when_it_is_possible() {
        let mut console = Console::new(80, 24);
        let problem = Problem {
            what: Refusal::CoolDown { until: now() + Duration::seconds(40), now: now() }.to_string(),
            hint: "wait".into(),
            possible_at: Some(now() + Duration::seconds(40)),
            ..Problem::default()
        };
        let world = World { plan: Err(problem), ..World::default() };
        console.serve(&world);
        console.run(&world, "r");
        let shown = console.screen();
        assert!(shown.contains("Possible at 14:31:00, in 40 s.") && !shown.contains("possible at 2026"), "{shown}");
        console.run(&world, "y Enter");
        assert_eq!(console.model.key_context(), KeyContext::Confirm);
        assert_eq!(console.next_deadline(), Some(now() + Duration::seconds(1)));
        console.send(Msg::Clock(now() + Duration::seconds(1)));
        assert!(console.screen().contains("in 39 s."));
        console.send(Msg::Clock(now() + Duration::seconds(41)));
        assert!(console.screen().contains("It is possible now."), "{}", console.screen());
        console.take_asked();
        console.press("y");
        assert_eq!(console.take_asked(), [Effect::Load(Load::ResendPlan { id: VerificationId(49_993) })]);
    }

    #[test]
    fn a_refusal_is_the_same_message_wherever_it_is_asked() {
        let said = |keys: &str| {
            let (mut console, world) = Console::loaded(120, 40);
            console.run(&world, keys);
            assert!(console.model.dialog.is_none(), "{keys}: {}", console.screen());
            let toast = console.model.toasts.last().unwrap();
            (toast.level, toast.what.clone(), toast.hint.clone())
        };
        let expected = "sora.kang@example.com is verified already; there is nothing to resend.";
        for keys in ["2 r", "5 / s o r a Enter r", "m / s o r a Enter r", "m / s o r a Enter Enter r"] {
            assert_eq!(said(keys), (Level::Refused, expected.into(), String::new()), "{keys}");
        }
    }

    #[test]
    fn what_no_waiting_helps_against_is_a_message() {
        let problem = Problem { what: "this user is verified already".into(), ..Problem::default() };
        let world =
            World { plan: Err(Problem { hint: "nothing needs to be done".into(), ..problem }), ..World::default() };
        let mut console = Console::new(80, 24);
        console.serve(&world);
        console.run(&world, "r");
        assert!(console.model.dialog.is_none());
        let toast = console.model.toasts.last().unwrap();
        assert_eq!(
            (toast.level, toast.what.as_str(), toast.hint.as_str()),
            (Level::Refused, "This user is verified already.", "Nothing needs to be done.")
        );
    }

    #[test]
    fn an_address_is_shown_as_it_is_read_and_as_it_is_mailed() {
        for keys in ["r", "v", "a", "x", "m r"] {
            let mut world = World::default();
            world.row_mut(49_993).user.email = "mina@xn--3e0b707e.example".into();
            world.sends[0].recipient = "mina@xn--3e0b707e.example".into();
            let mut console = Console::new(80, 24);
            console.serve(&world);
            console.run(&world, keys);
            let shown = console.screen();
            assert!(shown.contains("mina@한국.example"), "{keys}: {shown}");
            assert!(shown.contains("mina@xn--3e0b707e.example"), "{keys}: {shown}");
        }
    }

    #[test]
    fn a_late_answer_to_another_question_changes_nothing() {
        let (mut console, world) = Console::loaded(80, 24);
        console.press("r Esc j r");
        console.take_asked();
        console.send(Msg::Loaded(Loaded::ResendPlan {
            id: VerificationId(49_993),
            answer: Ok(ResendPlan { how: ResentHow::NewKey, block: None }),
        }));
        console.press("y");
        assert!(console.take_asked().is_empty());
        console.send(Msg::Loaded(Loaded::ResendPlan {
            id: VerificationId(49_992),
            answer: Ok(ResendPlan { how: ResentHow::SameLink, block: None }),
        }));
        console.press("y");
        assert_eq!(console.asked, [Effect::Act(Act::Resend { id: VerificationId(49_992), reason: None })]);
        // Cancelled while under way: what came of it is reported all the same.
        console.press("Esc");
        console.serve(&world);
        assert!(console.model.toasts.last().unwrap().what.contains("verification 49992"));
    }
}
