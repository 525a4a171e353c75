//! What came of a bulk resend: its mails by state, opened links, and those that it has left out.

use std::time::Duration;

use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::job::{COUNTED_MAX, JobScope, Skip};
use verifydesk::domain::page::Position;
use verifydesk::domain::send::SendState;

use super::{expired, expired_people, finish, start};
use crate::support::Program;
use crate::support::world::{World, leave, operator, rows_read_one_by_one};

/// Ten who were mailed, and two who were left out.
async fn done(world: &World) -> verifydesk::domain::id::JobId {
    expired_people(world, 12).await;
    world
        .execute(
            "update users set verified_at = now() where id = 3;
            insert into address_states (address, complained_at) values ('person5@example.com', now())",
        )
        .await;
    let job = start(&world.desk, &expired()).await;
    finish(&world.desk, job).await;
    world
        .execute(
            "update sends set state = 'delivered', lease_by = null, lease_until = null where job_id is not null and user_id > 6;
            update sends set state = 'bounced' where job_id is not null and user_id = 9;
            update verifications v set opened_at = greatest(s.queued_at, v.created_at)
            from sends s where s.verification_id = v.id and s.job_id is not null and s.user_id in (10, 11);
            -- Long before the job mailed them.
            update verifications v set opened_at = now() - interval '9 days'
            from sends s where s.verification_id = v.id and s.job_id is not null and s.user_id = 12",
        )
        .await;
    job
}

#[tokio::test]
async fn its_mails_are_counted_and_listed() {
    let world = World::new().await;
    let job = done(&world).await;
    let other = world.sign_up("jun@example.com").await;
    let results = world.store().job_results(job).await.unwrap();
    assert_eq!(
        results.parts(),
        [(5, "delivered"), (2, "opened"), (1, "bounced"), (4, "queued")],
        "of twelve, two were left out"
    );
    for (state, count) in [(None, 10), (Some(SendState::Delivered), 5), (Some(SendState::Failed), 0)] {
        let filter = Filter { job: Some(job), mail: state.into(), ..Filter::default() };
        let (mut ids, mut position) = (Vec::new(), Position::Newest);
        loop {
            let page = world.store().sends(&filter, position, 3).await.unwrap();
            assert!(page.rows.iter().all(|send| send.verification_id != Some(other)));
            ids.extend(page.rows.iter().map(|send| send.id));
            match ids.last() {
                Some(last) if page.older => position = Position::After(*last),
                _ => break,
            }
        }
        assert_eq!(ids.len(), count, "{state:?}");
        assert!(ids.is_sorted_by(|a, b| a > b), "the newest first, each once");
        if let Some(first) = ids.get(4) {
            let page = world.store().sends(&filter, Position::Before(*first), 3).await.unwrap();
            assert_eq!(page.rows.iter().map(|send| send.id).collect::<Vec<_>>(), ids[1..4]);
        }
    }
}

#[tokio::test]
async fn who_is_left_out_is_noted_with_the_reason() {
    let world = World::new().await;
    let job = done(&world).await;
    let skipped = async |reason, position| world.store().job_skips(job, reason, position, 1).await.unwrap();
    let first = skipped(None, Position::Newest).await;
    assert_eq!(
        (first.rows[0].verification_id, first.rows[0].reason, first.older),
        (VerificationId(5), Skip::Bounced, true)
    );
    assert_eq!(first.rows[0].whom(), "person5@example.com");
    let next = skipped(None, Position::After(VerificationId(5))).await;
    assert_eq!(
        (next.rows[0].verification_id, next.rows[0].reason, next.older),
        (VerificationId(3), Skip::Verified, false)
    );
    assert_eq!(skipped(None, Position::Before(VerificationId(3))).await.rows, first.rows);
    assert_eq!(skipped(Some(Skip::Verified), Position::Newest).await.rows, next.rows);
    world.execute("delete from users where id = 5").await;
    assert_eq!(skipped(Some(Skip::Bounced), Position::Newest).await.rows[0].whom(), "user 5 (deleted)");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_same() {
    let world = World::new().await;
    let job = done(&world).await.to_string();
    let program = Program::new(&world.db.url);
    let shown = &program.run(&["jobs", "show", &job, "--json"]).json()[0];
    assert_eq!((&shown["results"]["delivered"], &shown["results"]["opened"]), (&5.into(), &2.into()), "{shown}");
    assert_eq!((&shown["results"]["failed"], &shown["skipped"]["verified"]), (&0.into(), &1.into()), "{shown}");
    let text = program.run(&["jobs", "show", &job]).out;
    for line in ["mails      10", "delivered  5", "opened     2", "queued     4", "skipped    2"] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    assert_eq!(program.run(&["sends", "--search", &format!("job:{job}"), "--json"]).json().len(), 10);
    let one = program.run(&["jobs", "skipped", &job, "--limit", "1", "--json"]);
    assert_eq!((one.json()[0]["email"].as_str(), &*one.err), (Some("person5@example.com"), "more: --after 5\n"));
    let rest = program.run(&["jobs", "skipped", &job, "--after", "5"]);
    assert!(rest.out.contains("verified meanwhile") && rest.err.is_empty(), "{}{}", rest.out, rest.err);
    assert_eq!(program.run(&["jobs", "skipped", &job, "--all", "--json"]).json().len(), 2);
    let none = program.run(&["jobs", "skipped", &job, "--reason", "daily-cap"]);
    assert_eq!((none.code, &*none.err), (0, "no one was left out for this reason\n"));
    let missing = verifydesk::domain::id::JobId::new().to_string();
    for act in ["show", "skipped"] {
        assert_eq!(program.run(&["jobs", act, &missing]).code, 3);
    }
}

/// Two failed mails of one verification are looked at one by one.
#[tokio::test]
async fn one_verification_is_noted_once() {
    let world = World::new().await;
    expired_people(&world, 2).await;
    world
        .execute(
            "update sends set state = 'failed', reason = 'a test';
            insert into sends (
                id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reason
            )
            select
                gen_random_uuid(), verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reason
            from sends where user_id = 1;
            update users set verified_at = now() where id = 1",
        )
        .await;
    let failed = Filter { mail: SendState::Failed.into(), ..Filter::default() };
    let job = start(&world.desk, &JobScope::Mails(failed)).await;
    let done = finish(&world.desk, job).await;
    assert_eq!((done.queued, done.skipped.total()), (1, 2));
    let skips = world.store().job_skips(job, None, Position::Newest, 9).await.unwrap().rows;
    assert_eq!(skips.iter().map(|skip| skip.verification_id.0).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_screen_does_without_what_takes_too_long() {
    let world = World::new().await;
    let job = done(&world).await;
    let seen = async || world.store().glance_at_job(job).await.unwrap();
    let mut other = world.pool().begin().await.unwrap();
    sqlx::query("lock table verifications").execute(&mut *other).await.unwrap();
    let counted = seen().await.unwrap();
    assert_eq!((counted.of(SendState::Delivered), counted.opened), (5, None));
    sqlx::query("lock table sends").execute(&mut *other).await.unwrap();
    assert_eq!(seen().await, None);
    other.rollback().await.unwrap();
    assert_eq!(seen().await, Some(world.store().job_results(job).await.unwrap()));
}

/// What a screen shows of a job costs the same, however large that is. A job mails no user twice: these have none.
#[tokio::test]
async fn a_large_job_is_counted_as_far_as_a_screen_waits() {
    let world = World::new().await;
    let (done, mails) = (done(&world).await, COUNTED_MAX + 2_000);
    world.execute("drop index users_email_trigrams, users_name_trigrams, sends_recipient_prefix").await;
    world
        .execute(&format!(
            "insert into sends (
                id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, job_id
            )
            select
                gen_random_uuid(), n % 12 + 1, null, 'person@example.com', 'en',
                case when n % 100 = 0 then 'bounced' else 'delivered' end, now(), now(), now(), '{done}'
            from generate_series(1, {mails}) n"
        ))
        .await;
    world.execute("vacuum analyze").await;
    let read = async || {
        let of = "select idx_tup_read from pg_stat_user_indexes where indexrelname = 'sends_job_state'";
        (rows_read_one_by_one(world.pool()).await["sends"], world.number(of).await)
    };
    leave(&world.desk, world.pool()).await;
    let (one_by_one, by_index) = read().await;

    let desk = world.another_desk();
    let results = desk.store().glance_at_job(done).await.unwrap().unwrap();
    let bounced = mails / 100 + 1;
    assert_eq!(
        (results.of(SendState::Delivered), results.of(SendState::Bounced), results.opened),
        (COUNTED_MAX + 1, bounced, None)
    );
    let filter = Filter { job: Some(done), ..Filter::default() };
    for position in [Position::Newest, Position::Oldest] {
        assert_eq!(desk.store().sends(&filter, position, 100).await.unwrap().rows.len(), 100);
    }
    leave(&desk, world.pool()).await;
    let (one_by_one_now, by_index_now) = read().await;
    assert_eq!(one_by_one_now, one_by_one, "a whole table was read");
    let most = COUNTED_MAX + bounced + 10 + 2 * 11 * 101;
    assert!(by_index_now - by_index <= most, "{} of {most}", by_index_now - by_index);

    let all = world.another_desk().store().job_results(done).await.unwrap();
    assert_eq!((all.total(), all.of(SendState::Bounced)), (mails + 10, bounced));
    assert!(all.opened.is_some());
}

/// One who is marked twice is left out once, by the verification that came second.
#[tokio::test]
async fn the_same_user_again_is_noted_too() {
    let world = World::new().await;
    expired_people(&world, 2).await;
    world
        .execute(
            "update verifications set revoked_at = now() where id = 1;
            insert into verifications (user_id, created_at, expires_at, key_nonce)
            select 1, now() - interval '9 days', now() - interval '5 days', key_nonce from verifications where id = 1",
        )
        .await;
    let scope = JobScope::Marked(vec![VerificationId(1), VerificationId(2), VerificationId(3)]);
    let job = world.desk.start_job(&operator(), &scope, None, Duration::ZERO).await.unwrap();
    finish(&world.desk, job).await;
    let skips = world.store().job_skips(job, None, Position::Newest, 9).await.unwrap().rows;
    assert_eq!(
        skips.iter().map(|skip| (skip.verification_id.0, skip.reason)).collect::<Vec<_>>(),
        [(1, Skip::Duplicate)]
    );
}
