//! Started, cancelled in time, paused, resumed, cancelled; and what is not in a job.

use std::time::Duration;

use uuid::Uuid;
use verifydesk::desk::{Error, Refusal};
use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::id::JobId;
use verifydesk::domain::job::{JobScope, JobState};
use verifydesk::domain::verification::Status;

use super::{expired, expired_people, filter, finish, mailed, start};
use crate::support::world::{World, operator};

#[tokio::test]
async fn who_counts_is_decided_at_the_cut_off() {
    let world = World::new().await;
    let desk = &world.desk;
    expired_people(&world, 30).await;
    for n in 0..3 {
        world.sign_up(&format!("early{n}@example.com")).await;
    }
    let plan = desk.plan_job(&expired()).await.unwrap();
    assert_eq!((plan.found, plan.mails), (30, 30));
    // They expire, and others come who have done so before, all after the operator has looked.
    world
        .execute(
            "update verifications set expires_at = clock_timestamp(), key_digest = sha256(id::text::bytea)
        where expires_at > now()",
        )
        .await;
    world.sign_up("late@example.com").await;
    world
        .execute(
            "update verifications set expires_at = created_at + interval '1 microsecond'
        where user_id = (select max(id) from users)",
        )
        .await;
    let job = desk.start_job(&operator(), &expired(), Some(&plan), Duration::ZERO).await.unwrap();
    let done = finish(desk, job).await;
    assert_eq!((done.state, done.found, done.looked_at, done.queued), (JobState::Done, Some(30), 30, 30));
    assert!(mailed(&world, job).await.iter().all(|email| email.starts_with("person")));
    let entry: (String, String, String, String) =
        sqlx::query_as("select actor, origin, outcome, reason from audit_log where action = 'start_job'")
            .fetch_one(world.pool())
            .await
            .unwrap();
    let reason = format!("job {job}: expired; 30 found, 30 mails planned");
    assert_eq!(entry, ("mina@desk".into(), "console".into(), "started".into(), reason));
}

#[tokio::test]
async fn every_list_can_be_resent() {
    let world = World::new().await;
    let desk = &world.desk;
    expired_people(&world, 60).await;
    world
        .execute(
            "update verifications set expires_at = now() + interval '1 day' where id % 4 = 0;
        update verifications set revoked_at = now() - interval '1 day' where id % 4 = 1;
        update verifications set verified_at = now() - interval '1 day' where id % 4 = 2;
        update users set verified_at = now() - interval '1 day' where id % 4 = 2",
        )
        .await;
    let search = JobScope::Filter(Filter { search: Search::parse("person1"), ..Filter::default() });
    let half =
        sqlx::query_scalar("select expires_at from verifications where id = 31").fetch_one(world.pool()).await.unwrap();
    let since = Filter { status: Some(Status::Expired), since: Some(half), ..Filter::default() };
    let table = [
        (filter(Some(Status::Pending)), 15, 15),
        (filter(Some(Status::Revoked)), 15, 15),
        (filter(Some(Status::Verified)), 15, 0),
        // Persons 1 and 10 to 19; the three revoked ones have new verifications now, and only expired ones no mail yet.
        (search, 14, 3),
        (JobScope::Filter(since), 8, 8),
        // The 15 revoked and 11 expired ones have new verifications, and 4 have no mail yet.
        (filter(None), 86, 4),
    ];
    for (scope, found, mails) in table {
        let plan = desk.plan_job(&scope).await.unwrap();
        let job = desk.start_job(&operator(), &scope, Some(&plan), Duration::ZERO).await.unwrap();
        while desk.store().advance_jobs(7, desk.policy()).await.unwrap().more {}
        let done = desk.job(job).await.unwrap();
        let numbers = (plan.found, plan.mails, done.looked_at, done.queued);
        assert_eq!(numbers, (found, mails, found, mails), "{scope}");
        assert_eq!(
            world.number("select count(*) - count(distinct user_id) from sends where job_id is not null").await,
            0
        );
    }
}

#[tokio::test]
async fn in_its_grace_period_it_is_called_off_before_the_first_mail() {
    let world = World::new().await;
    let desk = &world.desk;
    expired_people(&world, 10).await;
    let job = desk.start_job(&operator(), &expired(), None, Duration::from_mins(5)).await.unwrap();
    let made = desk.store().advance_jobs(1_000, desk.policy()).await.unwrap();
    assert_eq!((made.looked_at, made.more), (0, false));
    let wait = made.next_in.unwrap();
    assert!(wait > Duration::from_secs(290) && wait <= Duration::from_mins(5), "{wait:?}");
    assert!(desk.job(job).await.unwrap().is_in_grace(chrono::Utc::now()));
    desk.cancel_job(&operator(), job).await.unwrap();
    world.execute("update jobs set starts_at = now()").await;
    let made = desk.store().advance_jobs(1_000, desk.policy()).await.unwrap();
    assert_eq!((made.looked_at, made.more, made.next_in), (0, false, None));
    let row = desk.job(job).await.unwrap();
    assert_eq!((row.state, row.queued, row.reason.unwrap().raw()), (JobState::Cancelled, 0, "cancelled by mina@desk"));
}

#[tokio::test]
async fn it_is_paused_resumed_and_cancelled() {
    let world = World::new().await;
    let desk = &world.desk;
    let (store, policy) = (desk.store(), desk.policy());
    expired_people(&world, 30).await;
    let job = start(desk, &expired()).await;
    assert_eq!(store.advance_jobs(10, policy).await.unwrap().queued, 10);
    let due_since = async || store.outbox().await.unwrap().due_since;
    assert!(due_since().await.is_some());
    desk.pause_job(&operator(), job).await.unwrap();
    assert_eq!(due_since().await, None, "no worker is to blame for what no worker may take");
    assert_eq!(store.advance_jobs(10, policy).await.unwrap().looked_at, 0);
    let refused = desk.pause_job(&operator(), job).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::JobAlready { state: JobState::Paused }))));
    desk.resume_job(&operator(), job).await.unwrap();
    let refused = desk.resume_job(&operator(), job).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::JobAlready { state: JobState::Running }))));
    assert_eq!(store.advance_jobs(10, policy).await.unwrap().queued, 10);

    // A worker is sending three of them, and one has gone out.
    world
        .execute(
            "update sends set lease_by = gen_random_uuid(), lease_until = now() + interval '1 minute'
        where id in (select id from sends where state = 'queued' order by id limit 3);
        update sends set state = 'accepted' where id = (select max(id::text)::uuid from sends where state = 'queued')",
        )
        .await;
    desk.cancel_job(&operator(), job).await.unwrap();
    assert_eq!(store.advance_jobs(10, policy).await.unwrap().looked_at, 0);
    let row = desk.job(job).await.unwrap();
    assert_eq!((row.state, row.queued, row.open), (JobState::Cancelled, 20, 3));
    let cancelled = "select count(*) from sends where state = 'cancelled' and reason = 'the bulk resend was cancelled by mina@desk'";
    assert_eq!(world.number(cancelled).await, 16);
    let over = |result| matches!(result, Err(Error::Refused(Refusal::JobOver { state: JobState::Cancelled })));
    assert!(over(desk.pause_job(&operator(), job).await));
    assert!(over(desk.resume_job(&operator(), job).await));
    assert!(over(desk.cancel_job(&operator(), job).await));
    let acts: Vec<(String, String)> = sqlx::query_as(
        "select action, reason from audit_log where action like '%job' and action <> 'start_job' order by id",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let entry = |action: &str, more: &str| (action.to_owned(), format!("job {job}{more}"));
    let expected =
        [entry("pause_job", ""), entry("resume_job", ""), entry("cancel_job", ": 16 waiting mails cancelled")];
    assert_eq!(acts, expected);

    let unknown = JobId(Uuid::nil());
    for result in [
        desk.pause_job(&operator(), unknown).await,
        desk.resume_job(&operator(), unknown).await,
        desk.cancel_job(&operator(), unknown).await,
    ] {
        let Err(error @ Error::NotFound(_)) = result else { panic!("{result:?}") };
        assert!(error.hint().contains("verifydesk jobs"));
    }
}

#[tokio::test]
async fn one_that_has_looked_at_everyone_is_stopped_while_its_mails_wait() {
    let world = World::new().await;
    let desk = &world.desk;
    expired_people(&world, 5).await;
    let job = start(desk, &expired()).await;
    assert!(finish(desk, job).await.can_be_stopped());
    desk.pause_job(&operator(), job).await.unwrap();
    assert_eq!(desk.job(job).await.unwrap().state, JobState::Paused);
    desk.resume_job(&operator(), job).await.unwrap();
    let done = finish(desk, job).await;
    assert_eq!((done.state, done.looked_at, done.queued), (JobState::Done, 5, 5));
    desk.cancel_job(&operator(), job).await.unwrap();
    assert_eq!(world.number("select count(*) from sends where state = 'cancelled'").await, 5);

    let next = start(desk, &filter(Some(Status::Pending))).await;
    finish(desk, next).await;
    world.execute("update sends set state = 'accepted' where state = 'queued'").await;
    assert!(!desk.job(next).await.unwrap().can_be_stopped());
    for result in [desk.pause_job(&operator(), next).await, desk.cancel_job(&operator(), next).await] {
        assert!(matches!(result, Err(Error::Refused(Refusal::JobOver { state: JobState::Done }))), "{result:?}");
    }
}

#[tokio::test]
async fn nothing_is_made_while_the_brake_is_on() {
    let world = World::new().await;
    let desk = &world.desk;
    expired_people(&world, 5).await;
    start(desk, &expired()).await;
    for brake in ["pause", "drain"] {
        if brake == "pause" {
            desk.pause(&operator(), "looking into it").await.unwrap();
        } else {
            desk.drain(&operator(), "looking into it").await.unwrap();
        }
        let made = desk.store().advance_jobs(1_000, desk.policy()).await.unwrap();
        assert_eq!((made.looked_at, made.more, made.next_in), (0, false, None), "{brake}");
        // One that ends by itself.
        world.execute("update brake set until = now() + interval '1 hour'").await;
        let made = desk.store().advance_jobs(1_000, desk.policy()).await.unwrap();
        assert!(!made.more && made.next_in.unwrap() > Duration::from_secs(3_590), "{made:?}");
        desk.resume(&operator()).await.unwrap();
    }
    let made = desk.store().advance_jobs(3, desk.policy()).await.unwrap();
    assert_eq!((made.queued, made.more, made.next_in), (3, true, None));
    assert_eq!(desk.store().advance_jobs(0, desk.policy()).await.unwrap().looked_at, 0, "there is no room");
}
