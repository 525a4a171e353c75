//! Links that are opened at the same time go in one transaction; what becomes of each is its own.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::Poll;

use reqwest::Method;
use sqlx::{AssertSqlSafe, Postgres};
use tokio::task::{JoinHandle, JoinSet};
use verifydesk::desk::{self, Desk, LinkOutcome, Opener, SignUp};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::Key;
use verifydesk::domain::locale::Locale;
use verifydesk::store;

use super::{Answer, Served, link, until};
use crate::support::world::SECRET;

type Opening = JoinHandle<Result<LinkOutcome, desk::Error>>;

const NOW: LinkOutcome = LinkOutcome::Verified { locale: Locale::En, now: true };
const BEFORE: LinkOutcome = LinkOutcome::Verified { locale: Locale::En, now: false };

/// What is opened first, as long as this is there, waits, and all else behind it.
struct Door<'a> {
    held: sqlx::Transaction<'a, Postgres>,
    first: Vec<Opening>,
}

impl Served {
    async fn all_mailed(&self, name: &str, count: usize) -> Vec<(VerificationId, Key)> {
        let mut mailed = Vec::new();
        for number in 0..count {
            mailed.push(self.mailed(&format!("{name}{number}@example.com"), Locale::En).await);
        }
        mailed
    }

    /// Opens these links in this order, as far as each goes at once.
    async fn open<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> Vec<Opening> {
        type Future = Pin<Box<dyn std::future::Future<Output = Result<LinkOutcome, desk::Error>> + Send>>;
        let open = |key: &Key| -> Future {
            let (desk, key) = (self.server.desk.clone(), key.clone());
            Box::pin(async move { desk.open_link(&key, Opener::Browser).await })
        };
        let mut openings: Vec<Future> = keys.into_iter().map(open).collect();
        std::future::poll_fn(|context| {
            for opening in &mut openings {
                assert!(opening.as_mut().poll(context).is_pending());
            }
            Poll::Ready(())
        })
        .await;
        openings.into_iter().map(tokio::spawn).collect()
    }

    /// Has as many openings under way as there can be at once: one alone, two in batches.
    async fn shut(&self) -> Door<'_> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let keys = self.all_mailed(&format!("door{number}-"), 3).await;
        let mut held = self.db.pool.begin().await.unwrap();
        sqlx::query("lock table audit_log in access exclusive mode").execute(&mut *held).await.unwrap();
        let mut first = Vec::new();
        for (number, (_, key)) in keys.iter().enumerate() {
            first.extend(self.open([key]).await);
            until("it is in progress", async || self.waiting().await.len() == number + 1).await;
        }
        Door { held, first }
    }

    /// The processes of the server that wait for a lock.
    async fn waiting(&self) -> Vec<i32> {
        let waiting = "select pid from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' order by pid";
        sqlx::query_scalar(waiting).fetch_all(&self.db.pool).await.unwrap()
    }

    /// In how many transactions these links were opened.
    async fn transactions(&self, mailed: &[(VerificationId, Key)]) -> i64 {
        let count = "select count(distinct xmin::text) from audit_log
            where action = 'open_link' and outcome = 'verified' and verification_id = any($1)";
        let ids: Vec<i64> = mailed.iter().map(|(id, _)| id.0).collect();
        sqlx::query_scalar(count).bind(ids).fetch_one(&self.db.pool).await.unwrap()
    }
}

impl Door<'_> {
    async fn open(self) {
        self.held.rollback().await.unwrap();
        for opening in self.first {
            assert_eq!(opening.await.unwrap().unwrap(), NOW);
        }
    }
}

#[tokio::test]
async fn a_locked_row_is_waited_for_by_its_own_link_only() {
    let site = Served::start().await;
    let locks = [
        "select from users where id = (select user_id from verifications where id = $1) for update",
        "select from verifications where id = $1 for update",
        "select from sends where verification_id = $1 for update",
    ];
    for (round, lock) in locks.into_iter().enumerate() {
        let mailed = site.all_mailed(&format!("round{round}-"), 21).await;
        let (id, _) = mailed[10];
        site.run("update sends set state = 'queued' where verification_id = $1", id).await;
        let mut held = site.db.pool.begin().await.unwrap();
        sqlx::query(lock).bind(id.0).execute(&mut *held).await.unwrap();

        let door = site.shut().await;
        let mut openings = site.open(mailed.iter().map(|(_, key)| key)).await;
        door.open().await;
        let locked = openings.remove(10);
        for opening in openings {
            assert_eq!(opening.await.unwrap().unwrap(), NOW, "{lock}");
        }
        assert_eq!(site.transactions(&mailed).await, 1, "{lock}");
        until("the link waits for its row", async || site.waiting().await.len() == 1).await;
        assert!(!locked.is_finished());
        // As every act, it has locked the user first.
        let user =
            "select from users where id = (select user_id from verifications where id = $1) for update skip locked";
        assert!(sqlx::query(user).bind(id.0).fetch_optional(&site.db.pool).await.unwrap().is_none(), "{lock}");
        held.rollback().await.unwrap();
        assert_eq!(locked.await.unwrap().unwrap(), NOW, "{lock}");
        let states: Vec<String> = sqlx::query_scalar("select state from sends where verification_id = $1")
            .bind(id.0)
            .fetch_all(&site.db.pool)
            .await
            .unwrap();
        assert_eq!(states, ["cancelled"], "{lock}");
    }
}

/// However many rows are locked, and all seats taken by what waits for them.
#[tokio::test]
async fn links_whose_rows_are_free_need_no_seat() {
    let site = Served::start().await;
    let locked = site.all_mailed("locked", 15).await;
    let free = site.all_mailed("free", 15).await;
    let mut held = site.db.pool.begin().await.unwrap();
    sqlx::query("select from users where email like 'locked%' for update").execute(&mut *held).await.unwrap();
    let waiting = site.open(locked.iter().map(|(_, key)| key)).await;
    until("they have all the seats", async || site.waiting().await.len() == 12).await;
    for opening in site.open(free.iter().map(|(_, key)| key)).await {
        assert_eq!(opening.await.unwrap().unwrap(), NOW);
    }
    assert!(waiting.iter().all(|opening| !opening.is_finished()));
    held.rollback().await.unwrap();
    for opening in waiting {
        assert_eq!(opening.await.unwrap().unwrap(), NOW);
    }
}

#[tokio::test]
async fn a_row_that_breaks_a_batch_fails_alone() {
    let site = Served::start().await;
    sqlx::raw_sql(
        "create table trap (verification_id bigint, state text);
        create function trap() returns trigger language plpgsql as $$
        declare
            code text := (select state from trap where verification_id = new.id);
        begin
            if code is not null then
                raise exception 'a trap' using errcode = code;
            end if;
            return new;
        end
        $$;
        create trigger trap before update on verifications for each row execute function trap();",
    )
    .execute(&site.db.pool)
    .await
    .unwrap();
    // Each as a trigger can raise it, also what a lost connection says.
    let codes = [
        "P0001", "22003", "23514", "23505", "25006", "40001", "40P01", "42501", "42P01", "53100", "53300", "55P03",
        "57014", "57P01", "08006", "XX000",
    ];
    for (round, code) in codes.into_iter().enumerate() {
        let mailed = site.all_mailed(&format!("round{round}-"), 5).await;
        sqlx::query("insert into trap values ($1, $2)")
            .bind(mailed[2].0.0)
            .bind(code)
            .execute(&site.db.pool)
            .await
            .unwrap();
        let door = site.shut().await;
        let openings = site.open(mailed.iter().map(|(_, key)| key)).await;
        door.open().await;
        for (number, opening) in openings.into_iter().enumerate() {
            let opened = opening.await.unwrap();
            if number == 2 {
                let error = opened.unwrap_err();
                assert!(
                    matches!(error, desk::Error::Store(_)) && error.to_string().contains("a trap"),
                    "{code}: {error}"
                );
            } else {
                assert_eq!(opened.unwrap(), NOW, "{code}");
            }
        }
    }
}

/// One from before its rule, which every change of it breaks.
#[tokio::test]
async fn a_row_with_an_infinite_time_fails_alone() {
    let site = Served::start().await;
    let mailed = site.all_mailed("user", 3).await;
    let odd = "alter table verifications drop constraint verifications_times_bounded;
        update verifications set expires_at = 'infinity' where id = @;
        alter table verifications add constraint verifications_times_bounded check (expires_at < 'infinity') not valid";
    let odd = odd.replace('@', &mailed[1].0.to_string());
    sqlx::raw_sql(AssertSqlSafe(odd)).execute(&site.db.pool).await.unwrap();
    let door = site.shut().await;
    let openings = site.open(mailed.iter().map(|(_, key)| key)).await;
    door.open().await;
    for (number, opening) in openings.into_iter().enumerate() {
        let opened = opening.await.unwrap();
        match number {
            1 => assert!(matches!(opened, Err(desk::Error::Store(store::Error::Constraint(_)))), "{opened:?}"),
            _ => assert_eq!(opened.unwrap(), NOW),
        }
    }
}

/// Twice the same, and an older one of the same user.
#[tokio::test]
async fn of_all_that_opens_for_one_user_one_verifies() {
    let site = Served::start().await;
    let older = site.mailed("mina@example.com", Locale::En).await;
    site.expire(older.0).await;
    let (id, key) = site.mailed("mina@example.com", Locale::En).await;
    assert_ne!(older.0, id);
    let revoked: bool = sqlx::query_scalar("select revoked_at is not null from verifications where id = $1")
        .bind(older.0.0)
        .fetch_one(&site.db.pool)
        .await
        .unwrap();
    assert!(revoked);

    let door = site.shut().await;
    let openings = site.open([&key, &older.1, &key, &older.1]).await;
    door.open().await;
    let mut outcomes = Vec::new();
    for opening in openings {
        outcomes.push(opening.await.unwrap().unwrap());
    }
    // The same key goes in the next batch, which may be faster.
    assert!([[NOW, BEFORE], [BEFORE, NOW]].contains(&[outcomes[0], outcomes[2]]), "{outcomes:?}");
    assert_eq!([outcomes[1], outcomes[3]], [BEFORE, BEFORE]);
    let entries: Vec<(i64, String)> = sqlx::query_as(
        "select verification_id, outcome from audit_log
        where action = 'open_link' and verification_id = any($1) order by verification_id",
    )
    .bind([older.0.0, id.0])
    .fetch_all(&site.db.pool)
    .await
    .unwrap();
    assert_eq!(entries, [(older.0.0, "already_verified".to_owned()), (id.0, "verified".to_owned())]);
}

#[tokio::test]
async fn a_lost_connection_is_reported_to_those_that_were_on_it() {
    let site = Served::start().await;
    let mailed = site.all_mailed("user", 20).await;
    let door = site.shut().await;
    let openings = site.open(mailed.iter().map(|(_, key)| key)).await;
    let end = async |pids: Vec<i32>| {
        sqlx::query("select pg_terminate_backend(pid) from unnest($1::int[]) as pid")
            .bind(pids)
            .execute(&site.db.pool)
            .await
            .unwrap();
    };
    let first = site.waiting().await;
    end(first.clone()).await;
    let is_away = |opened: Result<LinkOutcome, desk::Error>| {
        let error = opened.unwrap_err();
        assert!(matches!(error, desk::Error::Store(store::Error::Away(_))), "{error}");
    };
    for opening in door.first {
        is_away(opening.await.unwrap());
    }
    until("all others are in progress", async || {
        let waiting = site.waiting().await;
        waiting.len() == 1 && !first.contains(&waiting[0])
    })
    .await;
    end(site.waiting().await).await;
    for opening in openings {
        is_away(opening.await.unwrap());
    }
    door.held.rollback().await.unwrap();
    assert_eq!(site.outcomes("open_link").await.len(), 0);
    for opening in site.open(mailed.iter().map(|(_, key)| key)).await {
        assert_eq!(opening.await.unwrap().unwrap(), NOW);
    }
}

/// On a socket of this machine nothing else ends what the server is silent about.
#[tokio::test]
async fn a_silent_server_holds_up_no_one_for_long() {
    let mut site = Served::start().await;
    // Its statements may take longer than those of `serve`, which the server itself would end first.
    site.server.desk = Desk::open(&super::settings(&site.db.url)).unwrap();
    let mailed = site.all_mailed("user", 3).await;
    let sleep = "create function sleep() returns trigger language plpgsql as $$
        begin
            perform pg_sleep(12);
            return new;
        end
        $$;
        create trigger sleep before update on verifications for each row when (new.id in (@)) execute function sleep()";
    let sleep = sleep.replace('@', &format!("{}, {}", mailed[0].0, mailed[1].0));
    sqlx::raw_sql(AssertSqlSafe(sleep)).execute(&site.db.pool).await.unwrap();
    let mut openings = Vec::new();
    for (number, (_, key)) in mailed.iter().enumerate() {
        openings.extend(site.open([key]).await);
        until("what sleeps is in progress", async || {
            let asleep = "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event = 'PgSleep'";
            let asleep: i64 = sqlx::query_scalar(asleep).fetch_one(&site.db.pool).await.unwrap();
            asleep == if number == 0 { 1 } else { 2 }
        })
        .await;
    }
    for (number, opening) in openings.into_iter().enumerate() {
        let opened = opening.await.unwrap();
        match number {
            2 => assert_eq!(opened.unwrap(), NOW),
            _ => assert!(matches!(opened, Err(desk::Error::Store(store::Error::Away(_)))), "{opened:?}"),
        }
    }
}

/// A client that goes away takes nothing from those that go with it.
#[tokio::test]
async fn a_client_that_goes_away_stops_no_one() {
    let site = Served::start().await;
    let mailed = site.all_mailed("user", 6).await;
    let door = site.shut().await;
    let openings = site.open(mailed.iter().map(|(_, key)| key)).await;
    // While it waits, and while it is in progress.
    openings[0].abort();
    door.first[1].abort();
    door.held.rollback().await.unwrap();
    for (number, opening) in openings.into_iter().enumerate() {
        let opened = opening.await;
        assert_eq!(opened.is_err(), number == 0);
        if let Ok(opened) = opened {
            assert_eq!(opened.unwrap(), NOW);
        }
    }
    assert_eq!(site.outcomes("open_link").await, ["verified"; 8]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_are_each_answered_rightly() {
    let site = Served::start().await;
    let mut requests = Vec::new();
    for number in 0..50 {
        let (_, key) = site.mailed(&format!("fresh{number}@example.com"), Locale::En).await;
        requests.push((link(&key), 200, "Your email address is confirmed"));
        let (id, key) = site.mailed(&format!("late{number}@example.com"), Locale::En).await;
        site.expire(id).await;
        requests.push((link(&key), 410, "This link has expired"));
        let (id, key) = site.mailed(&format!("gone{number}@example.com"), Locale::En).await;
        site.revoke(id).await;
        requests.push((link(&key), 410, "This link no longer works"));
        let unknown =
            Key::derive(b"another secret of the tests, 32 bytes", id, &verifydesk::domain::key::Nonce([7; 16]));
        requests.push((link(&unknown), 404, "We do not know this link"));
    }
    let mut clicks = JoinSet::new();
    for (path, status, heading) in requests {
        let request = site.server.request(Method::GET, &path).header("accept-language", "en");
        clicks.spawn(async move { (Answer::of(request).await, status, heading) });
    }
    for (answer, status, heading) in clicks.join_all().await {
        assert_eq!((answer.status.as_u16(), answer.heading()), (status, heading));
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in site.outcomes("open_link").await {
        *counts.entry(outcome).or_default() += 1;
    }
    let expected = ["expired", "revoked", "verified"].map(|outcome| (outcome.to_owned(), 50));
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

/// Everything that locks a user's rows, for the same users at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openings_race_with_all_acts_and_never_deadlock() {
    const USERS: i64 = 2_000;
    const WAVE: usize = 50;
    let site = Served::start().await;
    sqlx::raw_sql(
        "insert into users (email, locale) select 'user' || n || '@example.com', 'en' from generate_series(1, 2000) n;
        insert into verifications (user_id, expires_at, key_nonce)
        select id, now() + interval '1 day', uuid_send(gen_random_uuid()) from users",
    )
    .execute(&site.db.pool)
    .await
    .unwrap();
    let key_of = |id: i64| Key::derive(SECRET.as_bytes(), VerificationId(id), &verifydesk::domain::key::Nonce([7; 16]));
    let digests: Vec<Vec<u8>> = (1..=USERS).map(|id| key_of(id).digest().0.to_vec()).collect();
    sqlx::query(
        "update verifications set key_digest = given.digest
        from unnest($1::bytea[]) with ordinality as given (digest, id) where given.id = verifications.id",
    )
    .bind(digests)
    .execute(&site.db.pool)
    .await
    .unwrap();

    let users: Vec<i64> = (1..=USERS).collect();
    for wave in users.chunks(WAVE) {
        let mut acts = JoinSet::new();
        for &id in wave {
            for act in 0..5 {
                let (desk, key) = (site.server.desk.clone(), key_of(id));
                acts.spawn(async move {
                    let actor = Actor::new("mina@desk", Origin::Console);
                    match act {
                        0 | 1 => desk.open_link(&key, Opener::Browser).await.map(drop),
                        2 => desk.force_verify(&actor, VerificationId(id), "they called").await.map(drop),
                        3 => desk.ask_for_new_mail(&actor, &key).await.map(drop),
                        _ => {
                            let who = SignUp { email: format!("user{id}@example.com"), ..SignUp::default() };
                            desk.sign_up(&actor, &who).await.map(drop)
                        }
                    }
                });
            }
        }
        for done in acts.join_all().await {
            assert!(matches!(done, Ok(()) | Err(desk::Error::Refused(_))), "{done:?}");
        }
    }
    let (users, openings, deadlocks): (i64, i64, i64) = sqlx::query_as(
        "select
            (select count(*) from users u join verifications v on v.user_id = u.id and v.verified_at = u.verified_at),
            (select count(*) from audit_log where action = 'open_link'),
            (select deadlocks from pg_stat_database where datname = current_database())",
    )
    .fetch_one(&site.db.pool)
    .await
    .unwrap();
    assert_eq!((users, openings, deadlocks), (USERS, USERS, 0));
    // Of those that were both opened and vouched for, one act has verified the user.
    let twice: i64 = sqlx::query_scalar(
        "select count(*) from (
            select from audit_log where outcome = 'verified' group by user_id having count(*) <> 1) as users",
    )
    .fetch_one(&site.db.pool)
    .await
    .unwrap();
    assert_eq!(twice, 0);
    let queued: i64 =
        sqlx::query_scalar("select count(*) from sends where state = 'queued'").fetch_one(&site.db.pool).await.unwrap();
    assert_eq!(queued, 0);
}
