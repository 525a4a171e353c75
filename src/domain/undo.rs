//! Taking an operator's act back.
//!
//! | the act | is taken back |
//! |---|---|
//! | a resend | while its mail waits: the console holds it for [`UNDO_FOR`] |
//! | a bulk resend | in its grace, before its first mail |
//! | a deletion | until the user is erased, [`UNDO_FOR`] later or when a worker comes to it |
//! | force-verify, un-verify, revoke, extend, change of address, pause, drain | unless the state has moved on |
//! | anything else, a sign-up too | never |

use std::time::Duration;

use super::audit::Action;
use super::id::VerificationId;
use crate::text::Plain;

/// How long the console offers to take an act back, and holds the mail of a resend for that.
pub const UNDO_FOR: Duration = Duration::from_secs(10);

/// Which act is to be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The operator's last.
    Last,
    /// The one that this entry of the audit log tells of.
    Entry(i64),
    /// The operator's last of this kind about the user of this verification, or about no one.
    Of { action: Action, verification: Option<VerificationId> },
}

/// Why an act is not taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotUndone {
    /// This kind never is.
    Never,
    /// It was refused at the time.
    Nothing,
    /// It was taken back before.
    Already,
    /// It is old, or someone else's.
    ReasonMissing,
    /// A worker has begun the mail, or the mails of the bulk resend.
    Begun,
    /// It is not any more as the act left it; by which act and whom, if by one.
    MovedOn { by: Option<Plain> },
}

impl NotUndone {
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Never => "this is never taken back".into(),
            Self::Nothing => "it was refused and has changed nothing".into(),
            Self::Already => "it was taken back before".into(),
            Self::ReasonMissing => "it is old or someone else's, and no reason is given".into(),
            Self::Begun => "a worker has begun its mail".into(),
            Self::MovedOn { by: Some(by) } => format!("{by} came after it"),
            Self::MovedOn { by: None } => "things are not as it left them any more".into(),
        }
    }
}
