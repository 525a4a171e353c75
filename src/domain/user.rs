//! Users: one account, one address.

use super::Time;
use super::id::UserId;
use super::locale::Locale;
use crate::text::Untrusted;

/// An account with one e-mail address.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    /// The address as stored: ASCII, domain in lower case.
    pub email: Untrusted,
    /// The name they gave; may be empty, may be hostile.
    pub name: Untrusted,
    /// The language of their mails and pages.
    pub locale: Locale,
    /// When they signed up.
    pub created_at: Time,
    /// When their address was verified, if it was.
    pub verified_at: Option<Time>,
    /// From when on they are erased, if they are being deleted.
    pub delete_after: Option<Time>,
}
