//! Times as people type them, and as tables show them.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::domain::Time;

/// Reads `2026-11-01`, `2026-11-01T09:30:00+09:00`, or how long ago: `2h`, `3 days`.
pub fn parse(text: &str) -> Result<Time, String> {
    let time =
        read(text.trim()).ok_or("write 2026-11-01, 2026-11-01T09:30:00Z, or how long ago, such as 2h or 3days")?;
    if !crate::domain::is_askable(time) {
        return Err("it must be in the years 1970 to 9999".into());
    }
    Ok(time)
}

fn read(text: &str) -> Option<Time> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let ago = chrono::Duration::from_std(humantime::parse_duration(text).ok()?).ok()?;
    Utc::now().checked_sub_signed(ago)
}

/// For JSON and tables: RFC 3339 in UTC, to the second.
pub fn shown(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_moments_and_durations() {
        assert_eq!(shown(parse("2026-11-01").unwrap()), "2026-11-01T00:00:00Z");
        assert_eq!(shown(parse("2026-11-01T09:30:00+09:00").unwrap()), "2026-11-01T00:30:00Z");
        let ago = Utc::now() - parse("2h").unwrap();
        assert!((ago - chrono::Duration::hours(2)).num_seconds().abs() < 5);
        for bound in ["1970-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "0s"] {
            assert!(parse(bound).is_ok(), "{bound}");
        }
        let nonsense = ["", "yesterday-ish", "2026-13-01", "99999999999999 days"];
        // No one means them.
        let extremes = ["1969-12-31", "-4800-01-01", "+10000-01-01", "+262142-12-31", "60 years", "200000 years"];
        let more = ["584554531 years", "18446744073709551615s", "9999-12-31T23:59:59-01:00", "-9999-01-01T00:00:00Z"];
        for nonsense in nonsense.into_iter().chain(extremes).chain(more) {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
