//! What another's SES makes of our requests.

use serde_json::json;
use tokio_util::sync::CancellationToken;
use verifydesk::desk::SignUp;
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::SendState;
use verifydesk::poller::{AccountPoller, Until};

use crate::support::Program;
use crate::support::local_ses::LocalSes;
use crate::support::world::{World, request, sign_up};

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_comes_as_it_was_written() {
    let ses = LocalSes::start(&json!({}));
    let world = World::with_ses_api(ses.endpoint()).await;
    for (email, name, locale) in
        [("mina@example.com", "김민아", Locale::Ko), ("jun@example.com", "O'Neil <b>", Locale::En)]
    {
        sign_up(&world.desk, &SignUp { name: name.into(), locale, ..request(email) }).await;
    }
    assert_eq!(world.drain().await.sent, 2);
    let mut mails = ses.mails().await;
    mails.sort_by_key(|mail| mail["destination"]["to"][0].to_string());
    let [en, ko] = &mails[..] else { panic!("{mails:?}") };
    for (mail, to, greeting, greeting_html) in [
        (en, "\"O'Neil <b>\" <jun@example.com>", "Hello O'Neil <b>", "O&#39;Neil &lt;b&gt;"),
        (ko, "\"김민아\" <mina@example.com>", "김민아", "김민아"),
    ] {
        assert_eq!(
            (&mail["destination"]["to"], &mail["from"]),
            (&json!([to]), &json!("\"Example\" <no-reply@example.org>"))
        );
        let (text, html) = (mail["body"]["text"].as_str().unwrap(), mail["body"]["html"].as_str().unwrap());
        assert!(text.contains(greeting), "{text}");
        assert!(html.contains(greeting_html), "{html}");
        let link = text.split_whitespace().find(|word| word.contains("/verify/?key=")).unwrap();
        assert!(html.contains(link), "both parts carry the same link");
    }
    let sends = world.sends().await;
    let ids =
        sqlx::query_scalar::<_, Option<String>>("select ses_id from sends").fetch_all(world.pool()).await.unwrap();
    assert!(sends.iter().all(|send| send.state == SendState::Accepted), "{sends:?}");
    assert!(mails.iter().all(|mail| ids.contains(&mail["messageId"].as_str().map(str::to_owned))), "{ids:?} {mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_account_is_understood() {
    // As "GetAccount" of the API's reference shows it.
    let ses = LocalSes::start(&json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "Details": {
            "AdditionalContactEmailAddresses": ["ops@example.org"],
            "ContactLanguage": "EN",
            "MailType": "TRANSACTIONAL",
            "ReviewDetails": { "CaseId": "1", "Status": "GRANTED" },
            "UseCaseDescription": "verification",
            "WebsiteURL": "https://example.org",
        },
        "EnforcementStatus": "PROBATION",
        "ProductionAccessEnabled": false,
        "SendingEnabled": true,
        "SendQuota": { "Max24HourSend": 200, "MaxSendRate": 1, "SentLast24Hours": 7 },
        "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
    }));
    let world = World::with_ses_api(ses.endpoint()).await;
    let poller = AccountPoller::from_settings(world.store(), &world.settings).unwrap().unwrap();
    Box::pin(poller.run(Until::Empty, &CancellationToken::new())).await;
    let account = world.store().outbox().await.unwrap().account.unwrap();
    assert_eq!(account.error, None);
    world.store().set_pace(None, 14.0, None).await.unwrap();
    let pace = world.store().pace().await.unwrap();
    assert_eq!((pace.limit, pace.daily_quota), (1.0, Some(193)));
    let shown = Program::new(&world.db.url).run(&["queue"]).out;
    assert!(shown.contains("sandbox") && shown.contains("7 of 200 sent in 24 h (7 by others)"), "{shown}");
}
