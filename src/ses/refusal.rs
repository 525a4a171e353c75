//! What Amazon's API says when it refuses.

use std::fmt;

use crate::text::{Untrusted, plain};

/// An answer of Amazon's API that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRefusal {
    /// HTTP's.
    pub status: u16,
    /// The API's name for it, such as `MessageRejected`; empty where the answer is not the API's.
    pub code: String,
    /// In its own words.
    pub message: Untrusted,
}

impl ApiRefusal {
    /// Whether the API itself refused: a proxy's answer says nothing of what became of the request.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.status >= 400 && !self.code.is_empty()
    }

    /// Whether the credentials are good, and may not do this.
    #[must_use]
    pub fn is_missing_right(&self) -> bool {
        self.is_certain() && matches!(self.code.as_str(), "AccessDeniedException" | "AccessDenied")
    }

    /// All of it in one line.
    #[must_use]
    pub fn whole(&self) -> Untrusted {
        Untrusted::new(self.to_string())
    }
}

impl fmt::Display for ApiRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for part in [plain(&self.code), self.message.plain()] {
            if !part.as_str().is_empty() {
                write!(f, " {part}")?;
            }
        }
        Ok(())
    }
}
