//! The view of the account: what was read, and when it is read again.

use crate::domain::Time;
use crate::domain::account::view::AccountView;
use crate::tui::effect::Problem;

/// The view of the account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// What was read last.
    pub read: Option<Box<AccountView>>,
    /// Why it could not be read the last time.
    pub problem: Option<Problem>,
    /// First line shown.
    pub scroll: usize,
    /// It is being read.
    pub is_reading: bool,
    /// What was read may have changed since.
    pub is_stale: bool,
    /// Not read again before this: the counts take a while.
    pub read_from: Option<Time>,
}
