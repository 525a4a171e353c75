//! What SES says of the account: asked by one for all, shown with its age, and kept to.

mod acts;
mod commanded;
mod identities;
mod known;
mod list;
mod listed;
mod panels;
mod shown;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use verifydesk::config::{Secret, Settings, TransportKind};
use verifydesk::domain::id::VerificationId;
use verifydesk::poller::{AccountPoller, Until};
use verifydesk::store::Store;

use crate::mail_servers::PATIENCE;
use crate::support::Program;
use crate::support::ses_api::{Answer, Request, SesApi};
use crate::support::world::{World, operator};

const ACCOUNT: &str = "/v2/email/account";
const SUPPRESSION: &str = "/v2/email/suppression/addresses/";

fn account(rate: f64, daily: f64) -> Value {
    json!({
        "ProductionAccessEnabled": true,
        "SendingEnabled": true,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": { "Max24HourSend": daily, "MaxSendRate": rate, "SentLast24Hours": 12.0 },
        "SomethingNew": { "x": [1] },
    })
}

async fn ask_once(settings: &Settings) {
    let poller = AccountPoller::from_settings(&Store::open(settings).unwrap(), settings).unwrap().unwrap();
    Box::pin(poller.run(Until::Empty, &CancellationToken::new())).await;
}

async fn is_due_again(world: &World) {
    world.execute("update ses_account set asked_at = now() - interval '1 hour', called_at = '-infinity'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_asks_for_all_and_the_pace_keeps_to_it() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(vec![(ACCOUNT, account(3.0, 500.0))]));
    let world = World::with_ses_api(&api.endpoint()).await;
    // Of the 12 that it has sent, 5 were of this desk.
    world.execute("insert into pace_minutes values (date_trunc('minute', now()) - interval '1 hour', 5)").await;
    tokio::join!(ask_once(&world.settings), ask_once(&world.settings), ask_once(&world.settings));
    let requests = api.requests();
    let standing = |asked: &&Request| asked.line == "GET /v2/email/account HTTP/1.1";
    assert_eq!(requests.iter().filter(standing).count(), 1, "{requests:?}");
    // Settings can only lower what SES grants and others leave.
    let table = [
        (Some(10.0), Some(1_000), (3.0, Some(493))),
        (Some(2.0), Some(100), (2.0, Some(100))),
        (Some(2.0), None, (2.0, Some(493))),
    ];
    let store = world.store();
    for (rate, quota, holds) in table {
        store.set_pace(None, rate.unwrap(), quota).await.unwrap();
        let pace = store.pace().await.unwrap();
        assert_eq!((pace.limit, pace.daily_quota), holds, "{rate:?} {quota:?}");
    }
    // No limit.
    is_due_again(&world).await;
    api.answers(Answer::Knows(vec![(ACCOUNT, account(200.0, -1.0))]));
    ask_once(&world.settings).await;
    store.set_pace(None, 500.0, None).await.unwrap();
    let pace = store.pace().await.unwrap();
    assert_eq!((pace.limit, pace.daily_quota), (200.0, None));
    // What it said a week ago holds for nothing.
    world.execute("update ses_account set seen_at = now() - interval '7 days'").await;
    store.set_pace(None, 500.0, None).await.unwrap();
    let pace = store.pace().await.unwrap();
    assert_eq!((pace.limit, pace.daily_quota), (500.0, None));
}

/// Where no pace is set, a worker goes as fast as the account may.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_a_pace_has_the_account_s() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(vec![(ACCOUNT, account(77.0, 5_000.0))]));
    let mut world = World::with_ses_api(&api.endpoint()).await;
    world.settings.pace.rate = None;
    ask_once(&world.settings).await;
    world.start(verifydesk::outbox::worker::Mode::Drain).ended().await;
    let pace = world.store().pace().await.unwrap();
    assert_eq!((pace.limit, pace.daily_quota), (77.0, Some(4_988)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_says_is_shown_and_what_it_does_not_say_as_well() {
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    let mut paused = account(14.0, 50_000.0);
    (paused["SendingEnabled"], paused["EnforcementStatus"]) = (false.into(), "SHUT\u{1b}[2JDOWN".into());
    api.answers(Answer::Knows(vec![(ACCOUNT, paused)]));
    ask_once(&world.settings).await;
    let shown = Program::new(&world.db.url).run(&["queue"]).out;
    let words = "account  AWS has paused sending; 12 of 50,000 sent in 24 h (12 by others), 14 a second (eu-central-1), asked at ";
    assert!(shown.contains(words) && !shown.contains('\u{1b}'), "{shown}");
    is_due_again(&world).await;
    api.answers(Answer::Refuses(403, "AccessDeniedException", "not authorized to perform: ses:GetAccount"));
    ask_once(&world.settings).await;
    let json: Value = serde_json::from_str(&Program::new(&world.db.url).run(&["queue", "--json"]).out).unwrap();
    // What was known stays, with its age.
    assert_eq!((&json["account"]["can_send"], &json["account"]["sent"]), (&false.into(), &12.0.into()));
    assert_eq!(json["account"]["error"], "403 AccessDeniedException not authorized to perform: ses:GetAccount");
    // After a failure it is asked less often.
    api.requests();
    world.execute("update ses_account set asked_at = now() - interval '2 minutes', called_at = '-infinity'").await;
    ask_once(&world.settings).await;
    assert!(!api.requests().iter().any(|asked| asked.line.contains(ACCOUNT)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_mailed_again_is_looked_up_on_the_suppression_list() {
    let api = SesApi::start().await;
    let listed = json!({ "SuppressedDestination": {
        "EmailAddress": "mina@example.com",
        "Reason": "BOUNCE",
        "LastUpdateTime": 1_795_000_000,
        "Attributes": { "MessageId": "0107-old", "FeedbackId": "f" },
    } });
    api.answers(Answer::Knows(vec![(ACCOUNT, account(14.0, 50_000.0)), ("addresses/mina%40example.com", listed)]));
    let mut world = World::with_ses_api(&api.endpoint()).await;
    world.settings.verification.cool_down = Duration::ZERO;
    let desk = verifydesk::desk::Desk::open(&world.settings).unwrap();
    let mut again = Vec::new();
    for email in ["Mina@Example.com", "jun@example.com"] {
        let id = world.sign_up(email).await;
        world.execute("update sends set state = 'accepted'").await;
        again.push(
            desk.resend(&operator(), id, verifydesk::domain::send::Priority::Person, None).await.map(|_| id).unwrap(),
        );
    }
    // Mailed for the first time: not asked.
    world.sign_up("once@example.com").await;
    let shutdown = CancellationToken::new();
    let poller = AccountPoller::from_settings(world.store(), &world.settings).unwrap().unwrap();
    let ending = shutdown.clone();
    let polling = tokio::spawn(async move { Box::pin(poller.run(Until::Ended, &ending)).await });
    let suppression = async |id: VerificationId| world.store().show(id).await.unwrap().unwrap().suppression;
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    while suppression(again[0]).await.is_none() || suppression(again[1]).await.is_none() {
        assert!(Instant::now() < deadline, "it was not asked in time: {:?}", api.requests());
        looks.tick().await;
    }
    shutdown.cancel();
    polling.await.unwrap();
    let asked: Vec<String> = api.requests().into_iter().map(|asked| asked.line).collect();
    assert_eq!(asked.iter().filter(|line| line.contains(SUPPRESSION)).count(), 2, "{asked:?}");
    let listed = suppression(again[0]).await.unwrap();
    assert_eq!(listed.reason.unwrap().raw(), "BOUNCE");
    assert_eq!(listed.since.unwrap().timestamp(), 1_795_000_000);
    assert_eq!(suppression(again[1]).await.unwrap().reason, None);
    let shown = Program::new(&world.db.url).run(&["show", &again[0].to_string()]).out;
    assert!(shown.contains("address      on SES's suppression list since 2026-11-"), "{shown}");
    // A bulk resend leaves them out.
    let blocked: Vec<String> = sqlx::query_scalar("select address from address_states where suppressed_at is not null")
        .fetch_all(world.pool())
        .await
        .unwrap();
    assert_eq!(blocked, ["mina@example.com"]);
    // Who is deleted is forgotten here as well.
    world.execute("delete from users where lower(email) = 'mina@example.com'").await;
    let left: Vec<String> =
        sqlx::query_scalar("select address from suppressions").fetch_all(world.pool()).await.unwrap();
    assert_eq!(left, ["jun@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_mail_does_not_go_through_ses_no_one_is_asked() {
    let mut world = World::new().await;
    let is_asked = |settings: &Settings| AccountPoller::from_settings(world.store(), settings).unwrap().is_some();
    let mut settings = world.settings.clone();
    assert!(!is_asked(&settings), "captured");
    settings.mail.transport = TransportKind::Smtp;
    settings.ses.region = Some("eu-central-1".into());
    assert!(!is_asked(&settings), "no keys");
    settings.ses.access_key_id = Some("AKIAIOSFODNN7EXAMPLE".into());
    settings.ses.secret_access_key = Some(Secret::new("secret"));
    assert!(is_asked(&settings));
    settings.smtp.host = Some("relay.example.org".into());
    assert!(!is_asked(&settings), "another relay");
    world.settings = settings;
}
