//! Numbers for people.

pub use crate::domain::number::thousands;

/// With thousands separators, of what was counted up to `max` only: "10,000+".
#[must_use]
pub fn up_to(max: i64, n: i64) -> String {
    if n > max { format!("{}+", thousands(max)) } else { thousands(n) }
}

/// Mails a second: "14/s", "11.8/s", "0.5/s".
#[must_use]
pub fn rate(mails: f64) -> String {
    let mails = if mails.is_finite() { mails.max(0.0) } else { 0.0 };
    let digits = format!("{mails:.1}");
    match digits.strip_suffix(".0") {
        // Slower than one in ten seconds is not standing still.
        Some("0") if mails > 0.0 => "<0.1/s".into(),
        #[expect(clippy::cast_possible_truncation, reason = "a rounded number below any limit that can be set")]
        Some(_) => format!("{}/s", thousands(mails.round() as i64)),
        None if mails >= 1_000.0 => rate(mails.round()),
        None => format!("{digits}/s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{rate, up_to};

    #[test]
    fn says_where_counting_ended() {
        assert_eq!([9, 10_000, 10_001].map(|n| up_to(10_000, n)), ["9", "10,000", "10,000+"]);
    }

    #[test]
    fn says_how_fast() {
        let table = [
            (14.0, "14/s"),
            (11.84, "11.8/s"),
            (0.5, "0.5/s"),
            (0.04, "<0.1/s"),
            (0.0, "0/s"),
            (-3.0, "0/s"),
            (f64::NAN, "0/s"),
            (13.96, "14/s"),
            (1_200.4, "1,200/s"),
        ];
        for (mails, text) in table {
            assert_eq!(rate(mails), text);
        }
    }
}
