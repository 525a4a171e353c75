//! Times and spans as readers of each language write them.

use std::time::Duration;

use chrono::FixedOffset;

use crate::domain::Time;
use crate::domain::locale::Locale;

/// Korea's offset from UTC, in seconds; it has no summer time.
const KOREA: i32 = 9 * 3600;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment with its zone. Korean readers get Korea's clock; English ones may be anywhere and get UTC.
pub(super) fn moment(at: Time, locale: Locale) -> String {
    match (locale, FixedOffset::east_opt(KOREA)) {
        (Locale::Ko, Some(korea)) => at.with_timezone(&korea).format("%Y년 %-m월 %-d일 %H:%M (한국 시간)").to_string(),
        _ => at.format("%-d %B %Y, %H:%M UTC").to_string(),
    }
}

/// A span in the largest unit that says it exactly, down to minutes.
pub(super) fn span(span: Duration, locale: Locale) -> String {
    let seconds = span.as_secs();
    let (count, korean, english) = if seconds >= DAY && seconds.is_multiple_of(DAY) {
        (seconds / DAY, "일", "day")
    } else if seconds >= HOUR && seconds.is_multiple_of(HOUR) {
        (seconds / HOUR, "시간", "hour")
    } else {
        (seconds / MINUTE, "분", "minute")
    };
    match locale {
        Locale::Ko => format!("{count}{korean}"),
        Locale::En => format!("{count} {english}{}", if count == 1 { "" } else { "s" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_carry_their_zone() {
        let at = "2026-11-25T05:30:59Z".parse().unwrap();
        assert_eq!(moment(at, Locale::Ko), "2026년 11월 25일 14:30 (한국 시간)");
        assert_eq!(moment(at, Locale::En), "25 November 2026, 05:30 UTC");
        let eve = "2026-12-31T15:00:00Z".parse().unwrap();
        assert_eq!(moment(eve, Locale::Ko), "2027년 1월 1일 00:00 (한국 시간)");
    }

    #[test]
    fn spans_in_the_largest_exact_unit() {
        let table = [
            (3 * DAY, "3일", "3 days"),
            (DAY, "1일", "1 day"),
            (36 * HOUR, "36시간", "36 hours"),
            (HOUR, "1시간", "1 hour"),
            (90 * MINUTE, "90분", "90 minutes"),
            (MINUTE, "1분", "1 minute"),
            (HOUR + 59, "60분", "60 minutes"),
        ];
        for (seconds, korean, english) in table {
            assert_eq!(span(Duration::from_secs(seconds), Locale::Ko), korean);
            assert_eq!(span(Duration::from_secs(seconds), Locale::En), english);
        }
    }
}
