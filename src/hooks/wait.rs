//! How long until a message is tried again, and until an endpoint that fails is.

use std::time::Duration;

use crate::jitter::jittered;

/// After each attempt of a message; after the last of these the same again, until it was tried for three days.
const STEPS: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(2),
    Duration::from_hours(4),
];

/// After the `attempt`th failure of a message, counted from 1.
pub(super) fn for_message(attempt: i32) -> Duration {
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or(0).min(STEPS.len() - 1);
    jittered(STEPS[step])
}

/// After so many failures of an endpoint in a row: 1 s, 2 s, 4 s … 1 min, in which none of its messages is tried.
pub(super) fn for_endpoint(failures: u32) -> Duration {
    jittered(Duration::from_secs((1u64 << failures.saturating_sub(1).min(6)).min(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        for (attempt, seconds) in [(-1, 5.0), (1, 5.0), (2, 30.0), (5, 1_800.0), (8, 14_400.0), (1_000, 14_400.0)] {
            let wait = for_message(attempt).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "{attempt}: {wait}");
        }
        for (failures, seconds) in [(0, 1.0), (1, 1.0), (4, 8.0), (7, 60.0), (1_000, 60.0)] {
            let wait = for_endpoint(failures).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "{failures}: {wait}");
        }
    }
}
