//! The acts, under their rules.

use chrono::Duration;
use sqlx::PgPool;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::{Desk, Error, LinkOutcome, Refusal, ResentHow, SignUp, SignUpStatus};
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::change::Change;
use verifydesk::domain::filter::{Filter, Search, SendFilter};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::{Key, Nonce};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::{Cursor, Position};
use verifydesk::domain::send::Priority;
use verifydesk::domain::verification::{Counts, Status};
use verifydesk::store::verifications;

use crate::support::TestDb;

const SECRET: &[u8] = b"a secret of the tests, 32 bytes and more";

fn desk(db: &TestDb) -> Desk {
    Desk::open(&Settings { database_url: Some(Secret::new(&db.url)), ..Settings::default() }).unwrap()
}

fn operator() -> Actor {
    Actor::new("mina@desk", Origin::Console)
}

fn request(email: &str) -> SignUp {
    SignUp { email: email.into(), name: "Mina".into(), locale: Locale::En }
}

async fn sign_up(desk: &Desk, email: &str) -> VerificationId {
    desk.sign_up(&operator(), &request(email)).await.unwrap().verification_id.unwrap()
}

/// Does what the worker does before it mails a key, and says that the mail was accepted.
async fn mail(pool: &PgPool, id: VerificationId) -> Key {
    let nonce: Vec<u8> = sqlx::query_scalar("select key_nonce from verifications where id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await
        .unwrap();
    let key = Key::derive(SECRET, id, &Nonce(nonce.try_into().unwrap()));
    for statement in [
        "update verifications set key_digest = $2 where id = $1",
        "update sends set state = 'accepted' where verification_id = $1 and $2::bytea is not null",
    ] {
        sqlx::query(statement).bind(id.0).bind(key.digest().0.as_slice()).execute(pool).await.unwrap();
    }
    key
}

/// Lets time pass: everything of these verifications was that much earlier.
async fn age(pool: &PgPool, by: Duration) {
    let seconds = by.num_seconds();
    for statement in [
        "update verifications set created_at = created_at - make_interval(secs => $1),
            expires_at = expires_at - make_interval(secs => $1)",
        "update sends set queued_at = queued_at - make_interval(secs => $1)",
    ] {
        #[expect(clippy::cast_precision_loss, reason = "days in seconds")]
        sqlx::query(statement).bind(seconds as f64).execute(pool).await.unwrap();
    }
}

async fn status(desk: &Desk, id: VerificationId) -> Status {
    desk.store().show(id).await.unwrap().unwrap().verification.status(chrono::Utc::now())
}

async fn outcomes(desk: &Desk, id: VerificationId) -> Vec<(String, String)> {
    let detail = desk.store().show(id).await.unwrap().unwrap();
    let entries = detail.audit.iter().rev();
    entries.map(|entry| (entry.action.raw().to_owned(), entry.outcome.raw().to_owned())).collect()
}

#[tokio::test]
async fn a_sign_up_makes_user_verification_and_mail() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let done = desk.sign_up(&operator(), &request("Mina@Example.COM")).await.unwrap();
    assert_eq!(done.status, SignUpStatus::Created);
    let detail = desk.store().show(done.verification_id.unwrap()).await.unwrap().unwrap();
    assert_eq!(detail.user.email.raw(), "Mina@example.com");
    assert_eq!(detail.sends.len(), 1);
    assert_eq!(detail.sends[0].recipient.raw(), "Mina@example.com");
    assert_eq!(detail.verification.key_fingerprint, None);
    assert_eq!(outcomes(&desk, done.verification_id.unwrap()).await, [("sign_up".into(), "created".into())]);
    assert_eq!(desk.store().counts().await.unwrap(), Counts { pending: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_bad_sign_up_changes_nothing() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let long = "x".repeat(65);
    for (email, name) in [("mina", ""), ("a@example.com\r\nBcc: b@example.com", ""), ("a@example.com", long.as_str())] {
        let bad = SignUp { email: email.into(), name: name.into(), locale: Locale::Ko };
        assert!(matches!(desk.sign_up(&operator(), &bad).await, Err(Error::Invalid(_))), "{email:?}");
    }
    assert_eq!(desk.store().counts().await.unwrap().of(None), 0);
}

#[tokio::test]
async fn signing_up_again_is_a_resend_under_the_cool_down() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    let again = desk.sign_up(&operator(), &request("MINA@example.com")).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
    mail(&db.pool, id).await;
    age(&db.pool, Duration::seconds(61)).await;
    let again =
        desk.sign_up(&operator(), &SignUp { name: "Buy now".into(), ..request("MINA@example.com") }).await.unwrap();
    assert_eq!((again.status, again.verification_id), (SignUpStatus::Resent, Some(id)));
    assert_eq!(desk.store().show(id).await.unwrap().unwrap().user.name.raw(), "Mina");
    desk.force_verify(&operator(), id, "they called").await.unwrap();
    let again = desk.sign_up(&operator(), &request("mina@example.com")).await.unwrap();
    assert_eq!((again.status, again.verification_id, again.send_id), (SignUpStatus::AlreadyVerified, Some(id), None));
}

#[tokio::test]
async fn concurrent_sign_ups_of_one_address_make_one_user() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let desk = desk.clone();
        let email = if n % 2 == 0 { "mina@example.com" } else { "Mina@Example.com" };
        tasks.spawn(async move { desk.sign_up(&operator(), &request(email)).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|r| r.as_ref().is_ok_and(|d| d.status == SignUpStatus::Created)).count(), 1);
    assert_eq!(results.iter().filter(|r| matches!(r, Err(Error::Refused(Refusal::CoolDown { .. })))).count(), 19);
    assert_eq!(desk.store().counts().await.unwrap().of(None), 1);
}

#[tokio::test]
async fn a_pending_one_is_mailed_the_same_link_again() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    let key = mail(&db.pool, id).await;
    age(&db.pool, Duration::days(2)).await;
    assert_eq!(desk.plan_resend(id).await.unwrap(), ResentHow::SameLink);
    let resent = desk.resend(&operator(), id, Priority::Person).await.unwrap();
    assert_eq!((resent.how, resent.verification_id), (ResentHow::SameLink, id));
    let left = desk.store().show(id).await.unwrap().unwrap().verification.expires_at - chrono::Utc::now();
    assert!(left > Duration::hours(71), "its life starts again");
    let outcome = desk.open_link(&key).await.unwrap();
    assert_eq!(outcome, LinkOutcome::Verified { locale: Locale::En, now: true });
}

#[tokio::test]
async fn an_expired_one_is_superseded() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let old = sign_up(&desk, "mina@example.com").await;
    let old_key = mail(&db.pool, old).await;
    age(&db.pool, Duration::days(4)).await;
    assert_eq!(status(&desk, old).await, Status::Expired);
    assert_eq!(desk.open_link(&old_key).await.unwrap(), LinkOutcome::Expired { locale: Locale::En });
    assert_eq!(desk.plan_resend(old).await.unwrap(), ResentHow::NewKey);
    let resent = desk.resend(&operator(), old, Priority::Person).await.unwrap();
    assert_eq!(resent.how, ResentHow::NewKey);
    assert_ne!(resent.verification_id, old);
    assert_eq!(
        (status(&desk, old).await, status(&desk, resent.verification_id).await),
        (Status::Revoked, Status::Pending)
    );
    assert_eq!(desk.open_link(&old_key).await.unwrap(), LinkOutcome::Revoked { locale: Locale::En });
    let new_key = mail(&db.pool, resent.verification_id).await;
    desk.open_link(&new_key).await.unwrap();
    // The older mail's link of a user who is verified in the meantime leads to the same page.
    assert_eq!(desk.open_link(&old_key).await.unwrap(), LinkOutcome::Verified { locale: Locale::En, now: false });
    assert!(matches!(
        desk.resend(&operator(), old, Priority::Person).await,
        Err(Error::Refused(Refusal::AlreadyVerified))
    ));
    assert_eq!(desk.store().counts().await.unwrap(), Counts { verified: 1, revoked: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_waiting_mail_is_brought_forward_not_doubled() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    sqlx::query("update sends set priority = 10, due_at = now() + interval '20 minutes'")
        .execute(&db.pool)
        .await
        .unwrap();
    age(&db.pool, Duration::minutes(2)).await;
    let resent = desk.resend(&operator(), id, Priority::Person).await.unwrap();
    assert_eq!(resent.how, ResentHow::BroughtForward);
    let (count, priority, due): (i64, i16, bool) =
        sqlx::query_as("select count(*), min(priority), bool_and(due_at <= now()) from sends")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!((count, priority, due), (1, 0, true));
    let again = desk.resend(&operator(), id, Priority::Person).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
}

#[tokio::test]
async fn a_cancelled_mail_does_not_hold_the_next_one_back() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    sqlx::query("update sends set state = 'cancelled', reason = 'cancelled'").execute(&db.pool).await.unwrap();
    assert_eq!(desk.resend(&operator(), id, Priority::Person).await.unwrap().how, ResentHow::SameLink);
}

#[tokio::test]
async fn presses_before_a_server_that_refuses_are_held_back_as_all_others() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    let fail = "update sends set state = 'failed', reason = '550 5.1.1 no such user' where state = 'queued'";
    for _ in 0..12 {
        sqlx::query(fail).execute(&db.pool).await.unwrap();
        let again = desk.resend(&operator(), id, Priority::Person).await;
        assert!(matches!(again, Err(Error::Refused(Refusal::CoolDown { .. }))), "{again:?}");
    }
    // One a minute is no cool-down's matter, but the day's.
    let mut queued = 1;
    for _ in 0..12 {
        age(&db.pool, Duration::seconds(61)).await;
        match desk.resend(&operator(), id, Priority::Person).await {
            Ok(_) => queued += 1,
            Err(Error::Refused(Refusal::DailyCap { .. })) => {}
            other => panic!("{other:?}"),
        }
        sqlx::query(fail).execute(&db.pool).await.unwrap();
    }
    assert_eq!(queued, 5);
}

#[tokio::test]
async fn a_force_verify_needs_a_reason_and_is_audited() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    for reason in ["", "  ", "\0\0\0"] {
        let refused = desk.force_verify(&operator(), id, reason).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::ReasonMissing { .. }))), "{reason:?}");
    }
    assert!(matches!(desk.force_verify(&operator(), id, &"x".repeat(501)).await, Err(Error::Invalid(_))));
    desk.force_verify(&operator(), id, "they called").await.unwrap();
    assert!(matches!(desk.force_verify(&operator(), id, "again").await, Err(Error::Refused(Refusal::AlreadyVerified))));
    let detail = desk.store().show(id).await.unwrap().unwrap();
    assert_eq!(detail.verification.status(chrono::Utc::now()), Status::Verified);
    assert_eq!(detail.user.verified_at, detail.verification.verified_at);
    assert_eq!(detail.audit[1].reason.as_ref().unwrap().raw(), "they called");
    assert_eq!(detail.sends[0].state.as_str(), "cancelled");
    let expected = [("sign_up", "created"), ("force_verify", "verified"), ("force_verify", "already_verified")];
    assert_eq!(outcomes(&desk, id).await, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert!(matches!(desk.force_verify(&operator(), VerificationId(999), "why not").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_force_verify_of_an_expired_one_works() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    mail(&db.pool, id).await;
    age(&db.pool, Duration::days(4)).await;
    assert_eq!(desk.force_verify(&operator(), id, "they called").await.unwrap().verification_id, id);
    assert_eq!(status(&desk, id).await, Status::Verified);
}

#[tokio::test]
async fn a_forced_verify_racing_a_click_is_decided_once_and_reported_twice() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    for round in 0..30 {
        let id = sign_up(&desk, &format!("mina{round}@example.com")).await;
        let key = mail(&db.pool, id).await;
        let operator = operator();
        let (click, force) = tokio::join!(desk.open_link(&key), desk.force_verify(&operator, id, "they called"));
        assert!(matches!(click.unwrap(), LinkOutcome::Verified { .. }));
        let mut said: Vec<(String, String)> = outcomes(&desk, id).await.into_iter().skip(1).collect();
        said.sort();
        let expected = match force {
            Ok(_) => [("force_verify", "verified"), ("open_link", "already_verified")],
            Err(Error::Refused(Refusal::AlreadyVerified)) => {
                [("force_verify", "already_verified"), ("open_link", "verified")]
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(said, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let detail = desk.store().show(id).await.unwrap().unwrap();
        assert_eq!(detail.user.verified_at, detail.verification.verified_at);
    }
}

#[tokio::test]
async fn two_keys_of_one_user_clicked_at_once_do_not_deadlock() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    for round in 0..20 {
        let old = sign_up(&desk, &format!("mina{round}@example.com")).await;
        let old_key = mail(&db.pool, old).await;
        age(&db.pool, Duration::days(4)).await;
        let new = desk.resend(&operator(), old, Priority::Person).await.unwrap().verification_id;
        let new_key = mail(&db.pool, new).await;
        let (a, b) = tokio::join!(desk.open_link(&old_key), desk.open_link(&new_key));
        assert!(matches!(b.unwrap(), LinkOutcome::Verified { now: true, .. }));
        assert!(matches!(a.unwrap(), LinkOutcome::Verified { .. } | LinkOutcome::Revoked { .. }));
    }
}

#[tokio::test]
async fn unknown_keys_lead_nowhere() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    let key = Key::derive(b"another secret", id, &Nonce([0; 16]));
    assert_eq!(desk.open_link(&key).await.unwrap(), LinkOutcome::Unknown);
    assert_eq!(desk.look_at_link(&key).await.unwrap(), LinkOutcome::Unknown);
    assert!(desk.ask_for_new_mail(&Actor::new("link", Origin::Web), &key).await.unwrap().is_none());
}

#[tokio::test]
async fn looking_changes_nothing() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let id = sign_up(&desk, "mina@example.com").await;
    let key = mail(&db.pool, id).await;
    let before = desk.store().show(id).await.unwrap();
    assert_eq!(desk.look_at_link(&key).await.unwrap(), LinkOutcome::Pending { locale: Locale::En });
    assert_eq!(desk.store().show(id).await.unwrap(), before);
}

#[tokio::test]
async fn pages_go_through_every_row_once_in_both_directions() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    // Many at the same moment: the order must not depend on the time alone.
    sqlx::query(
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
    .execute(&db.pool)
    .await
    .unwrap();
    let store = desk.store();
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
        let place = Cursor::of(&forward[5], status, page.as_of);
        assert_eq!(store.newer(&filter, place).await.unwrap(), 5);
    }
}

#[tokio::test]
async fn finds_by_part_of_address_name_and_number() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let korean = SignUp { email: "haneul.kim@example.co.kr".into(), name: "김하늘".into(), locale: Locale::Ko };
    let id = desk.sign_up(&operator(), &korean).await.unwrap().verification_id.unwrap();
    sign_up(&desk, "mina_x@example.com").await;
    let number = id.to_string();
    let table = [
        ("haneul", 1),
        ("NEUL.KIM", 1),
        ("김하늘", 1),
        ("김", 1),
        ("하늘", 0),
        ("ha", 1),
        ("example", 2),
        ("a_x@", 1),
        ("%", 0),
        ("@...", 0),
        (number.as_str(), 1),
        ("nobody", 0),
    ];
    for (text, found) in table {
        let filter = Filter { search: Search::parse(text), ..Filter::default() };
        assert_eq!(desk.store().list(&filter, Position::Newest, 50).await.unwrap().rows.len(), found, "{text}");
    }
}

#[tokio::test]
async fn a_search_that_finds_thousands_goes_through_every_row_once() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    // More than are named one by one; of every eighth the address does not fit, but the name.
    sqlx::query(
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
    .execute(&db.pool)
    .await
    .unwrap();
    for n in 0..3 {
        sign_up(&desk, &format!("other{n}@example.com")).await;
    }
    let store = desk.store();
    for (text, status, all) in [
        ("many", None, 6_000),
        ("ma", Some(Status::Pending), 6_000),
        ("many1", None, 973),
        ("many", Some(Status::Verified), 0),
    ] {
        let filter = Filter { status, search: Search::parse(text), ..Filter::default() };
        let (mut seen, mut position) = (std::collections::HashSet::new(), Position::Newest);
        loop {
            let page = store.list(&filter, position, 700).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.verification.id));
            let Some(last) = page.rows.last().filter(|_| page.older) else { break };
            let place = Cursor::of(&last.verification, status, page.as_of);
            position = Position::After(place);
            assert_eq!(store.newer(&filter, place).await.unwrap(), 100, "{text}");
        }
        assert_eq!(seen.len(), all, "{text}");
    }
    for (text, all) in [("many", 5_250), ("example.com", 6_003), ("other", 3), ("ot", 3), ("...", 0)] {
        let filter = SendFilter { state: None, search: Search::parse(text) };
        assert_eq!(store.sends(&filter, Position::Newest, 10_000).await.unwrap().rows.len(), all, "{text}");
    }
}

#[tokio::test]
async fn finds_a_mail_by_its_id_with_capitals() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    sign_up(&desk, "mina@example.com").await;
    sqlx::query("update sends set state = 'accepted', ses_id = '4VqK2w6Dz1z9rxX'").execute(&db.pool).await.unwrap();
    for (text, found) in [("4VqK2w6Dz1z9rxX", 1), (" 4VqK2w6Dz1z9rxX ", 1), ("4vqk2w6dz1z9rxx", 0)] {
        let filter = SendFilter { state: None, search: Search::parse(text) };
        assert_eq!(desk.store().sends(&filter, Position::Newest, 10).await.unwrap().rows.len(), found, "{text}");
    }
}

#[tokio::test]
async fn a_statement_that_no_one_waits_for_any_more_ends() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let limit: String = sqlx::query_scalar("show statement_timeout").fetch_one(desk.store().pool()).await.unwrap();
    assert_eq!(limit, "15s");
    let slow = sqlx::raw_sql("set statement_timeout = 1; select pg_sleep(60)").execute(desk.store().pool()).await;
    let error = verifydesk::store::Error::from(slow.unwrap_err());
    assert!(matches!(error, verifydesk::store::Error::TooSlow(_)), "{error}");
}

#[tokio::test]
async fn roll_ups_keep_the_counts() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    for n in 0..5 {
        sign_up(&desk, &format!("u{n}@example.com")).await;
    }
    // More than are taken at a time.
    sqlx::query(
        "insert into verification_count_deltas (open, verified, revoked) select 1, 2, 3 from generate_series(1, 25000)",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let before = desk.store().counts().await.unwrap();
    let (a, b) = tokio::join!(desk.store().roll_up_counts(), desk.store().roll_up_counts());
    a.and(b).unwrap();
    assert_eq!(desk.store().counts().await.unwrap(), before);
    let deltas: i64 =
        sqlx::query_scalar("select count(*) from verification_count_deltas").fetch_one(&db.pool).await.unwrap();
    assert_eq!(deltas, 0);
}

#[tokio::test]
async fn others_hear_of_an_act() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let mut changes = desk.store().listen().await.unwrap();
    let id = sign_up(&desk, "mina@example.com").await;
    let heard = tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
    assert_eq!(heard, Change::Verification(id));
}

/// Its row shows that its user is verified now.
#[tokio::test]
async fn a_force_verify_by_a_revoked_verification_is_notified_for_that_one_too() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let mut changes = desk.store().listen().await.unwrap();
    let mut next =
        async || tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap();
    let revoked = sign_up(&desk, "mina@example.com").await;
    // The sign-up is notified for the same id: what comes after it is of the force-verify.
    while next().await != Change::Verification(revoked) {}
    sqlx::query("update verifications set revoked_at = now() where id = $1")
        .bind(revoked.0)
        .execute(&db.pool)
        .await
        .unwrap();
    let done = desk.force_verify(&operator(), revoked, "the user called").await.unwrap();
    assert_ne!(done.verification_id, revoked);
    let mut heard = Vec::new();
    let both = [done.verification_id, revoked].map(Change::Verification);
    while !both.iter().all(|change| heard.contains(change)) {
        heard.push(next().await);
    }
}

#[tokio::test]
async fn a_flood_of_changes_is_reported_as_one() {
    let db = TestDb::new().await;
    let desk = self::desk(&db);
    // Of another process: a pool that is closed waits for what is subscribed on it.
    let other = self::desk(&db);
    let mut changes = other.store().listen().await.unwrap();
    for n in 1..=1_000 {
        desk.store().notify(Change::Verification(VerificationId(n))).await;
        desk.store().notify(Change::Queued).await;
    }
    desk.store().flush().await;
    desk.store().notify(Change::Workers).await;
    desk.store().close().await;
    let mut heard = Vec::new();
    while heard.last() != Some(&Change::Workers) {
        heard.push(tokio::time::timeout(std::time::Duration::from_secs(10), changes.next()).await.unwrap().unwrap());
    }
    assert!(heard.contains(&Change::Many) && heard.contains(&Change::Queued), "{heard:?}");
    assert!(heard.len() < 100, "{heard:?}");
}

#[tokio::test]
async fn an_act_that_began_before_a_row_was_made_may_still_change_it() {
    let db = TestDb::new().await;
    let desk = desk(&db);
    let (mut approving, mut revoking) = (desk.store().begin().await.unwrap(), desk.store().begin().await.unwrap());
    for tx in [&mut approving, &mut revoking] {
        // From here on this transaction's now() stands still.
        sqlx::query("select now()").execute(&mut **tx).await.unwrap();
    }
    let (first, second) = (sign_up(&desk, "mina@example.com").await, sign_up(&desk, "jun@example.com").await);
    sqlx::query("select force_verify($1, 'mina@desk', 'cli', 'a test', 60)")
        .bind(first.0)
        .execute(&mut *approving)
        .await
        .unwrap();
    approving.commit().await.unwrap();
    let jun = verifications::user_of(&mut revoking, second).await.unwrap().unwrap();
    verifications::supersede(&mut revoking, &operator(), jun, second, "a test").await.unwrap();
    revoking.commit().await.unwrap();
    assert_eq!((status(&desk, first).await, status(&desk, second).await), (Status::Verified, Status::Revoked));
}
