//! Waits that differ a little, so that many do not come back at the same moment.

use std::time::Duration;

/// Up to a fifth more or less.
#[must_use]
pub fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.8 + 0.4 * fastrand::f64())
}
