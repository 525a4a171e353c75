//! Jobs: bulk resends, planned, cancelled, paused, resumed, followed.

use std::collections::BTreeMap;
use std::fmt;

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use super::Time;
use super::filter::Filter;
use super::id::{JobId, UserId, VerificationId};
use super::idn;
use super::send::SendState;
use super::verification::Status;
use crate::text::Untrusted;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownJobState, parse_err_fn = UnknownJobState::of)]
pub enum JobState {
    /// Works, or will when its grace period is over.
    Running,
    /// Makes no mails until it is resumed; what it has queued already waits.
    Paused,
    /// Has looked at everyone. Mails of it may still wait, and as long as they do it can be stopped.
    Done,
    /// Cancelled.
    Cancelled,
}

/// Not a job state.
#[derive(Debug, thiserror::Error)]
#[error("unknown job state")]
pub struct UnknownJobState;

impl UnknownJobState {
    fn of(_: &str) -> Self {
        Self
    }
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Running, Self::Paused, Self::Done, Self::Cancelled];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it still has something to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// Whether a job may go from this state to `next`; from *done* only while mails of it wait.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Running => matches!(next, Self::Paused | Self::Done | Self::Cancelled),
            Self::Paused => matches!(next, Self::Running | Self::Cancelled),
            Self::Done => matches!(next, Self::Paused | Self::Cancelled),
            Self::Cancelled => false,
        }
    }
}

/// Who a job is for.
#[derive(Clone, Debug, PartialEq)]
pub enum JobScope {
    /// Those that this filter finds at the cut-off.
    Filter(Filter),
    /// The users whose newest mail this filter of mails finds at the cut-off.
    Mails(Filter),
    /// The users of these verifications.
    Marked(Vec<VerificationId>),
}

impl JobScope {
    /// Whether it is found by mails rather than by verifications: then who has got a newer one is left out.
    #[must_use]
    pub fn is_by_mails(&self) -> bool {
        match self {
            Self::Filter(filter) => filter.asks_for_mail(),
            Self::Mails(_) => true,
            Self::Marked(_) => false,
        }
    }

    /// What its filter finds.
    #[must_use]
    pub fn noun(&self, count: i64) -> &'static str {
        match (self, count) {
            (Self::Mails(_), 1) => "mail",
            (Self::Mails(_), _) => "mails",
            (_, 1) => "verification",
            _ => "verifications",
        }
    }
}

/// In words, such as `expired, since 2026-11-20T00:00:00Z`. A search is as someone typed it.
impl fmt::Display for JobScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = match self {
            Self::Marked(ids) => return write!(f, "{} marked", ids.len()),
            Self::Filter(filter) => {
                f.write_str(filter.status.map_or("all", Status::as_str))?;
                filter
            }
            Self::Mails(filter) => {
                f.write_str("mails")?;
                filter
            }
        };
        for (word, time) in [("since", filter.since), ("until", filter.until)] {
            if let Some(time) = time {
                write!(f, ", {word} {}", time.to_rfc3339_opts(SecondsFormat::Secs, true))?;
            }
        }
        for term in filter.other_terms() {
            write!(f, ", {term}")?;
        }
        match &filter.search {
            Some(search) => write!(f, ", with \"{}\"", search.typed()),
            None => Ok(()),
        }
    }
}

/// Why someone is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownSkip, parse_err_fn = UnknownSkip::of)]
pub enum Skip {
    /// They are verified.
    Verified,
    /// Their last mail was queued less than the cool-down ago.
    CoolDown,
    /// They got as many mails in the last 24 hours as one address may get.
    DailyCap,
    /// A mail to them waits or is being sent.
    Waiting,
    /// SES has them on its suppression list.
    Suppressed,
    /// Their address refused a mail for good, or they reported one as spam.
    Bounced,
    /// A newer mail to them is none of those that were asked for.
    Later,
    /// Another verification of theirs is in the same job.
    Duplicate,
}

impl Skip {
    /// Every reason, the first that fits counts.
    pub const ALL: [Self; 8] = [
        Self::Duplicate,
        Self::Verified,
        Self::Waiting,
        Self::Suppressed,
        Self::Bounced,
        Self::Later,
        Self::CoolDown,
        Self::DailyCap,
    ];

    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// For a person.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Verified => "verified meanwhile",
            Self::CoolDown => "mailed a moment ago",
            Self::DailyCap => "had the day's mails",
            Self::Waiting => "a mail waits already",
            Self::Suppressed => "suppressed by SES",
            Self::Bounced => "bounced for good",
            Self::Later => "got a newer mail",
            Self::Duplicate => "same person again",
        }
    }
}

/// Not a reason.
#[derive(Debug, thiserror::Error)]
#[error("unknown reason to leave someone out")]
pub struct UnknownSkip;

impl UnknownSkip {
    fn of(_: &str) -> Self {
        Self
    }
}

/// How many are left out, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// See [`Skip::Verified`].
    pub verified: i64,
    /// See [`Skip::CoolDown`].
    pub cool_down: i64,
    /// See [`Skip::DailyCap`].
    pub daily_cap: i64,
    /// See [`Skip::Waiting`].
    pub waiting: i64,
    /// See [`Skip::Suppressed`].
    pub suppressed: i64,
    /// See [`Skip::Bounced`].
    pub bounced: i64,
    /// See [`Skip::Later`].
    pub later: i64,
    /// See [`Skip::Duplicate`].
    pub duplicate: i64,
}

impl Skipped {
    /// One more for this reason.
    pub fn count(&mut self, skip: Skip) {
        self.add(skip, 1);
    }

    /// So many more for this reason.
    pub fn add(&mut self, skip: Skip, count: i64) {
        *match skip {
            Skip::Verified => &mut self.verified,
            Skip::CoolDown => &mut self.cool_down,
            Skip::DailyCap => &mut self.daily_cap,
            Skip::Waiting => &mut self.waiting,
            Skip::Suppressed => &mut self.suppressed,
            Skip::Bounced => &mut self.bounced,
            Skip::Later => &mut self.later,
            Skip::Duplicate => &mut self.duplicate,
        } += count;
    }

    /// How many for this reason.
    #[must_use]
    pub fn of(&self, skip: Skip) -> i64 {
        match skip {
            Skip::Verified => self.verified,
            Skip::CoolDown => self.cool_down,
            Skip::DailyCap => self.daily_cap,
            Skip::Waiting => self.waiting,
            Skip::Suppressed => self.suppressed,
            Skip::Bounced => self.bounced,
            Skip::Later => self.later,
            Skip::Duplicate => self.duplicate,
        }
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> i64 {
        Skip::ALL.into_iter().map(|skip| self.of(skip)).sum()
    }
}

/// What a bulk resend would do now.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    /// Verifications found.
    pub found: i64,
    /// Mails that would go out.
    pub mails: i64,
    /// Who would be left out, and why.
    pub skipped: Skipped,
    /// How long the mails take at the present pace, in seconds, quota aside.
    pub seconds: f64,
    /// Mails beyond what the 24-hour quota has left now: they wait for it. Nothing without a quota.
    pub over_quota: Option<i64>,
    /// The first addresses.
    pub first: Vec<Untrusted>,
    /// When this was so: what a job started from this plan takes for its cut-off.
    pub as_of: Time,
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanProgress {
    /// About how many verifications there are to be counted.
    pub about: i64,
    /// Verifications found so far.
    pub found: i64,
    /// Mails that would go out to them.
    pub mails: i64,
    /// How much of all was looked at, from 0 to 1.
    pub part: f64,
}

impl PlanProgress {
    /// It in words, for a line of its own.
    #[must_use]
    pub fn in_words(&self) -> String {
        let of = format!("about {} found", self.about);
        if self.part <= 0.0 {
            return of;
        }
        format!("{of}, {} % counted: {} mails so far", self.percent(), self.mails)
    }

    /// How much of all was looked at, from 0 to 100.
    #[must_use]
    pub fn percent(&self) -> u8 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
        let percent = (self.part.clamp(0.0, 1.0) * 100.0).floor() as u8;
        percent
    }
}

/// A job and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Its UUIDv7.
    pub id: JobId,
    /// When it was asked for.
    pub created_at: Time,
    /// Who started it.
    pub created_by: Untrusted,
    /// Who it is for.
    pub scope: JobScope,
    /// Who counts is decided as of then.
    pub cut_off: Time,
    /// Until then it can be cancelled before the first mail.
    pub starts_at: Time,
    /// Where it is in its life.
    pub state: JobState,
    /// Why it is paused or was cancelled.
    pub reason: Option<Untrusted>,
    /// When it was done or cancelled.
    pub ended_at: Option<Time>,
    /// Verifications that the plan found, if someone counted.
    pub found: Option<i64>,
    /// Mails that the plan named, if someone counted.
    pub planned: Option<i64>,
    /// Verifications looked at so far.
    pub looked_at: i64,
    /// Mails queued so far.
    pub queued: i64,
    /// Of these, still waiting or being sent.
    pub open: i64,
    /// Left out so far, and why.
    pub skipped: Skipped,
}

/// How many mails of a state are counted for a screen; of more it says so.
pub const COUNTED_MAX: i64 = 100_000;

/// What came of a job's mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobResults {
    /// How many mails are in each state; none where one is missing.
    pub mails: BTreeMap<SendState, i64>,
    /// How many links were opened since; none where that was not counted.
    pub opened: Option<i64>,
}

impl JobResults {
    /// How many mails are in a state.
    #[must_use]
    pub fn of(&self, state: SendState) -> i64 {
        self.mails.get(&state).copied().unwrap_or_default()
    }

    /// How many there are, as far as they were counted.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.mails.values().sum()
    }

    /// What is not nothing, in the order in which it is asked for: a number and the word for it.
    #[must_use]
    pub fn parts(&self) -> Vec<(i64, &'static str)> {
        use SendState::{
            Accepted, Bounced, Cancelled, Complained, Delayed, Delivered, Failed, Queued, Rejected, Sending, Unknown,
        };
        let others =
            [Bounced, Complained, Rejected, Failed, Unknown, Delayed, Accepted, Cancelled, Sending, Queued].into_iter();
        let delivered = (self.of(Delivered), Delivered.as_str());
        let opened = (self.opened.unwrap_or_default(), "opened");
        let parts = [delivered, opened].into_iter().chain(others.map(|state| (self.of(state), state.as_str())));
        parts.filter(|(count, _)| *count > 0).collect()
    }
}

/// A user that a job has left out.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSkip {
    pub verification_id: VerificationId,
    pub user_id: UserId,
    pub reason: Skip,
    /// Their address as it is now; none if they were deleted.
    pub email: Option<Untrusted>,
}

impl JobSkip {
    /// Who it is.
    #[must_use]
    pub fn whom(&self) -> String {
        let email = self.email.as_ref().map(|email| idn::shown(email).into_string());
        email.unwrap_or_else(|| format!("user {} (deleted)", self.user_id))
    }
}

impl JobRow {
    /// How many mails it still makes while it runs, as far as that was counted: no more than were planned, and than are
    /// left to be looked at.
    #[must_use]
    pub fn unmade(&self) -> i64 {
        if self.state != JobState::Running {
            return 0;
        }
        let left = self.found.map(|found| found - self.looked_at);
        let planned = self.planned.map(|planned| planned - self.queued);
        left.into_iter().chain(planned).min().unwrap_or_default().max(0)
    }

    /// How much of it is done, from 0 to 1, where that is known.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        if self.state == JobState::Done && self.open == 0 {
            return Some(1.0);
        }
        let found = self.found?.max(self.looked_at);
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        let part = (self.looked_at - self.open).max(0) as f64 / found.max(1) as f64;
        Some(part.clamp(0.0, 1.0))
    }

    /// Whether it can be paused or cancelled: it has something to do, or mails of it wait.
    #[must_use]
    pub fn can_be_stopped(&self) -> bool {
        self.state.is_open() || self.state == JobState::Done && self.open > 0
    }

    /// Whether it can still be cancelled before its first mail. `now` by the database's clock.
    #[must_use]
    pub fn is_in_grace(&self, now: Time) -> bool {
        self.state == JobState::Running && self.starts_at > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::{Search, States};
    use crate::domain::send::SendState;

    #[test]
    fn ended_jobs_run_no_more() {
        assert!(JobState::ALL.into_iter().all(|next| !JobState::Cancelled.may_become(next)));
        assert!(!JobState::Done.may_become(JobState::Running));
    }

    #[test]
    fn no_more_is_unmade_than_was_planned_and_than_is_left() {
        let mut job = JobRow {
            id: JobId::new(),
            created_at: Time::UNIX_EPOCH,
            created_by: "mina".into(),
            scope: JobScope::Marked(Vec::new()),
            cut_off: Time::UNIX_EPOCH,
            starts_at: Time::UNIX_EPOCH,
            state: JobState::Running,
            reason: None,
            ended_at: None,
            found: None,
            planned: None,
            looked_at: 0,
            queued: 0,
            open: 0,
            skipped: Skipped::default(),
        };
        for (found, planned, looked_at, queued, unmade) in [
            (None, None, 7, 5, 0),
            (Some(582), None, 100, 80, 482),
            (Some(582), Some(508), 0, 0, 508),
            (Some(582), Some(508), 580, 300, 2),
            (Some(582), Some(508), 500, 508, 0),
            (Some(582), Some(508), 600, 520, 0),
        ] {
            (job.found, job.planned, job.looked_at, job.queued) = (found, planned, looked_at, queued);
            assert_eq!(job.unmade(), unmade, "{found:?} {planned:?} {looked_at} {queued}");
        }
        (job.looked_at, job.queued) = (0, 0);
        for state in [JobState::Paused, JobState::Done, JobState::Cancelled] {
            job.state = state;
            assert_eq!(job.unmade(), 0, "{state}");
        }
    }

    #[test]
    fn scopes_in_words() {
        let time = |text: &str| Some(text.parse::<Time>().unwrap());
        let filter = Filter {
            status: Some(Status::Expired),
            search: Search::parse("Kim"),
            since: time("2026-11-20T00:00:00Z"),
            ..Filter::default()
        };
        assert_eq!(JobScope::Filter(filter).to_string(), "expired, since 2026-11-20T00:00:00Z, with \"Kim\"");
        assert_eq!(JobScope::Filter(Filter::default()).to_string(), "all");
        let failed = Filter { mail: States::from(Some(SendState::Failed)), ..Filter::default() };
        assert_eq!(JobScope::Mails(failed).to_string(), "mails, mail:failed");
        assert_eq!(JobScope::Marked(vec![VerificationId(1)]).to_string(), "1 marked");
    }

    #[test]
    fn every_skip_has_its_own_count() {
        let skipped = Skipped {
            verified: 1,
            cool_down: 2,
            daily_cap: 4,
            waiting: 8,
            suppressed: 16,
            bounced: 32,
            later: 64,
            duplicate: 128,
        };
        assert_eq!(skipped.total(), 255);
    }
}
