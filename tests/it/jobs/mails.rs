//! Bulk resends of mails: what an outage left is found by its mails, and no one is mailed who has got one since.

use serde_json::json;
use std::time::Duration;

use verifydesk::domain::filter::{Clock, Filter, Place, line};
use verifydesk::domain::job::{JobScope, JobState, Skipped};

use super::mailed;
use crate::support::Program;
use crate::support::world::{ID_OF, World, operator};

/// What the outage of 20 hours ago left, and others.
const OUTAGE: &str = "
create temp table mail (local text, ago interval, state text);
insert into mail values
    ('failed1', '20 hours', 'failed'), ('failed2', '20 hours', 'failed'), ('failed3', '21 hours', 'failed'),
    ('lost1', '20 hours', 'unknown'), ('lost2', '20 hours', 'unknown'),
    ('helped', '20 hours', 'failed'), ('helped', '2 hours', 'delivered'),
    ('before', '5 days', 'failed'),
    ('verified', '20 hours', 'failed'),
    ('twice', '20 hours', 'failed'), ('twice', '19 hours', 'failed'),
    ('fine', '20 hours', 'delivered');
insert into users (email, locale, created_at, verified_at)
select local || '@example.com', 'en', now() - interval '6 days',
    case local when 'verified' then now() - interval '1 hour' end
from mail group by local;
insert into verifications (user_id, key_nonce, key_digest, created_at, expires_at, verified_at)
select id, decode(md5(email), 'hex'), sha256(email::bytea), created_at, now() + interval '2 days', verified_at from users;
insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reason)
select pg_temp.id_of(now() - m.ago), v.id, u.id, u.email, 'en', m.state, now() - m.ago, now() - m.ago, now() - m.ago,
    'connection refused'
from mail m
join users u on u.email = m.local || '@example.com'
join verifications v on v.user_id = u.id;
insert into sends (id, recipient, locale, state, test_of, reason, queued_at)
values (pg_temp.id_of(now() - interval '20 hours'), 'tester@example.com', 'en', 'failed', 'verification', 'no',
    now() - interval '20 hours');
analyze";

const OUTAGE_MAILED: [&str; 6] = [
    "failed1@example.com",
    "failed2@example.com",
    "failed3@example.com",
    "lost1@example.com",
    "lost2@example.com",
    "twice@example.com",
];

async fn after_an_outage() -> World {
    let world = World::new().await;
    world.execute(&format!("{ID_OF}{OUTAGE}")).await;
    world
}

fn read(text: &str, place: Place) -> Filter {
    line::parse(text, place, Clock::utc(chrono::Utc::now())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_repaired_by_its_mails() {
    let terms = "mail:failed,unknown since:24h";
    let verified = Skipped { verified: 1, ..Skipped::default() };
    for (scope, found, skipped) in [
        (JobScope::Filter(read(terms, Place::Verifications)), 7, verified),
        (JobScope::Mails(read(terms, Place::Mails)), 9, Skipped { later: 1, duplicate: 1, ..verified }),
    ] {
        let world = after_an_outage().await;
        let plan = world.desk.plan_job(&scope).await.unwrap();
        assert_eq!((plan.found, plan.mails, plan.skipped), (found, 6, skipped), "{scope}");
        let id = world.desk.start_job(&operator(), &scope, None, Duration::ZERO).await.unwrap();
        assert_eq!(world.desk.job(id).await.unwrap().scope, scope);
        // In chunks that end in the middle of everything; its length is counted on the way.
        world.store().advance_jobs(2, world.desk.policy()).await.unwrap();
        world.desk.count_job(id).await.unwrap();
        assert_eq!(world.desk.job(id).await.unwrap().found, Some(found), "{scope}");
        while world.store().advance_jobs(2, world.desk.policy()).await.unwrap().more {}
        let job = world.desk.job(id).await.unwrap();
        assert_eq!((job.state, job.looked_at, job.queued), (JobState::Done, found, 6), "{scope}");
        assert_eq!(job.skipped, skipped, "{scope}");
        assert_eq!(mailed(&world, id).await, OUTAGE_MAILED, "{scope}");
        // Those who were mailed are not found again; what is left is who needs none.
        let again = world.desk.plan_job(&scope).await.unwrap();
        assert_eq!(again.mails, 0, "{scope}: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_choose_among_them() {
    let world = after_an_outage().await;
    for (text, place, mails) in [
        ("mail:unknown", Place::Verifications, 2),
        ("mail:unknown since:24h failed", Place::Verifications, 0),
        ("mail:failed failed2", Place::Verifications, 1),
        ("mail:failed", Place::Verifications, 5),
        ("mail:failed status:verified", Place::Verifications, 0),
        ("mail:failed domain:example.com locale:en", Place::Verifications, 5),
        ("mail:failed domain:example.org", Place::Verifications, 0),
        ("domain:example.com status:pending", Place::Verifications, 9),
        ("created:>5d status:pending failed", Place::Verifications, 3),
        ("reason:\"connection refused\" since:24h", Place::Mails, 6),
        ("mail:failed until:2d", Place::Mails, 1),
        ("failed2", Place::Mails, 1),
        ("failed2 mail:delivered", Place::Mails, 0),
    ] {
        let filter = read(text, place);
        let scope = if place == Place::Mails { JobScope::Mails(filter) } else { JobScope::Filter(filter) };
        let plan = world.desk.plan_job(&scope).await.unwrap();
        assert_eq!(plan.mails, mails, "{text}: {plan:?}");
        let id = world.desk.start_job(&operator(), &scope, Some(&plan), Duration::ZERO).await.unwrap();
        world.desk.cancel_job(&operator(), id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_after_the_start_leaves_its_user_out() {
    let world = after_an_outage().await;
    let scope = JobScope::Mails(read("mail:failed since:24h", Place::Mails));
    let id = world.desk.start_job(&operator(), &scope, None, Duration::ZERO).await.unwrap();
    let helped =
        world.number("select v.id from verifications v join users u on u.id = user_id where email like 'failed1@%'");
    let helped = verifydesk::domain::id::VerificationId(helped.await);
    world.desk.resend(&operator(), helped, verifydesk::domain::send::Priority::Person, None).await.unwrap();
    world.execute("update sends set state = 'delivered' where state = 'queued'").await;
    let job = super::finish(&world.desk, id).await;
    assert_eq!(mailed(&world, id).await, ["failed2@example.com", "failed3@example.com", "twice@example.com"]);
    assert_eq!((job.queued, job.skipped.later), (3, 2), "{job:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_repairs_it_too() {
    let world = after_an_outage().await;
    let office = Program::new(&world.db.url);
    let sends = office.run(&["sends", "--state", "failed,unknown", "--since", "24h", "--json"]);
    assert_eq!((sends.code, sends.json().len()), (0, 10), "{}", sends.err);
    let by_line = office.run(&["sends", "--search", "mail:failed,unknown since:24h domain:example.com", "--json"]);
    assert_eq!(by_line.json().len(), 10, "{}", by_line.err);
    let plan = office.run(&["resend", "--mail-state", "failed,unknown", "--since", "24h", "--dry-run"]);
    assert!(plan.code == 0 && plan.out.starts_with("would queue 6 mails, "), "{}{}", plan.out, plan.err);
    assert!(plan.out.contains("; 7 verifications found\nskipped 1 (1 verified meanwhile)\nfirst: "), "{}", plan.out);
    let line = office.run(&["resend", "--search", "mail:failed,unknown since:24h", "--dry-run"]);
    assert_eq!(line.out, plan.out);
    let job = &office.run(&["resend", "--mail-state", "failed,unknown", "--since", "24h", "--yes", "--json"]).json()[0];
    assert_eq!((&job["state"], &job["queued"], &job["looked_at"]), (&json!("done"), &json!(6), &json!(7)));
    let table = office.run(&["jobs"]).out;
    assert!(table.contains("mail:failed,unknown"), "{table}");
    for (arguments, what) in [
        (&["list", "--search", "statsu:pending"][..], "did you mean status:?\n\n  statsu:pending\n  ^^^^^^"),
        (&["list", "--search", "kim status:pendng"], "  kim status:pendng\n             ^^^^^^"),
        (&["sends", "--search", "status:pending"], "status: is no term for mails"),
        (&["list", "--status", "expired", "--search", "status:pending"], "leave one of them out"),
        (&["resend", "--mail-state", "lost", "--yes"], "use one of queued, sending"),
    ] {
        let run = office.run(arguments);
        assert!(run.code == 2 && run.err.contains(what), "{arguments:?}: {} {}", run.code, run.err);
    }
    assert_eq!(office.run(&["list", "--search", "mail:delivered", "--json"]).json().len(), 2);
    let all: Vec<_> = office.run(&["sends", "--json"]).json().iter().map(|send| send["id"].clone()).collect();
    let (mut seen, mut after) = (Vec::new(), Vec::new());
    loop {
        let page = office
            .run(
                &[&["sends", "--json", "--limit", "4"][..], &after.iter().map(String::as_str).collect::<Vec<_>>()]
                    .concat(),
            )
            .json();
        let Some(last) = page.last() else { break };
        after = vec!["--after".to_owned(), last["id"].as_str().unwrap().to_owned()];
        seen.extend(page.iter().map(|send| send["id"].clone()));
    }
    assert_eq!(seen, all);
    let more = office.run(&["sends", "--limit", "1"]);
    assert!(more.err.contains(&format!("more: --after {}", all[0].as_str().unwrap())), "{}", more.err);
}
