//! Times as people type them, and as tables show them.

use std::env;

use chrono::{Local, Utc};

use crate::domain::Time;
use crate::domain::filter::{Clock, moment};
use crate::domain::zone::Zone;
pub(super) use crate::export::shown;

/// What days and distances are counted from: now, in the zone of this process.
pub fn clock() -> Clock {
    Clock { now: Utc::now(), zone: zone() }
}

/// The zone of this process: what `TZ` says, or else this machine.
pub fn zone() -> Zone {
    let (tz, machine) = (env::var("TZ").ok(), iana_time_zone::get_timezone().ok());
    Zone::of_process(tz.as_deref(), machine.as_deref(), Local::now().fixed_offset())
}

/// Reads `2026-11-01`, `2026-11-01T09:30`, `yesterday`, `18:00`, or how long ago: `2h`, `3 days`.
pub fn parse(text: &str) -> Result<Time, String> {
    moment::time(text, clock()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_moments_and_durations() {
        let midnight = zone().moment("2026-11-01T00:00:00".parse().unwrap());
        assert_eq!(parse("2026-11-01").ok(), midnight);
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
