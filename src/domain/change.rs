//! What a process tells the others after it changed something.

use super::id::VerificationId;

/// Something on a screen may be out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// This verification, its sends or its audit trail changed, or it is new.
    Verification(VerificationId),
    /// Many did.
    Many,
    /// A worker started, stopped or met an error.
    Workers,
    /// There is something to send.
    Queued,
    /// The brake, the pace or a job changed.
    Outbox,
}

impl Change {
    /// As the payload of a `NOTIFY`.
    #[must_use]
    pub fn payload(self) -> String {
        match self {
            Self::Verification(id) => format!("verification {id}"),
            Self::Many => "many".into(),
            Self::Workers => "workers".into(),
            Self::Queued => "queued".into(),
            Self::Outbox => "outbox".into(),
        }
    }

    /// Reads a payload; a payload of a later version means that something changed.
    #[must_use]
    pub fn parse(payload: &str) -> Self {
        match payload.split_once(' ') {
            Some(("verification", id)) => id.parse().map_or(Self::Many, Self::Verification),
            _ => match payload {
                "workers" => Self::Workers,
                "queued" => Self::Queued,
                "outbox" => Self::Outbox,
                _ => Self::Many,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let all =
            [Change::Verification(VerificationId(7)), Change::Many, Change::Workers, Change::Queued, Change::Outbox];
        for change in all {
            assert_eq!(Change::parse(&change.payload()), change);
        }
        assert_eq!(Change::parse("verification x"), Change::Many);
        assert_eq!(Change::parse("later"), Change::Many);
    }
}
