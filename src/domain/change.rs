//! What a process notifies the others of after it changed something.

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
    /// Something is to be done at AWS, or was.
    Account,
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
            Self::Account => "account".into(),
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
                "account" => Self::Account,
                _ => Self::Many,
            },
        }
    }
}

/// More verifications at a time are [`Change::Many`].
const VERIFICATIONS_MAX: usize = 50;

/// Changes gathered until they are passed on, each once, in their order: an act changes several things, a worker
/// hundreds a second.
#[derive(Debug, Default)]
pub struct Gathered(Vec<Change>);

impl Gathered {
    pub fn add(&mut self, change: Change) {
        let is_one = |change: &Change| matches!(change, Change::Verification(_));
        if self.0.contains(&change) || (is_one(&change) && self.0.contains(&Change::Many)) {
            return;
        }
        self.0.push(change);
        if change == Change::Many || self.0.iter().filter(|change| is_one(change)).count() > VERIFICATIONS_MAX {
            self.0.retain(|change| !is_one(change));
            if !self.0.contains(&Change::Many) {
                self.0.push(Change::Many);
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes them all out.
    pub fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn one(id: i64) -> Change {
        Change::Verification(VerificationId(id))
    }

    #[test]
    fn few_are_gathered_each_once() {
        let mut gathered = Gathered::default();
        for change in [one(1), Change::Queued, one(1), Change::Queued, one(2)] {
            gathered.add(change);
        }
        assert_eq!(gathered.take(), [one(1), Change::Queued, one(2)]);
        assert!(gathered.is_empty());
    }

    #[test]
    fn more_than_fifty_are_many() {
        let mut gathered = Gathered::default();
        gathered.add(Change::Workers);
        for id in 0..1_000 {
            gathered.add(one(id));
            gathered.add(Change::Workers);
        }
        gathered.add(Change::Queued);
        gathered.add(Change::Many);
        assert_eq!(gathered.take(), [Change::Workers, Change::Many, Change::Queued]);
    }

    #[test]
    fn round_trip() {
        let all = [
            Change::Verification(VerificationId(7)),
            Change::Many,
            Change::Workers,
            Change::Queued,
            Change::Outbox,
            Change::Account,
        ];
        for change in all {
            assert_eq!(Change::parse(&change.payload()), change);
        }
        assert_eq!(Change::parse("verification x"), Change::Many);
        assert_eq!(Change::parse("later"), Change::Many);
    }
}
