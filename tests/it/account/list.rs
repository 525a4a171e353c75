//! The suppression list is read page by page by all workers together, and its newest part is kept.

use verifydesk::domain::Time;
use verifydesk::domain::account::suppression_list::ListedAddress;
use verifydesk::store::account_acts::ListChange;

use super::acts::{jun, without_keys};
use super::commanded::{bastion, object, polling};
use super::*;

const LIST: &str = "/v2/email/suppression/addresses?";

fn page(addresses: &[(&str, &str, i64)], next: Option<&str>) -> Value {
    let summaries: Vec<Value> = addresses
        .iter()
        .map(|(address, reason, at)| json!({ "EmailAddress": address, "Reason": reason, "LastUpdateTime": at }))
        .collect();
    json!({ "SuppressedDestinationSummaries": summaries, "NextToken": next })
}

fn answers() -> Vec<(&'static str, Value)> {
    vec![
        ("DELETE /v2/email/suppression/addresses/mina%40example.com", json!({})),
        ("NextToken=two", page(&[("jun@example.com", "COMPLAINT", 1_795_000_300)], None)),
        (
            LIST,
            page(
                &[("Mina@example.com", "BOUNCE", 1_795_000_000), ("x@example.net", "BOUNCE", 1_795_000_200)],
                Some("two"),
            ),
        ),
        (ACCOUNT, account(14.0, 50_000.0)),
    ]
}

const READ: &str = "select count(*) from suppression_reading where read_at is not null";
const KEPT: &str = "select count(*) from suppression_list";

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_read_each_page_once_and_everyone_sees_who_is_on_it() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    let id = world.sign_up("mina@example.com").await;
    let _workers = [polling(&world), polling(&world)];
    world.until(async || world.number(READ).await == 1).await;
    let requests = api.requests();
    let pages = requests.iter().filter(|asked| asked.line.contains(LIST)).count();
    assert_eq!(pages, 2, "{requests:?}");
    let gaps: Vec<Duration> = requests.windows(2).map(|two: &[Request]| two[1].at - two[0].at).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
    let bastion = bastion(&world);
    let list = |arguments: &[&str]| {
        let run = bastion.run(&[&["account", "suppression", "list", "--json"], arguments].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        run.out.lines().map(object).collect::<Vec<_>>()
    };
    let all = list(&[]);
    let addresses: Vec<&Value> = all.iter().map(|row| &row["address"]).collect();
    assert_eq!(addresses, ["jun@example.com", "x@example.net", "mina@example.com"], "the newest first");
    assert_eq!((&all[2]["verification_id"], &all[2]["reason"]), (&json!(id), &"BOUNCE".into()));
    // Their page says so, though no one has asked about them.
    let shown = object(&bastion.run(&["show", &id.to_string(), "--json"]).out);
    assert_eq!(shown["suppression"]["reason"], "BOUNCE", "{shown}");
    assert_eq!(list(&["--why", "complaint"]).len(), 1);
    assert_eq!(list(&["--search", "EXAMPLE.net"])[0]["address"], "x@example.net");
    assert!(list(&["--search", "none"]).is_empty());
    let shown = bastion.run(&["account"]).out;
    assert!(shown.contains("Suppression list, asked at") && shown.contains("3 addresses"), "{shown}");
    // What is taken off it is off it at once.
    let mina = verifydesk::domain::address::EmailAddress::parse("mina@example.com").unwrap();
    without_keys(&world).change_suppression_list(&jun(), &mina, ListChange::Remove(None), "they called").await.unwrap();
    world.until(async || world.number(KEPT).await == 2).await;
    assert_eq!(list(&[]).len(), 2);
    let shown = object(&bastion.run(&["show", &id.to_string(), "--json"]).out);
    assert_eq!(shown["suppression"]["reason"], Value::Null, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_named_and_what_was_asked_about_is_still_listed() {
    let api = SesApi::start().await;
    api.answers(Answer::Lacks("/suppression/addresses?PageSize=1000", answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    world.store().note_suppression("mina@example.com", Some(("BOUNCE", None, None))).await.unwrap();
    let _polling = polling(&world);
    let lacks = "select count(*) from suppression_reading where permission = 'ses:ListSuppressedDestinations'";
    world.until(async || world.number(lacks).await == 1).await;
    let run = bastion(&world).run(&["account", "suppression", "list"]);
    assert!(run.err.contains("not allowed: ses:ListSuppressedDestinations"), "{}", run.err);
    assert!(run.out.contains("mina@example.com"), "{}", run.out);
    let shown = bastion(&world).run(&["account"]).out;
    assert!(shown.contains("not allowed: ses:ListSuppressedDestinations"), "{shown}");
    assert!(world.store().due_list_page().await.unwrap().is_none(), "not at once again");
}

/// Of a list that is too long, a newer part is read, and of that the newest addresses are kept.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_list_the_newest_part_is_kept() {
    let world = World::new().await;
    let store = world.store();
    let now = store.now().await.unwrap();
    let many = |first: i64, count: i64| -> Vec<ListedAddress> {
        let one = |n: i64| ListedAddress {
            address: format!("u{n}@example.com").into(),
            reason: "BOUNCE".into(),
            since: Time::from_timestamp(now.timestamp() - n, 0).unwrap(),
        };
        (first..first + count).map(one).collect()
    };
    // As whole days: each reading has begun a moment later.
    let days = |at: Time| ((now - at).num_hours() + 12) / 24;
    let mut parts = Vec::new();
    loop {
        let page = store.due_list_page().await.unwrap().expect("the next page, or a newer part");
        let part = page.newer_than().map(days);
        if parts.last() != Some(&part) {
            parts.push(part);
        }
        // The last 30 days fit.
        if part == Some(30) {
            assert!(!store.note_list_page(&page, &many(0, 6_000), Some("more")).await.unwrap());
            let page = store.due_list_page().await.unwrap().unwrap();
            assert_eq!(page.token.as_deref(), Some("more"));
            assert!(store.note_list_page(&page, &many(6_000, 6_000), None).await.unwrap());
            break;
        }
        assert!(!store.note_list_page(&page, &many(100_000, 10), Some("more")).await.unwrap());
    }
    assert_eq!(parts, [None, Some(90), Some(30)]);
    assert_eq!(world.number(KEPT).await, 10_000);
    assert_eq!(world.number("select count(*) from suppression_list where address = 'u0@example.com'").await, 1);
    assert_eq!(world.number("select count(*) from suppression_list where address = 'u11999@example.com'").await, 0);
    assert!(store.due_list_page().await.unwrap().is_none());
    let run = bastion(&world).run(&["account", "suppression", "list", "--limit", "1"]);
    assert!(run.err.contains("its newest part is kept"), "{}", run.err);
    // Next time that part, and the whole once a day.
    let later = |span: &str| {
        format!(
            "update suppression_reading set begun_at = now() - interval '{span}', whole_at = now() - interval '{span}'"
        )
    };
    world.execute(&later("1 hour")).await;
    let page = store.due_list_page().await.unwrap().unwrap();
    assert_eq!(page.newer_than().map(days), Some(30));
    world.execute(&later("25 hours")).await;
    assert_eq!(store.due_list_page().await.unwrap().unwrap().newer_than(), None);
    // A page that could not be read has the reading begin again, a while later.
    store.note_list_trouble(&page, "400 BadRequestException", None).await.unwrap();
    assert!(store.due_list_page().await.unwrap().is_none());
}
