//! Time zones: what clocks on the wall show, at that date, and which moment is meant by what they show.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::Time;

/// Where someone sits who types times and reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    #[default]
    Utc,
    /// The same distance from UTC all year.
    Fixed(FixedOffset),
    /// As the IANA database knows it: clocks go forward and back.
    Named(Tz),
}

impl Zone {
    /// The zone that is meant by `TZ`, or else that of this machine, of which only the name is given. Clocks show `here` now:
    /// a zone that says otherwise is not the one, and one that cannot be read is taken to keep that offset.
    #[must_use]
    pub fn of_process(tz: Option<&str>, machine: Option<&str>, here: DateTime<FixedOffset>) -> Self {
        let name = tz.or(machine).unwrap_or_default().trim_start_matches(':');
        let name = name.rsplit_once("/zoneinfo/").map_or(name, |(_, name)| name);
        match name.parse().map(Self::Named) {
            Ok(zone) if zone.offset_at(here.to_utc()) == *here.offset() => zone,
            _ => Self::Fixed(*here.offset()),
        }
    }

    /// What clocks show then.
    #[must_use]
    pub fn clock_at(self, time: Time) -> DateTime<FixedOffset> {
        time.with_timezone(&self.offset_at(time))
    }

    fn offset_at(self, time: Time) -> FixedOffset {
        match self {
            Self::Utc => Utc.fix(),
            Self::Fixed(offset) => offset,
            Self::Named(tz) => tz.offset_from_utc_datetime(&time.naive_utc()).fix(),
        }
    }

    /// When clocks show that: the first time where they show it twice, and where they never do, the moment at which they
    /// are put forward beyond it. So what is later on the clock is never earlier.
    #[must_use]
    pub fn moment(self, shown: NaiveDateTime) -> Option<Time> {
        match self {
            Self::Utc => Some(shown.and_utc()),
            Self::Fixed(offset) => moment(&offset, shown),
            Self::Named(tz) => moment(&tz, shown),
        }
    }
}

fn moment<Z: TimeZone>(zone: &Z, shown: NaiveDateTime) -> Option<Time> {
    match zone.from_local_datetime(&shown) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => Some(time.to_utc()),
        MappedLocalTime::None => put_forward(zone, shown),
    }
}

/// When clocks were put forward beyond what they never show. They are put forward by a day at most.
fn put_forward<Z: TimeZone>(zone: &Z, skipped: NaiveDateTime) -> Option<Time> {
    let is_beyond = |time: Time| zone.from_utc_datetime(&time.naive_utc()).naive_local() > skipped;
    let within = TimeDelta::days(2);
    let (mut before, mut beyond) =
        (skipped.and_utc().checked_sub_signed(within)?, skipped.and_utc().checked_add_signed(within)?);
    while beyond - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((beyond - before).num_seconds() / 2);
        if is_beyond(middle) {
            beyond = middle;
        } else {
            before = middle;
        }
    }
    Some(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BERLIN: Zone = Zone::Named(Tz::Europe__Berlin);
    const NEW_YORK: Zone = Zone::Named(Tz::America__New_York);
    const KOLKATA: Zone = Zone::Named(Tz::Asia__Kolkata);

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_clock_shows_is_read_by_the_offset_of_that_date() {
        let table = [
            (BERLIN, "2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
            (BERLIN, "2026-07-15T12:00:00", "2026-07-15T10:00:00Z"),
            // From 2:00 to 3:00.
            (BERLIN, "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
            (BERLIN, "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"),
            (BERLIN, "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
            (BERLIN, "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
            (BERLIN, "2026-03-29T03:00:01", "2026-03-29T01:00:01Z"),
            // From 3:00 back to 2:00.
            (BERLIN, "2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
            (BERLIN, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            (BERLIN, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
            (NEW_YORK, "2026-01-15T12:00:00", "2026-01-15T17:00:00Z"),
            (NEW_YORK, "2026-07-15T12:00:00", "2026-07-15T16:00:00Z"),
            (NEW_YORK, "2026-03-08T02:30:00", "2026-03-08T07:00:00Z"),
            (NEW_YORK, "2026-03-08T03:00:00", "2026-03-08T07:00:00Z"),
            (NEW_YORK, "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
            (NEW_YORK, "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"),
            (KOLKATA, "2026-01-15T12:00:00", "2026-01-15T06:30:00Z"),
            (KOLKATA, "2026-07-15T12:00:00", "2026-07-15T06:30:00Z"),
            // Midnight is left out there, and once a whole day was.
            (Zone::Named(Tz::Africa__Cairo), "2026-04-24T00:00:00", "2026-04-23T22:00:00Z"),
            (Zone::Named(Tz::Pacific__Apia), "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),
            (Zone::Utc, "2026-07-15T12:00:00", "2026-07-15T12:00:00Z"),
            (Zone::Fixed(FixedOffset::west_opt(3_600).unwrap()), "2026-07-15T12:00:00", "2026-07-15T13:00:00Z"),
        ];
        for (zone, shown, time) in table {
            assert_eq!(zone.moment(shown.parse().unwrap()), Some(at(time)), "{zone:?} {shown}");
        }
    }

    #[test]
    fn a_clock_shows_the_time_of_that_date() {
        let table = [
            (BERLIN, "2026-01-15T11:00:00Z", "2026-01-15 12:00 +01:00"),
            (BERLIN, "2026-07-15T10:00:00Z", "2026-07-15 12:00 +02:00"),
            (BERLIN, "2026-10-25T00:30:00Z", "2026-10-25 02:30 +02:00"),
            (BERLIN, "2026-10-25T01:30:00Z", "2026-10-25 02:30 +01:00"),
            (NEW_YORK, "2026-07-15T16:00:00Z", "2026-07-15 12:00 -04:00"),
            (KOLKATA, "2026-07-15T06:30:00Z", "2026-07-15 12:00 +05:30"),
            (Zone::Utc, "2026-07-15T06:30:00Z", "2026-07-15 06:30 +00:00"),
        ];
        for (zone, time, shown) in table {
            assert_eq!(zone.clock_at(at(time)).format("%Y-%m-%d %H:%M %:z").to_string(), shown, "{zone:?} {time}");
        }
    }

    #[test]
    fn the_zone_of_a_process() {
        let summer = DateTime::parse_from_rfc3339("2026-07-15T12:00:00+02:00").unwrap();
        let fixed = Zone::Fixed(*summer.offset());
        let table = [
            (Some("Europe/Berlin"), None, BERLIN),
            (Some(":Europe/Berlin"), None, BERLIN),
            (Some("/usr/share/zoneinfo/Europe/Berlin"), None, BERLIN),
            (None, Some("Europe/Berlin"), BERLIN),
            (Some("Europe/Berlin"), Some("Asia/Seoul"), BERLIN),
            // Another rule, or another file under that name: the clock is right.
            (Some("CET-1CEST"), Some("Europe/Berlin"), fixed),
            (Some("Asia/Seoul"), None, fixed),
            (Some(""), Some("Europe/Berlin"), fixed),
            (None, Some("no zone"), fixed),
            (None, None, fixed),
        ];
        for (tz, machine, zone) in table {
            assert_eq!(Zone::of_process(tz, machine, summer), zone, "{tz:?} {machine:?}");
        }
    }

    proptest! {
        /// What is later on the clock is not earlier, and each moment is found by what the clock shows then, or an hour
        /// before, where it shows that twice.
        #[test]
        fn clocks_and_moments_agree(
            zone in prop::sample::select(vec![BERLIN, NEW_YORK, KOLKATA, Zone::Named(Tz::Australia__Lord_Howe)]),
            second in 0i64..2_000_000_000,
            later in 0i64..200_000,
        ) {
            let time = Time::from_timestamp(second, 0).unwrap();
            let shown = zone.clock_at(time).naive_local();
            let moment = zone.moment(shown).unwrap();
            prop_assert!(moment == time || (time - TimeDelta::hours(1)..time).contains(&moment), "{time} {moment}");
            prop_assert_eq!(zone.clock_at(moment).naive_local(), shown);
            let next = zone.moment(shown + TimeDelta::seconds(later)).unwrap();
            prop_assert!(next >= moment, "{moment} {next}");
        }
    }
}
