//! `verifydesk account`: what SES said and the desk's own data, without any key of AWS's.

use verifydesk::domain::account::PanelKind;

use super::panels::{KINDS, answers, ask, world};
use super::*;

fn shown(world: &World, arguments: &[&str]) -> String {
    let run = Program::new(&world.db.url).run(arguments);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    run.out
}

fn json(world: &World) -> Value {
    serde_json::from_str(&shown(world, &["account", "--json"])).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_aws_it_shows_the_desk_s_own_data_and_says_so() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    world.drain().await;
    let text = shown(&world, &["account"]);
    for words in ["no worker asks AWS", "the desk's own data", "bounces     0 of 1 mails: too few for a rate"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = json(&world);
    assert_eq!((&json["has_aws"], &json["account"], &json["panels"]), (&false.into(), &Value::Null, &json!([])));
    assert_eq!(json["thresholds"]["complaints"], json!({ "review": 0.001, "pause": 0.005 }));
    let today = json["days"].as_array().unwrap().last().unwrap();
    assert_eq!((&today["accepted"], &today["bounced"]), (&1.into(), &0.into()));
    assert_eq!((&json["funnel"]["links"], &json["funnel"]["accepted"]), (&1.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_ses_said_is_there_with_its_age() {
    let api = SesApi::start().await;
    let world = world(&api).await;
    api.answers(Answer::Lacks("/configuration-sets/verifydesk", answers()));
    for (kind, ..) in KINDS {
        ask(&world, kind).await;
    }
    is_due_again(&world).await;
    api.answers(Answer::Knows(answers()));
    ask_once(&world.settings).await;
    world.execute("insert into pace_minutes values (date_trunc('minute', now()) - interval '1 minute', 30000)").await;
    world.store().set_pace(None, 10.0, Some(40_000)).await.unwrap();
    let text = shown(&world, &["account"]);
    for words in [
        "Account (eu-central-1), asked at 2",
        "access      production",
        "quota       12 of 50,000 sent in 24 h",
        "full        at 2",
        "rate        14 mails a second",
        "pace        10 mails a second, lowered by the settings",
        "Sender (no-reply@example.org), asked at 2",
        "MAIL FROM   bounce.example.org: pending",
        "mina@example.net  pending",
        "not allowed: ses:GetConfigurationSet;",
        "needed      all that the desk needs is published",
        "CLICK rewrite the link in the mail",
        "desk to arn:aws:sns:eu-central-1:1:events",
        "bounces     0 of 0 mails: too few for a rate; AWS counts 1.2 % (2026-11-18",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = json(&world);
    assert_eq!((&json["has_aws"], &json["account"]["rate_max"]), (&true.into(), &14.0.into()));
    assert!(json["full_at"].is_string(), "{json}");
    let panel =
        |kind: PanelKind| json["panels"].as_array().unwrap().iter().find(|it| it["kind"] == kind.as_str()).unwrap();
    assert_eq!(panel(PanelKind::ConfigurationSet)["missing_permission"], "ses:GetConfigurationSet");
    assert_eq!(panel(PanelKind::ConfigurationSet)["figures"], Value::Null);
    assert_eq!(panel(PanelKind::Sender)["figures"]["identity"]["is_verified"], true);
    assert_eq!(panel(PanelKind::EventDestinations)["not_published"], json!([]));
    assert!(panel(PanelKind::Domain)["answered_at"].is_string());
    assert_eq!(panel(PanelKind::Rates)["figures"]["rates"]["bounces"]["part"], 0.012);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ses_says_reaches_no_terminal_as_it_is() {
    let api = SesApi::start().await;
    let world = world(&api).await;
    let evil = "\u{1b}]0;pwn\u{7}\u{202e}x\r\ny";
    let identities = json!({ "EmailIdentities": [{ "IdentityType": evil, "IdentityName": evil,
        "VerificationStatus": evil }] });
    let to = json!({ "EventDestinations": [{ "Name": evil, "Enabled": true, "MatchingEventTypes": [evil],
        "SnsDestination": { "TopicArn": evil } }] });
    let identity = json!({ "VerificationStatus": evil, "VerificationInfo": { "ErrorType": evil },
        "DkimAttributes": { "SigningEnabled": true, "Status": evil, "Tokens": [evil] },
        "MailFromAttributes": { "MailFromDomain": evil, "MailFromDomainStatus": evil,
            "BehaviorOnMxFailure": evil } });
    api.answers(Answer::Knows(vec![
        ("/event-destinations", to),
        ("/identities?", identities),
        ("/identities/", identity),
        (ACCOUNT, json!({ "EnforcementStatus": evil, "Details": { "ReviewDetails": { "Status": evil } } })),
    ]));
    for kind in [PanelKind::Sender, PanelKind::Domain, PanelKind::Identities, PanelKind::EventDestinations] {
        ask(&world, kind).await;
    }
    is_due_again(&world).await;
    ask_once(&world.settings).await;
    for arguments in [&["account"][..], &["account", "--json"]] {
        let shown = shown(&world, arguments);
        assert!(shown.contains("pwn"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{shown:?}");
    }
}
