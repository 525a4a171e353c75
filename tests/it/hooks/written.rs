//! What is written, by which act.

use chrono::{DateTime, Duration};
use serde_json::{Value, json};
use verifydesk::domain::audit::Action;
use verifydesk::domain::undo::Which;
use verifydesk::ses::event::Event;
use verifydesk::store::events::Source;

use super::{have_endpoint, in_short, messages};
use crate::desk::age;
use crate::support::pg_dump;
use crate::support::world::{World, operator};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_where_no_one_is_told() {
    let world = World::new().await;
    let id = world.sign_up("mina@example.com").await;
    let key = world.mail(id).await;
    world.open(&key).await;
    assert_eq!(in_short(&world).await, [""; 0]);
    // One that was switched off by its receiver, and one that no settings name any more.
    have_endpoint(&world, "gone").await;
    have_endpoint(&world, "old").await;
    world
        .execute(
            "update webhook_endpoints set disabled_at = now() where name = 'gone';
            update webhook_endpoints set seen_at = now() - interval '31 days' where name = 'old'",
        )
        .await;
    world.desk.unverify(&operator(), id, "the neighbour opened it").await.unwrap();
    assert_eq!(in_short(&world).await, [""; 0]);
    have_endpoint(&world, "site").await;
    let which = Which::Of { action: Action::Unverify, verification: Some(id) };
    world.desk.undo(&operator(), which, None).await.unwrap();
    assert_eq!(in_short(&world).await, ["user.verified operator"]);
    let told = "select count(*) from webhook_deliveries where endpoint = 'site' and state = 'waiting'";
    assert_eq!(world.number(told).await, 1);
    assert_eq!(world.number("select count(*) from webhook_deliveries").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_is_told_once_with_who_and_when_and_never_a_key() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    have_endpoint(&world, "crm").await;
    let id = world.sign_up("Mina@example.com").await;
    let key = world.mail(id).await;
    for _ in 0..2 {
        world.open(&key).await;
    }
    let detail = world.detail(id).await;
    let told = messages(&world).await;
    let at = detail.user.verified_at.unwrap();
    let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().to_utc();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((time(&told[0]["timestamp"]), time(&told[0]["data"]["verified_at"])), (at, at));
    let mut rest = told[0].clone();
    for moment in [rest["timestamp"].take(), rest["data"]["verified_at"].take()] {
        assert!(moment.as_str().unwrap().ends_with('Z'));
    }
    let expected = json!({
        "type": "user.verified",
        "timestamp": null,
        "data": {
            "user_id": detail.user.id.0,
            "email": "Mina@example.com",
            "verification_id": id.0,
            "verified_at": null,
            "cause": "link",
        },
    });
    assert_eq!(rest, expected);
    assert_eq!(world.number("select count(*) from webhook_deliveries where state = 'waiting'").await, 2);
    let body: String = sqlx::query_scalar("select body from webhook_messages").fetch_one(world.pool()).await.unwrap();
    assert!(!body.contains(&key.expose()) && !body.contains(' '), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_tells_what_has_changed_by_it_and_no_other_does() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    let id = world.sign_up("mina@example.com").await;
    let undo = async |action: Action| {
        let which = Which::Of { action, verification: Some(id) };
        world.desk.undo(&operator(), which, None).await.unwrap();
    };
    world.desk.extend(&operator(), id, "they are on holiday").await.unwrap();
    world.desk.revoke(&operator(), id, "a mistake of theirs").await.unwrap();
    undo(Action::Revoke).await;
    assert_eq!(in_short(&world).await, [""; 0], "who is verified has not changed");

    world.desk.force_verify(&operator(), id, "the user called").await.unwrap();
    undo(Action::ForceVerify).await;
    world.desk.force_verify(&operator(), id, "the user called").await.unwrap();
    world.desk.force_verify(&operator(), id, "the user called").await.unwrap_err();
    world.desk.unverify(&operator(), id, "it was another").await.unwrap();
    undo(Action::Unverify).await;
    age(&world, Duration::hours(1)).await;
    world.desk.change_address(&operator(), id, "mina.kim@example.com", "a typo").await.unwrap();
    undo(Action::ChangeAddress).await;
    world.execute("update users set verified_at = null").await;
    let [on, off] = ["user.verified operator", "user.unverified operator"];
    let told = in_short(&world).await;
    assert_eq!(told, [on, off, on, off, on, off, on, "user.unverified other"]);
    let addresses: Vec<Value> = messages(&world).await.iter().map(|told| told["data"]["email"].clone()).collect();
    let [old, new] = ["mina@example.com", "mina.kim@example.com"];
    assert_eq!(addresses, [old, old, old, old, old, new, old, old]);
    assert!(messages(&world).await[1]["data"].get("verified_at").is_none());
}

/// A transaction that does not commit has told nothing, and one that deletes whom it has changed is no error.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_to_be_is_not_told() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    world.sign_up("mina@example.com").await;
    world.execute("begin; update users set verified_at = now(); rollback").await;
    world.execute("begin; update users set verified_at = now(); delete from users; commit").await;
    assert_eq!(in_short(&world).await, [""; 0]);
}

/// What a transaction leaves is told, not what it was in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_tells_of_a_user_once() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    world.sign_up("mina@example.com").await;
    world
        .execute(
            "begin;
            update users set verified_at = now();
            update users set verified_at = null;
            update users set verified_at = now() + interval '1 second';
            commit",
        )
        .await;
    assert_eq!(in_short(&world).await, ["user.verified other"]);
}

/// Also where statements were planned while there was no message yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_costs_does_not_grow_with_their_number() {
    const USERS: i64 = 2_000;
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    world
        .execute(&format!(
            "insert into users (email, locale)
            select 'user' || n || '@example.com', 'en' from generate_series(1, {USERS}) n"
        ))
        .await;
    for table in ["users", "webhook_messages", "webhook_deliveries"] {
        world.execute(&format!("vacuum analyze {table}")).await;
    }
    let mut tx = world.pool().begin().await.unwrap();
    // What the connection has read within the last second may still be among it.
    let so_far = "select sum(seq_tup_read)::bigint from pg_stat_xact_user_tables where relname like 'webhook\\_%s'";
    let before: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
    for statement in ["update users set verified_at = now()", "set constraints all immediate"] {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    let after: i64 = sqlx::query_scalar(so_far).fetch_one(&mut *tx).await.unwrap();
    let read = after - before;
    tx.commit().await.unwrap();
    assert_eq!(world.number("select count(*) from webhook_deliveries").await, USERS);
    // The endpoints, for each of them twice.
    assert!(read <= 2 * USERS, "{read} rows were read one after another");
}

fn report(kind: &str, seconds: u32, feedback: &str) -> Event {
    let at = format!("2026-11-20T10:00:{seconds:02}.000Z");
    let mut event = json!({
        "eventType": kind.split('/').next().unwrap(),
        "mail": { "timestamp": at, "messageId": "m-1", "destination": ["mina@example.com"], "tags": {} },
    });
    match kind {
        "Delivery" => event["delivery"] = json!({ "timestamp": at, "smtpResponse": "250 Ok" }),
        "Complaint" => event["complaint"] = json!({ "timestamp": at, "feedbackId": feedback }),
        bounce => {
            let mut parts = bounce.split('/').skip(1);
            event["bounce"] = json!({
                "bounceType": parts.next().unwrap(), "bounceSubType": parts.next().unwrap(), "timestamp": at,
                "feedbackId": feedback, "bouncedRecipients": [{ "emailAddress": "MINA@example.com" }],
            });
        }
    }
    Event::read(event.to_string().as_bytes(), None).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ses_reports_of_an_address_is_told_each_time_that_it_holds() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    world.sign_up("Mina@example.com").await;
    world.sign_up("jun@example.com").await;
    world.execute("update sends set ses_id = 'm-1', state = 'accepted' where recipient ilike 'mina%'").await;
    let take = async |kind: &str, seconds: u32, feedback: &str| {
        let taken = world.desk.take_events(&[report(kind, seconds, feedback)], Source::Import).await.unwrap();
        assert_eq!((taken.stored, taken.orphans), (1, 0), "{kind}");
    };
    take("Bounce/Transient/MailboxFull", 1, "a").await;
    take("Delivery", 5, "").await;
    // It has taken a mail since.
    take("Bounce/Permanent/General", 2, "b").await;
    assert_eq!(in_short(&world).await, [""; 0]);
    take("Bounce/Permanent/General", 10, "c").await;
    take("Bounce/Permanent/OnAccountSuppressionList", 11, "d").await;
    take("Complaint", 12, "e").await;
    take("Bounce/Permanent/General", 13, "f").await;
    let told = in_short(&world).await;
    let expected =
        ["address.bounced mail", "address.suppressed mail", "address.complained mail", "address.bounced mail"];
    assert_eq!(told, expected);
    let first = messages(&world).await.remove(0);
    let expected = json!({
        "type": "address.bounced",
        "timestamp": "2026-11-20T10:00:10.000000Z",
        "data": {
            "user_id": 1,
            "email": "Mina@example.com",
            "occurred_at": "2026-11-20T10:00:10.000000Z",
            "cause": "mail",
        },
    });
    assert_eq!(first, expected);
    // By the list itself.
    world.store().note_suppression("jun@example.com", Some(("BOUNCE", None, None))).await.unwrap();
    world.store().note_suppression("someone@example.com", Some(("BOUNCE", None, None))).await.unwrap();
    assert_eq!(in_short(&world).await[4..], ["address.suppressed list"]);
    let bodies = world.number("select count(*) from webhook_messages where body like '%jun@%' and user_id = 2").await;
    assert_eq!(bodies, 1);
}

/// An erasure holds the user's row and then wants what is known of the address; a report has that, and must not wait for the
/// user's row behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_does_not_wait_for_the_erasure_of_its_user() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    world.sign_up("mina@example.com").await;
    let mut erasing = world.pool().begin().await.unwrap();
    sqlx::query("select from users where id = 1 for update").execute(&mut *erasing).await.unwrap();
    world
        .execute(
            "begin;
            set local lock_timeout = '3s';
            insert into address_states (address, hard_at) values ('mina@example.com', now());
            commit",
        )
        .await;
    assert_eq!(in_short(&world).await, [""; 0]);
    sqlx::query("delete from users where id = 1").execute(&mut *erasing).await.unwrap();
    erasing.commit().await.unwrap();
    assert_eq!(world.number("select count(*) from address_states").await, 0);
    // Acts hold it in another way: then the report is told.
    world.sign_up("jun@example.com").await;
    let mut acting = world.pool().begin().await.unwrap();
    sqlx::query("select from users where id = 2 for no key update").execute(&mut *acting).await.unwrap();
    world.execute("insert into address_states (address, hard_at) values ('jun@example.com', now())").await;
    acting.rollback().await.unwrap();
    assert_eq!(in_short(&world).await, ["address.bounced mail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_named_by_no_message() {
    let world = World::new().await;
    have_endpoint(&world, "site").await;
    let [id, other] = [world.sign_up("mina@example.com").await, world.sign_up("jun@example.com").await];
    for id in [id, other] {
        world.desk.force_verify(&operator(), id, "the user called").await.unwrap();
    }
    assert!(pg_dump(&world.db.url).contains("mina@example.com"));
    world.execute("delete from users where email = 'mina@example.com'").await;
    assert!(!pg_dump(&world.db.url).contains("mina@example.com"));
    assert_eq!(world.number("select count(*) from webhook_messages").await, 1);
    assert_eq!(world.number("select count(*) from webhook_deliveries").await, 1);
}
