//! From where to where each duration and number among the settings may go: one table, so that none is forgotten.
//!
//! The upper bounds keep sums of times within what PostgreSQL and the clock can hold, and slips of the keyboard (`60d`
//! for `60s`) from standing still unseen.

use std::time::Duration;

use super::{SettingError, Settings};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// A duration: its key, its bounds, those in words, and what to write.
type DurationRow = (&'static str, fn(&Settings) -> Duration, [Duration; 2], [&'static str; 2], &'static str);

const DURATIONS: [DurationRow; 12] = [
    (
        "verification.lifetime",
        |settings| settings.verification.lifetime,
        [MINUTE, DAY.saturating_mul(366)],
        ["1 minute", "366 days"],
        "3 days",
    ),
    (
        "verification.cool_down",
        |settings| settings.verification.cool_down,
        [Duration::ZERO, DAY.saturating_mul(7)],
        ["0 seconds", "7 days"],
        "60s",
    ),
    (
        "smtp.timeout",
        |settings| settings.smtp.timeout,
        [Duration::from_millis(100), MINUTE.saturating_mul(10)],
        ["100 milliseconds", "10 minutes"],
        "20s",
    ),
    (
        "smtp.data_timeout",
        |settings| settings.smtp.data_timeout,
        [Duration::from_millis(100), MINUTE.saturating_mul(10)],
        ["100 milliseconds", "10 minutes"],
        "1m",
    ),
    (
        "ses.timeout",
        |settings| settings.ses.timeout,
        [Duration::from_millis(100), MINUTE.saturating_mul(10)],
        ["100 milliseconds", "10 minutes"],
        "30s",
    ),
    (
        "worker.unknown_after",
        |settings| settings.worker.unknown_after,
        [Duration::ZERO, DAY.saturating_mul(7)],
        ["0 seconds", "7 days"],
        "10m",
    ),
    (
        "brake.probe_after",
        |settings| settings.brake.probe_after,
        [Duration::from_millis(50), MINUTE.saturating_mul(60)],
        ["50 milliseconds", "1 hour"],
        "30s",
    ),
    (
        "brake.probe_at_most",
        |settings| settings.brake.probe_at_most,
        [Duration::from_millis(50), MINUTE.saturating_mul(60)],
        ["50 milliseconds", "1 hour"],
        "10m",
    ),
    (
        "alert.timeout",
        |settings| settings.alert.timeout,
        [Duration::from_millis(100), MINUTE.saturating_mul(10)],
        ["100 milliseconds", "10 minutes"],
        "20s",
    ),
    ("jobs.grace", |settings| settings.jobs.grace, [Duration::ZERO, DAY], ["0 seconds", "1 day"], "10s"),
    // Events that come again are recognized for 15 days.
    (
        "retention.events",
        |settings| settings.retention.events,
        [DAY.saturating_mul(15), DAY.saturating_mul(36_500)],
        ["15 days", "36500 days"],
        "180 days",
    ),
    // Longer than any wait before another mail.
    (
        "retention.sends",
        |settings| settings.retention.sends,
        [DAY.saturating_mul(30), DAY.saturating_mul(36_500)],
        ["30 days", "36500 days"],
        "400 days",
    ),
];

/// A number: its key, its bounds, and what to write. Those that may be left out are not looked at then.
type NumberRow = (&'static str, fn(&Settings) -> Option<f64>, [f64; 2], &'static str);

#[expect(clippy::cast_precision_loss, reason = "only compared with bounds far below 2^53")]
const NUMBERS: [NumberRow; 11] = [
    ("smtp.port", |settings| settings.smtp.port.map(f64::from), [1.0, 65_535.0], "587"),
    ("verification.daily_cap", |settings| Some(f64::from(settings.verification.daily_cap)), [1.0, 1_000.0], "5"),
    ("worker.lanes", |settings| Some(settings.worker.lanes as f64), [1.0, 500.0], "150"),
    ("worker.attempts", |settings| Some(f64::from(settings.worker.attempts)), [1.0, 1_000.0], "8"),
    // A part of `verification.lifetime`.
    ("worker.give_up_after", |settings| Some(settings.worker.give_up_after), [0.01, 1.0], "0.5"),
    ("pace.rate", |settings| settings.pace.rate, [0.01, 100_000.0], "14, or the SES account's MaxSendRate"),
    (
        "pace.daily_quota",
        |settings| settings.pace.daily_quota.map(|quota| quota as f64),
        [1.0, 1_000_000_000.0],
        "50000, or the SES account's Max24HourSend",
    ),
    ("brake.sends", |settings| Some(settings.brake.sends as f64), [10.0, 100_000.0], "1000"),
    // 1 never stops.
    ("brake.bounce_rate", |settings| Some(settings.brake.bounce_rate), [0.000_001, 1.0], "0.05"),
    ("brake.complaint_rate", |settings| Some(settings.brake.complaint_rate), [0.000_001, 1.0], "0.003"),
    ("brake.refusals", |settings| Some(settings.brake.refusals as f64), [5.0, 1_000.0], "20"),
];

/// Checks every row; the error names the key and its bounds.
pub(super) fn check(settings: &Settings) -> Result<(), SettingError> {
    let refuse = |key: &str, from: &str, to: &str, example: &str| {
        SettingError::new(
            format!("`{key}` must be between {from} and {to}"),
            format!("set it to {example}, or leave it out"),
        )
    };
    for (key, value, [from, to], [from_words, to_words], example) in DURATIONS {
        if !(from..=to).contains(&value(settings)) {
            return Err(refuse(key, from_words, to_words, &format!("a duration such as \"{example}\"")));
        }
    }
    for (key, value, [from, to], example) in NUMBERS {
        // A value that is no number is in no range.
        if value(settings).is_some_and(|value| !(from..=to).contains(&value)) {
            return Err(refuse(key, &from.to_string(), &to.to_string(), example));
        }
    }
    Ok(())
}

/// Each key with its bounds in words, as `docs/settings.md` has them.
#[cfg(test)]
pub(super) fn in_words() -> Vec<(&'static str, [String; 2])> {
    let durations = DURATIONS.iter().map(|(key, _, _, words, _)| (*key, words.map(str::to_owned)));
    let numbers = NUMBERS.iter().map(|(key, _, bounds, _)| (*key, bounds.map(|bound| bound.to_string())));
    durations.chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::file::overlay;

    fn with(key: &str, value: &str) -> Result<(), SettingError> {
        let name = format!("VERIFYDESK_{}", key.replace('.', "__").to_uppercase());
        // These two bound each other.
        let mut set = BTreeMap::from([
            ("VERIFYDESK_BRAKE__PROBE_AFTER".to_owned(), "50ms".to_owned()),
            ("VERIFYDESK_BRAKE__PROBE_AT_MOST".to_owned(), "1h".to_owned()),
        ]);
        set.insert(name, value.to_owned());
        overlay(toml::Table::new(), set)?.check()
    }

    #[test]
    fn each_has_both_bounds() {
        for (key, _, [from, to], words, _) in DURATIONS {
            for good in [from, to] {
                with(key, &humantime::format_duration(good).to_string()).unwrap();
            }
            let below = from.checked_sub(Duration::from_nanos(1));
            for bad in below.into_iter().chain([to + Duration::from_secs(1), DAY * 1_000_000, Duration::MAX]) {
                let error = with(key, &humantime::format_duration(bad).to_string()).unwrap_err();
                let is_named = error.what.contains(&format!("`{key}` must be between {} and {}", words[0], words[1]));
                // What no duration can hold does not come as far as the table.
                assert!(is_named || bad == Duration::MAX, "{}", error.what);
            }
        }
        for (key, _, [from, to], _) in NUMBERS {
            for good in [from, to] {
                with(key, &good.to_string()).unwrap();
            }
            for bad in [from - 1.0, to + 1.0, 0.0, -1.0, 1e18] {
                let error = with(key, &bad.to_string()).unwrap_err();
                let is_named = error.what.contains(&format!("`{key}` must be between {from} and {to}"));
                let name = format!("VERIFYDESK_{}: ", key.replace('.', "__").to_uppercase());
                assert!(is_named || error.what.contains(&name), "{key} = {bad}: {}", error.what);
            }
        }
    }

    /// A new setting without a row here fails this.
    #[test]
    fn none_is_forgotten() {
        let sources =
            [include_str!("mod.rs"), include_str!("alert.rs"), include_str!("outbox.rs"), include_str!("test_send.rs")];
        let sources = sources.concat();
        let types = ["Duration", "u16", "i16", "u32", "i32", "u64", "i64", "usize", "f64"];
        let is_bounded = |line: &&str| {
            let declared = line.trim().strip_prefix("pub ").and_then(|rest| rest.strip_suffix(',')?.split_once(": "));
            declared.is_some_and(|(_, of)| types.iter().any(|kind| of == *kind || of == format!("Option<{kind}>")))
        };
        let fields: Vec<&str> = sources.lines().filter(is_bounded).collect();
        assert_eq!(fields.len(), DURATIONS.len() + NUMBERS.len(), "{fields:#?}");
    }
}
