//! The server: whether it answers, whether it will do, its clock.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::{Finding, Room, check::Examined};
use crate::store::{Clock, Error};

/// From when on clocks differ, and from when on AWS refuses what was signed by one.
const APART: TimeDelta = TimeDelta::seconds(2);
const AWS_REFUSES: TimeDelta = TimeDelta::minutes(5);

/// How long reaching it may take, beyond what the store itself allows.
const REACH_MAX: Duration = Duration::from_secs(12);

/// What an error of the database's is to who looks whether all is well.
pub(super) fn failed(error: &Error) -> Finding {
    Finding::red(error.to_string(), error.hint())
}

pub(super) fn reachable(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let store = room.way().map_err(|error| Finding::red(&error.what, &error.hint))?;
        match timeout(REACH_MAX, store.reach()).await {
            Ok(Ok(())) => Ok(Finding::green(store.place())),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(Finding::red(
                format!("{} says nothing", store.place()),
                "see whether a firewall drops what goes there, and whether DATABASE_URL names the right host",
            )),
        }
    })
}

pub(super) fn version(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let server = room.ask_server().await.map_err(|error| match error {
            // That it is away, the check before this one says.
            Some(error) if !error.is_away() => failed(error),
            _ => Finding::skipped("the database does not answer"),
        })?;
        server.fits.as_ref().map_err(failed)?;
        Ok(Finding::green(format!("PostgreSQL {}", server.version)))
    })
}

pub(super) fn encoding(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (_, server) = room.server().await?;
        server.encoding_fits.as_ref().map_err(failed)?;
        Ok(Finding::green(server.encoding.as_str()))
    })
}

pub(super) fn collation(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (store, server) = room.server().await?;
        let collation = store.collation(server.trigrams.is_some()).await.map_err(|error| failed(&error))?;
        if let Some((then, now)) = &collation.moved {
            return Ok(Finding::yellow(
                format!("indexes were made by version {then} of the system's rules of sorting, and it has {now} now"),
                "in psql, as the owner: `reindex database concurrently :\"DBNAME\";`, then `alter database :\"DBNAME\" \
                 refresh collation version;`. Until then searches may miss rows, and a unique index may let two through",
            ));
        }
        let kind = format!("ctype {}, collation {}", collation.ctype, collation.collate);
        if collation.searches_korean == Some(false) {
            return Ok(Finding::yellow(
                format!("{kind}: it cannot search inside Korean names"),
                "create the database again with `createdb --template template0 --encoding UTF8 --locale C.UTF-8` to be able \
                 to",
            ));
        }
        Ok(Finding::green(kind))
    })
}

pub(super) fn writes(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (_, server) = room.server().await?;
        Ok(if server.is_read_only {
            Finding::red(
                "it takes no writes: it is a standby, or was set to read-only",
                "have DATABASE_URL name the primary; or all servers, with target_session_attrs=read-write",
            )
        } else {
            Finding::green("it takes writes")
        })
    })
}

pub(super) fn sessions(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let away = || Finding::skipped("the database does not answer");
        // By itself: what a pooler loses may be why nothing else could be asked.
        let store = room.way().map_err(|_| away())?;
        let is_shared =
            store.shares_sessions().await.map_err(|error| if error.is_away() { away() } else { failed(&error) })?;
        Ok(match (is_shared, &room.settings.database_listen_url) {
            (false, _) => Finding::green("sessions are our own"),
            (true, Some(_)) => Finding::green("a pooler shares sessions; changes are heard by database_listen_url"),
            (true, None) => Finding::yellow(
                "a pooler shares sessions: time-outs hold only where they are set by `alter role`, and no change is heard",
                "set `database_listen_url` to the server itself, and set the time-outs as docs/database.md says",
            ),
        })
    })
}

pub(super) fn clock(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let (store, _) = room.server().await?;
        let clock = store.clock(room.clock).await.map_err(|error| failed(&error))?;
        Ok(judged(clock))
    })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a difference")]
fn seconds(of: TimeDelta) -> f64 {
    of.num_milliseconds() as f64 / 1000.0
}

fn judged(clock: Clock) -> Finding {
    let apart = clock.ahead.abs();
    let certain = apart - TimeDelta::from_std(clock.within).unwrap_or_default();
    if certain < APART {
        return Finding::green(format!("{:.1} s from the database's", seconds(apart)));
    }
    let which = if clock.ahead > TimeDelta::zero() { "behind" } else { "ahead of" };
    let words = format!("this machine's clock is {:.1} s {which} the database's", seconds(apart));
    if certain >= AWS_REFUSES {
        return Finding::red(
            words,
            "set both clocks by NTP: AWS refuses requests that were signed by a clock five minutes off, and certificates \
             seem invalid",
        );
    }
    Finding::yellow(words, "set both clocks by NTP; what verifydesk stores goes by the database's")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use crate::store::Server;
    use crate::text::plain;

    /// No server of the tests is too old.
    #[tokio::test]
    async fn a_server_that_is_too_old_is_red() {
        let url = Some(crate::config::Secret::new("postgres://u@127.0.0.1:1/x"));
        let room = Room::new(crate::config::Settings { database_url: url, ..Default::default() });
        let server = Server {
            version: plain("13.9"),
            fits: Err(Error::TooOld(plain("13.9"))),
            encoding: plain("UTF8"),
            encoding_fits: Ok(()),
            trigrams: None,
            is_read_only: false,
        };
        room.knows(server);
        let finding = version(&room).await.unwrap_err();
        assert_eq!(finding.state, State::Red);
        assert!(finding.found.as_str().contains("13.9 is too old") && finding.next.is_some(), "{finding:?}");
    }

    #[test]
    fn clocks_that_differ_are_told_by_how_much() {
        let table = [
            (1, 0, State::Green),
            (-1, 0, State::Green),
            (3, 0, State::Yellow),
            // That may be but the time that asking took.
            (3, 2, State::Green),
            (-60, 0, State::Yellow),
            (301, 0, State::Red),
            (-301, 0, State::Red),
        ];
        for (ahead, within, state) in table {
            let clock = Clock { ahead: TimeDelta::seconds(ahead), within: Duration::from_secs(within) };
            assert_eq!(judged(clock).state, state, "{ahead} {within}");
        }
        let behind = judged(Clock { ahead: TimeDelta::seconds(60), within: Duration::ZERO });
        assert_eq!(behind.found.as_str(), "this machine's clock is 60.0 s behind the database's");
    }
}
