//! A job over very many: a hundred thousand here, a million by `make bench-job`.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use verifydesk::desk::Desk;
use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::id::JobId;
use verifydesk::domain::job::{JobScope, JobState};
use verifydesk::store::outbox::claim;
use verifydesk::store::outbox::standing::Claimant;

use super::{expired, expired_people, finish};
use crate::support::world::{World, leave, operator, request, rows_read_one_by_one, sign_up};

/// Verifications, unless more are asked for.
const USUAL: i64 = 100_000;

/// Longest that a start may take, and a chunk on a machine that has other things to do.
const START_MAX: Duration = Duration::from_secs(1);
const CHUNK_MAX: Duration = Duration::from_secs(2);

#[tokio::test]
async fn it_starts_at_once_and_its_chunks_cost_the_same_everywhere() {
    let count = std::env::var("VERIFYDESK_TEST_JOB").map_or(USUAL, |count| count.parse().unwrap());
    let world = World::new().await;
    // Searching is not what this is about, and filling these takes minutes.
    world.execute("drop index users_email_trigrams, users_name_trigrams, sends_recipient_prefix").await;
    expired_people(&world, count).await;
    world.execute("vacuum analyze").await;
    let desk = world.another_desk();

    let since = Instant::now();
    let mut told = Vec::new();
    let plan = desk.plan_job_telling(&expired(), |progress| told.push((since.elapsed(), progress))).await.unwrap();
    println!("planning {count}: {:?}, of which was told first after {:?}", since.elapsed(), told[0].0);
    assert_eq!((plan.found, plan.mails, plan.first.len()), (count, count, 5));
    // At once about how many, and in the end all of them.
    let (first, last) = (told[0].1, told[told.len() - 1].1);
    assert!((count / 2..count * 2).contains(&first.about) && first.found == 0, "{first:?}");
    assert!(told.len() > 2 && told.is_sorted_by(|(_, a), (_, b)| a.part <= b.part && a.found <= b.found), "{told:?}");
    assert_eq!((last.found, last.mails, last.part), (count, count, 1.0));
    // The same of those that a search finds.
    let some = JobScope::Filter(Filter { search: Search::parse("person"), ..Filter::default() });
    let mut about = 0;
    let plan = desk.plan_job_telling(&some, |progress| about = progress.about).await.unwrap();
    assert_eq!((plan.found, (count / 2..count * 2).contains(&about)), (count, true), "about {about}");

    let since = Instant::now();
    let job = desk.start_job(&operator(), &expired(), Some(&plan), Duration::ZERO).await.unwrap();
    println!("starting: {:?}", since.elapsed());
    assert!(since.elapsed() < START_MAX);

    leave(&desk, world.pool()).await;
    let before = rows_read_one_by_one(world.pool()).await;
    let desk = world.another_desk();
    for left in [count - 1_000, count / 2, 5_500] {
        move_to(world.pool(), job, left).await;
        for _ in 0..5 {
            let since = Instant::now();
            assert_eq!(desk.store().advance_jobs(1_000, desk.policy()).await.unwrap().queued, 1_000);
            println!("a chunk with {left} left: {:?}", since.elapsed());
            assert!(since.elapsed() < CHUNK_MAX);
        }
    }
    leave(&desk, world.pool()).await;
    assert_eq!(rows_read_one_by_one(world.pool()).await, before, "a chunk has read a whole table");

    let desk = world.another_desk();
    sign_up_goes_first(&desk).await;

    let done = finish(&desk, job).await;
    assert_eq!((done.state, done.queued), (JobState::Done, 15_500));
    let since = Instant::now();
    desk.cancel_job(&operator(), job).await.unwrap();
    println!("cancelling {} waiting mails: {:?}", done.open, since.elapsed());
}

async fn sign_up_goes_first(desk: &Desk) {
    let id = sign_up(desk, &request("mina@example.com")).await;
    let claimed = claim::claim(&mut desk.store().begin().await.unwrap(), Claimant::default(), 2).await.unwrap().ids;
    assert_eq!(claimed.len(), 2);
    let detail = desk.store().show(id).await.unwrap().unwrap();
    assert_eq!(detail.sends[0].id, claimed[0]);
}

/// As if the job had come so far already: `left` verifications before its end.
async fn move_to(pool: &PgPool, job: JobId, left: i64) {
    sqlx::query(
        "update jobs
        set (after_at, after_id) = (
            select expires_at, id
            from verifications
            where verified_at is null and revoked_at is null
            order by expires_at, id
            offset $2
            limit 1
        )
        where id = $1",
    )
    .bind(job.0)
    .bind(left)
    .execute(pool)
    .await
    .unwrap();
}
