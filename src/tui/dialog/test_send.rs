//! A test mail: who it goes to, then what the mail server and we say to each other.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::parts::{complaint, input, keys};
use super::{Action, Body, Dialog, KeyContext, Keys, Then};
use crate::desk::test_send::{Recipient, Recorded, TestSend, TestSent};
use crate::domain::locale::Locale;
use crate::domain::send::SendState;
use crate::mail::transport::dialogue::{DialogueLine, Speaker};
use crate::ses::simulator::Simulator;
use crate::text::{pad, plain};
use crate::tui::effect::{Answer, Bench};
use crate::tui::model::Level;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::canvas::{Canvas, row};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::modal;
use crate::tui::widget::wrap::wrap;
use crate::tui::{Effect, Model};

/// Columns of the dialog: lines of SMTP are long.
const COLUMNS: u16 = 76;

/// Columns of an address.
const ADDRESS: usize = 42;

/// Most lines of a dialogue that are kept.
const SAID_MAX: usize = 500;

#[derive(Clone, Debug)]
pub struct TestSendDialog {
    pub template: String,
    pub locale: Locale,
    pub fixture: String,
    /// Who it may go to; where `address` may be typed, that comes after the last of them.
    pub recipients: Vec<TestTo>,
    /// The address being typed, where a whole domain is allowed.
    pub address: Option<Field>,
    /// Something was typed where no address can be.
    pub is_typed_in_vain: bool,
    /// Which of them is chosen.
    pub chosen: usize,
    /// The test that was sent last; answers about others are dropped.
    pub generation: u64,
    /// What was said so far.
    pub said: Vec<DialogueLine>,
    /// What became of it, or why it was not sent.
    pub outcome: Option<Answer<Box<TestSent>>>,
    pub busy: bool,
}

/// Who may get tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestTo {
    /// An address that the settings allow.
    Address(String),
    /// A mailbox of SES's simulator.
    Simulator(Simulator),
}

impl TestSendDialog {
    /// Whether an address is being typed.
    fn is_typed(&self) -> bool {
        self.address.is_some() && self.chosen >= self.recipients.len()
    }

    fn count(&self) -> usize {
        self.recipients.len() + usize::from(self.address.is_some())
    }

    /// Why no address can be typed.
    fn not_typed(&self) -> Option<&'static str> {
        let has_addresses = self.recipients.iter().any(|to| matches!(to, TestTo::Address(_)));
        match (&self.address, has_addresses) {
            (Some(_), _) => None,
            (None, true) => Some("Only these are allowed; `test_send.allow` adds others."),
            (None, false) => Some("No address is allowed; set `test_send.allow`."),
        }
    }
}

/// Asks who it goes to. A real person's mail is never a test: the fixture takes its place.
pub(super) fn blocked(model: &Model) -> Option<(String, String)> {
    model.workbench.entry().is_none().then(|| ("There is no template to send.".into(), String::new()))
}

pub(super) fn open(model: &Model) -> Option<Dialog> {
    let bench = &model.workbench;
    let entry = bench.entry()?;
    let fixture = bench.fixtures().get(bench.fixture_index()).map(|(id, _)| id.clone()).unwrap_or_default();
    let (domains, addresses): (Vec<&String>, Vec<&String>) =
        model.setup.tests.iter().partition(|allowed| allowed.starts_with('@'));
    let simulators = Simulator::ALL.into_iter().map(TestTo::Simulator);
    Some(Dialog::TestSend(TestSendDialog {
        template: entry.template,
        locale: entry.locale,
        fixture,
        recipients: addresses.into_iter().cloned().map(TestTo::Address).chain(simulators).collect(),
        address: (!domains.is_empty()).then(Field::default),
        is_typed_in_vain: false,
        chosen: 0,
        generation: 0,
        said: Vec::new(),
        outcome: None,
        busy: false,
    }))
}

pub fn said(model: &mut Model, generation: u64, line: DialogueLine) {
    if let Some(Dialog::TestSend(dialog)) = &mut model.dialog
        && dialog.generation == generation
        && dialog.said.len() < SAID_MAX
    {
        dialog.said.push(line);
    }
}

/// What became of a test. It is reported also where the dialog has been closed.
pub fn sent(model: &mut Model, generation: u64, answer: Answer<Box<TestSent>>) {
    if let Some(Dialog::TestSend(dialog)) = &mut model.dialog
        && dialog.generation == generation
    {
        dialog.busy = false;
        dialog.outcome = Some(answer);
        return;
    }
    match answer {
        Ok(sent) if sent.state == SendState::Accepted => {
            model.toast(Level::Done, format!("The test to {} was accepted.", sent.recipient.shown()), "");
        }
        Ok(sent) => {
            let words = sent.words.plain().into_string();
            model.toast(Level::Failed, format!("The test to {} is {}.", sent.recipient.shown(), sent.state), words);
        }
        Err(problem) => model.complain(problem),
    }
}

impl Body for TestSendDialog {
    fn key_context(&self) -> KeyContext {
        if self.outcome.is_some() || self.busy { KeyContext::Confirm } else { KeyContext::Form }
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        let is_text = matches!(event.code, KeyCode::Char(_)) && (event.modifiers - KeyModifiers::SHIFT).is_empty();
        self.is_typed_in_vain |= is_text && self.not_typed().is_some();
        false
    }

    fn pastes(&mut self, _: &str) -> bool {
        self.is_typed_in_vain |= self.not_typed().is_some();
        false
    }

    fn field(&mut self) -> Option<&mut Field> {
        if self.is_typed() { self.address.as_mut() } else { None }
    }

    fn step(&mut self, action: Action) {
        let by = if action == Action::PreviousField { self.count() - 1 } else { 1 };
        self.chosen = (self.chosen + by) % self.count().max(1);
        self.is_typed_in_vain = false;
    }

    /// Sends it, or closes what is over.
    fn confirm(&mut self, model: &mut Model, fx: &mut Vec<Effect>) -> Then {
        if self.outcome.is_some() {
            return Then::Close;
        }
        // An address that was typed is meant, and no other.
        if self.is_typed_in_vain {
            return Then::Stay;
        }
        let to = match (self.recipients.get(self.chosen), &self.address) {
            (Some(TestTo::Address(address)), _) => Recipient::Address(address.clone()),
            (Some(TestTo::Simulator(simulator)), _) => Recipient::Simulator(*simulator),
            (None, Some(typed)) if !typed.text().trim().is_empty() => {
                Recipient::Address(typed.text().trim().to_owned())
            }
            (None, _) => return Then::Stay,
        };
        let request =
            TestSend { template: self.template.clone(), locale: self.locale, fixture: self.fixture.clone(), to };
        model.generation += 1;
        (self.busy, self.generation) = (true, model.generation);
        fx.push(Effect::Bench(Bench::TestSend { request: Box::new(request), generation: model.generation }));
        Then::Stay
    }

    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        match (&self.outcome, self.busy) {
            (_, true) => vec![("Esc", "close; it goes on")],
            (Some(_), _) => vec![("Enter", "close")],
            (None, _) if self.is_typed_in_vain => vec![("Tab", "choose one of these"), ("Esc", "cancel")],
            (None, _) => vec![("Enter", "send"), ("Tab", "next"), ("Esc", "cancel")],
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let theme = canvas.theme;
        let columns = modal::columns(COLUMNS, area);
        let mut lines = Lines::new(theme, columns);
        let dot = theme.glyphs().dot;
        lines.text(&format!("{} {dot} {} {dot} {}", self.template, self.locale, self.fixture), Tone::Strong);
        lines.text("With sample values and a link that opens nothing.", Tone::Quiet);
        lines.gap();
        let mut lines = lines.finish();
        let at = lines.len() + self.recipients.len();
        let mut told = at;
        if self.busy || self.outcome.is_some() {
            lines.extend(dialogue(self, model, theme, columns, area.height));
        } else {
            lines.extend(choices(self, theme));
            let mut below = Lines::new(theme, columns);
            if let Some(why) = self.not_typed() {
                below.gap();
                let [_, bad, attention] = theme.glyphs().marks;
                let (mark, tone) = if self.is_typed_in_vain { (bad, Tone::Bad) } else { (attention, Tone::Warn) };
                below.marked(mark, why, tone);
            }
            told = lines.len() + below.count();
            keys(&mut below, &self.keys(model, theme));
            lines.extend(below.finish());
        }
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let place = modal::draw(canvas, area, "Test send", columns, rows);
        // Where not all fits, what is chosen or was said last does.
        let wanted = match self.chosen {
            _ if self.busy || self.outcome.is_some() => lines.len(),
            _ if self.is_typed_in_vain => told,
            chosen => 4 + chosen,
        };
        let top = wanted.saturating_sub(usize::from(place.height)).min(lines.len());
        for (n, line) in (0..place.height).zip(&lines[top..]) {
            canvas.line(row(place, n), line);
        }
        let typed = self.address.as_ref().filter(|_| self.outcome.is_none() && !self.busy)?;
        input(canvas, place, at.saturating_sub(top), typed, self.is_typed())
    }
}

fn choices(dialog: &TestSendDialog, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (n, to) in dialog.recipients.iter().enumerate() {
        let chosen = n == dialog.chosen && !dialog.is_typed_in_vain;
        let (address, about) = match to {
            TestTo::Address(address) => (plain(address).into_string(), ""),
            TestTo::Simulator(simulator) => (simulator.address(), about(*simulator)),
        };
        lines.push(Line::from(vec![
            Span::styled(if chosen { theme.glyphs().selected } else { "  " }, theme.style(Tone::Here)),
            Span::styled(
                pad(&address, ADDRESS, theme.glyphs().ellipsis),
                theme.style(if chosen { Tone::Strong } else { Tone::Text }),
            ),
            Span::styled(about, theme.style(Tone::Quiet)),
        ]));
    }
    if dialog.address.is_some() {
        lines.push(Line::styled("address", theme.style(Tone::Quiet)));
    }
    lines
}

fn about(simulator: Simulator) -> &'static str {
    match simulator {
        Simulator::Success => "takes it",
        Simulator::Bounce => "refuses it for good",
        Simulator::Complaint => "calls it spam",
        Simulator::OutOfTheOffice => "answers that no one is there",
        Simulator::Suppression => "is suppressed",
    }
}

/// What was said, the last lines of it, and what became of it.
fn dialogue(dialog: &TestSendDialog, model: &Model, theme: &Theme, columns: u16, height: u16) -> Vec<Line<'static>> {
    let mut said: Vec<Line<'static>> =
        dialog.said.iter().flat_map(|line| one(line, theme, usize::from(columns))).collect();
    let room = usize::from(height.saturating_sub(14).max(4));
    if said.len() > room {
        said.drain(..said.len() - room);
    }
    let mut end = Lines::new(theme, columns);
    end.gap();
    match &dialog.outcome {
        None => end.text("sending…", Tone::Quiet),
        Some(Err(problem)) => complaint(&mut end, theme, problem),
        Some(Ok(sent)) => {
            let [good, bad, warn] = theme.glyphs().marks;
            let (mark, tone) = match sent.state {
                SendState::Accepted => (good, Tone::Good),
                SendState::Unknown => (warn, Tone::Warn),
                _ => (bad, Tone::Bad),
            };
            end.text(&format!("{mark} {} for {}: {}", sent.state, sent.recipient.shown(), sent.words.plain()), tone);
            match &sent.recorded {
                Recorded::Yes => end.text("It is among the mails, marked as a test.", Tone::Quiet),
                Recorded::NoDatabase => end.text("Shown only: there is no database.", Tone::Quiet),
                Recorded::Failed(why) => end.text(&format!("{warn} This could not be recorded: {why}"), Tone::Warn),
            }
        }
    }
    keys(&mut end, &dialog.keys(model, theme));
    said.extend(end.finish());
    said
}

fn one(line: &DialogueLine, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let (lead, lead_tone, tone) = match line.speaker {
        Speaker::Client => ("C: ", Tone::Here, Tone::Strong),
        Speaker::Server => ("S: ", Tone::Quiet, Tone::Text),
        Speaker::Note => ("   ", Tone::Quiet, Tone::Quiet),
    };
    let parts = wrap(line.text.as_str(), columns.saturating_sub(3).max(8)).into_iter().enumerate();
    parts
        .map(|(n, part)| {
            let lead = Span::styled(if n == 0 { lead } else { "   " }, theme.style(lead_tone));
            Line::from(vec![lead, Span::styled(part, theme.style(tone))])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::tui::effect::Bench;
    use crate::tui::tests::fixture::{Console, World};
    use crate::tui::{Effect, Msg};

    fn open(width: u16, height: u16, allowed: &[&str]) -> (Console, World) {
        let (mut console, world) = Console::loaded(width, height);
        console.model.setup.tests = allowed.iter().map(|allowed| (*allowed).to_owned()).collect();
        console.run(&world, "t T");
        (console, world)
    }

    fn sends(console: &mut Console) -> usize {
        let is_send = |effect: &Effect| matches!(effect, Effect::Bench(Bench::TestSend { .. }));
        console.take_asked().iter().filter(|effect| is_send(effect)).count()
    }

    #[test]
    fn where_no_address_is_allowed_none_is_taken_and_no_other_is_mailed() {
        let why = "No address is allowed; set `test_send.allow`.";
        for (width, height) in [(80, 24), (120, 40), (40, 10)] {
            let (mut console, _) = open(width, height, &[]);
            if height > 10 {
                assert!(console.screen().contains(&format!("! {why}")), "{}", console.screen());
            }
            console.type_text("mina@books.example");
            console.press("Enter");
            assert_eq!(sends(&mut console), 0, "an address was typed, and another was mailed");
            assert!(console.screen().contains("✗ No address is allowed"), "{}", console.screen());
            // One of the mailboxes that are there has to be chosen.
            console.press("Tab Shift-Tab Enter");
            assert_eq!(sends(&mut console), 1);
        }
        let (mut console, _) = open(80, 24, &[]);
        console.send(Msg::Paste("mina@books.example".into()));
        console.press("Enter");
        assert_eq!(sends(&mut console), 0);
    }

    #[test]
    fn only_a_domain_takes_what_is_typed() {
        let (mut console, _) = open(80, 24, &["dev@books.example"]);
        console.type_text("mina@books.example");
        console.press("Enter");
        assert_eq!(sends(&mut console), 0);
        assert!(console.screen().contains("✗ Only these are allowed; `test_send.allow` adds others."));
        let (mut console, _) = open(80, 24, &["@books.example"]);
        assert!(!console.screen().contains("allowed"), "{}", console.screen());
        console.press("Shift-Tab");
        console.type_text("mina@books.example");
        console.press("Enter");
        assert_eq!(sends(&mut console), 1);
    }
}
