//! Alerts are posted, as webhooks are.

use serde_json::json;
use verifydesk::config::Webhook;

use super::*;
use crate::hooks::receiver::Receiver;

fn body(got: &Value) -> Value {
    serde_json::from_str(got["body"].as_str().unwrap()).unwrap()
}

fn phases(got: &[Value]) -> Vec<Value> {
    got.iter().map(|one| body(one)["phase"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_are_told_once_each_by_two_workers_and_the_post_is_signed() {
    let receiver = Receiver::with_tls();
    let mut told = Told::by(KEEP).await;
    told.site.settings.alert.webhook = receiver.webhook().into();
    let watches = [told.watch(), told.watch()];
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    for watch in &watches {
        watch.judge().await.unwrap();
    }
    let tell = async || {
        let (one, other) = tokio::join!(watches[0].tell(), watches[1].tell());
        one.unwrap() + other.unwrap()
    };
    assert_eq!((tell().await, tell().await), (2, 0));
    told.site.desk.resume(&operator()).await.unwrap();
    watches[1].judge().await.unwrap();
    assert_eq!((tell().await, tell().await), (2, 0));

    let got = receiver.got();
    assert_eq!(phases(&got), ["began", "ended"]);
    assert_eq!(got.iter().map(body).collect::<Vec<_>>(), told.messages(), "the same by both ways");
    for one in &got {
        assert_eq!((&one["verified"], &one["content_type"]), (&json!(0), &json!("application/json")), "{one}");
    }
    let ids = [&got[0]["id"], &got[1]["id"]].map(|id| id.as_str().unwrap());
    assert!(ids[0].starts_with("alert_1_") && ids[0].ends_with("_began") && ids[1].ends_with("_ended"), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_taken_is_posted_again_and_says_why() {
    let mut receiver = Receiver::start();
    receiver.then(&json!([[302, { "location": receiver.url() }, ""], [500, {}, "no \u{1b}[31mroute"], 200]));
    let mut told = Told::by("exit 1").await;
    told.site.settings.alert.command.clear();
    told.site.settings.alert.webhook = Webhook { secret: None, ..receiver.webhook() }.into();
    let watch = told.watch();
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    watch.judge().await.unwrap();
    for error in ["it answered 302 Found (redirects are not followed)", "it answered 500 Internal Server Error: no "] {
        assert_eq!(watch.tell().await.unwrap(), 0);
        let alert = told.site.store().alerts().await.unwrap().remove(0);
        let said = alert.error.unwrap();
        let words = format!("alert.webhook: {error}");
        assert!(!alert.is_told && said.raw().starts_with(&words) && !said.raw().contains('\u{1b}'), "{said:?}");
        told.wait_over().await;
    }
    assert_eq!(watch.tell().await.unwrap(), 1);
    assert!(told.site.store().alerts().await.unwrap()[0].is_told);
    let got = receiver.got();
    assert!(got.iter().all(|one| one["id"] == got[0]["id"] && one["signatures"] == 0), "{got:?}");
    assert!(!receiver.has("redirected"));

    // An address of this machine wants a setting.
    told.site.desk.resume(&operator()).await.unwrap();
    told.site.settings.alert.webhook = Webhook { allow_private: false, ..Receiver::with_tls().webhook() }.into();
    watch.judge().await.unwrap();
    let watch = told.watch();
    assert_eq!(watch.tell().await.unwrap(), 0);
    let query =
        "select count(*) from alert_notices where phase = 'ended' and error like '%`alert.webhook.allow_private`%'";
    assert_eq!(told.site.number(query).await, 1);
}
