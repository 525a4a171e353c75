//! A load that runs at most once at a time: what is asked for in the meantime is done once, afterwards.

/// Whether a load is under way and whether another is wanted after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// None is.
    #[default]
    Idle,
    /// One is.
    Running,
    /// One is, and what it brings will be old.
    RunningThenAgain,
}

impl Slot {
    /// Asks for the load; says whether to begin it now.
    pub fn ask(&mut self) -> bool {
        let begin = *self == Self::Idle;
        *self = if begin { Self::Running } else { Self::RunningThenAgain };
        begin
    }

    /// The load is over; says whether to begin it again (and counts that as asked).
    pub fn done(&mut self) -> bool {
        let again = *self == Self::RunningThenAgain;
        *self = if again { Self::Running } else { Self::Idle };
        again
    }
}
