//! What covers the screen until it is answered.

use super::Subject;
use super::field::Field;
use crate::desk::ResentHow;
use crate::desk::test_send::TestSent;
use crate::domain::id::JobId;
use crate::domain::job::{JobPlan, JobScope};
use crate::domain::locale::Locale;
use crate::mail::transport::dialogue::DialogueLine;
use crate::preview::check::Finding;
use crate::ses::simulator::Simulator;
use crate::tui::effect::{Answer, BrakeChange, Problem};

/// What covers the screen.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All keys.
    Help {
        /// First line shown.
        scroll: usize,
    },
    /// What a rule asks for, why, and where that comes from.
    Finding {
        /// What was found.
        finding: Box<Finding>,
        /// First line shown.
        scroll: usize,
    },
    /// Mail again?
    Resend(ResendDialog),
    /// Verify without the link, and why?
    ForceVerify(ReasonDialog),
    /// Who signs up?
    SignUp(Form),
    /// Mail many again?
    Bulk(BulkDialog),
    /// Stop the outbox, or let it go again?
    Brake(BrakeDialog),
    /// Call a job off?
    CancelJob(CancelDialog),
    /// Where the page for browsers is.
    Page {
        /// First line shown.
        scroll: usize,
    },
    /// To whom does a test go, and what is said on the way?
    TestSend(TestDialog),
}

/// A test mail: to whom it goes, then what the server says.
#[derive(Clone, Debug)]
pub struct TestDialog {
    /// Which template, in which language, with which fixture.
    pub template: String,
    /// In which language.
    pub locale: Locale,
    /// With which fixture.
    pub fixture: String,
    /// To whom it may go; where `address` may be typed, that comes after the last of them.
    pub recipients: Vec<TestTo>,
    /// The address being typed, where a whole domain is allowed.
    pub address: Option<Field>,
    /// Which of them is chosen.
    pub chosen: usize,
    /// The test that was sent last; answers about others are dropped.
    pub generation: u64,
    /// What was said so far.
    pub said: Vec<DialogueLine>,
    /// What became of it, or why it was not sent.
    pub outcome: Option<Answer<Box<TestSent>>>,
    /// It is on its way.
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

impl TestDialog {
    /// Whether an address is being typed.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.address.is_some() && self.chosen >= self.recipients.len()
    }

    /// How many choices there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.recipients.len() + usize::from(self.address.is_some())
    }
}

/// The question before a resend.
#[derive(Clone, Debug)]
pub struct ResendDialog {
    /// Whom it concerns.
    pub subject: Subject,
    /// What would happen; nothing until the desk has answered.
    pub plan: Option<Answer<ResentHow>>,
    /// It was confirmed and is being done.
    pub busy: bool,
}

/// From how many mails on their number has to be typed.
pub const NUMBER_FROM: i64 = 26;

/// The question before a bulk resend.
#[derive(Clone, Debug)]
pub struct BulkDialog {
    /// Whom it is for.
    pub scope: JobScope,
    /// Which plan is awaited; answers to earlier questions are dropped.
    pub generation: u64,
    /// What would happen; nothing while it is counted.
    pub plan: Option<Answer<Box<JobPlan>>>,
    /// The number of mails, typed.
    pub number: Field,
    /// What is wrong with it, or why the job was not started.
    pub problem: Option<Problem>,
    /// It was confirmed and is being started.
    pub busy: bool,
}

impl BulkDialog {
    /// How many mails would go out, where there is something to confirm.
    #[must_use]
    pub fn mails(&self) -> Option<i64> {
        match &self.plan {
            Some(Ok(plan)) if plan.mails > 0 => Some(plan.mails),
            _ => None,
        }
    }

    /// Whether the number of mails has to be typed.
    #[must_use]
    pub fn asks_for_number(&self) -> bool {
        self.mails().is_some_and(|mails| mails >= NUMBER_FROM)
    }
}

/// The question before the outbox is stopped or let go.
#[derive(Clone, Debug)]
pub struct BrakeDialog {
    /// What is asked for.
    pub change: BrakeChange,
    /// Why; not for letting it go.
    pub reason: Field,
    /// What is wrong with it, or why it was not done.
    pub problem: Option<Problem>,
    /// It was confirmed and is being done.
    pub busy: bool,
}

/// The question before a job is called off.
#[derive(Clone, Debug)]
pub struct CancelDialog {
    /// Which one.
    pub id: JobId,
    /// Why it was not done.
    pub problem: Option<Problem>,
    /// It was confirmed and is being done.
    pub busy: bool,
}

/// Shortest reason of an act that needs one, in characters.
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
