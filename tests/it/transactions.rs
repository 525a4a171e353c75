//! Acts that are dropped halfway, as those of a request whose client hangs up: each is done or not done, and
//! no connection goes back to the pool with a transaction that no one ends, or that is ended twice.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sqlx::{PgPool, QueryBuilder};
use verifydesk::desk::SignUp;
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::filter::Place;
use verifydesk::domain::page::Position;

use crate::support::world::World;
use crate::support::{Log, until};

/// More than a sign-up needs.
const POLLS_MAX: usize = 60;

/// How long what was given up may take to be over.
const PATIENCE: Duration = Duration::from_mins(1);

/// A future that is given up after it was polled so often.
struct GivenUp<F> {
    future: Pin<Box<F>>,
    polls_left: usize,
}

impl<F: Future> GivenUp<F> {
    fn after(polls: usize, future: F) -> Self {
        Self { future: Box::pin(future), polls_left: polls }
    }
}

impl<F: Future> Future for GivenUp<F> {
    /// `None` if it was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls_left -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.polls_left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Waits until no session has a transaction open.
async fn is_quiet(pool: &PgPool) -> bool {
    let query = "select count(*)
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null";
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while Instant::now() < deadline {
        looks.tick().await;
        if sqlx::query_scalar::<_, i64>(query).fetch_one(pool).await.unwrap() == 0 {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_transaction_given_up_while_it_begins_is_not_left_open() {
    let world = World::new().await;
    let desk = &world.desk;
    desk.store().ready().await.unwrap();
    let mut done = 0;
    for polls in 1..=POLLS_MAX {
        done += usize::from(GivenUp::after(polls, desk.store().begin()).await.is_some());
        assert!(is_quiet(world.pool()).await, "given up after {polls} polls, a transaction stays open");
    }
    assert!((1..POLLS_MAX).contains(&done), "{done} were not given up: this has tested nothing");
}

#[tokio::test]
async fn a_sign_up_given_up_anywhere_is_whole_and_ends_its_transaction_once() {
    let world = World::new().await;
    let desk = &world.desk;
    let log = Log::of_this_thread(tracing::Level::WARN);
    let actor = Actor::new("tests", Origin::Api);
    let mut done = 0;
    for polls in 1..=POLLS_MAX {
        let request = SignUp { email: format!("mina{polls}@example.com"), ..SignUp::default() };
        done += usize::from(GivenUp::after(polls, desk.sign_up(&actor, &request)).await.is_some());
        assert!(is_quiet(world.pool()).await, "given up after {polls} polls, a transaction stays open");
    }
    assert!((1..POLLS_MAX).contains(&done), "{done} were not given up: this has tested nothing");
    let log = log.text();
    assert!(!log.contains("transaction in progress"), "{log}");
    let halves: i64 = sqlx::query_scalar(
        "select count(*) from users where id not in (select user_id from sends where user_id is not null)",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(halves, 0);
}

/// A statement of an hour, which no time-out of ours ends within the test's patience.
#[tokio::test]
async fn a_question_that_no_one_waits_for_any_more_ends_in_the_database() {
    let world = World::new().await;
    let ask = |query: &str| world.store().ask_stoppably("begin read only", QueryBuilder::new(query));
    for stage in ["xact_start is not null", "wait_event = 'PgSleep'"] {
        let seen = format!(
            "select exists (select from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and {stage})"
        );
        let is_there = || sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(seen.clone())).fetch_one(world.pool());
        let begun = until(stage, async || is_there().await.unwrap());
        tokio::select! {
            answer = ask("select array[3600::bigint] from pg_sleep(3600)") => panic!("{stage}: {answer:?}"),
            () = begun => {}
        }
        assert!(is_quiet(world.pool()).await, "dropped when {stage}, it goes on");
    }
    assert_eq!(ask("select array[7::bigint]").await.unwrap(), [7], "the next one is answered");
}

/// Where terms alone name the users of a list, and where it is in the order of addresses: each waits for a lock here.
#[tokio::test]
async fn a_list_that_no_one_waits_for_any_more_ends_in_the_database() {
    let world = World::new().await;
    world.store().ready().await.unwrap();
    let mut lock = world.pool().begin().await.unwrap();
    sqlx::query("lock table users, sends").execute(&mut *lock).await.unwrap();
    let waiting = async || {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and state = 'active' and wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(world.pool()).await.unwrap()
    };
    for line in ["domain:naver.com", "mail:failed", "locale:ko sort:email", "sort:-email status:pending"] {
        let filter = super::desk::filter::read(line, Place::Verifications);
        let begun = until(line, async || waiting().await == 1);
        tokio::select! {
            page = world.store().list(&filter, Position::Newest, 50) => panic!("{line}: {page:?}"),
            () = begun => {}
        }
        until(&format!("{line} is over"), async || waiting().await == 0).await;
    }
}
