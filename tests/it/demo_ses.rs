//! The demo's SES: what it reports of the mails that a worker captured.

use chrono::{TimeDelta, Utc};
use verifydesk::demo::ses::SimulatedSes;

use crate::support::world::World;

/// Where the mails stand: recipients and states.
async fn states(site: &World) -> Vec<(String, String)> {
    sqlx::query_as("select recipient, state from sends order by recipient").fetch_all(site.pool()).await.unwrap()
}

async fn events(site: &World) -> i64 {
    sqlx::query_scalar("select count(*) from ses_events").fetch_one(site.pool()).await.unwrap()
}

fn ses(site: &World) -> SimulatedSes {
    SimulatedSes::new(site.desk.clone(), site.settings.require_capture_dir().unwrap().to_owned())
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, state)| (format!("{name}@example.com"), (*state).to_owned())).collect()
}

#[tokio::test]
async fn mails_become_what_their_recipients_say_and_a_restart_repeats_and_loses_nothing() {
    let site = World::new().await;
    for name in ["bounce", "complaint", "full", "mina", "ooto", "slow", "suppressed", "virus"] {
        site.sign_up(&format!("{name}@example.com")).await;
    }
    site.drain().await;
    let sent = Utc::now();
    let mut first = ses(&site);
    // All were accepted within the last moments: nothing has happened yet.
    first.report(sent - TimeDelta::minutes(10)).await.unwrap();
    assert_eq!(events(&site).await, 0);
    first.report(sent + TimeDelta::seconds(3)).await.unwrap();
    let soon = [
        ("bounce", "bounced"),
        ("complaint", "delivered"),
        ("full", "delayed"),
        ("mina", "delivered"),
        ("ooto", "delivered"),
        ("slow", "delayed"),
        ("suppressed", "bounced"),
        ("virus", "rejected"),
    ];
    assert_eq!(states(&site).await, pairs(&soon));
    let reported = events(&site).await;

    // Another one, as after a restart, says nothing twice …
    drop(first);
    let mut second = ses(&site);
    second.report(sent + TimeDelta::seconds(3)).await.unwrap();
    assert_eq!(events(&site).await, reported);
    // … and goes on with what was left.
    second.report(sent + TimeDelta::minutes(5)).await.unwrap();
    let in_the_end = [
        ("bounce", "bounced"),
        ("complaint", "complained"),
        ("full", "bounced"),
        ("mina", "delivered"),
        ("ooto", "delivered"),
        ("slow", "delivered"),
        ("suppressed", "bounced"),
        ("virus", "rejected"),
    ];
    assert_eq!(states(&site).await, pairs(&in_the_end));
    let all = events(&site).await;
    // Of each mail that it was sent; then one event of four, two of three, three of one.
    assert_eq!(all, 8 + 4 + 2 * 3 + 3, "{reported} at first");
    second.report(sent + TimeDelta::hours(1)).await.unwrap();
    ses(&site).report(sent + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(events(&site).await, all);

    // The events name the mails as the answers did.
    let unnamed: i64 = sqlx::query_scalar(
        "select count(*)
        from ses_events e
        left join sends s on s.id = e.send_id and s.ses_id = e.ses_id
        where s.id is null or e.attempt <> 1 or e.source <> 'simulated'",
    )
    .fetch_one(site.pool())
    .await
    .unwrap();
    assert_eq!(unnamed, 0);
}

#[tokio::test]
async fn what_the_database_does_not_take_is_reported_later() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    site.drain().await;
    let later = Utc::now() + TimeDelta::seconds(3);
    let mut ses = ses(&site);
    sqlx::query("alter table ses_events rename to gone").execute(site.pool()).await.unwrap();
    ses.report(later).await.unwrap_err();
    sqlx::query("alter table gone rename to ses_events").execute(site.pool()).await.unwrap();
    ses.report(later).await.unwrap();
    assert_eq!(states(&site).await, pairs(&[("mina", "delivered")]));
}
