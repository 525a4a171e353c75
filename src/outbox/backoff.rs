//! How long to wait before the next try.

use std::time::Duration;

/// AWS's advice for 4xx answers: 5 s, 10 s, 30 s, then 20 min, and again (SES developer guide, troubleshooting SMTP).
const STEPS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(30), Duration::from_mins(20)];

/// How long to wait after the `attempt`th failure of a mail, counted from 1, with up to a fifth more or less, so that
/// what failed together does not come back together.
#[must_use]
pub fn after(attempt: i16) -> Duration {
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or(0).min(STEPS.len() - 1);
    jittered(STEPS[step])
}

/// How long a worker leaves a server alone that it could not reach `failures` times in a row: 1 s, 2 s, 4 s … 1 min.
#[must_use]
pub fn unreachable(failures: u32) -> Duration {
    let seconds = 1u64 << failures.saturating_sub(1).min(6);
    jittered(Duration::from_secs(seconds.min(60)))
}

/// Up to a fifth more or less.
pub(super) fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_advice() {
        for (attempt, seconds) in [(1, 5.0), (2, 10.0), (3, 30.0), (4, 1200.0), (5, 1200.0), (100, 1200.0), (-3, 5.0)] {
            let wait = after(attempt).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "attempt {attempt}: {wait}");
        }
        for (failures, seconds) in [(0, 1.0), (1, 1.0), (3, 4.0), (50, 60.0)] {
            let wait = unreachable(failures).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "failure {failures}: {wait}");
        }
    }
}
