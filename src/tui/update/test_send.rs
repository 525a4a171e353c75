//! Test mails from the workbench: to whom, and what is said on the way.

use crate::desk::test_send::{Recipient, TestSend, TestSent};
use crate::domain::send::SendState;
use crate::mail::transport::dialogue::DialogueLine;
use crate::ses::simulator::Simulator;
use crate::tui::action::Action;
use crate::tui::effect::{Answer, Bench};
use crate::tui::model::Level;
use crate::tui::model::field::Field;
use crate::tui::model::overlay::{Overlay, TestDialog, TestTo};
use crate::tui::{Effect, Model};

/// Most lines of a dialogue that are kept.
const SAID_MAX: usize = 500;

/// Asks to whom. A real person's mail is never a test: the fixture takes its place.
pub fn open(model: &mut Model) {
    let Some(entry) = model.workbench.entry() else { return };
    let bench = &model.workbench;
    let fixture = bench.fixtures().get(bench.fixture_index()).map(|(id, _)| id.clone()).unwrap_or_default();
    let (domains, addresses): (Vec<&String>, Vec<&String>) =
        model.setup.tests.iter().partition(|allowed| allowed.starts_with('@'));
    let simulators = Simulator::ALL.into_iter().map(TestTo::Simulator);
    model.overlay = Some(Overlay::TestSend(TestDialog {
        template: entry.template,
        locale: entry.locale,
        fixture,
        recipients: addresses.into_iter().cloned().map(TestTo::Address).chain(simulators).collect(),
        address: (!domains.is_empty()).then(Field::default),
        chosen: 0,
        generation: 0,
        said: Vec::new(),
        outcome: None,
        busy: false,
    }));
}

/// Another recipient.
pub fn choose(dialog: &mut TestDialog, action: Action) {
    let by = if action == Action::PreviousField { dialog.count() - 1 } else { 1 };
    dialog.chosen = (dialog.chosen + by) % dialog.count().max(1);
}

/// The dialog's yes: sends it, or closes what is over.
pub fn confirm(model: &mut Model, fx: &mut Vec<Effect>) {
    let generation = model.generation + 1;
    let Some(Overlay::TestSend(dialog)) = &mut model.overlay else { return };
    if dialog.outcome.is_some() {
        model.overlay = None;
        return;
    }
    let to = match (dialog.recipients.get(dialog.chosen), &dialog.address) {
        (Some(TestTo::Address(address)), _) => Recipient::Address(address.clone()),
        (Some(TestTo::Simulator(simulator)), _) => Recipient::Simulator(*simulator),
        (None, Some(typed)) if !typed.text().trim().is_empty() => Recipient::Address(typed.text().trim().to_owned()),
        (None, _) => return,
    };
    let request =
        TestSend { template: dialog.template.clone(), locale: dialog.locale, fixture: dialog.fixture.clone(), to };
    (dialog.busy, dialog.generation) = (true, generation);
    model.generation = generation;
    fx.push(Effect::Bench(Bench::TestSend { request: Box::new(request), generation }));
}

/// A line was said.
pub fn said(model: &mut Model, generation: u64, line: DialogueLine) {
    if let Some(Overlay::TestSend(dialog)) = &mut model.overlay
        && dialog.generation == generation
        && dialog.said.len() < SAID_MAX
    {
        dialog.said.push(line);
    }
}

/// What became of a test. Who has closed its dialog is told all the same.
pub fn sent(model: &mut Model, generation: u64, answer: Answer<Box<TestSent>>) {
    if let Some(Overlay::TestSend(dialog)) = &mut model.overlay
        && dialog.generation == generation
    {
        dialog.busy = false;
        dialog.outcome = Some(answer);
        return;
    }
    match answer {
        Ok(sent) if sent.state == SendState::Accepted => {
            model.toast(Level::Done, format!("The test to {} was accepted.", sent.recipient), "");
        }
        Ok(sent) => {
            let words = sent.words.plain().into_string();
            model.toast(Level::Failed, format!("The test to {} is {}.", sent.recipient, sent.state), words);
        }
        Err(problem) => model.complain(problem),
    }
}
