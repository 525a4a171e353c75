//! Everything that can happen to the console. The run loop puts these in; [`super::update()`] answers with effects.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::model::workbench::PageAddress;
use crate::desk::test_send::TestSent;
use crate::desk::{Resent, ResentHow, SignedUp};
use crate::domain::Time;
use crate::domain::change::Change;
use crate::domain::id::{JobId, VerificationId};
use crate::domain::job::JobPlan;
use crate::domain::page::Page;
use crate::domain::send::SendRow;
use crate::domain::verification::{Counts, VerificationDetail, VerificationRow};
use crate::domain::worker::OutboxView;
use crate::mail::transport::dialogue::DialogueLine;
use crate::preview::check::Report;
use crate::preview::proof::{self, Attempt, Stock};

/// Input, data that arrived, and the time.
#[derive(Clone, Debug)]
pub enum Msg {
    /// The first message: what is on the first screen starts to load.
    Start,
    /// The time. Comes before every batch of other messages, and when [`super::Model::next_deadline`] is reached.
    Clock(Time),
    /// A key.
    Key(KeyEvent),
    /// A key that may be a piece of something which the terminal sent: nothing is mailed or changed by it.
    Doubtful(KeyEvent),
    /// Text pasted in one piece (bracketed paste).
    Paste(String),
    /// The terminal has a new size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The console is in the foreground again after it was suspended.
    Resumed,
    /// Some process changed something.
    Changed(Change),
    /// Answers [`super::Effect::LoadPage`].
    Page {
        /// As in the effect.
        generation: u64,
        /// The rows.
        answer: Answer<Page<VerificationRow>>,
    },
    /// Answers [`super::Effect::LoadRows`].
    Rows {
        /// As in the effect; those missing in the answer are gone.
        asked: Vec<VerificationId>,
        /// The rows as they are now.
        answer: Answer<Vec<VerificationRow>>,
    },
    /// Answers [`super::Effect::CountNewer`].
    Newer {
        /// As in the effect.
        generation: u64,
        /// How many.
        answer: Answer<i64>,
    },
    /// Answers [`super::Effect::LoadCounts`].
    Counts(Answer<Counts>),
    /// Answers [`super::Effect::LoadOutbox`].
    Outbox(Answer<OutboxView>),
    /// Answers [`super::Effect::LoadDetail`].
    Detail {
        /// As in the effect.
        id: VerificationId,
        /// Nothing where there is no such verification.
        answer: Answer<Option<Box<VerificationDetail>>>,
    },
    /// Answers [`super::Effect::LoadSends`].
    Sends {
        /// As in the effect.
        generation: u64,
        /// The rows.
        answer: Answer<Page<SendRow>>,
    },
    /// Answers [`super::Effect::StockTemplates`].
    Stocked(Answer<Box<Stock>>),
    /// Answers [`super::Effect::Prove`].
    Proved {
        /// As in the effect.
        order: Box<proof::Order>,
        /// As in the effect.
        generation: u64,
        /// What came of it; a problem where it took too long.
        answer: Answer<Box<Attempt>>,
    },
    /// What [`super::Effect::Prove`] asks for waits for earlier renderings that are left alone but still run.
    ProofWaits {
        /// As in the effect.
        generation: u64,
    },
    /// Answers [`super::Effect::CheckTemplates`].
    Checked(Answer<Arc<Report>>),
    /// Checks that were given up have ended after all.
    CheckedLate(Arc<Report>),
    /// Answers [`super::Effect::StartPage`].
    PageStarted(Answer<PageAddress>),
    /// A line was said while a test mail was sent.
    TestSaid {
        /// As in the effect.
        generation: u64,
        /// The line.
        line: DialogueLine,
    },
    /// Answers [`super::Effect::TestSend`].
    TestSent {
        /// As in the effect.
        generation: u64,
        /// What became of it.
        answer: Answer<Box<TestSent>>,
    },
    /// The templates' files have changed.
    TemplatesChanged,
    /// They are not watched for the time being: why, plain.
    TemplatesUnwatched(String),
    /// Answers [`super::Effect::Edit`].
    Edited(Answer<()>),
    /// Answers [`super::Effect::PlanResend`].
    ResendPlanned {
        /// As in the effect.
        id: VerificationId,
        /// What a resend would do, or why it is refused.
        answer: Answer<ResentHow>,
    },
    /// Answers [`super::Effect::Resend`].
    Resent {
        /// As in the effect.
        id: VerificationId,
        /// What was done.
        answer: Answer<Resent>,
    },
    /// Answers [`super::Effect::ForceVerify`].
    ForceVerified {
        /// As in the effect.
        id: VerificationId,
        /// Whether it was done.
        answer: Answer<()>,
    },
    /// Answers [`super::Effect::SignUp`].
    SignedUp(Answer<SignedUp>),
    /// Answers [`super::Effect::PlanJob`].
    JobPlanned {
        /// As in the effect.
        generation: u64,
        /// What the job would do, or why there can be none.
        answer: Answer<Box<JobPlan>>,
    },
    /// Answers [`super::Effect::StartJob`].
    JobStarted(Answer<JobStarted>),
    /// Answers [`super::Effect::ChangeJob`].
    JobChanged {
        /// As in the effect.
        id: JobId,
        /// As in the effect.
        change: JobChange,
        /// Whether it was done.
        answer: Answer<()>,
    },
    /// Answers [`super::Effect::SetBrake`].
    BrakeSet {
        /// As in the effect.
        change: BrakeChange,
        /// Whether it was done.
        answer: Answer<()>,
    },
    /// The database cannot be reached; the executor tries again by itself.
    DatabaseAway {
        /// What happened.
        problem: Problem,
        /// When it tries again.
        retry_at: Time,
    },
    /// The database answers again.
    DatabaseBack,
}

/// What an effect came to.
pub type Answer<T> = Result<T, Problem>;

/// Something that did not work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What happened, to what: one line.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// The database is away: no fault of the act, and no toast, since the banner says so.
    pub away: bool,
    /// When the refused act will be possible (a cool-down).
    pub possible_at: Option<Time>,
}

/// A bulk resend that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobStarted {
    /// The job.
    pub id: JobId,
    /// In how many seconds its first mail is made.
    pub starts_in: i64,
}

/// What an operator does to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// It makes no more mails for now.
    Pause,
    /// It goes on.
    Resume,
    /// It is called off.
    Cancel,
}

/// What an operator does to the whole outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakeChange {
    /// Nothing goes out any more.
    Pause,
    /// What is queued goes out, then nothing.
    Drain,
    /// It goes again.
    Resume,
}

impl BrakeChange {
    /// Whether the audit log wants to know why.
    #[must_use]
    pub fn needs_reason(self) -> bool {
        self != Self::Resume
    }
}
