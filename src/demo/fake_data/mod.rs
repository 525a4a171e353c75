//! Demo data: some thousand made-up users of the last fourteen days, with everything that happened to their mails.
//!
//! Made from a seed: the same moment and seed make the same rows. Addresses are in domains reserved for examples
//! (RFC 2606), so that no mail can reach anyone; names are common ones at random, and some that an attacker would
//! choose, since the console must show those too.

mod history;
mod mails;
mod names;
mod rows;

use chrono::{Duration, Timelike as _};
use sqlx::PgPool;

use self::history::World;
use self::names::Names;
use crate::domain::Time;

/// How many people there are.
pub const PEOPLE: usize = 6_000;

/// How far back the first of them signed up.
const DAYS: i64 = 14;

/// How long links work in the demo's past.
const LIFETIME: Duration = Duration::days(3);

/// What was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub users: usize,
    /// Verifications, superseded ones included.
    pub verifications: usize,
    pub sends: usize,
    /// Events that SES reported.
    pub events: usize,
    /// Entries of the audit log.
    pub audited: usize,
}

/// Fills a migrated database with people, as of `now`. Their keys are derived from `secret`, so that their links work
/// and their mails can be sent again. All or nothing; meant for a database without users.
pub async fn fill(pool: &PgPool, now: Time, seed: u64, secret: &[u8]) -> Result<Summary, sqlx::Error> {
    let world = generate(now, seed);
    rows::insert(pool, &world, secret).await?;
    Ok(Summary {
        users: world.people.len(),
        verifications: world.issues.len(),
        sends: world.mails.len(),
        events: world.events.len(),
        audited: world.entries.len(),
    })
}

/// All users with everything about them, oldest first.
fn generate(now: Time, seed: u64) -> World {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut arrivals: Vec<Duration> = NEWEST.map(Duration::seconds).into();
    while arrivals.len() < PEOPLE {
        arrivals.push(arrival(&mut rng, now));
    }
    arrivals.sort_unstable();
    // PostgreSQL keeps microseconds; whole milliseconds come back as they went in.
    let now = now.with_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now);
    let mut names = Names::default();
    let mut world = World::new(now, rng);
    for (at, age) in arrivals.iter().enumerate().rev() {
        let person = names.person(&mut world.rng, at, now - *age);
        world.live(person, at);
    }
    world.in_order()
}

/// Ages of the newest, in seconds: one who opens the demo sees that it is alive.
const NEWEST: [i64; 12] = [7, 19, 41, 83, 134, 202, 287, 371, 498, 655, 842, 1_130];

/// How busy a site in Korea is at each hour of its day, in percent of the busiest.
const RHYTHM: [u32; 24] =
    [30, 17, 10, 8, 8, 13, 25, 47, 69, 86, 94, 94, 100, 94, 86, 86, 86, 82, 78, 82, 94, 98, 82, 52];

/// How long ago a user signed up: by day more likely than by night, and lately more likely than before.
fn arrival(rng: &mut fastrand::Rng, now: Time) -> Duration {
    loop {
        let age = Duration::milliseconds(rng.i64(1_200_000..DAYS * 86_400_000));
        let hour = (now - age + Duration::hours(9)).hour();
        let busy = RHYTHM.get(hour as usize).copied().unwrap_or(100);
        // A quarter fewer in the first days than today.
        let grown = 100 - u32::try_from(age.num_days() * 25 / DAYS).unwrap_or(0);
        if rng.u32(0..10_000) < busy * grown {
            return age;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::TimeZone as _;

    use super::*;
    use crate::domain::address::EmailAddress;
    use crate::domain::name;
    use crate::domain::send::SendState;

    fn now() -> Time {
        chrono::Utc.with_ymd_and_hms(2026, 3, 14, 6, 30, 0).unwrap()
    }

    #[test]
    fn people_could_have_signed_up() {
        let world = generate(now(), 1);
        assert_eq!(world.people.len(), PEOPLE);
        let mut seen = HashSet::new();
        for person in &world.people {
            let address = EmailAddress::parse(&person.email);
            assert!(address.is_ok_and(|address| address.as_str() == person.email), "{}", person.email);
            assert_eq!(name::check(&person.name), Ok(person.name.as_str()));
            assert!(seen.insert(person.email.to_lowercase()), "{} twice", person.email);
            let domain = person.email.rsplit('@').next().unwrap();
            let reserved = ["com", "net", "org"].map(|top| format!("example.{top}"));
            let top = domain.rsplit('.').next().unwrap();
            assert!(reserved.iter().any(|r| r == domain) || ["example", "test"].contains(&top), "{domain}");
            assert!(person.created_at < now() && person.created_at > now() - Duration::days(DAYS));
        }
        assert!(world.people.iter().any(|person| name::mailable(&person.name).is_none() && !person.name.is_empty()));
    }

    #[test]
    fn every_state_but_sending_is_there() {
        let world = generate(now(), 1);
        for state in SendState::ALL {
            let there = world.mails.iter().any(|mail| mail.state == state);
            assert_eq!(there, state != SendState::Sending, "{state}");
        }
    }

    #[test]
    fn nothing_happens_in_the_future() {
        let world = generate(now(), 7);
        assert!(
            world
                .issues
                .iter()
                .flat_map(|i| [Some(i.created_at), i.verified_at, i.revoked_at])
                .flatten()
                .all(|t| t <= now())
        );
        assert!(world.mails.iter().all(|mail| mail.changed_at <= now()));
        assert!(world.events.iter().all(|event| event.received_at <= now()));
        assert!(world.entries.iter().all(|entry| entry.at <= now()));
        assert!(world.entries.is_sorted_by_key(|entry| entry.at));
        assert!(world.people.is_sorted_by_key(|person| person.created_at));
        assert!(world.issues.is_sorted_by_key(|issue| issue.created_at));
    }

    #[test]
    fn nights_are_quiet() {
        let world = generate(now(), 1);
        let at = |hours: std::ops::Range<u32>| {
            world.people.iter().filter(|p| hours.contains(&(p.created_at + Duration::hours(9)).hour())).count()
        };
        assert!(at(9..13) > 4 * at(1..5), "{} by day, {} by night", at(9..13), at(1..5));
    }
}
