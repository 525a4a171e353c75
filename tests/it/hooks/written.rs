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
