//! What covers the screen until it is answered.

use super::Subject;
use super::field::Field;
use crate::domain::locale::Locale;
use crate::tui::msg::{Answer, Problem, ResendPlan};

/// What covers the screen.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All keys.
    Help {
        /// First line shown.
        scroll: usize,
    },
    /// Mail again?
    Resend(ResendDialog),
    /// Verify without the link, and why?
    ForceVerify(ReasonDialog),
    /// Who signs up?
    SignUp(Form),
}

/// The question before a resend.
#[derive(Clone, Debug)]
pub struct ResendDialog {
    /// Whom it concerns.
    pub subject: Subject,
    /// What would happen; nothing until the desk has answered.
    pub plan: Option<Answer<ResendPlan>>,
    /// It was confirmed and is being done.
    pub busy: bool,
}

/// Shortest reason for a forced verification, in characters.
pub const REASON_MIN: usize = 3;

/// The question before a forced verification.
#[derive(Clone, Debug)]
pub struct ReasonDialog {
    /// Whom it concerns.
    pub subject: Subject,
    /// The reason.
    pub reason: Field,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    /// It was confirmed and is being done.
    pub busy: bool,
}

/// The fields of the sign-up form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormField {
    /// The address.
    #[default]
    Email,
    /// The name.
    Name,
    /// The language.
    Locale,
}

impl FormField {
    /// Every field, in order.
    pub const ALL: [Self; 3] = [Self::Email, Self::Name, Self::Locale];
}

/// The sign-up form.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The address.
    pub email: Field,
    /// The name.
    pub name: Field,
    /// The language of mails and pages.
    pub locale: Locale,
    /// Where typing goes.
    pub field: FormField,
    /// What is wrong with it.
    pub problem: Option<Problem>,
    /// It was confirmed and is being done.
    pub busy: bool,
}
