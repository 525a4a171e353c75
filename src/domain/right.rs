//! What a login may do in the database: its role decides it, the database enforces it, and screens say so beforehand.

use crate::text::Untrusted;

/// Something that not every role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    Resend,
    SignUp,
    ForceVerify,
    Unverify,
    Revoke,
    Extend,
    ChangeAddress,
    Delete,
    BulkResend,
    StopOutbox,
    ApproveTopic,
    TestSend,
    RetryWebhooks,
    ChangeSuppression,
    AddIdentity,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 15] = [
        Self::Resend,
        Self::SignUp,
        Self::ForceVerify,
        Self::Unverify,
        Self::Revoke,
        Self::Extend,
        Self::ChangeAddress,
        Self::Delete,
        Self::BulkResend,
        Self::StopOutbox,
        Self::ApproveTopic,
        Self::TestSend,
        Self::RetryWebhooks,
        Self::ChangeSuppression,
        Self::AddIdentity,
    ];

    /// What may be done with it, behind *may*.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Resend => "resend mails",
            Self::SignUp => "sign anyone up",
            Self::ForceVerify => "force-verify",
            Self::Unverify => "un-verify",
            Self::Revoke => "revoke links",
            Self::Extend => "extend links",
            Self::ChangeAddress => "change addresses",
            Self::Delete => "delete users",
            Self::BulkResend => "start or change bulk resends",
            Self::StopOutbox => "pause the outbox or resume it",
            Self::ApproveTopic => "approve topics",
            Self::TestSend => "send test mails",
            Self::RetryWebhooks => "have webhooks tried again",
            Self::ChangeSuppression => "change the suppression list",
            Self::AddIdentity => "add identities at SES",
        }
    }
}

/// The rights of this login.
#[derive(Clone, Debug, PartialEq)]
pub struct Rights {
    /// The login.
    pub role: Untrusted,
    pub database: Untrusted,
    /// Whether the server takes no writes from it: a standby, or sessions that may only read.
    pub is_read_only: bool,
    pub may: Vec<Right>,
}

impl Rights {
    #[must_use]
    pub fn has(&self, right: Right) -> bool {
        self.may.contains(&right)
    }

    /// Whether it can change nothing at all.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.is_read_only || self.may.is_empty()
    }
}
