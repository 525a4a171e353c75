//! Which users a bulk resend leaves out, and what it does to the others.

use std::time::Duration;

use verifydesk::desk::{Error, Refusal, ResentHow, SignUp};
use verifydesk::domain::event::{Verdict, judge};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::job::{JobScope, Skip, Skipped};
use verifydesk::domain::key::{Key, Nonce};
use verifydesk::domain::resend::Block;
use verifydesk::domain::send::Priority;
use verifydesk::text::Untrusted;

use super::{filter, finish, mailed, start};
use crate::support::world::{SECRET, World, execute, operator};

/// What happened to a user whose first mail was delivered two days ago.
enum Event {
    /// A change of their rows; `$u` is the user's number, `$v` the verification's.
    Change(&'static str),
    /// So many other mails to them: their state, and how long ago they were queued.
    Mails(i64, &'static str, &'static str),
    /// What SES reported of the newest mail: kind and sub-kind.
    Reported(&'static str, &'static str),
}

use Event::{Change, Mails, Reported};

struct Case {
    name: &'static str,
    events: Vec<Event>,
    skip: Option<Skip>,
    /// What the single resend would do or say.
    single: Result<ResentHow, &'static str>,
}

fn cases() -> Vec<Case> {
    let case = |name, events, skip, single| Case { name, events, skip, single };
    let same = Ok(ResentHow::SameLink);
    let left_out = |name, skip, reported: Event| case(name, vec![reported], Some(skip), same);
    let expire = "update verifications set expires_at = now() - interval '1 day' where id = $v";
    let verify = "update verifications set verified_at = now() where id = $v;
        update users set verified_at = now() where id = $u";
    let replace = "update verifications set revoked_at = now() where id = $v;
        insert into verifications (user_id, expires_at, key_nonce, key_digest)
        select $u, now() + interval '1 day', key_nonce, sha256('x') from verifications where id = $v";
    let unknown = "update sends set retry_at = now() + interval '1 minute' where user_id = $u and state = 'unknown'";
    vec![
        case("pending", vec![], None, same),
        case("expired", vec![Change(expire)], None, Ok(ResentHow::NewKey)),
        case(
            "never-mailed",
            vec![Change(expire), Change("update verifications set key_digest = null where id = $v")],
            None,
            same,
        ),
        case(
            "revoked",
            vec![Change("update verifications set revoked_at = now() where id = $v")],
            None,
            Ok(ResentHow::NewKey),
        ),
        case("superseded", vec![Change(replace)], Some(Skip::Duplicate), same),
        case("verified", vec![Change(verify)], Some(Skip::Verified), Err("verified already")),
        case("waiting", vec![Mails(1, "queued", "1 hour")], Some(Skip::Waiting), Ok(ResentHow::BroughtForward)),
        case("lost", vec![Mails(1, "unknown", "1 hour")], None, same),
        case("lost-to-be-tried", vec![Mails(1, "unknown", "1 hour"), Change(unknown)], Some(Skip::Waiting), same),
        case("cooling", vec![Mails(1, "accepted", "50 seconds")], Some(Skip::CoolDown), Err("cool-down")),
        case("cooled", vec![Mails(1, "accepted", "70 seconds")], None, same),
        case("failed", vec![Mails(1, "failed", "50 seconds")], Some(Skip::CoolDown), Err("cool-down")),
        case("failed-before", vec![Mails(1, "failed", "70 seconds")], None, same),
        case("cancelled", vec![Mails(1, "cancelled", "5 seconds")], None, same),
        case("failed-too-often", vec![Mails(5, "failed", "2 hours")], Some(Skip::DailyCap), Err("got the day's mails")),
        case("capped", vec![Mails(5, "delivered", "23 hours")], Some(Skip::DailyCap), Err("got the day's mails")),
        case(
            "below-cap",
            vec![
                Mails(4, "delivered", "23 hours"),
                Mails(9, "delivered", "25 hours"),
                Mails(9, "cancelled", "2 hours"),
            ],
            None,
            same,
        ),
        case("mailbox-full", vec![Reported("Bounce", "Transient/MailboxFull")], None, same),
        left_out("bounced", Skip::Bounced, Reported("Bounce", "Permanent/General")),
        left_out("complained", Skip::Bounced, Reported("Complaint", "abuse")),
        left_out("rejected", Skip::Bounced, Reported("Reject", "")),
        left_out("on-the-list", Skip::Suppressed, Reported("Bounce", "Permanent/OnAccountSuppressionList")),
        left_out("on-ses-list", Skip::Suppressed, Reported("Bounce", "Permanent/Suppressed")),
        left_out("on-tenants", Skip::Suppressed, Reported("Bounce", "Permanent/OnTenantSuppressionList")),
        left_out("invalid", Skip::Suppressed, Reported("Bounce", "Permanent/EmailValidationSuppressed")),
        left_out("angry-list", Skip::Suppressed, Reported("Complaint", "OnAccountSuppressionList")),
        case(
            "bounced-once",
            vec![Reported("Bounce", "Permanent/General"), Mails(1, "accepted", "1 day"), Reported("Delivery", "")],
            None,
            same,
        ),
        case(
            "bounced-then-failed",
            vec![Reported("Bounce", "Permanent/General"), Mails(1, "failed", "1 day")],
            Some(Skip::Bounced),
            same,
        ),
    ]
}

fn statement(event: &Event) -> String {
    match event {
        Change(sql) => (*sql).to_owned(),
        Mails(count, state, ago) => format!(
            "insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at, reason)
            select gen_random_uuid(), $v, id, email, locale, '{state}', now() - interval '{ago}', 'so it was'
            from users, generate_series(1, {count})
            where id = $u"
        ),
        Reported(kind, sub_kind) => {
            let Verdict { fate, is_against_us, mark } = judge(kind, sub_kind);
            let (fate, mark) =
                (fate.unwrap().rank(), mark.map_or("null".into(), |mark| format!("'{}'", mark.as_str())));
            format!(
                "select take_events(jsonb_build_array(jsonb_build_object(
                    'id', gen_random_uuid(), 'occurred_at', now(), 'kind', '{kind}', 'sub_kind', '{sub_kind}',
                    'send_id', id, 'ses_id', id, 'recipients', array[recipient], 'detail', 'no', 'fate', {fate},
                    'against_us', {is_against_us}, 'mark', {mark}, 'source', 'import', 'keys', array[]::text[])))
                from sends
                where user_id = $u
                order by id desc
                limit 1"
            )
        }
    }
}

async fn people(world: &World) -> Vec<(Case, VerificationId)> {
    let mut all = Vec::new();
    for case in cases() {
        let id = world.sign_up(&format!("{}@example.com", case.name)).await;
        let user = world.number("select max(id) from users").await;
        let first = format!(
            "update sends set state = 'delivered', queued_at = now() - interval '2 days',
                id = ('00000000' || substr(id::text, 9))::uuid where user_id = {user};
            update verifications set created_at = now() - interval '2 days', expires_at = now() + interval '1 day',
                key_digest = sha256(id::text::bytea) where id = {id};"
        );
        world.execute(&first).await;
        for event in &case.events {
            let statement = statement(event).replace("$u", &user.to_string()).replace("$v", &id.to_string());
            world.execute(&statement).await;
        }
        all.push((case, id));
    }
    all
}

fn of(cases: &[(Case, VerificationId)]) -> Skipped {
    let mut skipped = Skipped::default();
    cases.iter().filter_map(|(case, _)| case.skip).for_each(|skip| skipped.count(skip));
    skipped
}

#[tokio::test]
async fn each_reason_leaves_out_those_it_should() {
    let world = World::new().await;
    let desk = &world.desk;
    let people = people(&world).await;
    for (case, id) in &people {
        let single = desk.plan_resend(*id).await;
        match (&case.single, &single) {
            (Ok(how), Ok(planned)) => {
                // What a job leaves out for its address needs a reason one by one.
                let block = match case.skip {
                    Some(Skip::Suppressed) => Some(Block::Suppressed),
                    Some(Skip::Bounced) => Some(Block::Bounced),
                    _ => None,
                };
                assert_eq!((*how, block), (planned.how, planned.block), "{}", case.name);
            }
            (Err(why), Err(refused)) => assert!(refused.to_string().contains(why), "{}: {refused}", case.name),
            _ => panic!("{}: {single:?}", case.name),
        }
    }
    // The superseded one is there twice.
    let duplicates = people.iter().filter(|(case, _)| case.skip == Some(Skip::Duplicate)).count();
    let expected: Vec<String> = {
        let mailed = people.iter().filter(|(case, _)| case.skip.is_none_or(|skip| skip == Skip::Duplicate));
        let mut mailed: Vec<String> = mailed.map(|(case, _)| format!("{}@example.com", case.name)).collect();
        mailed.sort();
        mailed
    };
    let everybody = filter(None);
    let plan = desk.plan_job(&everybody).await.unwrap();
    assert_eq!(plan.skipped, of(&people));
    assert_eq!(plan.found, i64::try_from(people.len() + duplicates).unwrap());
    assert_eq!(plan.mails, i64::try_from(expected.len()).unwrap());
    assert_eq!(plan.found, plan.mails + plan.skipped.total());
    let first: Vec<&str> = plan.first.iter().map(Untrusted::raw).collect();
    assert_eq!(first.len(), 5);
    assert!(first.iter().all(|email| expected.iter().any(|mailed| mailed == email)));

    let job = start(desk, &everybody).await;
    let done = finish(desk, job).await;
    assert_eq!(mailed(&world, job).await, expected);
    assert_eq!((done.looked_at, done.queued, done.skipped), (plan.found, plan.mails, plan.skipped));

    let how: Vec<(String, String)> = sqlx::query_as(
        "select s.recipient, a.outcome
        from audit_log a
        join sends s on s.id = a.send_id
        where
            s.job_id = $1 and a.action = 'resend' and a.actor = 'mina@desk' and a.origin = 'console'
            and a.reason = 'bulk resend ' || $1::text and a.user_id = s.user_id
            and a.verification_id = s.verification_id and s.priority = 10",
    )
    .bind(job.0)
    .fetch_all(world.pool())
    .await
    .unwrap();
    assert_eq!(how.len(), expected.len());
    for (case, _) in people.iter().filter(|(case, _)| case.skip.is_none()) {
        let (_, outcome) = how.iter().find(|(email, _)| email.starts_with(&format!("{}@", case.name))).unwrap();
        assert_eq!(outcome, case.single.unwrap().as_str(), "{}", case.name);
    }
    let (open, works, superseded): (i64, bool, i64) = sqlx::query_as(
        "select
            count(*),
            bool_and(v.verified_at is null and v.revoked_at is null and v.expires_at > now() + interval '71 hours'),
            (select count(*) from audit_log where action = 'supersede')
        from sends s
        join verifications v on v.id = s.verification_id
        where s.job_id = $1",
    )
    .bind(job.0)
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!((open, works, superseded), (plan.mails, true, 1), "of them one had expired with a key that was mailed");
}

#[tokio::test]
async fn marked_ones_are_judged_like_found_ones() {
    let world = World::new().await;
    let desk = &world.desk;
    let people = people(&world).await;
    let mut ids: Vec<VerificationId> = people.iter().map(|(_, id)| *id).collect();
    let twice = ids.clone();
    ids.extend(twice);
    ids.push(VerificationId(1_000_000));
    let scope = JobScope::Marked(ids);
    let plan = desk.plan_job(&scope).await.unwrap();
    // Of the superseded one only the old verification is marked.
    assert_eq!(plan.skipped, Skipped { duplicate: 0, ..of(&people) });
    let job = start(desk, &scope).await;
    let mut chunks = 0;
    while desk.store().advance_jobs(3, desk.policy()).await.unwrap().more {
        chunks += 1;
    }
    let done = desk.job(job).await.unwrap();
    assert!(chunks >= people.len() / 3);
    assert_eq!((done.queued, done.skipped), (plan.mails, plan.skipped));
    assert_eq!(done.looked_at, i64::try_from(people.len() + 1).unwrap());
    for wrong in [vec![], vec![VerificationId(1); verifydesk::desk::MARKED_MAX + 1]] {
        let refused = desk.start_job(&operator(), &JobScope::Marked(wrong), None, Duration::ZERO).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_one_gets_more_than_the_days_mails_though_twenty_race() {
    let world = World::with(|settings| settings.verification.cool_down = Duration::ZERO).await;
    let desk = &world.desk;
    let id = world.sign_up("mina@example.com").await;
    let key = Key::derive(SECRET.as_bytes(), id, &Nonce([7; 16]));
    sqlx::query("update verifications set key_digest = $1")
        .bind(key.digest().0.as_slice())
        .execute(world.pool())
        .await
        .unwrap();
    let again = SignUp { email: "mina@example.com".into(), ..SignUp::default() };
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (desk, pool, key, again) = (desk.clone(), world.db.pool.clone(), key.clone(), again.clone());
        tasks.spawn(async move {
            loop {
                execute(&pool, "update sends set state = 'accepted' where state = 'queued'").await;
                // The console and the command line; the page's button; the site's form.
                let asked = match n % 3 {
                    0 => desk.resend(&operator(), id, Priority::Person, None).await.map(drop),
                    1 => desk.ask_for_new_mail(&operator(), &key).await.map(drop),
                    _ => desk.sign_up(&operator(), &again).await.map(drop),
                };
                match asked {
                    Err(Error::Refused(Refusal::DailyCap { until, .. })) => return until,
                    Ok(()) | Err(Error::Refused(Refusal::CoolDown { .. })) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    let until = tasks.join_all().await;
    assert_eq!(world.number("select count(*) from sends").await, 5);
    let first: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("select min(queued_at) from sends").fetch_one(world.pool()).await.unwrap();
    assert!(until.iter().all(|until| *until == first + chrono::Duration::days(1)), "when the oldest is a day old");

    // A job keeps to it as well, until the oldest is a day old.
    let job = start(desk, &filter(None)).await;
    assert_eq!(finish(desk, job).await.skipped, Skipped { daily_cap: 1, ..Skipped::default() });
    world.execute("update sends set queued_at = queued_at - interval '24 hours' where queued_at = (select min(queued_at) from sends)").await;
    assert_eq!(desk.resend(&operator(), id, Priority::Person, None).await.unwrap().how, ResentHow::SameLink);
    // A mail that waits can still be brought forward: that is no second one.
    assert_eq!(desk.resend(&operator(), id, Priority::Person, None).await.unwrap().how, ResentHow::BroughtForward);
}

/// What an outage leaves.
#[tokio::test]
async fn those_whose_mails_all_failed_or_were_never_made_are_mailed_too() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for email in ["failed@example.com", "unmailed@example.com"] {
        ids.push(world.sign_up(email).await);
    }
    world
        .execute(
            "delete from sends where recipient = 'unmailed@example.com';
            update sends set state = 'failed', reason = 'the relay was away', queued_at = now() - interval '2 days'",
        )
        .await;
    let plan = world.desk.plan_job(&JobScope::Marked(ids.clone())).await.unwrap();
    assert_eq!((plan.found, plan.mails), (2, 2), "{plan:?}");
    let job = finish(&world.desk, start(&world.desk, &JobScope::Marked(ids)).await).await;
    assert_eq!(job.queued, 2, "{job:?}");
}
