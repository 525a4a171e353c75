//! Times as people type them, and as tables show them.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

use crate::domain::Time;

/// Reads `2026-11-01`, `2026-11-01T09:30:00+09:00`, or how long ago: `2h`, `3 days`.
pub fn parse(text: &str) -> Result<Time, String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    humantime::parse_duration(text)
        .ok()
        .and_then(|ago| chrono::Duration::from_std(ago).ok())
        .and_then(|ago| Utc::now().checked_sub_signed(ago))
        .ok_or_else(|| "write 2026-11-01, 2026-11-01T09:30:00Z, or how long ago, such as 2h or 3days".into())
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
        for nonsense in ["", "yesterday-ish", "2026-13-01", "99999999999999 days"] {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
