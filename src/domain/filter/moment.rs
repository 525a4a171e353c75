//! Moments as people type them: days, times of day, how long ago.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::domain::zone::Zone;
use crate::domain::{Time, is_askable};

/// What `yesterday` and `2h` are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub now: Time,
    /// In which days begin and times of day are meant.
    pub zone: Zone,
}

impl Clock {
    /// In UTC.
    #[must_use]
    pub fn utc(now: Time) -> Self {
        Self { now, zone: Zone::Utc }
    }
}

/// What someone typed for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// From midnight to midnight.
    Day(Time, Time),
    At(Time),
    /// So long before now, or behind it.
    Distance(TimeDelta),
}

/// Why it cannot be read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMoment {
    #[error("write today, yesterday, 18:00, 2026-11-01, 2026-11-01T09:30, or how long ago, such as 2h or 3days")]
    Unknown,
    #[error("it must be in the years 1970 to 9999")]
    Extreme,
}

impl Moment {
    /// Reads `2026-11-01`, `2026-11-01T09:30`, with an offset (`+09:00`, `Z`) or in the clock's zone, `today`,
    /// `yesterday`, `18:00` (today), `2h`, `3 days`.
    pub fn read(text: &str, clock: Clock) -> Result<Self, NoMoment> {
        let moment = read(text.trim(), clock).ok_or(NoMoment::Unknown)?;
        let is_askable = match moment {
            Self::Day(begin, _) => is_askable(begin),
            Self::At(time) => is_askable(time),
            Self::Distance(length) => [clock.now.checked_sub_signed(length), clock.now.checked_add_signed(length)]
                .iter()
                .all(|time| time.is_some_and(is_askable)),
        };
        if is_askable { Ok(moment) } else { Err(NoMoment::Extreme) }
    }

    /// The moment at which it begins; a distance is how long ago.
    #[must_use]
    pub fn begin(self, now: Time) -> Time {
        match self {
            Self::Day(time, _) | Self::At(time) => time,
            Self::Distance(length) => now.checked_sub_signed(length).unwrap_or(now),
        }
    }
}

/// A moment by [`Moment::begin`].
pub fn time(text: &str, clock: Clock) -> Result<Time, NoMoment> {
    Moment::read(text, clock).map(|moment| moment.begin(clock.now))
}

fn read(text: &str, clock: Clock) -> Option<Moment> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment::At(time.with_timezone(&Utc)));
    }
    let today = || clock.zone.clock_at(clock.now).date_naive();
    if let Some(day) = day(text, today) {
        let next = day.checked_add_days(Days::new(1))?;
        let begin = |day: NaiveDate| clock.zone.moment(day.and_time(NaiveTime::MIN));
        return Some(Moment::Day(begin(day)?, begin(next)?));
    }
    let (date, time) = text.rsplit_once(['T', 't']).unwrap_or(("today", text));
    if let (Some(day), Some(time)) = (day(date, today), time_of_day(time)) {
        return clock.zone.moment(day.and_time(time)).map(Moment::At);
    }
    // A number and a unit; a number alone is none.
    let length = humantime::parse_duration(text).ok()?;
    TimeDelta::from_std(length).ok().map(Moment::Distance)
}

fn day(text: &str, today: impl FnOnce() -> NaiveDate) -> Option<NaiveDate> {
    match text {
        "today" => Some(today()),
        "yesterday" => today().pred_opt(),
        _ => text.parse().ok(),
    }
}

fn time_of_day(text: &str) -> Option<NaiveTime> {
    ["%H:%M", "%H:%M:%S"].iter().find_map(|shape| NaiveTime::parse_from_str(text, shape).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn words() {
        let seoul = Clock { now: at("2026-11-27T16:30:00Z"), zone: Zone::Named(Tz::Asia__Seoul) };
        // There it is the 28th already.
        let table = [
            ("today", "2026-11-27T15:00:00Z"),
            ("yesterday", "2026-11-26T15:00:00Z"),
            ("18:00", "2026-11-28T09:00:00Z"),
            ("18:00:30", "2026-11-28T09:00:30Z"),
            ("yesterdayT18:00", "2026-11-27T09:00:00Z"),
            ("2026-11-01", "2026-10-31T15:00:00Z"),
            ("2026-11-01T09:30", "2026-11-01T00:30:00Z"),
            ("2026-11-01T09:30:00Z", "2026-11-01T09:30:00Z"),
            ("2026-11-01T09:30:00+01:00", "2026-11-01T08:30:00Z"),
            ("2h", "2026-11-27T14:30:00Z"),
            (" 3 days ", "2026-11-24T16:30:00Z"),
            ("0s", "2026-11-27T16:30:00Z"),
        ];
        for (text, time) in table {
            assert_eq!(super::time(text, seoul), Ok(at(time)), "{text}");
        }
        let utc = Clock::utc(seoul.now);
        assert_eq!(super::time("today", utc), Ok(at("2026-11-27T00:00:00Z")));
        for text in ["", "2", "24:00", "tomorrow", "2026-13-01", "T18:00", "2026-11-01T", "-2h", "18:00Z", "2 h 3"] {
            assert_eq!(super::time(text, seoul), Err(NoMoment::Unknown), "{text}");
        }
        for text in ["1969-12-31", "+10000-01-01", "60 years", "9000 years"] {
            assert_eq!(super::time(text, utc), Err(NoMoment::Extreme), "{text}");
        }
    }

    /// Whatever the offset is today.
    #[test]
    fn far_dates_have_the_offset_of_their_own_season() {
        let zones = [Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kolkata];
        let winter = at("2026-12-01T12:00:00Z");
        let summer = at("2026-07-01T12:00:00Z");
        let table = [
            ("2026-01-15", ["2026-01-14T23:00:00Z", "2026-01-15T05:00:00Z", "2026-01-14T18:30:00Z"]),
            ("2026-07-15", ["2026-07-14T22:00:00Z", "2026-07-15T04:00:00Z", "2026-07-14T18:30:00Z"]),
            ("2026-07-15T18:00", ["2026-07-15T16:00:00Z", "2026-07-15T22:00:00Z", "2026-07-15T12:30:00Z"]),
        ];
        for (text, moments) in table {
            for (zone, moment) in zones.into_iter().zip(moments) {
                for now in [winter, summer] {
                    let clock = Clock { now, zone: Zone::Named(zone) };
                    assert_eq!(super::time(text, clock), Ok(at(moment)), "{text} in {zone} at {now}");
                }
            }
        }
    }

    #[test]
    fn days_are_as_long_as_they_are() {
        let table = [
            (Tz::Europe__Berlin, "2026-03-29", 23),
            (Tz::Europe__Berlin, "2026-10-25", 25),
            (Tz::Europe__Berlin, "2026-10-26", 24),
            (Tz::America__New_York, "2026-03-08", 23),
            (Tz::America__New_York, "2026-11-01", 25),
            (Tz::Asia__Kolkata, "2026-03-29", 24),
            // Which begins at one o'clock.
            (Tz::Africa__Cairo, "2026-04-24", 23),
        ];
        for (zone, day, hours) in table {
            let clock = Clock { now: at("2026-11-27T12:00:00Z"), zone: Zone::Named(zone) };
            let Ok(Moment::Day(begin, end)) = Moment::read(day, clock) else { panic!("{day} is a day") };
            assert_eq!((end - begin).num_hours(), hours, "{day} in {zone}");
        }
        // The day before, after the clocks were put back.
        let clock = Clock { now: at("2026-10-26T12:00:00Z"), zone: Zone::Named(Tz::Europe__Berlin) };
        assert_eq!(super::time("yesterday", clock), Ok(at("2026-10-24T22:00:00Z")));
        assert_eq!(super::time("today", clock), Ok(at("2026-10-25T23:00:00Z")));
    }

    proptest! {
        #[test]
        fn hostile_text_is_no_trouble(text in "\\PC{0,30}", odd in "[0-9:TZ+dhy -]{0,30}", offset in -86_000i32..86_000) {
            let clock = Clock { now: at("2026-11-27T16:30:00Z"), zone: Zone::Fixed(FixedOffset::east_opt(offset).unwrap()) };
            for text in [text, odd] {
                if let Ok(time) = time(&text, clock) {
                    prop_assert!((1969..=9999).contains(&chrono::Datelike::year(&time)), "{time}");
                }
            }
        }
    }
}
