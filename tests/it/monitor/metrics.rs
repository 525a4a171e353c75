//! What Prometheus gets: names, labels and figures.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use sqlx::Connection as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings};
use verifydesk::desk::Desk;
use verifydesk::domain::amazon::DeadLetters;
use verifydesk::monitor::{Health, Scrape};
use verifydesk::ses::event::Event;
use verifydesk::store::events::Source;

use super::until;
use crate::roles::Logins;
use crate::support::tcp_proxy::TcpProxy;
use crate::support::world::{World, operator, server};

pub const PAGE: &str = include_str!("../../../docs/metrics.md");

/// What is asked of a process that works with this database, and reads its figures as often as it is asked.
pub fn scrape(desk: &Desk) -> Scrape {
    let store = desk.store().clone();
    Scrape::new(store.clone(), Health::new(store, None, CancellationToken::new()), Duration::ZERO)
}

/// A sample's value, if it is there.
pub fn value(text: &str, sample: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

/// A metric as the page lists it.
#[derive(Debug, PartialEq)]
pub struct Listed {
    pub kind: String,
    pub labels: BTreeSet<String>,
}

/// The metrics of the page, by name.
pub fn listed() -> BTreeMap<String, Listed> {
    let cells = |line: &'static str| -> Vec<&'static str> { line.split('|').map(str::trim).collect() };
    let rows = PAGE.lines().filter(|line| line.starts_with("| `verifydesk_")).map(cells);
    rows.map(|row| {
        let labels = row[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (row[1].trim_matches('`').to_owned(), Listed { kind: row[2].to_owned(), labels })
    })
    .collect()
}

/// The metrics that are shown, with the labels of their samples but those of buckets.
fn shown(text: &str) -> BTreeMap<String, Listed> {
    let mut shown = BTreeMap::new();
    for (name, kind) in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')) {
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let samples = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let rest =
                ["_total", "_info", "_bucket"].into_iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
            Some(rest.strip_prefix('{')?.split_once('}')?.0)
        });
        let labels = samples.flat_map(|labels| labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0)));
        let labels = labels.filter(|label| *label != "le").map(str::to_owned).collect();
        shown.insert(format!("{name}{suffix}"), Listed { kind: kind.to_owned(), labels });
    }
    shown
}

/// A world in which all that can be shown is there.
async fn full() -> World {
    let site = World::with(|settings| settings.pace.daily_quota = Some(200)).await;
    for email in ["mina@example.com", "jun@example.com"] {
        site.sign_up(email).await;
    }
    site.drain().await;
    site.sign_up("sora@example.com").await;
    let queue = "https://sqs.example/events";
    site.store().may_ask_queue(queue).await.unwrap();
    site.store().note_queue(queue, 5, 2, DeadLetters::Count(3)).await.unwrap();
    site.execute(
        "insert into webhook_endpoints (name, place) values ('site', 'https://example.org');
        insert into webhook_messages (kind, body, at) values
            ('webhook.test', '{}', now() - interval '90 seconds'), ('webhook.test', '{}', now()),
            ('webhook.test', '{}', now());
        insert into webhook_deliveries (message_id, endpoint, state, changed_at)
        select id, 'site', (array['waiting', 'given_up', 'given_up'])[id],
            now() - case when id = 3 then interval '25 hours' else interval '0' end
        from webhook_messages",
    )
    .await;
    site.execute(
        "insert into ses_account (seen_at, region, is_sandbox, can_send, enforcement, rate_max, daily_max, sent)
         values (now(), 'eu-central-1', true, false, 'SHUTDOWN', 1, 200, 7)",
    )
    .await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_lists_each_metric() {
    let site = full().await;
    let metrics = verifydesk::metrics::process();
    metrics.page("verified");
    metrics.request("/verify/", 200, Duration::from_millis(3));
    metrics.database_error("away");
    metrics.events_stored(Source::Sqs.as_str(), 1, 1);
    let text = scrape(&site.desk).text().await.unwrap();
    assert_eq!(listed(), shown(&text), "left: docs/metrics.md; right: the program");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_those_of_the_queue() {
    let site = full().await;
    site.execute("update sends set due_at = now() - interval '90 seconds' where state = 'queued'").await;
    let text = scrape(&site.desk).text().await.unwrap();
    let table = [
        ("ready", 1.0),
        ("figures_up", 1.0),
        ("outbox_mails{state=\"queued\"}", 1.0),
        ("outbox_mails{state=\"sending\"}", 0.0),
        ("outbox_brake{state=\"off\"}", 1.0),
        ("outbox_brake{state=\"paused\"}", 0.0),
        ("outbox_brake_cause{cause=\"operator\"}", 0.0),
        ("quota_mails", 200.0),
        ("quota_used_mails", 2.0),
        ("workers{state=\"working\"}", 0.0),
        ("workers{state=\"silent\"}", 0.0),
        ("verifications{status=\"open\"}", 3.0),
        ("verifications{status=\"verified\"}", 0.0),
        ("reputation_mails", 2.0),
        ("reputation_ratio{kind=\"bounce\"}", 0.0),
        ("reputation_limit_ratio{kind=\"bounce\"}", 0.05),
        ("event_queue_messages{state=\"waiting\"}", 5.0),
        ("event_queue_messages{state=\"dead\"}", 3.0),
        ("event_queues_failing", 0.0),
        ("webhook_waiting_messages", 1.0),
        ("webhook_given_up_messages", 1.0),
        ("webhook_endpoints_failing", 0.0),
        ("account_can_send", 0.0),
    ];
    for (sample, expected) in table {
        assert_eq!(value(&text, &format!("verifydesk_{sample}")), Some(expected), "{sample}\n{text}");
    }
    let waits = value(&text, "verifydesk_outbox_oldest_due_seconds").unwrap();
    assert!((90.0..120.0).contains(&waits), "{waits}");
    let waits = value(&text, "verifydesk_webhook_oldest_waiting_seconds").unwrap();
    assert!((90.0..120.0).contains(&waits), "{waits}");
    for of_someone in ["mina", "example", "eu-central-1"] {
        assert!(!text.contains(of_someone), "{of_someone}: {text}");
    }

    site.desk.pause(&operator(), "maintenance").await.unwrap();
    let text = scrape(&site.desk).text().await.unwrap();
    for sample in ["outbox_brake{state=\"paused\"}", "outbox_brake_cause{cause=\"operator\"}"] {
        assert_eq!(value(&text, &format!("verifydesk_{sample}")), Some(1.0), "{text}");
    }
    assert!(!text.contains("maintenance"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_and_events_are_counted_as_they_go() {
    let refusing = server().fault("rcpt=550 5.1.1 unknown").start();
    let site = World::with_server(&refusing).await;
    site.sign_up("gone@example.com").await;
    assert_eq!(site.drain().await.failed, 1);
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    assert_eq!(site.drain().await.sent, 1);
    let at = (chrono::Utc::now() + chrono::Duration::seconds(3)).to_rfc3339();
    let event = |kind: &str, id: &str, tag: &str| {
        let event = json!({
            "eventType": kind,
            "mail": { "timestamp": at, "messageId": id, "destination": ["mina@example.com"], "tags": { "send": [tag] } },
            "delivery": { "timestamp": at, "smtpResponse": "250 Ok" },
            "complaint": { "timestamp": at, "feedbackId": "c-1" },
        });
        Event::read(event.to_string().as_bytes(), None).unwrap()
    };
    let id = site.one_send().await.id.to_string();
    // One of ours, and one of which nothing is known.
    let events = [event("Delivery", "m-1", &id), event("Complaint", "m-2", "")];
    let taken = site.desk.take_events(&events, Source::Sqs).await.unwrap();
    assert_eq!((taken.stored, taken.orphans), (2, 1));
    let text = scrape(&site.desk).text().await.unwrap();
    // Tests that run in this process may count as well.
    for sample in [
        "mail_tries_total{result=\"failed\",reply=\"5xx\"}",
        "mail_tries_total{result=\"accepted\",reply=\"2xx\"}",
        "mail_accepted_seconds_count",
        "mail_delivered_seconds_count",
        "events_total{kind=\"delivery\"}",
        "events_total{kind=\"complaint\"}",
        "events_orphaned_total{source=\"sqs\"}",
    ] {
        assert!(value(&text, &format!("verifydesk_{sample}")) >= Some(1.0), "{sample}\n{text}");
    }
    assert!(value(&text, "verifydesk_events_stored_total{source=\"sqs\"}") >= Some(2.0), "{text}");
    let seconds = value(&text, "verifydesk_mail_delivered_seconds_sum").unwrap();
    assert!((2.0..60.0).contains(&seconds), "{seconds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_holds_up_no_scrape() {
    let site = World::new().await;
    site.sign_up("mina@example.com").await;
    let scrape = scrape(&site.desk);
    let text = scrape.text().await.unwrap();
    assert_eq!(value(&text, "verifydesk_figures_up"), Some(1.0), "{text}");
    // Whoever reads the pace waits from now on.
    let mut other = sqlx::PgConnection::connect(&site.db.url).await.unwrap();
    sqlx::raw_sql("begin; lock table pace in access exclusive mode").execute(&mut other).await.unwrap();
    let mut age = 0.0;
    for _ in 0..2 {
        let asked = Instant::now();
        let text = scrape.text().await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
        assert_eq!(value(&text, "verifydesk_figures_up"), Some(0.0), "{text}");
        assert_eq!(value(&text, "verifydesk_outbox_mails{state=\"queued\"}"), Some(1.0), "{text}");
        let older = value(&text, "verifydesk_figures_age_seconds").unwrap();
        assert!(older > age, "{older}");
        age = older;
    }
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    until("they are read again", async || value(&scrape.text().await.unwrap(), "verifydesk_figures_up") == Some(1.0))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_shows_and_hides_no_counts() {
    let site = World::new().await;
    let mut proxy = TcpProxy::new(&site.db.url).await;
    let scrape = scrape(&Desk::open(&site.settings_behind(&proxy)).unwrap());
    assert_eq!(value(&scrape.text().await.unwrap(), "verifydesk_figures_up"), Some(1.0));
    proxy.shut().await;
    until("it is known that the figures cannot be read", async || {
        let text = scrape.text().await.unwrap();
        assert!(text.contains("verifydesk_mail_tries_total"), "{text}");
        value(&text, "verifydesk_figures_up") == Some(0.0)
            && value(&text, "verifydesk_ready") == Some(0.0)
            && value(&text, "verifydesk_database_errors_total{kind=\"away\"}") >= Some(1.0)
    })
    .await;
    proxy.open().await;
    until("they are read again", async || value(&scrape.text().await.unwrap(), "verifydesk_figures_up") == Some(1.0))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_internet_facing_login_shows_its_own_counts_and_no_figures() {
    let logins = Logins::new().await;
    let scraped = async |group: &str| {
        let settings = Settings { database_url: Some(Secret::new(logins.url(group))), ..Settings::default() };
        scrape(&Desk::open(&settings).unwrap()).text().await.unwrap()
    };
    let errors = |text: &str| value(text, "verifydesk_database_errors_total{kind=\"read_only\"}");
    let text = scraped("serve").await;
    assert_eq!(value(&text, "verifydesk_ready"), Some(1.0), "{text}");
    assert!(!text.contains("verifydesk_figures_up") && !text.contains("verifydesk_outbox_mails"), "{text}");
    assert_eq!(errors(&text), None, "what it may not read is no error: {text}");
    let text = scraped("worker").await;
    assert_eq!(value(&text, "verifydesk_figures_up"), Some(1.0), "{text}");
}
