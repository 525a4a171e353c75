//! The filter language against the database: each term by itself, and each together with each other.

use std::collections::BTreeSet;

use chrono::Utc;
use verifydesk::domain::filter::{Clock, Filter, Place, line};
use verifydesk::domain::page::{Cursor, Position};
use verifydesk::domain::send::SendRow;
use verifydesk::domain::verification::VerificationRow;
use verifydesk::store::Store;

use crate::support::world::{ID_OF, World, leave, rows_read_one_by_one};

/// People by the beginning of their address: verifications and mails of all kinds, the older mail of each first.
const PEOPLE: &str = "
create temp table person (
    local text, domain text, locale text, name text, created interval, expires interval, status text
);
insert into person values
    ('list', 'naver.com', 'ko', '김미나', '1 hour', '5 hours', 'pending'),
    ('gone', 'naver.com', 'en', 'Mina Kim', '7 days', '-4 days', 'expired'),
    ('lost', 'example.com', 'ko', 'Lee', '116 hours', '-2 days', 'expired'),
    ('fine', 'example.com', 'en', 'Park', '6 days', '-3 days', 'verified'),
    ('again', 'sub.naver.com', 'en', 'Choi', '2 days', '1 day', 'pending'),
    ('never', 'example.com', 'en', 'Mina Park', '10 minutes', '71 hours', 'pending'),
    ('full', 'naver.com', 'ko', 'Seo', '9 days', '-6 days', 'revoked'),
    ('nouser', 'post.test', 'en', 'Han', '3 hours', '3 days', 'pending'),
    ('late', 'post.test', 'ko', 'Yoon', '20 days', '2 days', 'pending');
insert into users (email, name, locale, created_at)
select local || '@' || domain, name, locale, now() - created from person;
insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
select u.id, decode(repeat('00', 16), 'hex'), now() - p.created, now() + p.expires,
    case p.status when 'verified' then now() - interval '5 days' end,
    case p.status when 'revoked' then now() - interval '8 days' end
from person p
join users u on u.email = p.local || '@' || p.domain;
create temp table mail (local text, made interval, queued interval, state text, reply text, reason text, ses_id text);
insert into mail values
    ('list', '50 minutes', '50 minutes', 'bounced', '250 Ok', null, 'ses-list'),
    ('gone', '7 days', '7 days', 'delivered', '250 Ok', null, 'ses-gone'),
    ('gone', '3 days', '3 days', 'failed', null, 'connection refused (50% of it)', null),
    ('lost', '26 hours', '26 hours', 'unknown', null, 'the answer was lost', null),
    ('fine', '6 days', '6 days', 'delivered', '250 Ok, mailbox full of joy', null, 'ses-fine'),
    ('again', '2 days', '2 days', 'failed', null, 'connection refused', null),
    ('again', '1 day', '1 day', 'delivered', '250 Ok', null, 'ses-again'),
    ('full', '9 days', '9 days', 'bounced', '250 Ok', null, 'ses-full'),
    ('nouser', '3 hours', '3 hours', 'failed', '550 5.1.1 <nouser@post.test>: no', 'refused for good', null),
    -- It waited, and was asked for again.
    ('late', '20 days', '30 minutes', 'queued', null, null, null);
insert into jobs (id, created_by, origin, status, state, ended_at, starts_at)
values ('019ac5d2-7f00-7aaa-8bbb-0123456789ab', 'mina', 'cli', 'expired', 'done', now(), now());
insert into sends (
    id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reply, reason, ses_id, job_id
)
select pg_temp.id_of(now() - m.made), v.id, u.id, u.email, u.locale, m.state, now() - m.queued, now() - m.queued,
    now() - m.queued, m.reply, m.reason, m.ses_id,
    case when m.local in ('lost', 'fine') then '019ac5d2-7f00-7aaa-8bbb-0123456789ab'::uuid end
from mail m
join users u on split_part(u.email, '@', 1) = m.local
join verifications v on v.user_id = u.id;
insert into ses_events (id, occurred_at, kind, sub_kind, send_id, ses_id, detail, source)
select gen_random_uuid(), now(), 'Bounce', e.sub_kind, s.id, s.ses_id, e.detail, 'import'
from sends s
join (values
    ('ses-list', 'Permanent/OnAccountSuppressionList', 'Amazon SES did not send it'),
    ('ses-full', 'Transient/MailboxFull', 'smtp; 452 4.2.2 mailbox full')
) as e (ses_id, sub_kind, detail) on e.ses_id = s.ses_id;
-- Test mails are for no one.
insert into sends (id, recipient, locale, state, test_of, reason)
values (pg_temp.id_of(now()), 'tester@naver.com', 'ko', 'failed', 'verification', 'connection refused')";

/// More than are named one by one: of their own domain, their last mail failed.
const CROWD: &str = "
with u as (
    insert into users (email, name, locale)
    select 'crowd' || n || '@many.test', 'Crowd', 'ko' from generate_series(1, 5100) n
    returning id, email
), v as (
    insert into verifications (user_id, key_nonce, created_at, expires_at)
    select id, decode(repeat('00', 16), 'hex'), now() - interval '4 days', now() - interval '1 day' from u
    returning id, user_id
)
insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at, reason)
select pg_temp.id_of(now() - interval '4 days'), v.id, u.id, u.email, 'ko', 'failed', now() - interval '4 days',
    'connection refused'
from v join u on u.id = v.user_id";

const CROWD_SIZE: usize = 5_100;

async fn world(with_crowd: bool) -> World {
    let world = World::new().await;
    let crowd = if with_crowd { CROWD } else { "" };
    world.execute(&format!("{ID_OF}{PEOPLE};{crowd}")).await;
    world.execute("analyze").await;
    world
}

pub fn read(text: &str, place: Place) -> Filter {
    line::parse(text, place, Clock::utc(Utc::now())).unwrap()
}

/// Those that are found, once each, and how many of the crowd; page by page.
async fn listed(store: &Store, text: &str) -> (BTreeSet<String>, usize) {
    let filter = read(text, Place::Verifications);
    let (mut rows, mut position): (Vec<VerificationRow>, _) = (Vec::new(), Position::Newest);
    loop {
        let page = store.list(&filter, position, 1_500).await.unwrap();
        rows.extend(page.rows);
        let Some(last) = rows.last().filter(|_| page.older) else { break };
        position = Position::After(Cursor::of(&last.verification, filter.status, page.as_of));
    }
    sorted(rows.iter().map(|row| row.user.email.raw()), text)
}

async fn mails(store: &Store, text: &str) -> (BTreeSet<String>, usize) {
    let filter = read(text, Place::Mails);
    let (mut rows, mut position): (Vec<SendRow>, _) = (Vec::new(), Position::Newest);
    loop {
        let page = store.sends(&filter, position, 1_500).await.unwrap();
        rows.extend(page.rows);
        let Some(last) = rows.last().filter(|_| page.older) else { break };
        position = Position::After(last.id);
    }
    let mut names: Vec<String> = rows.iter().map(|send| send.recipient.raw().to_owned()).collect();
    // Two mails of one user are told apart.
    for (send, name) in rows.iter().zip(&mut names) {
        if send.reason.is_some() && (name.starts_with("gone") || name.starts_with("again")) {
            *name = name.replace('@', "-failed@");
        }
    }
    sorted(names.iter().map(String::as_str), text)
}

fn sorted<'a>(emails: impl Iterator<Item = &'a str>, text: &str) -> (BTreeSet<String>, usize) {
    let (crowd, others): (Vec<&str>, Vec<&str>) = emails.partition(|email| email.ends_with("@many.test"));
    let names: BTreeSet<String> =
        others.iter().map(|email| email.split('@').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(names.len(), others.len(), "{text}: twice in {others:?}");
    let once: BTreeSet<&&str> = crowd.iter().collect();
    assert_eq!(once.len(), crowd.len(), "{text}: some of the crowd twice");
    (names, crowd.len())
}

fn names(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// Terms for verifications: those that each finds, and whether the crowd.
const LISTED: [(&str, &str, bool); 30] = [
    ("status:pending", "list again never nouser late", false),
    ("status:expired", "gone lost", true),
    ("status:verified", "fine", false),
    ("status:revoked", "full", false),
    ("domain:naver.com", "list gone full", false),
    ("domain:@SUB.naver.com", "again", false),
    ("domain:many.test", "", true),
    ("domain:aver.com", "", false),
    ("locale:ko", "list lost full late", true),
    ("created:<2h", "list never", false),
    ("created:>5d", "gone fine full late", false),
    ("created:<8d created:>5d", "gone fine", false),
    ("expires:<6h", "list", false),
    ("expires:>1d", "never nouser late", false),
    ("mail:failed", "gone nouser", true),
    ("mail:delivered", "fine again", false),
    ("mail:failed,unknown", "gone nouser lost", true),
    ("mail:queued", "late", false),
    ("mail:complained", "", false),
    ("reason:suppressed", "list", false),
    ("reason:mailbox-full", "full", false),
    ("reason:no-mailbox", "nouser", false),
    ("reason:\"connection refused\"", "gone", true),
    ("reason:\"(50% of\"", "gone", false),
    ("reason:4.2.2", "full", false),
    ("job:019ac5d2-7f00-7aaa-8bbb-0123456789ab", "lost fine", false),
    ("job:019ac5d2-7f00-7aaa-8bbb-0123456789ac", "", false),
    ("mina", "gone never", false),
    ("crowd", "", true),
    ("naver", "list gone full again", false),
];

/// Terms for mails.
const MAILS: [(&str, &str, bool); 21] = [
    ("mail:failed", "gone-failed again-failed nouser tester", true),
    ("mail:failed,unknown", "gone-failed again-failed nouser lost tester", true),
    ("state:delivered", "gone again fine", false),
    ("mail:queued", "late", false),
    ("domain:naver.com", "list gone gone-failed full tester", false),
    ("domain:many.test", "", true),
    ("locale:ko", "list lost full late tester", true),
    ("reason:suppressed", "list", false),
    ("reason:mailbox-full", "full", false),
    ("reason:no-mailbox", "nouser", false),
    ("reason:\"connection refused\"", "gone-failed again-failed tester", true),
    ("reason:\"mailbox full\"", "full", false),
    ("job:019ac5d2-7f00-7aaa-8bbb-0123456789ab", "lost fine", false),
    ("since:2h", "list late tester", false),
    ("since:25h", "list late nouser again tester", false),
    ("until:5d", "gone fine full", false),
    ("since:10d until:2d", "gone gone-failed fine again-failed full", true),
    ("mina", "gone gone-failed", false),
    ("crowd", "", true),
    ("refused", "", false),
    ("naver", "list gone gone-failed full again again-failed tester", false),
];

/// With a crowd and without: who is named one by one without it, is met on a walk with it.
async fn finds_what_terms_say(
    terms: &[(&'static str, &'static str, bool)],
    found: impl AsyncFn(&Store, &str) -> (BTreeSet<String>, usize),
) {
    for with_crowd in [false, true] {
        let world = world(with_crowd).await;
        let size = |has_crowd: bool| if with_crowd && has_crowd { CROWD_SIZE } else { 0 };
        for (n, (a, of_a, crowd_a)) in terms.iter().enumerate() {
            assert_eq!(found(world.store(), a).await, (names(of_a), size(*crowd_a)), "{a}");
            for (b, of_b, crowd_b) in &terms[n + 1..] {
                // A crowd takes time: with it only where it may be among those found.
                if !go_together(a, b) || with_crowd && !crowd_a && !crowd_b {
                    continue;
                }
                let both: BTreeSet<String> = names(of_a).intersection(&names(of_b)).cloned().collect();
                let text = format!("{a} {b}");
                assert_eq!(found(world.store(), &text).await, (both, size(*crowd_a && *crowd_b)), "{text}");
            }
        }
    }
}

/// Whether a line may have both.
fn go_together(a: &str, b: &str) -> bool {
    let keys = |text: &str| -> BTreeSet<String> {
        let words = text.split_whitespace().filter_map(|word| word.split_once(':'));
        words.map(|(key, _)| key.replace("state", "mail")).collect()
    };
    keys(a).is_disjoint(&keys(b)) && !(keys(a).is_empty() && keys(b).is_empty())
}

#[tokio::test]
async fn a_term_finds_verifications_and_two_find_what_both_do() {
    finds_what_terms_say(&LISTED, async |store, text| listed(store, text).await).await;
}

#[tokio::test]
async fn a_term_finds_mails_and_two_find_what_both_do() {
    finds_what_terms_say(&MAILS, async |store, text| mails(store, text).await).await;
}

#[tokio::test]
async fn since_and_until_go_by_the_lists_time_or_by_the_last_mail() {
    let world = world(true).await;
    for (text, found, crowd) in [
        ("since:90m", "list never", 0),
        ("since:8d until:5d", "gone fine", 0),
        ("status:expired since:3d", "lost", CROWD_SIZE),
        ("status:verified since:6d until:4d", "fine", 0),
        ("status:revoked until:7d", "full", 0),
        ("mail:failed since:2d", "nouser", 0),
        ("mail:failed since:10d", "gone nouser", CROWD_SIZE),
        ("mail:failed until:2d", "gone", CROWD_SIZE),
        ("status:expired mail:failed,unknown since:2d", "lost", 0),
        ("mail:queued since:1h", "late", 0),
        ("reason:suppressed since:1h", "list", 0),
        ("job:019ac5d2-7f00-7aaa-8bbb-0123456789ab since:2d", "lost", 0),
    ] {
        assert_eq!(listed(world.store(), text).await, (names(found), crowd), "{text}");
    }
}

#[tokio::test]
async fn new_rows_are_counted_under_the_same_filter() {
    let world = world(true).await;
    for text in ["mail:failed", "domain:many.test status:expired", "locale:ko created:>3d", "reason:refused"] {
        let filter = read(text, Place::Verifications);
        let page = world.store().list(&filter, Position::Newest, 5).await.unwrap();
        let place = Cursor::of(&page.rows[4].verification, filter.status, page.as_of);
        assert_eq!(world.store().newer(&filter, place).await.unwrap(), 4, "{text}");
    }
}

/// Of a search that finds more users than are named one by one, the mails in one state are few: all of them are shown.
#[tokio::test]
async fn a_state_and_a_search_that_finds_thousands_show_every_mail() {
    let world = World::new().await;
    world
        .execute(
            "with u as (
                insert into users (email) select 'many' || n || '@example.com' from generate_series(1, 6000) n
                returning id, email
            ), v as (
                insert into verifications (user_id, key_nonce, expires_at)
                select id, decode(repeat('00', 16), 'hex'), now() + interval '1 day' from u
                returning id, user_id
            )
            insert into sends (id, verification_id, user_id, recipient, locale, state, reason)
            select gen_random_uuid(), v.id, u.id, u.email, 'en',
                case when u.id % 100 = 0 then 'failed' else 'accepted' end,
                case when u.id % 100 = 0 then 'connection refused' end
            from v join u on u.id = v.user_id",
        )
        .await;
    for text in ["any", "xample", "many"] {
        let filter = read(&format!("{text} mail:failed"), Place::Mails);
        let page = world.store().sends(&filter, Position::Newest, 1_000).await.unwrap();
        assert_eq!((page.rows.len(), page.older), (60, false), "{text}");
    }
}

/// Whatever is asked for, no table is read from end to end: what finds few goes by their keys, what finds many along an
/// order.
#[tokio::test]
async fn no_filter_reads_a_whole_table() {
    let world = World::new().await;
    world
        .execute(&format!(
            "{ID_OF}
            insert into jobs (id, created_by, origin, status, state, ended_at, starts_at)
            values ('019ac5d2-7f00-7aaa-8bbb-0123456789ab', 'mina', 'cli', 'expired', 'done', now(), now());
            insert into users (email, name, locale, created_at)
            select 'person' || n || case when n % 1000 = 0 then '@rare.test' else '@example.com' end, 'Person', 'ko',
                now() - n * interval '2 minutes'
            from generate_series(1, 30000) n;
            insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at)
            select id, decode(repeat('00', 16), 'hex'), created_at, created_at + interval '3 days',
                case when id % 2 = 0 then created_at + interval '1 hour' end
            from users;
            insert into sends (
                id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, reason, job_id
            )
            select pg_temp.id_of(v.created_at), v.id, u.id, u.email, 'ko', s.state, v.created_at, v.created_at,
                v.created_at, case when s.state = 'failed' then 'connection refused' end,
                case when u.id % 500 = 1 then '019ac5d2-7f00-7aaa-8bbb-0123456789ab'::uuid end
            from users u
            join verifications v on v.user_id = u.id
            cross join lateral (
                select case when u.id % 300 = 0 then 'failed' when u.id % 200 = 1 then 'bounced' else 'delivered' end
            ) as s (state);
            insert into ses_events (id, occurred_at, kind, sub_kind, send_id, ses_id, detail, source)
            select gen_random_uuid(), now(), 'Bounce', 'Permanent/General', id, 'x', '550 5.1.1 no', 'import'
            from sends
            where state = 'bounced'"
        ))
        .await;
    world.execute("vacuum analyze").await;
    let mut last = rows_read_one_by_one(world.pool()).await;
    for (place, text) in [
        (Place::Verifications, "status:expired"),
        (Place::Verifications, "mail:failed"),
        (Place::Verifications, "mail:failed,unknown since:7d"),
        (Place::Verifications, "mail:delivered status:verified"),
        (Place::Verifications, "reason:no-mailbox"),
        (Place::Verifications, "domain:rare.test"),
        (Place::Verifications, "domain:rare.test mail:delivered status:verified"),
        (Place::Verifications, "locale:ko created:<10d"),
        (Place::Verifications, "job:019ac5d2-7f00-7aaa-8bbb-0123456789ab"),
        (Place::Verifications, "person3 mail:failed"),
        (Place::Mails, "mail:failed"),
        (Place::Mails, "mail:failed,bounced since:7d until:2d"),
        (Place::Mails, "since:10d"),
        (Place::Mails, "reason:no-mailbox"),
        (Place::Mails, "domain:rare.test"),
        (Place::Mails, "job:019ac5d2-7f00-7aaa-8bbb-0123456789ab mail:delivered"),
        (Place::Mails, "person3 mail:failed"),
        (Place::Mails, "rare since:20d"),
    ] {
        let desk = world.another_desk();
        let filter = read(text, place);
        let found = match place {
            Place::Mails => desk.store().sends(&filter, Position::Newest, 50).await.unwrap().rows.len(),
            _ => desk.store().list(&filter, Position::Newest, 50).await.unwrap().rows.len(),
        };
        leave(&desk, world.pool()).await;
        let now = rows_read_one_by_one(world.pool()).await;
        assert!(now == last && found > 0, "{text} finds {found}: {last:?} {now:?}");
        last = now;
    }
}
