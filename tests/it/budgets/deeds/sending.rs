//! The worker, the links, what SES says of the mails, and what is removed in the end.

use std::time::Duration;

use serde_json::json;
use verifydesk::alerts::Watch;
use verifydesk::outbox::worker::Mode;
use verifydesk::store::alerts::Teller;

use super::super::{Large, TOKEN};
use crate::monitor::metrics;
use crate::support::world::key_in_bytes;

pub async fn all(large: &mut Large) {
    // Some must go, and some need no mail any more.
    let (gone, verified) = (large.pending(7), large.pending(8));
    large
        .prepare(&format!(
            "update users set delete_after = now() - interval '1 minute' where id in (1, 777, {gone});
            update users set verified_at = now() where id = {verified};
            update verifications set verified_at = now() where user_id = {verified};"
        ))
        .await;
    large.forget().await;
    large.world.start(Mode::Drain).task.await.unwrap().unwrap();
    large.did("a worker").await;
    large.prepare("update sends set retry_at = now() where retry_at is not null").await;
    large.forget().await;
    large.world.start(Mode::Drain).task.await.unwrap().unwrap();
    large.did("a worker, later").await;
    large.run(&["test-send", "verification", "--to", "somebody@example.com"]).await;
    links(large).await;
    events(large).await;
    let scraped = metrics::scrape(&large.world.desk).text().await.unwrap();
    assert_eq!(metrics::value(&scraped, "verifydesk_figures_up"), Some(1.0), "{scraped}");
    large.did("a scrape").await;
    let store = large.world.store().clone();
    let watch = Watch::new(Teller::Worker, &store, &large.world.settings).unwrap();
    watch.judge().await.unwrap();
    watch.judge_workers(Duration::ZERO).await.unwrap();
    large.did("alerts").await;
    large.run(&["prune", "--dry-run"]).await;
    large.run(&["prune"]).await;
}

async fn links(large: &mut Large) {
    let (server, line) = large.program.start(&["serve", "--listen", "127.0.0.1:0"], "listening");
    let address = line.split("address=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    large.did("serve's start").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mails = large.server.mails();
    for mail in mails.iter().rev().take(3) {
        let key = key_in_bytes(mail);
        let url = format!("http://{address}/verify");
        let page = client.get(format!("{url}?key={}", key.expose())).send().await.unwrap();
        large.did("a link opened").await;
        let pressed = client.post(url).form(&[("key", key.expose())]).send().await.unwrap();
        assert!(page.status().is_success() && pressed.status().is_success(), "{page:?} {pressed:?}");
        large.did("its button").await;
    }
    let unopened = key_in_bytes(mails.iter().rev().nth(3).unwrap());
    let url = format!("http://{address}/verify/new-mail");
    let asked = client.post(url).form(&[("key", unopened.expose())]).send().await.unwrap();
    // It is too soon; the statement has run.
    assert!(asked.status().is_success() || asked.status().as_u16() == 429, "{asked:?}");
    large.did("a link whose holder asks for a new mail").await;
    let api = format!("http://{address}/api");
    let known = client.get(format!("{api}/users?email=user7@example.net")).bearer_auth(TOKEN).send().await.unwrap();
    assert!(known.status().is_success(), "{known:?}");
    large.did("a question of the site").await;
    let again = json!({ "email": "user5@outlook.com" });
    let signed_up = client.post(format!("{api}/signups")).bearer_auth(TOKEN).json(&again).send().await.unwrap();
    assert!(signed_up.status().is_success(), "{signed_up:?}");
    large.did("a sign-up of who is known").await;
    drop(server);
}

async fn events(large: &mut Large) {
    let known = |n: u32| (format!("0100{n:012x}-000000"), format!("user{n}@example.com"));
    let lines: Vec<String> = (0..40)
        .map(|n| {
            let (ses_id, address) = if n % 10 == 0 { ("nobody's".to_owned(), "x@example.com".into()) } else { known(4_759 + 20 * n) };
            let mail = json!({ "timestamp": "2026-11-20T10:00:02.000Z", "messageId": ses_id, "destination": [address], "tags": {} });
            json!({
                "eventType": "Complaint", "mail": mail,
                "complaint": { "timestamp": "2026-11-20T10:00:02.000Z", "feedbackId": format!("budget {n}") },
            })
            .to_string()
        })
        .collect();
    let file = large.world.dir.path().join("events");
    std::fs::write(&file, lines.join("\n")).unwrap();
    large.run(&["events", "import", file.to_str().unwrap()]).await;
    large.run(&["events", "list", "--orphans"]).await;
}
