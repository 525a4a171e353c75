//! What a list says of the last mail, as SES's events come in.

use verifydesk::domain::filter::Filter;
use verifydesk::domain::page::Position;

use super::{World, accepted};

impl World {
    async fn in_short(&self) -> &'static str {
        let page = self.desk.store().list(&Filter::default(), Position::Newest, 10).await.unwrap();
        page.rows[0].last_send.as_ref().unwrap().in_short
    }
}

#[tokio::test]
async fn a_list_says_what_became_of_the_last_mail() {
    let world = World::new().await;
    assert_eq!(world.in_short().await, "queued");
    let attempt = world.begin().await;
    assert_eq!(world.in_short().await, "sending");
    world.record(attempt, accepted("m-1")).await;
    assert_eq!(world.in_short().await, "accepted");
    let events = [
        ("DeliveryDelay", "MailboxFull", "mailbox full"),
        ("Delivery", "", "delivered"),
        ("Bounce", "Permanent/NoEmail", "no such mailbox"),
        ("Complaint", "", "called spam"),
    ];
    for (kind, sub_kind, words) in events {
        world.take(&[world.event(kind, sub_kind, "m-1")]).await;
        assert_eq!(world.in_short().await, words, "{kind} {sub_kind}");
    }
    // One that was not sent says nothing, as long as there is another.
    let cancelled = "
        insert into sends (id, verification_id, user_id, recipient, locale, state, reason)
        select
            'ffffffff-ffff-7fff-bfff-ffffffffffff', verification_id, user_id, recipient, locale, 'cancelled', 'asked for'
        from sends";
    world.execute(cancelled).await;
    assert_eq!(world.in_short().await, "called spam");
    world.execute("insert into suppressions (address, reason) values ('mina@example.com', 'BOUNCE')").await;
    assert_eq!(world.in_short().await, "suppressed");
    world.execute("update verifications set opened_at = now(), verified_at = now()").await;
    assert_eq!(world.in_short().await, "called spam", "they are verified nevertheless");
}

#[tokio::test]
async fn an_opened_link_is_said_until_it_verifies() {
    let world = World::new().await;
    world.execute("update verifications set opened_at = now()").await;
    assert_eq!(world.in_short().await, "queued", "what is on its way is news");
    let attempt = world.begin().await;
    world.record(attempt, accepted("m-1")).await;
    assert_eq!(world.in_short().await, "opened");
}
