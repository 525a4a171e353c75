//! What became of mails, as lanes report it and as statements take it.

use std::time::Duration;

use uuid::Uuid;

use super::begin::Attempt;
use crate::domain::id::{SendId, VerificationId};
use crate::domain::send::SendState;

/// Longest reply that is kept, in characters.
pub(super) const REPLY_MAX: usize = 10_000;

/// What became of a mail that a lane had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The server took it.
    Accepted {
        /// SES's message id, if the reply held one.
        ses_id: Option<String>,
    },
    /// Tried again later.
    Deferred {
        /// After how long.
        after: Duration,
        /// Whether this attempt counts towards the limit.
        counts: bool,
        /// Why, in words for an operator.
        reason: String,
    },
    /// Given up.
    Failed {
        /// Why, in words for an operator.
        reason: String,
    },
    /// No one knows whether the server took it.
    Unknown {
        /// Why, in words for an operator.
        reason: String,
    },
}

impl SendResult {
    /// The state that it leads to.
    #[must_use]
    pub fn state(&self) -> SendState {
        match self {
            Self::Accepted { .. } => SendState::Accepted,
            Self::Deferred { .. } => SendState::Queued,
            Self::Failed { .. } => SendState::Failed,
            Self::Unknown { .. } => SendState::Unknown,
        }
    }

    /// Why, unless the server took it.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted { .. } => None,
            Self::Deferred { reason, .. } | Self::Failed { reason } | Self::Unknown { reason } => Some(reason),
        }
    }
}

/// A result to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of which send.
    pub id: SendId,
    /// For which verification, to be notified of.
    pub verification: VerificationId,
    /// Of which attempt.
    pub attempt: Attempt,
    /// What became of it.
    pub result: SendResult,
    /// The server's reply, without any key.
    pub reply: Option<String>,
}

/// Results as arrays, a column each.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) attempts: Vec<i16>,
    pub(super) begun: Vec<i32>,
    pub(super) states: Vec<String>,
    pub(super) verifications: Vec<i64>,
    pub(super) afters: Vec<f64>,
    pub(super) counts: Vec<bool>,
    pub(super) ses_ids: Vec<Option<String>>,
    pub(super) replies: Vec<Option<String>>,
    pub(super) reasons: Vec<Option<String>>,
}

impl Columns {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            columns.add(outcome);
        }
        columns
    }

    fn add(&mut self, outcome: &Outcome) {
        let result = &outcome.result;
        self.ids.push(outcome.id.0);
        self.attempts.push(outcome.attempt.counted);
        self.begun.push(outcome.attempt.begun);
        self.verifications.push(outcome.verification.0);
        self.states.push(result.state().as_str().to_owned());
        let (after, counts) = match result {
            SendResult::Deferred { after, counts, .. } => (after.as_secs_f64(), *counts),
            _ => (0.0, true),
        };
        self.afters.push(after);
        self.counts.push(counts);
        self.ses_ids.push(match result {
            SendResult::Accepted { ses_id } => ses_id.clone(),
            _ => None,
        });
        let reply = outcome.reply.as_deref();
        self.replies.push(reply.map(|text| text.replace('\0', "").chars().take(REPLY_MAX).collect()));
        self.reasons.push(result.reason().map(ToOwned::to_owned));
    }
}
