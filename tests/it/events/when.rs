//! When it happened, as SES says: the same in both lists, in full and in the verdict.

use verifydesk::domain::Time;
use verifydesk::domain::filter::Filter;
use verifydesk::domain::page::Position;
use verifydesk::domain::verdict::Facts;

use super::{World, accepted};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_late_has_one_time_everywhere() {
    let happened: Time = "2026-11-20T10:00:02Z".parse().unwrap();
    for (kind, sub_kind) in [
        ("Delivery", ""),
        ("Bounce", "Permanent/General"),
        ("DeliveryDelay", "MailboxFull"),
        ("Complaint", ""),
        ("Reject", ""),
    ] {
        let world = World::new().await;
        let attempt = world.begin().await;
        world.record(attempt, accepted("m-1")).await;
        world.take(&[world.event("Send", "", "m-1"), world.event(kind, sub_kind, "m-1")]).await;
        let store = world.desk.store();
        let listed = store.list(&Filter::default(), Position::Newest, 2).await.unwrap().rows.remove(0);
        assert_eq!(listed.last_send.unwrap().happened_at, happened, "{kind}");
        let mail = store.sends(&Filter::default(), Position::Newest, 2).await.unwrap().rows.remove(0);
        assert_eq!((mail.happened_at(), mail.changed_at > happened), (happened, true), "{kind}");
        let detail = store.show(world.verification).await.unwrap().unwrap();
        assert_eq!(detail.sends[0].happened_at(), happened, "{kind}");
        let facts = Facts { detail: &detail, held_by: None, now: chrono::Utc::now() };
        let verdict = facts.verdict(|at| at.to_rfc3339());
        // Of what is on its way it says since when.
        assert!(kind == "DeliveryDelay" || verdict.what.contains(&happened.to_rfc3339()), "{kind}: {verdict:?}");
    }
}
