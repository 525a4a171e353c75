//! A worker that stops in the midst of a transaction, as a host does that is suspended: the others go on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::PgConnection;

use super::site::{Site, WORKERS};

/// How long transactions are looked for in which no worker was frozen yet.
const HUNT: Duration = Duration::from_secs(8);

/// How often the pace's minute is made to turn: no test waits for real ones.
const TURN_EVERY: Duration = Duration::from_millis(100);

/// How soon the others must go on.
const OTHERS_MAX: Duration = Duration::from_secs(20);

/// A worker whose transaction waits for it.
#[derive(sqlx::FromRow)]
struct Waiting {
    role: String,
    /// The statement behind which it waits, without what makes it long.
    point: String,
    xact: String,
}

/// Freezes a worker behind each statement of a transaction that can be found, and sees that mails go on.
pub async fn at_each_point(site: &mut Site) {
    let mut connection = site.admin().await;
    let mut points = HashSet::new();
    let deadline = Instant::now() + HUNT;
    let mut turn_at = Instant::now();
    while Instant::now() < deadline {
        if Instant::now() >= turn_at {
            turn_at += TURN_EVERY;
            let turn = "update pace set minute = minute - interval '1 minute'";
            sqlx::query(turn).execute(&mut connection).await.unwrap();
        }
        let Some(found) = waiting(&mut connection).await.into_iter().find(|one| !points.contains(&one.point)) else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let Some(worker) = WORKERS.iter().position(|role| *role == found.role) else { continue };
        site.signal(worker, Signal::SIGSTOP);
        // Its statement may have ended before the signal came.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let is_held =
            waiting(&mut connection).await.iter().any(|one| one.xact == found.xact && one.point == found.point);
        if is_held {
            let before = site.server.arrivals().len();
            site.server.wait_for(before + 20, OTHERS_MAX);
            points.insert(found.point);
        }
        site.signal(worker, Signal::SIGCONT);
    }
    let found: Vec<&String> = points.iter().collect();
    eprintln!("frozen: behind {} statements: {found:#?}", found.len());
    assert!(!points.is_empty(), "no worker was found in a transaction; this has tested nothing");
}

async fn waiting(connection: &mut PgConnection) -> Vec<Waiting> {
    sqlx::query_as(
        r"select
            usename::text as role,
            left(regexp_replace(query, '\s+', ' ', 'g'), 60) as point,
            pid::text || xact_start::text as xact
        from pg_stat_activity
        where state = 'idle in transaction' and usename like 'worker%'",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}
