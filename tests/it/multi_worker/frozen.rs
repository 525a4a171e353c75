//! Workers that stand still without ending, with a transaction open: stopped, swapped out, on a machine that was
//! paused. Whatever they were doing, the others go on.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{ALONE, Fleet, pid, queue};
use crate::mail_servers::Counter;
use crate::support::TestDb;

/// How long the others may wait for what the one that stands still is sending.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest wait for the worker to come to the place where it is to stand still.
const COMING_MAX: Duration = Duration::from_secs(30);

/// Mails in the outbox, and how many of them become due only when the first worker stands still.
const MAILS: usize = 60;
const LATER: usize = 30;

/// Held by the test while nothing may pass the place.
const GATE: i64 = 0x6761_7465;

/// Where a worker stands still.
struct Place {
    /// For those who read a failure.
    name: &'static str,
    /// The statement in which it is caught, as a trigger is declared: `before update on sends …`.
    trigger: &'static str,
    /// What makes workers come there.
    set_up: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        name: "the minute of the pace",
        trigger: "before insert on pace_minutes for each row",
        set_up: "update pace set minute = minute - interval '1 minute', minute_drawn = 1",
    },
    Place { name: "the commitment to keys", trigger: "before update on verifications for each row", set_up: "select" },
    Place {
        name: "the beginning of mails",
        trigger: "before update on sends for each row when (new.state = 'sending')",
        set_up: "select",
    },
    Place {
        name: "a result",
        trigger: "before update on sends for each row when (new.state = 'accepted')",
        set_up: "select",
    },
    Place {
        name: "a mail that is tried once more",
        trigger: "before update on sends for each row when (old.state = 'unknown')",
        set_up: "update sends
            set state = 'unknown', reason = 'lost', lost = 1, retry_at = now()
            where id = (select id from sends where due_at <= now() limit 1)",
    },
    Place { name: "the counts", trigger: "before update on verification_counts for each row", set_up: "select" },
    Place { name: "a heartbeat", trigger: "before insert or update on workers for each row", set_up: "select" },
];

#[tokio::test(flavor = "multi_thread")]
async fn wherever_one_stands_still_the_others_go_on() {
    let _alone = ALONE.lock().await;
    let mut stuck = Vec::new();
    for place in PLACES {
        if let Err(what) = stand_still_at(place).await {
            stuck.push(format!("{}: {what}", place.name));
        }
    }
    assert!(stuck.is_empty(), "{}", stuck.join("\n"));
}

async fn stand_still_at(place: &Place) -> Result<(), String> {
    let db = TestDb::new().await;
    let server = Counter::start(Duration::ZERO, Duration::ZERO);
    let mut fleet = Fleet::new(&db.url, &server, &[("VERIFYDESK_PACE__RATE", "200")]);
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    queue(&mut connection, MAILS).await;
    let later = i64::try_from(LATER).unwrap();
    let put_off = "update sends set due_at = now() + interval '1 hour' where id in (select id from sends limit $1)";
    sqlx::query(put_off).bind(later).execute(&mut connection).await.unwrap();
    // Others pass while the test does not hold the gate.
    let trigger = format!(
        "create function stand_still() returns trigger language plpgsql as $$
        begin
            perform pg_advisory_xact_lock_shared({GATE});
            return new;
        end
        $$;
        create trigger stand_still {} execute function stand_still();
        {};
        select pg_advisory_lock({GATE})",
        place.trigger, place.set_up
    );
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(trigger))).await.unwrap();

    fleet.start();
    let frozen = pid(&fleet.workers[0].0);
    wait_for_waiter(&mut connection, &fleet).await;
    kill(frozen, Signal::SIGSTOP).unwrap();
    let before = server.arrivals().len();
    // The server answers what it was asked; who asked does not hear it.
    sqlx::query("select pg_advisory_unlock($1)").bind(GATE).execute(&mut connection).await.unwrap();

    sqlx::query("update sends set due_at = now() where due_at > now()").execute(&mut connection).await.unwrap();
    fleet.start();
    let started = Instant::now();
    let wanted = before + LATER;
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    while server.arrivals().len() < wanted {
        looks.tick().await;
        if started.elapsed() > WAIT_MAX {
            let sent = server.arrivals().len() - before;
            return Err(format!("the other sent {sent} mails in {WAIT_MAX:?}\n{}", fleet.log()));
        }
    }
    eprintln!("{}: {} mails after {:.1?}", place.name, server.arrivals().len(), started.elapsed());
    Ok(())
}

/// Waits until a statement of a worker's waits at the gate.
async fn wait_for_waiter(connection: &mut PgConnection, fleet: &Fleet) {
    let query = "select exists (
        select
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'
    )";
    let deadline = Instant::now() + COMING_MAX;
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while !sqlx::query_scalar::<_, bool>(query).fetch_one(&mut *connection).await.unwrap() {
        looks.tick().await;
        assert!(Instant::now() < deadline, "no worker came to the place; they say\n{}", fleet.log());
    }
}
