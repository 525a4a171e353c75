//! Several at once, and some that die in between.

use std::time::Duration;

use tokio::task::JoinSet;
use verifydesk::domain::job::JobState;
use verifydesk::domain::send::Priority;

use super::{expired, expired_people, filter, finish, start};
use crate::support::world::{World, number, operator};

#[tokio::test(flavor = "multi_thread")]
async fn no_one_gets_two_mails_whichever_process_makes_them_and_dies() {
    let world = World::new().await;
    let first = &world.desk;
    expired_people(&world, 1_500).await;
    // The same people are in both jobs.
    let jobs = [start(first, &expired()).await, start(first, &filter(None)).await];
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let desk = world.another_desk();
        tasks.spawn(async move {
            let mut rng = fastrand::Rng::with_seed(n);
            let (mut dropped, mut killed) = (0, 0);
            loop {
                let chunk = desk.store().advance_jobs(rng.i64(20..200), desk.policy());
                match tokio::time::timeout(Duration::from_millis(rng.u64(1..400)), chunk).await {
                    Ok(Ok(made)) if !made.more => return (dropped, killed),
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) => killed += 1,
                    Err(_) => dropped += 1,
                }
            }
        });
    }
    // At the same time some connections end in the middle of a chunk, and operators mail some people one by one.
    let pool = world.db.pool.clone();
    let reaper = tokio::spawn(async move {
        let kill = "select count(pg_terminate_backend(pid)) from (
            select pid from pg_stat_activity where datname = current_database() and query like 'insert into%' limit 1
        ) one";
        let mut kills = 0;
        while kills < 10 && number(&pool, "select count(*) from jobs where state = 'running'").await > 0 {
            kills += number(&pool, kill).await;
        }
    });
    for id in (1..1_500).step_by(100) {
        let _ = first.resend(&operator(), verifydesk::domain::id::VerificationId(id), Priority::Person, None).await;
    }
    let (dropped, killed) = tasks.join_all().await.into_iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    reaper.await.unwrap();
    assert!(dropped + killed > 0, "nothing died in between");
    assert_eq!(
        world
            .number(
                "select count(*) from (select job_id, user_id from sends where job_id is not null
        group by 1, 2 having count(*) > 1) twice"
            )
            .await,
        0
    );
    // Everyone has one mail that waits, no matter which process queued it.
    assert_eq!(world.number("select count(*) from sends where state = 'queued'").await, 1_500);
    assert_eq!(world.number("select count(distinct user_id) from sends where state = 'queued'").await, 1_500);
    assert_eq!(
        world
            .number(
                "select count(*) from verifications
        where verified_at is null and revoked_at is null and expires_at > now()"
            )
            .await,
        1_500
    );
    for job in jobs {
        let row = first.job(job).await.unwrap();
        assert_eq!(row.state, JobState::Done);
        assert_eq!(row.looked_at, row.queued + row.skipped.total(), "{row:?}");
        let sends = format!("select count(*) from sends where job_id = '{job}'");
        let entries = format!("select count(*) from audit_log where reason = 'bulk resend {job}'");
        assert_eq!((world.number(&sends).await, world.number(&entries).await), (row.queued, row.queued));
    }
}

#[tokio::test]
async fn it_goes_on_where_a_dead_process_left_it() {
    let world = World::new().await;
    let (one, two) = (&world.desk, world.another_desk());
    expired_people(&world, 25).await;
    let job = start(one, &expired()).await;
    assert_eq!(one.store().advance_jobs(10, one.policy()).await.unwrap().queued, 10);
    // The next chunk waits for a user that another transaction has locked, and its process goes away.
    let mut holder = world.db.pool.begin().await.unwrap();
    sqlx::query("select from users for no key update").execute(&mut *holder).await.unwrap();
    let chunk = one.store().advance_jobs(10, one.policy());
    assert!(tokio::time::timeout(Duration::from_millis(300), chunk).await.is_err());
    one.store().close().await;
    holder.rollback().await.unwrap();
    let done = finish(&two, job).await;
    assert_eq!((done.state, done.looked_at, done.queued), (JobState::Done, 25, 25));
    world.execute("update sends set state = 'accepted' where state = 'queued'").await;
    assert_eq!(two.job(job).await.unwrap().progress(), Some(1.0));
}
