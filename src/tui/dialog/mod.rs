//! What covers the screen until it is answered: a dialog a file.
//!
//! A dialog's file holds its state, where its keys go, what is typed into it, what *yes* asks for, what the answer to
//! that does, and its lines. A dialog that is added is a file, a variant and an arm of [`open`] here, and its action; if
//! its *yes* is a new act, that act's variants and what runs it; if it cannot always be asked, an arm of [`blocked`] here.

mod add_identity;
mod brake;
mod bulk;
mod cancel_job;
mod change_address;
mod copy;
mod delete;
mod doctor;
mod eject;
mod export;
mod finding;
mod given_up;
mod help;
mod menu;
mod page;
mod parts;
mod reasoned;
mod resend;
mod sign_up;
mod suppression;
mod test_send;
mod topic;

use crossterm::event::KeyEvent;
use ratatui::layout::{Position, Rect};

use super::action::{Action, KeyContext};
use super::effect::{Acted, Answer, BrakeChange, Loaded, Problem, Reasoned};
use super::model::field::Field;
use super::model::{Level, Model};
use super::theme::Theme;
use super::widget::canvas::Canvas;
use super::{Effect, undo};
use crate::domain::Time;
use crate::domain::verification::Status;
pub use add_identity::AddIdentityDialog;
pub use brake::BrakeDialog;
pub use bulk::BulkDialog;
pub use cancel_job::CancelJobDialog;
pub use change_address::ChangeAddressDialog;
pub use copy::CopyDialog;
pub use delete::DeleteDialog;
pub use doctor::{Doctor, DoctorDialog, found as doctor_found, look as look_again, looked as doctor_looked};
pub use eject::{EjectDialog, ejected};
pub use export::ExportDialog;
pub use finding::FindingDialog;
pub use given_up::GivenUpDialog;
pub use help::HelpDialog;
pub use page::{PageDialog, act as act_on_page, started as page_started};
pub use reasoned::ReasonedDialog;
pub use resend::ResendDialog;
pub use sign_up::SignUpDialog;
pub use suppression::SuppressionDialog;
pub use test_send::{TestSendDialog, said as test_said, sent as test_sent};
pub use topic::TopicDialog;

/// Shortest reason of an act that needs one, in characters.
const REASON_MIN: usize = crate::desk::REASON_MIN;

/// What covers the screen.
#[derive(Clone, Debug)]
pub enum Dialog {
    Help(HelpDialog),
    Doctor(DoctorDialog),
    Finding(FindingDialog),
    Resend(ResendDialog),
    Reasoned(ReasonedDialog),
    ChangeAddress(ChangeAddressDialog),
    Delete(DeleteDialog),
    SignUp(SignUpDialog),
    Bulk(BulkDialog),
    Brake(BrakeDialog),
    CancelJob(CancelJobDialog),
    Topic(TopicDialog),
    GivenUp(GivenUpDialog),
    AddIdentity(AddIdentityDialog),
    Suppression(SuppressionDialog),
    Page(PageDialog),
    TestSend(TestSendDialog),
    Copy(CopyDialog),
    Export(ExportDialog),
    Eject(EjectDialog),
}

/// Keys and what they do.
type Keys = Vec<(&'static str, &'static str)>;

/// What a dialog can do; what most cannot is left out by most.
trait Body {
    fn key_context(&self) -> KeyContext;

    /// Draws it; returns where the cursor is while a text is typed.
    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position>;

    /// The keys that answer it as it is now, in its own words: said in it where there is room, and under it. Where there
    /// are none, those of its context are shown.
    fn keys(&self, _: &Model, _: &Theme) -> Keys {
        Keys::new()
    }

    /// Whether it was confirmed and is being done.
    fn is_busy(&self) -> bool {
        false
    }

    /// Takes a key that is no command before any text gets it; says whether it did.
    fn takes(&mut self, _: &KeyEvent) -> bool {
        false
    }

    /// Takes a paste before any text gets it; says whether it did.
    fn pastes(&mut self, _: &str) -> bool {
        false
    }

    /// The text that typing goes to.
    fn field(&mut self) -> Option<&mut Field> {
        None
    }

    /// That text was changed: what was wrong with it need not be so any more.
    fn edited(&mut self) {}

    /// Moves among its fields or choices, or toggles one.
    fn step(&mut self, _: Action) {}

    /// Chooses the line with this number, from 1 on, where there is one; says whether there is.
    fn choose(&mut self, _: usize) -> bool {
        false
    }

    /// Its *yes*. It is not in the model while this runs.
    fn confirm(&mut self, _: &mut Model, _: &mut Vec<Effect>) -> Then {
        Then::Stay
    }

    /// Its *no*, where that is an answer.
    fn refuse(&mut self, _: &mut Vec<Effect>) {}

    /// What it asked for was refused, or failed.
    fn refused(&mut self, _: Problem) {}

    /// It is closed without an answer.
    fn cancelled(&self, _: &mut Vec<Effect>) {}

    /// The first line shown, where it can be scrolled, and how far.
    fn scroll(&mut self, _: &Model) -> Option<(&mut usize, usize)> {
        None
    }

    /// When a text of it changes next by the mere passing of time.
    fn next_change(&self, _: &Model) -> Option<Time> {
        None
    }
}

/// What becomes of a dialog after its *yes*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Stay,
    Close,
}

impl Dialog {
    fn body(&self) -> &dyn Body {
        match self {
            Self::Help(dialog) => dialog,
            Self::Doctor(dialog) => dialog,
            Self::Finding(dialog) => dialog,
            Self::Resend(dialog) => dialog,
            Self::Reasoned(dialog) => dialog,
            Self::ChangeAddress(dialog) => dialog,
            Self::Delete(dialog) => dialog,
            Self::SignUp(dialog) => dialog,
            Self::Bulk(dialog) => dialog,
            Self::Brake(dialog) => dialog,
            Self::CancelJob(dialog) => dialog,
            Self::Topic(dialog) => dialog,
            Self::GivenUp(dialog) => dialog,
            Self::AddIdentity(dialog) => dialog,
            Self::Suppression(dialog) => dialog,
            Self::Page(dialog) => dialog,
            Self::TestSend(dialog) => dialog,
            Self::Copy(dialog) => dialog,
            Self::Export(dialog) => dialog,
            Self::Eject(dialog) => dialog,
        }
    }

    fn body_mut(&mut self) -> &mut dyn Body {
        match self {
            Self::Help(dialog) => dialog,
            Self::Doctor(dialog) => dialog,
            Self::Finding(dialog) => dialog,
            Self::Resend(dialog) => dialog,
            Self::Reasoned(dialog) => dialog,
            Self::ChangeAddress(dialog) => dialog,
            Self::Delete(dialog) => dialog,
            Self::SignUp(dialog) => dialog,
            Self::Bulk(dialog) => dialog,
            Self::Brake(dialog) => dialog,
            Self::CancelJob(dialog) => dialog,
            Self::Topic(dialog) => dialog,
            Self::GivenUp(dialog) => dialog,
            Self::AddIdentity(dialog) => dialog,
            Self::Suppression(dialog) => dialog,
            Self::Page(dialog) => dialog,
            Self::TestSend(dialog) => dialog,
            Self::Copy(dialog) => dialog,
            Self::Export(dialog) => dialog,
            Self::Eject(dialog) => dialog,
        }
    }

    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        self.body().key_context()
    }

    /// The keys that answer it, in its own words.
    #[must_use]
    pub fn keys(&self, model: &Model, theme: &Theme) -> Keys {
        self.body().keys(model, theme)
    }

    /// Draws it; returns where the cursor is while a text is typed.
    pub fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, area: Rect) -> Option<Position> {
        self.body().draw(canvas, model, area)
    }

    /// When a text of it changes next by the mere passing of time.
    #[must_use]
    pub fn next_change(&self, model: &Model) -> Option<Time> {
        self.body().next_change(model)
    }

    /// Whether it shows the outbox, so that it looks different when that has changed.
    #[must_use]
    pub fn shows_outbox(&self) -> bool {
        matches!(self, Self::CancelJob(_) | Self::Brake(_))
    }

    /// A key that is no command.
    pub fn typed(&mut self, event: &KeyEvent) {
        if !self.body_mut().takes(event) {
            self.edit(|field| field.press(event));
        }
    }

    /// A text pasted in one piece.
    pub fn pasted(&mut self, text: &str) {
        let body = self.body_mut();
        if !body.is_busy() && body.pastes(text) {
            body.edited();
            return;
        }
        self.edit(|field| field.paste(text));
    }

    /// Changes the text that typing goes to, but not while what was confirmed is being done.
    fn edit(&mut self, change: impl FnOnce(&mut Field) -> bool) {
        let body = self.body_mut();
        if !body.is_busy() && body.field().is_some_and(change) {
            body.edited();
        }
    }

    /// Moves among its fields or choices, or toggles one.
    pub fn step(&mut self, action: Action) {
        self.body_mut().step(action);
    }
}

/// Opens the dialog that an action asks for.
pub fn open(model: &mut Model, action: Action, fx: &mut Vec<Effect>) {
    let dialog = match action {
        Action::Help => Some(Dialog::Help(HelpDialog::default())),
        Action::Doctor => Some(doctor::open(model, fx)),
        Action::Explain => finding::open(model),
        Action::Resend => resend::open(model, fx),
        Action::ForceVerify => reasoned::open(model, Reasoned::ForceVerify),
        Action::Unverify => reasoned::open(model, Reasoned::Unverify),
        Action::ChangeAddress => change_address::open(model),
        Action::Delete => delete::open(model),
        Action::Revoke => reasoned::open(model, Reasoned::Revoke),
        Action::Extend => reasoned::open(model, Reasoned::Extend),
        Action::Unlist => reasoned::open(model, Reasoned::Unlist),
        Action::SignUp => Some(sign_up::open(model)),
        Action::BulkResend => Some(bulk::open(model, fx)),
        Action::Pause => Some(brake::open(BrakeChange::Pause)),
        Action::Drain => Some(brake::open(BrakeChange::Drain)),
        Action::Resume => Some(brake::open(BrakeChange::Resume)),
        Action::CancelJob => cancel_job::open(model),
        Action::Topic => topic::open(model),
        Action::RetryWebhooks => Some(given_up::open(fx)),
        Action::AddIdentity => Some(add_identity::open()),
        Action::RemoveSuppressed => suppression::open_remove(model),
        Action::AddSuppressed => Some(suppression::open_add()),
        Action::Page => Some(page::open(model, fx)),
        Action::TestSend => test_send::open(model),
        Action::Copy => Some(copy::open(model)),
        Action::Export => Some(export::open(model)),
        Action::Eject => eject::open(model),
        _ => None,
    };
    if dialog.is_some() {
        model.dialog = dialog;
    }
}

/// What is not done about one who is being deleted.
const IS_ABOUT_A_USER: [Action; 8] = [
    Action::Resend,
    Action::ForceVerify,
    Action::Unverify,
    Action::ChangeAddress,
    Action::Revoke,
    Action::Extend,
    Action::Delete,
    Action::Unlist,
];

/// Why what the dialog of an action asks about cannot be done now, if it cannot: what, and what to do instead.
#[must_use]
pub fn blocked(model: &Model, action: Action) -> Option<(String, String)> {
    if IS_ABOUT_A_USER.contains(&action)
        && let Some(subject) = model.subject().filter(|subject| subject.is_leaving)
    {
        return being_deleted(&subject.email);
    }
    match action {
        Action::Resend => subject_done(model, "there is nothing to resend", ""),
        Action::ForceVerify => reasoned::blocked(model, Reasoned::ForceVerify),
        Action::Unverify => reasoned::blocked(model, Reasoned::Unverify),
        Action::ChangeAddress | Action::Delete => no_subject(model),
        Action::Revoke => reasoned::blocked(model, Reasoned::Revoke),
        Action::Extend => reasoned::blocked(model, Reasoned::Extend),
        Action::Unlist => suppression::blocked_mail_again(model).or_else(|| reasoned::blocked(model, Reasoned::Unlist)),
        Action::RemoveSuppressed => suppression::blocked_remove(model),
        Action::Explain => finding::blocked(model),
        Action::BulkResend => bulk::blocked(model),
        Action::Pause => brake::blocked(model, BrakeChange::Pause),
        Action::Drain => brake::blocked(model, BrakeChange::Drain),
        Action::Resume => brake::blocked(model, BrakeChange::Resume),
        // Pausing a job asks nothing, and is possible where cancelling it is.
        Action::CancelJob | Action::HoldJob => cancel_job::blocked(model),
        Action::Topic => topic::blocked(model),
        Action::RetryWebhooks => given_up::blocked(model),
        Action::TestSend => test_send::blocked(model),
        Action::Copy => copy::blocked(model),
        Action::Export => export::blocked(model),
        Action::Eject => eject::blocked(model),
        _ => None,
    }
}

/// The *yes* of the dialog that is open.
pub fn confirm(model: &mut Model, fx: &mut Vec<Effect>) {
    let Some(mut dialog) = model.dialog.take() else { return };
    if dialog.body().is_busy() || dialog.body_mut().confirm(model, fx) == Then::Stay {
        model.dialog = Some(dialog);
    }
}

/// Takes the line of a menu with this number, from 1 on.
pub fn pick(model: &mut Model, number: usize, fx: &mut Vec<Effect>) {
    if model.dialog.as_mut().is_some_and(|dialog| dialog.body_mut().choose(number)) {
        confirm(model, fx);
    }
}

/// The *no* of the dialog that is open.
pub fn refuse(model: &mut Model, fx: &mut Vec<Effect>) {
    if let Some(body) = model.dialog.as_mut().map(Dialog::body_mut).filter(|body| !body.is_busy()) {
        body.refuse(fx);
    }
}

/// Closes the dialog that is open; says whether there was one.
pub fn cancel(model: &mut Model, fx: &mut Vec<Effect>) -> bool {
    let dialog = model.dialog.take();
    if let Some(dialog) = &dialog {
        dialog.body().cancelled(fx);
    }
    dialog.is_some()
}

/// Scrolls the dialog that is open, if it can be.
pub fn scroll(model: &mut Model, by: isize) {
    let Some(mut dialog) = model.dialog.take() else { return };
    if let Some((first, most)) = dialog.body_mut().scroll(model) {
        *first = (*first).min(most).saturating_add_signed(by).min(most);
    }
    model.dialog = Some(dialog);
}

/// What a dialog asked to know before it asks the operator.
pub fn planned(model: &mut Model, loaded: Loaded) {
    match loaded {
        Loaded::ResendPlan { id, answer } => resend::planned(model, id, answer),
        Loaded::JobPlanProgress { generation, progress } => bulk::counted(model, generation, progress),
        Loaded::JobPlan { generation, answer } => bulk::planned(model, generation, answer),
        Loaded::GivenUp(answer) => given_up::loaded(model, answer),
        _ => {}
    }
}

/// What became of an act.
pub fn acted(model: &mut Model, acted: Acted, fx: &mut Vec<Effect>) {
    // It is the last act now; those that can be taken back say so themselves.
    if acted.is_done() && !matches!(acted, Acted::Undone { .. }) {
        undo::forget(model);
    }
    match acted {
        Acted::Resent { id, answer } => resend::resent(model, id, answer),
        Acted::Reasoned { what, id, answer } => reasoned::done(model, what, id, answer),
        Acted::AddressChanged { id, answer } => change_address::changed(model, id, answer),
        Acted::Deleting { id, answer } => delete::deleting(model, id, answer),
        Acted::SignedUp(answer) => sign_up::signed_up(model, answer, fx),
        Acted::JobStarted(answer) => bulk::started(model, answer),
        Acted::JobChanged { id, change, answer } => cancel_job::changed(model, id, change, answer, fx),
        Acted::BrakeSet { change, answer } => brake::set(model, change, answer),
        Acted::TopicDecided { topic, is_approved, answer } => topic::decided(model, &topic, is_approved, answer),
        Acted::WebhooksRetried(answer) => given_up::retried(model, answer),
        Acted::IdentityAsked { name, answer } => add_identity::asked(model, &name, answer),
        Acted::ListChangeAsked { address, change, answer } => suppression::asked(model, &address, change, answer),
        Acted::Undone { which, answer } => undo::undone(model, which, answer),
    }
}

/// The arms that every answer has: what was done closes the dialog that asked for it; what was not is said in that
/// dialog, or in a message where it was closed in the meantime. Returns what was done, and that dialog.
fn answered<T>(
    model: &mut Model,
    answer: Answer<T>,
    asked: impl FnOnce(&Dialog) -> bool,
) -> Option<(T, Option<Dialog>)> {
    let dialog = model.dialog.take_if(|dialog| dialog.body().is_busy() && asked(dialog));
    match (answer, dialog) {
        (Ok(done), dialog) => return Some((done, dialog)),
        (Err(problem), Some(mut dialog)) => {
            dialog.body_mut().refused(problem);
            model.dialog = Some(dialog);
        }
        (Err(problem), None) => model.toast(Level::Failed, problem.what, problem.hint),
    }
    None
}

/// Why nothing can be done for the user of the selected verification.
fn subject_done(model: &Model, so: &str, hint: &str) -> Option<(String, String)> {
    let Some(subject) = model.subject() else { return no_subject(model) };
    let is_done = subject.status == Some(Status::Verified) || subject.user_verified;
    is_done.then(|| (format!("{} is verified already; {so}.", subject.email), hint.to_owned()))
}

/// Why there is no one to do anything for, where that is so.
pub(super) fn no_subject(model: &Model) -> Option<(String, String)> {
    if model.subject().is_some() {
        return None;
    }
    if model.opened.is_some() {
        return being_read();
    }
    because("No verification is selected.", "Choose a row first.")
}

/// That it is not known yet how they stand.
fn being_read() -> Option<(String, String)> {
    because("They are still being read.", "Press the key again when they are shown.")
}

/// That someone is being deleted.
pub(super) fn being_deleted(email: &str) -> Option<(String, String)> {
    because(&format!("{email} is being deleted."), "z takes that back, or verifydesk undo, until they are erased.")
}

/// What stands in the way, and what to do instead.
#[expect(clippy::unnecessary_wraps, reason = "what every rule answers with")]
fn because(what: &str, hint: &str) -> Option<(String, String)> {
    Some((what.to_owned(), hint.to_owned()))
}

/// A reason is too short, and what it is for.
fn reason_missing(hint: &str) -> Problem {
    Problem {
        what: format!("A reason of at least {REASON_MIN} characters is needed."),
        hint: hint.into(),
        ..Problem::default()
    }
}
