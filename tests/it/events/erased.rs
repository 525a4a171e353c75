//! What is left of a user who was deleted.

use serde_json::json;
use verifydesk::ses::event::Event;
use verifydesk::store::events::Source;

use crate::support::pg_dump;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_names_no_user_who_was_deleted() {
    let world = World::new().await;
    world.sign_up("Mina@Example.com").await;
    world.drain().await;
    let (send, key) = (world.one_send().await, world.keys().remove(0).expose());
    let link = format!("https://example.org/verify/?key={key}");
    let event = |ses_id: &str, with_tag: bool, said: &str| {
        let tags = if with_tag { json!({ "send": [send.id.to_string()], "attempt": ["1"] }) } else { json!({}) };
        let event = json!({
            "eventType": "Bounce",
            "mail": {
                "timestamp": "2026-11-20T10:00:00Z", "messageId": ses_id, "destination": ["Mina@Example.com"],
                "tags": tags, "headers": [{ "name": "X-Link", "value": link }],
            },
            "bounce": {
                "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-20T10:00:01Z",
                "feedbackId": format!("feedback of {ses_id}"),
                "bouncedRecipients": [{ "emailAddress": "MINA@example.com", "diagnosticCode": said }],
            },
        });
        Event::read(event.to_string().as_bytes(), None).unwrap()
    };
    let said = format!("smtp; 550 5.7.1 <mina@example.com>: {link}, or {key}");
    let events = [event("of-the-send", true, &said), event("of-no-send", false, &said)];
    assert_eq!(world.desk.take_events(&events, Source::Import).await.unwrap().orphans, 1);
    let before = pg_dump(&world.db.url);
    assert!(!before.contains(&key));
    let is_named = |dump: &str, what: &str| dump.to_lowercase().contains(what);
    for what in ["mina@example.com", "of-no-send", "550 5.7.1"] {
        assert!(is_named(&before, what), "{what} is there before");
    }

    world.execute("delete from users").await;
    let after = pg_dump(&world.db.url);
    for what in ["mina@example", "550 5.7.1", &key] {
        assert!(!is_named(&after, &what.to_lowercase()), "{what} is left");
    }
    // Of the orphan nothing but the digest by which it would be known again.
    let times = |what: &str| after.matches(what).count();
    assert_eq!(times("of-no-send"), times("feedback feedback of of-no-send"));
    assert_eq!(world.number("select count(*) from ses_events").await, 0);
    // SES's id of the mail stays with the mail: it is how a late event is known to be about no one any more.
    assert_eq!(
        world
            .desk
            .take_events(&[event("of-the-send", false, "550 mina@example.com again")], Source::Import)
            .await
            .unwrap()
            .stored,
        0
    );
    let late = json!({
        "eventType": "Complaint",
        "mail": { "timestamp": "2026-11-20T10:00:00Z", "messageId": "of-the-send", "destination": ["mina@example.com"] },
        "complaint": { "complainedRecipients": [{ "emailAddress": "mina@example.com" }], "userAgent": "of mina@example.com" },
    });
    let late = Event::read(late.to_string().as_bytes(), None).unwrap();
    assert_eq!(world.desk.take_events(&[late], Source::Import).await.unwrap().stored, 1);
    assert!(!is_named(&pg_dump(&world.db.url), "mina@example"));
}
