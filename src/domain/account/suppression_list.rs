//! SES's suppression list, as far as it is kept here.

use super::CallTrouble;
use crate::domain::Time;
use crate::text::Untrusted;

/// An address on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedAddress {
    /// In lower case.
    pub address: Untrusted,
    /// `BOUNCE` or `COMPLAINT`.
    pub reason: Untrusted,
    pub since: Time,
}

/// What is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressionList {
    /// The newest first; not all that are kept.
    pub newest: Vec<ListedAddress>,
    /// How many are kept.
    pub count: i64,
    /// Whether that is as many as are kept at most.
    pub is_full: bool,
    /// When it was last read to its end; `None` before that.
    pub read_at: Option<Time>,
    /// Since when what is kept was put on the list, where it is not the whole.
    pub goes_back_to: Option<Time>,
    pub trouble: Option<CallTrouble>,
}

impl SuppressionList {
    /// Whether there are addresses on the list that are not kept.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.is_full || self.goes_back_to.is_some()
    }
}
