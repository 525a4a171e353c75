//! A message to the site was given up.

use std::time::Duration;

use verifydesk::store::hooks::NotTaken;

use super::*;

/// A test message to the endpoint fails for the last time.
async fn give_up(told: &Told) {
    let store = told.site.store();
    told.site.execute("select queue_webhook_test('site', 'mina', 'cli')").await;
    let claimed = store.claim_webhooks("site", 1, Duration::from_mins(1)).await.unwrap().remove(0);
    let error = "it answered 503 Service Unavailable".to_owned();
    let why = NotTaken { status: Some(503), error, said: "mina\u{1b}".into(), wait: Duration::from_mins(1) };
    assert!(store.webhook_not_taken("site", &claimed, &why, Duration::ZERO).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_site_lost_is_told_until_it_is_asked_for_again_or_is_a_day_old() {
    let told = Told::by(KEEP).await;
    let watches = [told.watch(), told.watch()];
    told.site.execute("insert into webhook_endpoints (name, place) values ('site', 'https://example.org')").await;
    assert_eq!(told.both(&watches).await, (Judged::default(), vec![]), "nothing is lost");

    give_up(&told).await;
    begin(&told, &watches, "webhook_given_up").await;
    give_up(&told).await;
    assert_eq!(told.both(&watches).await, (Judged::default(), vec![]), "it goes on");
    told.site.execute("select retry_webhooks('site', null, 'mina', 'cli')").await;
    end(&told, &watches, "webhook_given_up").await;

    told.site.execute("delete from webhook_messages").await;
    give_up(&told).await;
    begin(&told, &watches, "webhook_given_up").await;
    told.site.execute("update webhook_deliveries set changed_at = now() - interval '25 hours'").await;
    end(&told, &watches, "webhook_given_up").await;

    let message = &told.messages()[0];
    assert_eq!(message["subject"], "site");
    let summary =
        "1 message was given up at site, of which the site knows nothing: it answered 503 Service Unavailable";
    assert_eq!(message["summary"], summary, "what the receiver said may name a user");
}
