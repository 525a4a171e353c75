//! Times in words and in figures.
//!
//! Distances have minutes as their finest step and are counted from whole minutes of the clock, so that all of a
//! screen's texts change together, once a minute at most, and an idle console stays idle.

use chrono::{Datelike as _, Duration, DurationRound as _};

use crate::domain::Time;
use crate::domain::zone::Zone;
use crate::text::width;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;
const MINUTE_F: f64 = 60.0;
const YEAR_F: f64 = 365.0 * 86_400.0;

/// The whole minute that a time is in.
fn minute_of(time: Time) -> Time {
    time.duration_trunc(Duration::seconds(MINUTE)).unwrap_or(time)
}

/// Units: from how many seconds one is used, its seconds, its name.
const UNITS: [(i64, i64, &str); 5] =
    [(2 * YEAR, YEAR, "y"), (2 * MONTH, MONTH, "mo"), (2 * DAY, DAY, "d"), (HOUR, HOUR, "h"), (0, MINUTE, "min")];

/// Links live for three days: up to the fourth, what is ahead is said to the hour.
const HOURS_UNTIL: i64 = 4 * DAY;

/// Largest unit that says enough of a distance: its seconds and its name.
fn unit(seconds: i64) -> (i64, &'static str) {
    UNITS.iter().find(|(from, ..)| seconds >= *from).map_or((MINUTE, "min"), |(_, size, name)| (*size, name))
}

/// The same of what is ahead.
fn unit_ahead(seconds: i64) -> (i64, &'static str) {
    if (2 * DAY..HOURS_UNTIL).contains(&seconds) { (HOUR, "h") } else { unit(seconds) }
}

/// How far away a time is: "3 min ago", "just now", "in 2 h".
#[must_use]
pub fn relative(time: Time, now: Time) -> String {
    let minute = minute_of(now);
    if time <= now {
        let seconds = (minute - time).num_seconds().max(0);
        let (size, name) = unit(seconds);
        match seconds / size {
            0 => "just now".into(),
            n => format!("{n} {name} ago"),
        }
    } else {
        let seconds = (time - minute).num_seconds();
        let (size, name) = unit_ahead(seconds);
        match (seconds / size, seconds / DAY) {
            (0, _) => "in <1 min".into(),
            (hours, days @ 2..) if size == HOUR => match hours % 24 {
                0 => format!("in {days} d"),
                hours => format!("in {days} d {hours} h"),
            },
            (n, _) => format!("in {n} {name}"),
        }
    }
}

/// The same in so many columns: where the hours have no room beside the days, without them.
#[must_use]
pub fn relative_within(time: Time, now: Time, columns: usize) -> String {
    let whole = relative(time, now);
    match whole.split_once(" d ") {
        Some((days, hours)) if hours.ends_with('h') && width(&whole) > columns => format!("{days} d"),
        _ => whole,
    }
}

/// How long since a time: "3 min", "a moment".
#[must_use]
pub fn since(time: Time, now: Time) -> String {
    let seconds = (minute_of(now) - time).num_seconds().max(0);
    let (size, name) = unit(seconds);
    match seconds / size {
        0 => "a moment".into(),
        n => format!("{n} {name}"),
    }
}

/// How long something takes, roughly: "about 20 h", "less than a minute".
#[must_use]
pub fn about(seconds: f64) -> String {
    if !(MINUTE_F..).contains(&seconds) {
        return "less than a minute".into();
    }
    // More than a hundred years is as good as that.
    #[expect(clippy::cast_possible_truncation, reason = "cut at a hundred years")]
    let seconds = seconds.min(100.0 * YEAR_F).round() as i64;
    let (size, name) = unit(seconds);
    // Rounded, and in a unit that says it: 59.7 minutes are an hour.
    let n = (seconds + size / 2) / size;
    let (size, name) = if n * size == seconds { (size, name) } else { unit(n * size) };
    format!("about {} {name}", (seconds + size / 2) / size)
}

/// When [`relative`] says something else next, or the time itself is reached.
#[must_use]
pub fn next_change(time: Time, now: Time) -> Option<Time> {
    let minute = minute_of(now);
    if time <= now {
        let seconds = (minute - time).num_seconds().max(0);
        let (size, _) = unit(seconds);
        let next_unit = UNITS.iter().rev().map(|(from, ..)| *from).find(|from| *from > seconds).unwrap_or(i64::MAX);
        let next = ((seconds / size + 1) * size).min(next_unit);
        let exact = time.checked_add_signed(Duration::try_seconds(next)?)?;
        let whole = minute_of(exact);
        if whole < exact { whole.checked_add_signed(Duration::seconds(MINUTE)) } else { Some(whole) }
    } else {
        let seconds = (time - minute).num_seconds();
        let (size, _) = unit_ahead(seconds);
        if seconds / size == 0 {
            return Some(time);
        }
        let exact = time.checked_sub_signed(Duration::try_seconds(seconds / size * size)?)?;
        minute_of(exact).checked_add_signed(Duration::seconds(MINUTE)).map(|whole| whole.min(time))
    }
}

/// A countdown in seconds, rounded up.
#[must_use]
pub fn seconds_until(time: Time, now: Time) -> i64 {
    let millis = (time - now).num_milliseconds();
    if millis <= 0 { 0 } else { (millis + 999) / 1000 }
}

/// When [`seconds_until`] says something else next; nothing once it is 0.
#[must_use]
pub fn next_second(time: Time, now: Time) -> Option<Time> {
    let left = seconds_until(time, now);
    if left == 0 { None } else { time.checked_sub_signed(Duration::seconds(left - 1)) }
}

/// From how many seconds on a countdown is in minutes.
const COUNTED_MAX: i64 = 100;

/// A span as a countdown says it: "8 s", from 100 s on "3 min", rounded up.
#[must_use]
pub fn countdown(seconds: i64) -> String {
    if seconds < COUNTED_MAX { format!("{seconds} s") } else { format!("{} min", (seconds + MINUTE - 1) / MINUTE) }
}

/// When the [`countdown`] to a time says something else next; nothing once it is 0.
#[must_use]
pub fn next_countdown(time: Time, now: Time) -> Option<Time> {
    let left = seconds_until(time, now);
    if left < COUNTED_MAX {
        return next_second(time, now);
    }
    let fewer = ((left - 1) / MINUTE * MINUTE).max(COUNTED_MAX - 1);
    time.checked_sub_signed(Duration::try_seconds(fewer)?)
}

/// Date, time of day and offset: "2026-07-01 14:03:22 +09:00".
#[must_use]
pub fn absolute(time: Time, zone: Zone) -> String {
    written(time, zone, "%Y-%m-%d %H:%M:%S %:z")
}

/// The same to the minute: "2026-07-01 14:03 +09:00".
#[must_use]
pub fn to_the_minute(time: Time, zone: Zone) -> String {
    written(time, zone, "%Y-%m-%d %H:%M %:z")
}

/// The time of day: "14:03:22".
#[must_use]
pub fn time_of_day(time: Time, zone: Zone) -> String {
    written(time, zone, if zone == Zone::Utc { "%H:%M:%S %:z" } else { "%H:%M:%S" })
}

/// In this shape, in which UTC has its name for its offset.
fn written(time: Time, zone: Zone, shape: &str) -> String {
    let shape = if zone == Zone::Utc { &shape.replace("%:z", "UTC") } else { shape };
    zone.clock_at(time).format(shape).to_string()
}

/// The time of day, with the day where that is another, and the year: "14:03:22", "30 Jun 14:03", "2025-06-30 14:03".
#[must_use]
pub fn brief(time: Time, now: Time, zone: Zone) -> String {
    let (time, now) = (zone.clock_at(time), zone.clock_at(now));
    let shape = if time.date_naive() == now.date_naive() {
        "%H:%M:%S"
    } else if time.year() == now.year() {
        "%-d %b %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    time.format(shape).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn says_when_in_brief() {
        let (now, seoul) = (at("2026-07-01T16:00:30Z"), Zone::Named(Tz::Asia__Seoul));
        let table = [
            ("2026-07-01T16:00:05Z", Zone::Utc, "16:00:05"),
            ("2026-06-30T14:03:22Z", Zone::Utc, "30 Jun 14:03"),
            ("2026-07-01T14:03:22Z", seoul, "1 Jul 23:03"),
            ("2026-07-01T15:03:22Z", seoul, "00:03:22"),
            ("2025-12-31T15:03:22Z", Zone::Utc, "2025-12-31 15:03"),
            ("2025-12-31T15:03:22Z", seoul, "1 Jan 00:03"),
            // In summer, by the clocks of winter.
            ("2026-01-15T14:03:22Z", Zone::Named(Tz::Europe__Berlin), "15 Jan 15:03"),
        ];
        for (time, zone, brief) in table {
            assert_eq!(super::brief(at(time), now, zone), brief, "{time}");
        }
    }

    #[test]
    fn says_how_far() {
        let now = at("2026-07-01T12:00:30Z");
        let table = [
            ("2026-07-01T12:00:29Z", "just now"),
            ("2026-07-01T11:59:01Z", "just now"),
            ("2026-07-01T11:58:30Z", "1 min ago"),
            ("2026-07-01T11:00:01Z", "59 min ago"),
            ("2026-07-01T11:00:00Z", "1 h ago"),
            ("2026-06-29T12:00:30Z", "47 h ago"),
            ("2026-06-29T12:00:00Z", "2 d ago"),
            ("2026-06-28T12:00:00Z", "3 d ago"),
            ("2026-06-27T12:00:00Z", "4 d ago"),
            ("2026-04-01T12:00:00Z", "3 mo ago"),
            ("2023-07-01T12:00:00Z", "3 y ago"),
            ("2026-07-01T12:00:31Z", "in <1 min"),
            ("2026-07-01T12:02:00Z", "in 2 min"),
            ("2026-07-01T14:00:00Z", "in 2 h"),
            ("2026-07-03T12:00:00Z", "in 2 d"),
            ("2026-07-04T12:00:30Z", "in 3 d"),
            ("2026-07-04T11:00:30Z", "in 2 d 23 h"),
            ("2026-07-05T11:59:00Z", "in 3 d 23 h"),
            ("2026-07-05T12:00:30Z", "in 4 d"),
        ];
        for (time, text) in table {
            assert_eq!(relative(at(time), now), text, "{time}");
        }
        for (time, columns, text) in [
            ("2026-07-04T11:00:30Z", 11, "in 2 d 23 h"),
            ("2026-07-04T11:00:30Z", 10, "in 2 d"),
            ("2026-06-25T12:00:00Z", 5, "6 d ago"),
        ] {
            assert_eq!(relative_within(at(time), now, columns), text, "{time}");
        }
    }

    #[test]
    fn counts_down() {
        let now = at("2026-07-01T12:00:30Z");
        let until = at("2026-07-01T12:00:32.5Z");
        assert_eq!(seconds_until(until, now), 3);
        assert_eq!(next_second(until, now), Some(at("2026-07-01T12:00:30.5Z")));
        assert_eq!(next_second(now, now), None);
    }

    #[test]
    fn says_how_long() {
        let table = [
            (0.0, "less than a minute"),
            (59.9, "less than a minute"),
            (60.0, "about 1 min"),
            (100.0, "about 2 min"),
            (3_599.0, "about 1 h"),
            (71_428.0, "about 20 h"),
            (170_000.0, "about 47 h"),
            (4.0 * 86_400.0, "about 4 d"),
            (f64::INFINITY, "about 100 y"),
            (f64::NAN, "less than a minute"),
        ];
        for (seconds, words) in table {
            assert_eq!(about(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn shows_the_offset() {
        let time = at("2026-07-01T12:00:30Z");
        assert_eq!(absolute(time, Zone::Utc), "2026-07-01 12:00:30 UTC");
        let seoul = Zone::Named(Tz::Asia__Seoul);
        assert_eq!(absolute(time, seoul), "2026-07-01 21:00:30 +09:00");
        assert_eq!(to_the_minute(time, seoul), "2026-07-01 21:00 +09:00");
        assert_eq!(to_the_minute(time, Zone::Utc), "2026-07-01 12:00 UTC");
        assert_eq!(
            (time_of_day(time, seoul), time_of_day(time, Zone::Utc)),
            ("21:00:30".into(), "12:00:30 UTC".into())
        );
    }

    proptest! {
        /// The timer fires neither too late (the text was old before) nor without end.
        #[test]
        fn the_text_stays_until_the_next_change(now in 1_700_000_000_000i64..1_800_000_000_000, away in -200_000_000_000i64..200_000_000_000) {
            let now = Time::from_timestamp_millis(now).unwrap();
            let time = now + Duration::milliseconds(away);
            let next = next_change(time, now).unwrap();
            prop_assert!(next > now, "{next} is not after {now}");
            let before = next - Duration::milliseconds(1);
            prop_assert_eq!(relative(time, before), relative(time, now));
        }

        /// Neither does a countdown's.
        #[test]
        fn a_countdown_stays_until_it_changes(now in 1_700_000_000_000i64..1_800_000_000_000, away in 1i64..20_000_000) {
            let now = Time::from_timestamp_millis(now).unwrap();
            let time = now + Duration::milliseconds(away);
            let said = |now| countdown(seconds_until(time, now));
            let next = next_countdown(time, now).unwrap();
            prop_assert!(next > now, "{next} is not after {now}");
            prop_assert_eq!(said(next - Duration::milliseconds(1)), said(now));
            prop_assert!(said(next) != said(now), "{} at {next}", said(now));
        }
    }
}
