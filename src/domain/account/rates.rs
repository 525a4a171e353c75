//! How mail is received by AWS's own count, by which it judges the account: SES's rates in `CloudWatch`.

use serde::{Deserialize, Serialize};

use crate::domain::{Time, is_kept};

/// Those that it has; it has none where nothing was sent for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AwsRates {
    pub bounces: Option<AwsRate>,
    pub complaints: Option<AwsRate>,
}

/// A rate, and when it was so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AwsRate {
    /// Of 1.
    pub part: f64,
    pub at: Time,
}

impl AwsRate {
    /// The newest of the points that can be a rate.
    #[must_use]
    pub fn newest(points: impl Iterator<Item = (Time, f64)>) -> Option<Self> {
        points
            .filter(|(at, part)| is_kept(*at) && (0.0..=1.0).contains(part))
            .max_by_key(|(at, _)| *at)
            .map(|(at, part)| Self { part, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rate_is_passed_over() {
        let at = |seconds| Time::from_timestamp(seconds, 0).unwrap();
        let newest =
            |points: &[(Time, f64)]| AwsRate::newest(points.iter().copied()).map(|it| (it.at.timestamp(), it.part));
        let now = 1_795_000_000;
        assert_eq!(newest(&[]), None);
        assert_eq!(
            newest(&[(at(now), 0.02), (at(now + 3_600), 0.01), (at(now - 3_600), 0.5)]),
            Some((now + 3_600, 0.01))
        );
        for wrong in [f64::NAN, f64::INFINITY, -0.1, 1.01, -f64::INFINITY] {
            assert_eq!(newest(&[(at(now + 3_600), wrong)]), None, "{wrong}");
            assert_eq!(newest(&[(at(now), 0.02), (at(now + 3_600), wrong)]), Some((now, 0.02)), "{wrong}");
        }
        // A time that PostgreSQL does not keep.
        assert_eq!(newest(&[(Time::MAX_UTC, 0.02), (Time::MIN_UTC, 0.02)]), None);
        let many = (0..10_000).map(|n| (at(now + n), 0.001));
        assert_eq!(AwsRate::newest(many).map(|it| it.at), Some(at(now + 9_999)));
    }
}
