//! Which verifications a list shows.

pub mod hits;
pub mod mailbox;
pub mod near;
mod search;

use super::Time;
use super::send::SendState;
use super::verification::Status;

pub use search::{Number, Pattern, SUBSTRING_MIN, Search};

/// Which verifications. The default is all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of one status, or of all.
    pub status: Option<Status>,
    /// By e-mail, name, number or id.
    pub search: Option<Search>,
    /// At or after: by the time the list is ordered by (`verified_at` of verified ones, `revoked_at` of revoked,
    /// `expires_at` of expired), else by `created_at`.
    pub since: Option<Time>,
    /// Before; the same time.
    pub until: Option<Time>,
}

/// Which sends. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendFilter {
    /// In one state, or in all.
    pub state: Option<SendState>,
    /// By recipient, name, number or id.
    pub search: Option<Search>,
}
