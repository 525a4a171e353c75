//! Reading the database.

use chrono::Duration;

use super::Answer;
use crate::desk::ResendPlan;
use crate::doctor::Found;
use crate::domain::Time;
use crate::domain::account::suppressed::{SuppressedPage, SuppressedPlace};
use crate::domain::account::view::AccountView;
use crate::domain::audit::{AuditFilter, AuditPlace, AuditRow};
use crate::domain::filter::hits::Hits;
use crate::domain::filter::{Filter, Search};
use crate::domain::hook::Delivery;
use crate::domain::id::{JobId, SendId, VerificationId};
use crate::domain::job::{JobPlan, JobScope, PlanProgress};
use crate::domain::page::{Cursor, Page, Position};
use crate::domain::right::Rights;
use crate::domain::send::{SendRow, SendState};
use crate::domain::verification::{Counts, Status, VerificationDetail, VerificationRow};
use crate::domain::worker::OutboxView;
use crate::export::{Format, Listed, file};
use crate::text::Untrusted;
use crate::tui::view::queue::model::JobFacts;

/// How many rows a page has.
pub const PAGE_ROWS: i64 = 100;

/// How many of the webhooks that were given up are read: more than any screen shows.
pub const GIVEN_UP_ROWS: i64 = 50;

/// What is read. Generations go back in the answers, so that old ones are known.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// [`PAGE_ROWS`] verifications.
    Page {
        filter: Filter,
        position: Position,
        generation: u64,
    },
    /// These verifications as they are now.
    Rows {
        ids: Vec<VerificationId>,
    },
    /// How many are newer than the newest row known.
    Newer {
        filter: Filter,
        than: Cursor,
        generation: u64,
    },
    /// Addresses near to the one that a search did not find.
    NearMisses {
        search: Search,
    },
    /// How many verifications of each status a filter finds.
    VerificationHits {
        filter: Filter,
    },
    /// How many mails in each state a filter finds.
    SendHits {
        filter: Filter,
    },
    /// How many there are of each status.
    Counts,
    /// The outbox and its workers.
    Outbox,
    /// The SES account, and how mail is received.
    Account,
    /// What the login may do.
    Rights,
    /// All about one verification.
    Detail {
        id: VerificationId,
    },
    /// [`PAGE_ROWS`] sends.
    Sends {
        filter: Filter,
        position: Position<SendId>,
        generation: u64,
    },
    /// [`PAGE_ROWS`] entries of the audit log.
    Audit {
        filter: AuditFilter,
        position: Position<AuditPlace>,
        generation: u64,
    },
    /// [`PAGE_ROWS`] rows of the suppression list, with this in the address.
    Suppressed {
        part: String,
        position: Position<SuppressedPlace>,
        generation: u64,
    },
    ResendPlan {
        id: VerificationId,
    },
    /// What came of a job's mails, and the first of those that it has left out.
    Job {
        id: JobId,
    },
    /// What a bulk resend would do.
    JobPlan {
        scope: JobScope,
        generation: u64,
    },
    /// [`GIVEN_UP_ROWS`] webhooks that were given up.
    GivenUp,
    /// Whether all is well: each check is told of by itself, then that all are done.
    Doctor {
        generation: u64,
    },
    /// No one waits for the plan of a job any more: it is cancelled, and not answered.
    ForgetJobPlan,
    /// All that a list shows, into a file.
    Export {
        listed: Listed,
        format: Format,
        generation: u64,
    },
    /// No one wants that file any more: it is given up, and not answered.
    ForgetExport,
    /// Try the database now instead of at the next retry.
    Reconnect,
}

/// The answers, each named as what was asked for.
#[derive(Clone, Debug)]
pub enum Loaded {
    Page {
        generation: u64,
        answer: Answer<Page<VerificationRow>>,
    },
    /// How far the search for a page has come. The page follows.
    Searched {
        generation: u64,
        found: usize,
        back_to: Time,
    },
    Rows {
        /// Those of them missing in the answer are gone.
        asked: Vec<VerificationId>,
        answer: Answer<Vec<VerificationRow>>,
    },
    Newer {
        generation: u64,
        answer: Answer<i64>,
    },
    NearMisses {
        search: Search,
        answer: Answer<Vec<Untrusted>>,
    },
    VerificationHits {
        filter: Filter,
        /// `None` where counting takes too long.
        answer: Answer<Option<Hits<Status>>>,
    },
    SendHits {
        filter: Filter,
        answer: Answer<Option<Hits<SendState>>>,
    },
    Counts(Answer<Counts>),
    Outbox(Answer<Box<OutboxView>>),
    Account {
        /// How long it took.
        took: Duration,
        answer: Answer<Box<AccountView>>,
    },
    Rights(Answer<Rights>),
    Detail {
        id: VerificationId,
        /// `None` if there is no such verification.
        answer: Answer<Option<Box<VerificationDetail>>>,
    },
    Sends {
        generation: u64,
        answer: Answer<Page<SendRow>>,
    },
    Audit {
        generation: u64,
        answer: Answer<Page<AuditRow>>,
    },
    Suppressed {
        generation: u64,
        answer: Answer<Box<SuppressedPage>>,
    },
    ResendPlan {
        id: VerificationId,
        /// What it would do, or why it is refused.
        answer: Answer<ResendPlan>,
    },
    Job {
        id: JobId,
        /// How long it took.
        took: Duration,
        answer: Answer<Box<JobFacts>>,
    },
    /// How far the counting for a plan has come. The plan follows.
    JobPlanProgress {
        generation: u64,
        progress: PlanProgress,
    },
    JobPlan {
        generation: u64,
        answer: Answer<Box<JobPlan>>,
    },
    GivenUp(Answer<Box<Page<Delivery>>>),
    /// What one check has found.
    Found {
        generation: u64,
        found: Found,
    },
    /// All were looked at.
    Looked {
        generation: u64,
        answer: Answer<()>,
    },
    /// How many rows were written so far. The answer follows.
    Exporting {
        generation: u64,
        rows: usize,
    },
    Exported {
        generation: u64,
        answer: Answer<file::Written>,
    },
}
