//! Lists, searches and counts.

use sqlx::AssertSqlSafe;
use verifydesk::desk::SignUp;
use verifydesk::domain::filter::{Filter, Search};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::{Cursor, Position};
use verifydesk::domain::verification::Status;

use crate::support::world::{World, operator};

#[tokio::test]
async fn pages_go_through_every_row_once_in_both_directions() {
    let world = World::new().await;
    // Many at the same moment: the order must not depend on the time alone.
    world
        .execute(
            "with u as (
            insert into users (email, name)
            select 'u' || n || '@example.com', 'n' || n from generate_series(1, 103) n
            returning id
        )
        insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
        select id, decode(repeat('00', 16), 'hex'), now() - interval '9 days',
            now() + (case id % 4 when 0 then -1 else 1 end) * interval '1 day',
            case when id % 4 = 2 then now() - (id % 3) * interval '1 hour' end,
            case when id % 4 = 3 then now() - (id % 3) * interval '1 hour' end
        from u",
        )
        .await;
    let store = world.store();
    let counts = store.counts().await.unwrap();
    for status in [None, Some(Status::Pending), Some(Status::Verified), Some(Status::Expired), Some(Status::Revoked)] {
        let filter = Filter { status, ..Filter::default() };
        let mut forward = Vec::new();
        let mut page = store.list(&filter, Position::Newest, 10).await.unwrap();
        assert!(!page.newer);
        loop {
            forward.extend(page.rows.iter().map(|row| row.verification.clone()));
            if !page.older {
                break;
            }
            let last = Cursor::of(forward.last().unwrap(), status, page.as_of);
            page = store.list(&filter, Position::After(last), 10).await.unwrap();
            assert!(page.newer);
        }
        assert_eq!(i64::try_from(forward.len()).unwrap(), counts.of(status), "{status:?}");
        let mut backward = vec![forward.last().unwrap().clone()];
        loop {
            let first = Cursor::of(&backward[0], status, page.as_of);
            let page = store.list(&filter, Position::Before(first), 7).await.unwrap();
            backward.splice(0..0, page.rows.iter().map(|row| row.verification.clone()));
            if !page.newer {
                break;
            }
        }
        assert_eq!(forward, backward, "{status:?}");
        let last = store.list(&filter, Position::Oldest, 10).await.unwrap();
        let last_rows: Vec<_> = last.rows.iter().map(|row| row.verification.clone()).collect();
        assert_eq!(
            (&last_rows[..], last.newer, last.older),
            (&forward[forward.len() - 10..], true, false),
            "{status:?}"
        );
        let place = Cursor::of(&forward[5], status, page.as_of);
        assert_eq!(store.newer(&filter, place).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn finds_by_part_of_address_name_and_number() {
    let world = World::new().await;
    let korean = SignUp { email: "haneul.kim@example.co.kr".into(), name: "김하늘".into(), locale: Locale::Ko };
    let id = world.desk.sign_up(&operator(), &korean).await.unwrap().verification_id.unwrap();
    world.sign_up("mina_x@example.com").await;
    world.sign_up("soyul@한국.example").await;
    let number = id.to_string();
    let table = [
        ("haneul", 1),
        ("NEUL.KIM", 1),
        ("김하늘", 1),
        ("김", 1),
        ("하늘", 1),
        ("ha", 1),
        ("example", 3),
        ("a_x@", 1),
        ("한국", 1),
        ("@한국.example", 1),
        ("soyul 한국", 1),
        ("xn--3e0b707e", 1),
        ("한", 0),
        ("%", 0),
        ("@...", 0),
        (number.as_str(), 1),
        ("nobody", 0),
    ];
    for (text, found) in table {
        let filter = Filter { search: Search::parse(text), ..Filter::default() };
        assert_eq!(world.store().list(&filter, Position::Newest, 50).await.unwrap().rows.len(), found, "{text}");
    }
}

#[tokio::test]
async fn a_search_that_finds_thousands_goes_through_every_row_once() {
    let world = World::new().await;
    // More than are named one by one; of every eighth the address does not fit, but the name.
    world
        .execute(
            "with u as (
            insert into users (email, name)
            select case when n % 8 = 0 then 'u' else 'many' end || n || '@example.com',
                case when n % 8 = 0 then 'Many' else '' end
            from generate_series(1, 6000) n
            returning id, email
        ),
        v as (
            insert into verifications (user_id, key_nonce, expires_at)
            select id, decode(repeat('00', 16), 'hex'), now() + interval '1 day' from u
            returning id, user_id
        )
        insert into sends (id, verification_id, user_id, recipient, locale)
        select gen_random_uuid(), v.id, u.id, u.email, 'en' from v join u on u.id = v.user_id",
        )
        .await;
    for n in 0..3 {
        world.sign_up(&format!("other{n}@example.com")).await;
    }
    let store = world.store();
    for (text, status, all) in [
        ("many", None, 6_000),
        ("ma", Some(Status::Pending), 6_000),
        ("many1", None, 973),
        ("many", Some(Status::Verified), 0),
        ("example MANY", Some(Status::Pending), 6_000),
    ] {
        let filter = Filter { status, search: Search::parse(text), ..Filter::default() };
        let (mut seen, mut position) = (std::collections::HashSet::new(), Position::Newest);
        loop {
            let page = store.list(&filter, position, 700).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.verification.id));
            let Some(last) = page.rows.last().filter(|_| page.older) else { break };
            let place = Cursor::of(&last.verification, status, page.as_of);
            position = Position::After(place.clone());
            assert_eq!(store.newer(&filter, place).await.unwrap(), 100, "{text}");
        }
        assert_eq!(seen.len(), all, "{text}");
    }
    for (text, all) in
        [("many", 6_000), ("example.com", 6_003), ("many example.com", 6_000), ("other", 3), ("ot", 3), ("...", 0)]
    {
        let filter = Filter { search: Search::parse(text), ..Filter::default() };
        assert_eq!(store.sends(&filter, Position::Newest, 10_000).await.unwrap().rows.len(), all, "{text}");
    }
}

#[tokio::test]
async fn a_search_for_many_of_whom_a_status_has_few_is_whole_and_says_how_far_it_is() {
    let world = World::new().await;
    // The newest are those that the search finds; of the verified, these are the oldest. Many come at one moment.
    world
        .execute(
            "with u as (
            insert into users (email)
            select case when n > 14000 or n < 3000 and n % 67 = 0 then 'many' else 'other' end || n || '@example.com'
            from generate_series(1, 36000) n
            returning id
        )
        insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
        select id, decode(repeat('00', 16), 'hex'), at, at + interval '2 days',
            case when id <= 14000 and id % 10 > 1 then at end, case when id <= 14000 and id % 10 = 1 then at end
        from (
            select id, now() - interval '2 hours' - (36000 - id) / 50 * interval '1 minute'
                - case when id < 9000 then interval '300 days' else interval '0' end as at
            from u
        ) as placed",
        )
        .await;
    let store = world.store();
    for status in [None, Some(Status::Pending), Some(Status::Verified), Some(Status::Expired), Some(Status::Revoked)] {
        let everyone = Filter { status, ..Filter::default() };
        let page = store.list(&everyone, Position::Newest, 50_000).await.unwrap();
        let all: Vec<_> = page.rows.iter().filter(|row| row.user.email.raw().starts_with("many")).collect();
        let all: Vec<_> = all.iter().map(|row| row.verification.clone()).collect();
        let filter = Filter { search: Search::parse("many"), ..everyone };
        let limit = i64::try_from(all.len() / 2 + 7).unwrap();
        let (mut forward, mut position, mut told) = (Vec::new(), Position::Newest, Vec::new());
        loop {
            let page =
                store.list_telling(&filter, position, limit, |rows, at| told.push((rows.len(), at))).await.unwrap();
            forward.extend(page.rows.iter().map(|row| row.verification.clone()));
            assert!(!page.rows.is_empty() && (!page.older || page.rows.len() == usize::try_from(limit).unwrap()));
            if !page.older {
                break;
            }
            position = Position::After(Cursor::of(forward.last().unwrap(), status, page.as_of));
        }
        assert_eq!(forward, all, "{status:?}");
        if status == Some(Status::Verified) {
            // Not all was found at first, but what was, and how far it was looked for, was said.
            let (rows, back_to) = told[0];
            assert_eq!(rows, all.iter().take_while(|v| v.verified_at.unwrap() > back_to).count());
        }
        let mut backward = vec![forward.last().unwrap().clone()];
        loop {
            let first = Cursor::of(&backward[0], status, page.as_of);
            let page = store.list(&filter, Position::Before(first), limit).await.unwrap();
            backward.splice(0..0, page.rows.iter().map(|row| row.verification.clone()));
            if !page.newer {
                break;
            }
        }
        assert_eq!(backward, all, "{status:?}");
    }
}

#[tokio::test]
async fn finds_whatever_the_caller_sent() {
    let world = World::new().await;
    let mina = SignUp { email: "mina.kim@example.com".into(), name: "김미나".into(), locale: Locale::Ko };
    let signed_up = world.desk.sign_up(&operator(), &mina).await.unwrap();
    let id = signed_up.verification_id.unwrap();
    // A user and a verification of the same number are two people.
    world.execute("alter table users alter id restart with 500").await;
    for email in ["joon.kim@example.com", "mina.lee@example.com", "other@example.net"] {
        let other = SignUp { email: email.into(), ..SignUp::default() };
        world.desk.sign_up(&operator(), &other).await.unwrap();
    }
    let ses = "0102019abcdef012-01234567-89ab-cdef-0123-456789abcdef-000000";
    let send: uuid::Uuid =
        sqlx::query_scalar("update sends set state = 'accepted', ses_id = $2 where verification_id = $1 returning id")
            .bind(id.0)
            .bind(ses)
            .fetch_one(world.pool())
            .await
            .unwrap();
    let user: i64 = sqlx::query_scalar("select user_id from verifications where id = $1")
        .bind(id.0)
        .fetch_one(world.pool())
        .await
        .unwrap();
    for text in [
        "Kim Mina <mina.kim@Example.com>".to_owned(),
        "<mina.kim@example.com>,".into(),
        "mailto:mina.kim%40example.com?subject=Help".into(),
        "\"mina.kim@example.com\".".into(),
        "Nov 27 mx postfix/smtp[9]: 4F: to=<mina.kim@example.com>, relay=none, status=bounced".into(),
        "kim mina".into(),
        "MINA kim example".into(),
        "김미나 kim".into(),
        "김 미나".into(),
        "미나 김".into(),
        format!("#{id}"),
        format!("verification {id}"),
        format!("user {user}"),
        ses.into(),
        format!("250 Ok {ses}"),
        send.to_string(),
        format!("send {send}"),
    ] {
        let search = Search::parse(&text);
        let filter = Filter { search: search.clone(), ..Filter::default() };
        let rows = world.store().list(&filter, Position::Newest, 50).await.unwrap().rows;
        let found: Vec<_> = rows.iter().map(|row| row.verification.id).collect();
        assert_eq!(found, [id], "{text}");
        let sends =
            world.store().sends(&Filter { search, ..Filter::default() }, Position::Newest, 50).await.unwrap().rows;
        let found: Vec<_> = sends.iter().map(|send| send.id.0).collect();
        assert_eq!(found, [send], "{text}");
    }
}

#[tokio::test]
async fn a_search_walks_over_no_table() {
    let world = World::new().await;
    world
        .execute(
            "insert into users (email, name)
            select 'person' || n || case when n % 3 = 0 then '.kim' else '.lee' end || '@example.com', 'Name ' || n
            from generate_series(1, 30000) n",
        )
        .await;
    for table in ["users", "verifications", "sends"] {
        world.execute(&format!("vacuum (analyze) {table}")).await;
    }
    // A word that all have is found by walking, in the first few rows.
    let all = world.store().explain_search(&Search::parse("example").unwrap()).await.unwrap();
    assert!(all.contains("Seq Scan on users"), "{all}");
    for text in [
        "person12345",
        "Kim Mina <person12345.kim@example.com>",
        "12345 kim",
        "kim person12345",
        "name 12345 example",
        "nowhere kim",
        "김 미나",
        "user 12345",
        "0102019abcdef012-01234567-89ab-cdef-0123-456789abcdef-000000",
    ] {
        let plan = world.store().explain_search(&Search::parse(text).unwrap()).await.unwrap();
        assert!(!plan.contains("Seq Scan on users"), "{text}: {plan}");
    }
}

/// So many are found, and so far back, that their verifications are looked up in pieces; or that a walk along a status is
/// shorter than to name them.
#[tokio::test]
async fn of_very_many_who_are_found_far_back_the_newest_come_first() {
    let world = World::new().await;
    world
        .execute(
            "insert into users (email)
            select case when n <= 45000 then 'old' else 'new' end || n || '@example.com' from generate_series(1, 100000) n;
            insert into verifications (user_id, key_nonce, created_at, expires_at, verified_at, revoked_at)
            select id, decode(repeat('00', 16), 'hex'), now() - interval '10 days', now() + interval '1 day',
                case when id % 4 > 0 then now() - interval '9 days' + id * interval '1 second' end,
                case when id % 4 = 0 then now() - interval '9 days' + id * interval '1 second' end
            from users;
            analyze users",
        )
        .await;
    for (text, status, condition) in [
        ("old", Status::Verified, "u.email like 'old%' and v.verified_at is not null"),
        ("old", Status::Revoked, "u.email like 'old%' and v.revoked_at is not null"),
        ("old1", Status::Revoked, "u.email like 'old1%' and v.revoked_at is not null"),
    ] {
        let statement = format!(
            "select v.id from verifications v join users u on u.id = v.user_id where {condition}
            order by greatest(v.verified_at, v.revoked_at) desc, v.id desc limit 60"
        );
        let expected: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(world.pool()).await.unwrap();
        let filter = Filter { search: Search::parse(text), status: Some(status), ..Filter::default() };
        let mut found = world.store().list(&filter, Position::Newest, 30).await.unwrap();
        let last = found.rows.last().unwrap();
        let place = Position::After(Cursor::sorted(last, Some(status), filter.order(), found.as_of));
        found.rows.extend(world.store().list(&filter, place, 30).await.unwrap().rows);
        let found: Vec<i64> = found.rows.iter().map(|row| row.verification.id.0).collect();
        assert_eq!((found.len(), &found), (60, &expected), "{text} {status:?}");
    }
}

#[tokio::test]
async fn near_misses_are_found_by_the_index() {
    let world = World::new().await;
    world
        .execute(
            "insert into users (email) select 'person' || n || '@example.com' from generate_series(1, 30000) n;
            insert into users (email) values
                ('Mina.Kim@example.com'), ('mina.kim@gmail.com'), ('jin@naver.com'), ('mina.kims@example.com')",
        )
        .await;
    world.execute("vacuum (analyze) users").await;
    for (text, near) in [
        ("mina.kmi@example.com", &["Mina.Kim@example.com"][..]),
        ("Kim Mina <mina.kim@example.net>", &["Mina.Kim@example.com", "mina.kim@gmail.com"]),
        ("mina.kim@gmial.com", &["mina.kim@gmail.com", "Mina.Kim@example.com"]),
        ("jin@nvaer.com", &["jin@naver.com"]),
        ("minakim", &["Mina.Kim@example.com", "mina.kim@gmail.com"]),
        ("mina.kime@example.com", &["Mina.Kim@example.com", "mina.kims@example.com"]),
        ("somebody@example.com", &[]),
        ("김미나", &[]),
        ("user 4", &[]),
    ] {
        let search = Search::parse(text).unwrap();
        let found = world.store().near_misses(&search).await.unwrap();
        let mut found: Vec<&str> = found.iter().map(verifydesk::text::Untrusted::raw).collect();
        if text.contains("kim@example.net") || text == "minakim" {
            found.sort_unstable();
        }
        assert_eq!(found, near, "{text}");
        let plan = world.store().explain_near_misses(&search).await.unwrap();
        assert!(!plan.contains("Seq Scan on users"), "{text}: {plan}");
    }
}

#[tokio::test]
async fn finds_a_mail_by_its_id_with_capitals() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    world.execute("update sends set state = 'accepted', ses_id = '4VqK2w6Dz1z9rxX'").await;
    for (text, found) in [("4VqK2w6Dz1z9rxX", 1), (" 4VqK2w6Dz1z9rxX ", 1), ("4vqk2w6dz1z9rxx", 0)] {
        let filter = Filter { search: Search::parse(text), ..Filter::default() };
        assert_eq!(world.store().sends(&filter, Position::Newest, 10).await.unwrap().rows.len(), found, "{text}");
    }
}

#[tokio::test]
async fn a_statement_that_no_one_waits_for_any_more_ends() {
    let world = World::new().await;
    let limit: String = sqlx::query_scalar("show statement_timeout").fetch_one(world.store().pool()).await.unwrap();
    assert_eq!(limit, "15s");
    let slow = sqlx::raw_sql("set statement_timeout = 1; select pg_sleep(60)").execute(world.store().pool()).await;
    let error = verifydesk::store::Error::from(slow.unwrap_err());
    assert!(matches!(error, verifydesk::store::Error::TooSlow(_)), "{error}");
}

#[tokio::test]
async fn roll_ups_keep_the_counts() {
    let world = World::new().await;
    for n in 0..5 {
        world.sign_up(&format!("u{n}@example.com")).await;
    }
    // More than are taken at a time.
    world.execute("insert into verification_count_deltas (open, verified, revoked) select 1, 2, 3 from generate_series(1, 25000)").await;
    let before = world.store().counts().await.unwrap();
    let (a, b) = tokio::join!(world.store().roll_up_counts(), world.store().roll_up_counts());
    a.and(b).unwrap();
    assert_eq!(world.store().counts().await.unwrap(), before);
    let deltas: i64 =
        sqlx::query_scalar("select count(*) from verification_count_deltas").fetch_one(world.pool()).await.unwrap();
    assert_eq!(deltas, 0);
}
