//! Openings that were probably a mail scanner's: marked where they are shown, and decided by nothing.

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;
use verifydesk::domain::Time;
use verifydesk::domain::verification::Status;
use verifydesk::ses::event::Event;
use verifydesk::store::events::Source;

use crate::support::Program;
use crate::support::world::World;

fn delivery(ses_id: &str, at: Time) -> Event {
    let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let event = json!({
        "eventType": "Delivery",
        "mail": { "timestamp": at, "messageId": ses_id, "destination": ["mina@example.com"] },
        "delivery": { "timestamp": at, "recipients": ["mina@example.com"] },
    });
    Event::read(event.to_string().as_bytes(), None).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_link_as_it_arrives_is_probably_a_scanner() {
    // When the server took the mail, counted from the opening, in milliseconds; and a mail that was asked for later.
    let table = [
        (Some(-60_000), false, false),
        (Some(-5_500), false, false),
        (Some(-4_500), false, true),
        (Some(0), false, true),
        // While the server looked at it, before it took it.
        (Some(30_000), false, true),
        // Nothing is known of the first one.
        (None, true, false),
        // The first one could be opened long before.
        (Some(-60_000), true, false),
    ];
    for (after, has_later, is_marked) in table {
        let world = World::new().await;
        let id = world.sign_up("mina@example.com").await;
        world.drain().await;
        let key = world.keys().remove(0);
        world.execute("update sends set queued_at = queued_at - interval '1 hour'").await;
        world.open(&key).await;
        let opened_at = world.detail(id).await.verification.opened_at.unwrap();
        let ses_id = world.one_send().await.ses_id.unwrap().raw().to_owned();
        let mut events: Vec<Event> =
            after.iter().map(|millis| delivery(&ses_id, opened_at + TimeDelta::milliseconds(*millis))).collect();
        if has_later {
            world
                .execute(
                    "insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at, ses_id)
                    select gen_random_uuid(), verification_id, user_id, recipient, locale, 'accepted',
                        now() + interval '10 seconds', 'm-2'
                    from sends",
                )
                .await;
            events.push(delivery("m-2", opened_at + TimeDelta::seconds(12)));
        }
        world.desk.take_events(&events, Source::Import).await.unwrap();

        let detail = world.detail(id).await;
        assert_eq!(detail.is_probably_scanned(), is_marked, "{after:?}, later: {has_later}");
        assert_eq!(world.status(id).await, Status::Verified, "nothing is decided by it");
        let program = Program::new(&world.db.url);
        let shown = program.run(&["show", &id.to_string()]);
        assert_eq!(shown.out.contains("probably a mail scanner"), is_marked, "{}", shown.out);
        let json = program.run(&["show", &id.to_string(), "--json"]).json().remove(0);
        assert_eq!(json["probably_scanned"], is_marked);
    }
}
