//! Times and spans as readers of each language write them.

use std::time::Duration;

use chrono_tz::Tz;

use crate::domain::Time;
use crate::domain::locale::Locale;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment on the clocks of a zone, which it names: by its abbreviation, or by its distance from UTC where it has none.
pub(super) fn moment(at: Time, locale: Locale, zone: Tz) -> String {
    let at = at.with_timezone(&zone);
    let zone_name = match at.format("%Z").to_string() {
        offset if offset.starts_with(['+', '-']) => format!("UTC{offset}"),
        _ if zone == Tz::Asia__Seoul && locale == Locale::Ko => "한국 시간".to_owned(),
        name => name,
    };
    match locale {
        Locale::Ko => format!("{} ({zone_name})", at.format("%Y년 %-m월 %-d일 %H:%M")),
        Locale::En => format!("{} {zone_name}", at.format("%-d %B %Y, %H:%M")),
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
        let winter = "2026-11-25T05:30:59Z";
        let table = [
            (winter, Locale::Ko, Tz::Asia__Seoul, "2026년 11월 25일 14:30 (한국 시간)"),
            ("2026-12-31T15:00:00Z", Locale::Ko, Tz::Asia__Seoul, "2027년 1월 1일 00:00 (한국 시간)"),
            (winter, Locale::Ko, Tz::UTC, "2026년 11월 25일 05:30 (UTC)"),
            (winter, Locale::En, Tz::UTC, "25 November 2026, 05:30 UTC"),
            (winter, Locale::En, Tz::Asia__Seoul, "25 November 2026, 14:30 KST"),
            (winter, Locale::En, Tz::Europe__Berlin, "25 November 2026, 06:30 CET"),
            ("2026-07-01T05:30:59Z", Locale::En, Tz::Europe__Berlin, "1 July 2026, 07:30 CEST"),
            (winter, Locale::En, Tz::Asia__Dubai, "25 November 2026, 09:30 UTC+04"),
        ];
        for (at, locale, zone, words) in table {
            assert_eq!(moment(at.parse().unwrap(), locale, zone), words);
        }
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
