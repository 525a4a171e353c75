//! Take an address off SES's suppression list, or put one on it. Which one, and why?

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Position, Rect};

use super::parts::{AddressAndReason, choose, draw_address_and_reason, recorded, sentence};
use super::reasoned::OFF_THE_LIST;
use super::{Action, Body, Dialog, KeyContext, Keys, REASON_MIN, Then, answered, because, reason_missing};
use crate::domain::account::act::Listing;
use crate::domain::address::EmailAddress;
use crate::store::account_acts::ListChange;
use crate::tui::effect::{Act, Answer, Problem};
use crate::tui::model::Level;
use crate::tui::model::field::Field;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::suppressed::update::listed;
use crate::tui::widget::canvas::Canvas;
use crate::tui::{Effect, Model};

/// The question before it.
#[derive(Clone, Debug)]
pub struct SuppressionDialog {
    /// It is put on the list, and not taken off: then the address is typed.
    adds: bool,
    pub address: Field,
    pub reason: Field,
    /// Whether typing goes to the reason.
    at_reason: bool,
    /// What is wrong.
    problem: Option<Problem>,
    busy: bool,
}

pub(super) fn open_add() -> Dialog {
    let (address, reason) = (Field::default(), Field::default());
    Dialog::Suppression(SuppressionDialog { adds: true, address, reason, at_reason: false, problem: None, busy: false })
}

pub(super) fn open_remove(model: &Model) -> Option<Dialog> {
    let row = listed(model)?;
    let (mut address, reason) = (Field::default(), Field::default());
    address.paste(row.address.plain().as_str());
    let dialog = SuppressionDialog { adds: false, address, reason, at_reason: true, problem: None, busy: false };
    Some(Dialog::Suppression(dialog))
}

/// Why the selected address cannot be taken off, as far as the screen tells.
pub(super) fn blocked_remove(model: &Model) -> Option<(String, String)> {
    match listed(model) {
        None => because("No address is selected.", "Choose a row first."),
        Some(row) if row.suppression.reason.is_none() => {
            because("This address is not known to be on the list.", "There is nothing to take off.")
        }
        Some(_) => None,
    }
}

/// Why no one can be mailed again for the selected address.
pub(super) fn blocked_mail_again(model: &Model) -> Option<(String, String)> {
    let row = listed(model)?;
    if row.user.as_ref().is_some_and(|user| user.verification.is_some()) {
        return blocked_remove(model);
    }
    because("No user has this address, so no one can be mailed again.", "`x` takes it off the list.")
}

/// It is asked for, or not.
pub(super) fn asked(model: &mut Model, address: &EmailAddress, change: ListChange, answer: Answer<()>) {
    let is_it = |dialog: &Dialog| matches!(dialog, Dialog::Suppression(_));
    if answered(model, answer, is_it).is_none() {
        return;
    }
    let what = match change {
        ListChange::Remove(_) => "is to be taken off",
        ListChange::Add(_) => "is to be put on",
    };
    let what = format!("{} {what} SES's suppression list.", address.shown());
    model.toast(Level::Done, what, "A worker does it; the list says what it came to.");
}

impl SuppressionDialog {
    fn is_wrong(&mut self, what: &str, hint: &str) {
        self.problem = Some(Problem { what: what.into(), hint: hint.into(), ..Problem::default() });
    }
}

impl Body for SuppressionDialog {
    fn key_context(&self) -> KeyContext {
        if self.adds { KeyContext::Form } else { KeyContext::Reason }
    }

    fn is_busy(&self) -> bool {
        self.busy
    }

    fn takes(&mut self, event: &KeyEvent) -> bool {
        let back = match event.code {
            KeyCode::Down if !self.adds => false,
            KeyCode::Up if !self.adds => true,
            _ => return false,
        };
        if !self.busy && choose(&mut self.reason, OFF_THE_LIST, back) {
            self.problem = None;
        }
        true
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(if self.at_reason { &mut self.reason } else { &mut self.address })
    }

    fn edited(&mut self) {
        self.problem = None;
    }

    fn step(&mut self, action: Action) {
        if self.adds && matches!(action, Action::NextField | Action::PreviousField) {
            self.at_reason ^= true;
        }
    }

    fn confirm(&mut self, _: &mut Model, fx: &mut Vec<Effect>) -> Then {
        let reason = self.reason.text().trim();
        match EmailAddress::parse(self.address.text()) {
            Err(_) if self.address.text().trim().is_empty() => {
                self.at_reason = false;
                self.is_wrong("An address is needed.", "");
            }
            Err(error) => {
                self.at_reason = !self.adds;
                self.is_wrong("This is not an address.", &sentence(&error.to_string()));
            }
            Ok(_) if reason.chars().count() < REASON_MIN => {
                self.at_reason = true;
                self.problem = Some(reason_missing(asked_for(self.adds)));
            }
            Ok(address) => {
                let change = if self.adds { ListChange::Add(Listing::Bounce) } else { ListChange::Remove(None) };
                fx.push(Effect::Act(Act::ChangeList { address, change, reason: reason.to_owned() }));
                (self.problem, self.busy) = (None, true);
            }
        }
        Then::Stay
    }

    fn refused(&mut self, problem: Problem) {
        (self.busy, self.problem) = (false, Some(problem));
    }

    fn keys(&self, _: &Model, theme: &Theme) -> Keys {
        if self.adds {
            return vec![("Enter", "put it on"), ("Tab", "next field"), ("Esc", "cancel")];
        }
        let arrows = if theme.is_unicode() { "↑ ↓" } else { "Up Down" };
        vec![("Enter", "take it off"), (arrows, "usual reasons"), ("Esc", "cancel")]
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        let adds = self.adds;
        let asked = AddressAndReason {
            title: if adds { "Onto the suppression list" } else { "Off the suppression list" },
            label: "address",
            subject: None,
            address: &self.address,
            reason: &self.reason,
            at_reason: self.at_reason,
            problem: self.problem.as_ref(),
            doing: self.busy.then_some("asking for it…"),
            keys: self.keys(model, canvas.theme),
        };
        draw_address_and_reason(canvas, area, &asked, |below, _| {
            if adds {
                below.text(
                    "A worker puts the address on SES's suppression list, as one that bounced: SES mails it no more.",
                    Tone::Strong,
                );
            } else {
                let what = "A worker takes the address off SES's suppression list. Nothing is mailed.";
                below.text(what, Tone::Strong);
            }
            below.text(&recorded(model, ", with your reason"), Tone::Text);
        })
    }
}

/// What the reason has to answer.
fn asked_for(adds: bool) -> &'static str {
    if adds {
        "The audit log keeps it: why must the address not be mailed?"
    } else {
        "The audit log keeps it: how do you know that mail to the address arrives?"
    }
}
