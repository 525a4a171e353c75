//! What [`super::update()`] asks for. The executor runs these against the desk and sends the answers back as messages.
//!
//! Every effect is answered, whatever happens, except that a newer `LoadPage`, `LoadSends`, `Prove` or
//! `PlanJob` may cancel an older one of its kind: the last query wins; and `ForgetPlan` cancels a plan. While the database is away, loads are answered with a problem
//! that says `away`; the model asks again after [`super::Msg::DatabaseBack`].

use std::path::PathBuf;

use crate::desk::test_send::TestSend;
use crate::domain::filter::{Filter, SendFilter};
use crate::domain::id::{JobId, SendId, VerificationId};
use crate::domain::job::{JobPlan, JobScope};
use crate::domain::locale::Locale;
use crate::domain::page::{Cursor, Position};
use crate::preview::proof::Order;
use crate::tui::msg::{BrakeChange, JobChange};

/// How many rows a page has.
pub const PAGE_ROWS: i64 = 100;

/// Something to do outside the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// [`PAGE_ROWS`] verifications → [`super::Msg::Page`].
    LoadPage {
        /// Which ones.
        filter: Filter,
        /// From where.
        position: Position,
        /// Goes back in the answer.
        generation: u64,
    },
    /// These verifications as they are now → [`super::Msg::Rows`].
    LoadRows {
        /// Which ones.
        ids: Vec<VerificationId>,
    },
    /// How many are newer than this one → [`super::Msg::Newer`].
    CountNewer {
        /// Of which ones.
        filter: Filter,
        /// The newest row known.
        than: Cursor,
        /// Goes back in the answer.
        generation: u64,
    },
    /// How many there are of each status → [`super::Msg::Counts`].
    LoadCounts,
    /// The outbox and its workers → [`super::Msg::Outbox`].
    LoadOutbox,
    /// All about one verification → [`super::Msg::Detail`].
    LoadDetail {
        /// Which one.
        id: VerificationId,
    },
    /// [`PAGE_ROWS`] sends → [`super::Msg::Sends`].
    LoadSends {
        /// Which ones.
        filter: SendFilter,
        /// From where.
        position: Position<SendId>,
        /// Goes back in the answer.
        generation: u64,
    },
    /// Which templates and fixtures there are → [`super::Msg::Stocked`].
    StockTemplates,
    /// A template rendered and taken apart → [`super::Msg::Proved`].
    Prove {
        /// What is asked for.
        order: Box<Order>,
        /// Goes back in the answer.
        generation: u64,
    },
    /// Holds all templates to all rules → [`super::Msg::Checked`].
    CheckTemplates,
    /// Sends a test mail → [`super::Msg::TestSaid`] for each line said on the way, then [`super::Msg::TestSent`].
    TestSend {
        /// What is sent, to whom.
        request: Box<TestSend>,
        /// Goes back in the answers.
        generation: u64,
    },
    /// Starts the page for browsers → [`super::Msg::PageStarted`].
    StartPage,
    /// Ends it.
    StopPage,
    /// Puts a text where the operator's terminal pastes from (OSC 52).
    Copy(String),
    /// Watch the templates' files from now on → [`super::Msg::TemplatesChanged`], whenever they change.
    WatchTemplates,
    /// Opens a file in the operator's editor, in place of the console → [`super::Msg::Edited`].
    Edit {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// What a resend would do → [`super::Msg::ResendPlanned`].
    PlanResend {
        /// Of which verification.
        id: VerificationId,
    },
    /// Mails a link again → [`super::Msg::Resent`].
    Resend {
        /// Of which verification.
        id: VerificationId,
    },
    /// Verifies without the link → [`super::Msg::ForceVerified`].
    ForceVerify {
        /// Which one.
        id: VerificationId,
        /// The operator's reason.
        reason: String,
    },
    /// Signs someone up → [`super::Msg::SignedUp`].
    SignUp {
        /// The address as typed.
        email: String,
        /// The name as typed.
        name: String,
        /// Her language.
        locale: Locale,
    },
    /// What a bulk resend would do → [`super::Msg::JobPlanned`].
    PlanJob {
        /// For whom.
        scope: JobScope,
        /// Goes back in the answer.
        generation: u64,
    },
    /// Nobody waits for the plan any more.
    ForgetPlan,
    /// Starts a bulk resend → [`super::Msg::JobStarted`].
    StartJob {
        /// For whom.
        scope: JobScope,
        /// What the operator has agreed to.
        plan: Box<JobPlan>,
    },
    /// Pauses, resumes or calls off a job → [`super::Msg::JobChanged`].
    ChangeJob {
        /// Which one.
        id: JobId,
        /// What is done to it.
        change: JobChange,
    },
    /// Stops the outbox or lets it go → [`super::Msg::BrakeSet`].
    SetBrake {
        /// What is done.
        change: BrakeChange,
        /// The operator's reason; none for letting it go.
        reason: String,
    },
    /// Try the database now instead of at the next retry.
    Reconnect,
    /// Draw everything anew: something else wrote on the terminal.
    Repaint,
    /// Stop in the shell's sense (ctrl-z); [`super::Msg::Resumed`] follows.
    Suspend,
    /// End the console.
    Quit,
}
