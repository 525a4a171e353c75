//! Identities and configuration set: asked one after another by all workers together, each answer with its age.

use std::process::Command;

use verifydesk::domain::account::rates::AwsRate;
use verifydesk::domain::account::{Figures, IDENTITIES_MAX, NEEDED, Panel, PanelKind, not_published, rewriting};

use verifydesk::text::Untrusted;

use super::*;
use crate::mail_servers::python;
use crate::support::moto::Moto;

const SET: &str = "verifydesk";

pub(super) const RATES: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";

pub(super) const KINDS: [(PanelKind, &str, &str, &str); 6] = [
    (
        PanelKind::Sender,
        "no-reply@example.org",
        "GET /v2/email/identities/no-reply%40example.org",
        "ses:GetEmailIdentity",
    ),
    (PanelKind::Domain, "example.org", "GET /v2/email/identities/example.org", "ses:GetEmailIdentity"),
    (PanelKind::Identities, "", "GET /v2/email/identities?PageSize=100", "ses:ListEmailIdentities"),
    (PanelKind::ConfigurationSet, SET, "GET /v2/email/configuration-sets/verifydesk", "ses:GetConfigurationSet"),
    (
        PanelKind::EventDestinations,
        SET,
        "GET /v2/email/configuration-sets/verifydesk/event-destinations",
        "ses:GetConfigurationSetEventDestinations",
    ),
    (
        PanelKind::Rates,
        "",
        "POST /service/GraniteServiceVersion20100801/operation/GetMetricData",
        "cloudwatch:GetMetricData",
    ),
];

/// What SES says, in the shape of its API's reference; `its_answers_are_ses_s_as_botocore_reads_them` checks that.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
    vec![
        (ACCOUNT, account(14.0, 50_000.0)),
        ("/identities/no-reply%40example.org", identity("EMAIL_ADDRESS", &[])),
        ("/identities/example.org", identity("DOMAIN", &["aaa", "bbb", "ccc"])),
        (
            "/identities?",
            json!({ "EmailIdentities": [
                { "IdentityType": "DOMAIN", "IdentityName": "example.org", "SendingEnabled": true,
                  "VerificationStatus": "SUCCESS" },
                { "IdentityType": "EMAIL_ADDRESS", "IdentityName": "mina@example.net", "SendingEnabled": false,
                  "VerificationStatus": "PENDING" },
            ] }),
        ),
        (
            "/event-destinations",
            json!({ "EventDestinations": [
                { "Name": "desk", "Enabled": true, "MatchingEventTypes": NEEDED,
                  "SnsDestination": { "TopicArn": "arn:aws:sns:eu-central-1:1:events" } },
                { "Name": "metrics", "Enabled": true, "MatchingEventTypes": ["CLICK"],
                  "CloudWatchDestination": { "DimensionConfigurations": [] } },
            ] }),
        ),
        (
            "/configuration-sets/verifydesk",
            json!({
                "ConfigurationSetName": SET,
                "DeliveryOptions": { "TlsPolicy": "REQUIRE" },
                "ReputationOptions": { "ReputationMetricsEnabled": true },
                "SendingOptions": { "SendingEnabled": true },
                "SuppressionOptions": { "SuppressedReasons": ["BOUNCE"] },
            }),
        ),
        (RATES, rates(&[(1_795_000_000, json!(0.012)), (1_794_996_400, json!(0.02))], &[(1_795_000_000, json!(0.0))])),
    ]
}

/// What `CloudWatch` says of bounces and complaints, and of what no one has asked for.
fn rates(bounces: &[(i64, Value)], complaints: &[(i64, Value)]) -> Value {
    let result = |id: &str, name: &str, points: &[(i64, Value)]| {
        let (times, values): (Vec<i64>, Vec<&Value>) = points.iter().map(|(at, value)| (*at, value)).unzip();
        json!({ "Id": id, "Label": name, "Timestamps": times, "Values": values, "StatusCode": "Complete" })
    };
    json!({ "MetricDataResults": [
        result("other", "Reputation.BounceRate", &[(1_795_000_000, json!(0.9))]),
        result("bounces", "Reputation.BounceRate", bounces),
        result("complaints", "Reputation.ComplaintRate", complaints),
    ], "Messages": [] })
}

fn identity(kind: &str, tokens: &[&str]) -> Value {
    json!({
        "IdentityType": kind,
        "FeedbackForwardingStatus": true,
        "VerifiedForSendingStatus": true,
        "VerificationStatus": "SUCCESS",
        "DkimAttributes": { "SigningEnabled": true, "Status": "SUCCESS", "Tokens": tokens },
        "MailFromAttributes": { "MailFromDomain": "bounce.example.org", "MailFromDomainStatus": "PENDING",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE" },
        "ConfigurationSetName": SET,
    })
}

pub(super) async fn world(api: &SesApi) -> World {
    let mut world = World::with_ses_api(&api.endpoint()).await;
    world.settings.mail.configuration_set = Some(SET.into());
    world
}

/// Has one panel be all that is due, and asks.
pub(super) async fn ask(world: &World, kind: PanelKind) {
    let all: Vec<String> =
        KINDS.iter().map(|(kind, subject, ..)| format!("('{}', '{subject}')", kind.as_str())).collect();
    let (all, kind) = (all.join(","), kind.as_str());
    world
        .execute(&format!(
            "insert into account_panels (kind, subject) values {all} on conflict (kind) do update set asked_at = now();
            insert into ses_account (one) values (true) on conflict (one) do update set asked_at = now();
            update ses_account set called_at = '-infinity';
            update account_panels set asked_at = now() - interval '6 minutes' where kind = '{kind}'"
        ))
        .await;
    ask_once(&world.settings).await;
}

async fn panel(world: &World, kind: PanelKind) -> Panel {
    world.store().account_panels().await.unwrap().into_iter().find(|panel| panel.kind == kind).unwrap()
}

fn figures(panel: Panel) -> Figures {
    panel.answer.expect("it was answered").1
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_together_call_once_a_second_and_ask_each_thing_once() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = world(&api).await;
    let shutdown = CancellationToken::new();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let store = Store::open(&world.settings).unwrap();
            let poller = AccountPoller::from_settings(&store, &world.settings).unwrap().unwrap();
            let ending = shutdown.clone();
            tokio::spawn(async move { Box::pin(poller.run(Until::Ended, &ending)).await })
        })
        .collect();
    let answered = "select count(answered_at) from account_panels";
    world.until(async || world.number(answered).await == 6).await;
    shutdown.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    let requests = api.requests();
    // The suppression list comes last, perhaps when this has ended.
    let is_list = |asked: &&Request| asked.line.contains("/suppression/addresses?");
    let mut lines: Vec<&str> =
        requests.iter().filter(|asked| !is_list(asked)).map(|asked| asked.line.as_str()).collect();
    assert_eq!(lines[0], "GET /v2/email/account HTTP/1.1");
    let mut expected: Vec<String> = KINDS.iter().map(|(_, _, asked, _)| format!("{asked} HTTP/1.1")).collect();
    expected.push(format!("GET {ACCOUNT} HTTP/1.1"));
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let gaps: Vec<Duration> = requests.windows(2).map(|two: &[Request]| two[1].at - two[0].at).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_panel_keeps_what_ses_says() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = world(&api).await;
    for (kind, subject, ..) in KINDS {
        ask(&world, kind).await;
        let panel = panel(&world, kind).await;
        assert_eq!((panel.subject.raw(), &panel.trouble), (subject, &None));
        assert!(panel.answer.is_some(), "{kind:?}");
    }
    let Figures::Identity(domain) = figures(panel(&world, PanelKind::Domain).await) else { panic!() };
    assert!(domain.is_verified && domain.dkim_signs);
    assert_eq!(domain.dkim_tokens.iter().map(Untrusted::raw).collect::<Vec<_>>(), ["aaa", "bbb", "ccc"]);
    assert_eq!((domain.mail_from.raw(), domain.mail_from_status.raw()), ("bounce.example.org", "PENDING"));
    let Figures::Identities(all) = figures(panel(&world, PanelKind::Identities).await) else { panic!() };
    assert_eq!((all.listed.len(), all.listed[1].can_send, all.has_more), (2, false, false));
    let Figures::ConfigurationSet(set) = figures(panel(&world, PanelKind::ConfigurationSet).await) else { panic!() };
    assert!(set.can_send && set.has_reputation_metrics && set.tls.raw() == "REQUIRE");
    let Figures::EventDestinations(to) = figures(panel(&world, PanelKind::EventDestinations).await) else { panic!() };
    assert!(not_published(&to).is_empty());
    assert_eq!(rewriting(&to), ["CLICK"]);
    let Figures::Rates(rates) = figures(panel(&world, PanelKind::Rates).await) else { panic!() };
    let newest = |rate: Option<AwsRate>| rate.map(|rate| (rate.part, rate.at.timestamp()));
    assert_eq!(newest(rates.bounces), Some((0.012, 1_795_000_000)));
    assert_eq!(newest(rates.complaints), Some((0.0, 1_795_000_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_that_are_none_are_none() {
    let api = SesApi::start().await;
    let world = world(&api).await;
    let many: Vec<(i64, Value)> = (0..10_000).map(|n| (1_795_000_000 - n, json!(0.001))).collect();
    let wrong = ["NaN".into(), json!(-0.1), json!(1.01), json!(1e300)].map(|value| (1_795_003_600, value));
    let table = [
        (rates(&[], &[]), None, None),
        (json!({ "MetricDataResults": [] }), None, None),
        (json!({}), None, None),
        (rates(&wrong, &[(1_795_000_000, json!(1.0))]), None, Some(1.0)),
        (rates(&[(1_795_000_000, json!(0.05)), wrong[0].clone()], &wrong[1..2]), Some(0.05), None),
        (rates(&many, &many), Some(0.001), Some(0.001)),
    ];
    for (answer, bounces, complaints) in table {
        api.answers(Answer::Knows(vec![(RATES, answer)]));
        ask(&world, PanelKind::Rates).await;
        let panel = panel(&world, PanelKind::Rates).await;
        assert_eq!(panel.trouble, None);
        let Figures::Rates(rates) = figures(panel) else { panic!() };
        assert_eq!((rates.bounces.map(|it| it.part), rates.complaints.map(|it| it.part)), (bounces, complaints));
    }
    // Within an answer that is no refusal, one may stand.
    let mut answer = rates(&[], &[]);
    for result in answer["MetricDataResults"].as_array_mut().unwrap() {
        (result["StatusCode"], result["Values"], result["Timestamps"]) = ("Forbidden".into(), json!([]), json!([]));
    }
    api.answers(Answer::Knows(vec![(RATES, answer)]));
    ask(&world, PanelKind::Rates).await;
    let trouble = panel(&world, PanelKind::Rates).await.trouble.unwrap();
    assert_eq!(trouble.permission.unwrap().raw(), "cloudwatch:GetMetricData");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_named_and_the_rest_goes_on() {
    let api = SesApi::start().await;
    let world = world(&api).await;
    for (lacking, _, path, permission) in KINDS {
        api.answers(Answer::Lacks(path, answers()));
        for (kind, ..) in KINDS {
            ask(&world, kind).await;
            let panel = panel(&world, kind).await;
            let named = panel.trouble.and_then(|trouble| trouble.permission);
            let expected = (kind == lacking).then_some(permission);
            assert_eq!(named.as_ref().map(Untrusted::raw), expected, "without {path}: {kind:?}");
        }
    }
    // What was known stays, with its age.
    assert!(panel(&world, PanelKind::EventDestinations).await.answer.is_some());
    api.answers(Answer::Lacks(ACCOUNT, answers()));
    is_due_again(&world).await;
    ask_once(&world.settings).await;
    let account = world.store().ses_account().await.unwrap().unwrap();
    assert_eq!(account.permission.unwrap().raw(), "ses:GetAccount");
    // Another refusal is no missing right.
    api.answers(Answer::Refuses(403, "SignatureDoesNotMatch", "Check your AWS Secret Access Key"));
    ask(&world, PanelKind::Sender).await;
    let trouble = panel(&world, PanelKind::Sender).await.trouble.unwrap();
    assert_eq!(trouble.permission, None);
    assert!(trouble.text.raw().contains("SignatureDoesNotMatch"), "{trouble:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_too_much_are_answers() {
    let api = SesApi::start().await;
    let world = world(&api).await;
    api.answers(Answer::Knows(Vec::new()));
    for kind in [PanelKind::Sender, PanelKind::ConfigurationSet] {
        ask(&world, kind).await;
        assert_eq!(figures(panel(&world, kind).await), Figures::Absent);
    }
    let long = format!("a\0{}", "\u{1b}".repeat(1_000));
    let one = json!({ "IdentityType": "DOMAIN", "IdentityName": long, "VerificationStatus": long });
    let many: Vec<&Value> = std::iter::repeat_n(&one, 2 * IDENTITIES_MAX).collect();
    api.answers(Answer::Knows(vec![("/identities?", json!({ "EmailIdentities": many }))]));
    ask(&world, PanelKind::Identities).await;
    let Figures::Identities(all) = figures(panel(&world, PanelKind::Identities).await) else { panic!() };
    assert_eq!((all.listed.len(), all.has_more), (IDENTITIES_MAX, true));
    assert_eq!(all.listed[0].name.raw().chars().count(), verifydesk::domain::account::TEXT_MAX);
    assert!(!all.listed[0].name.plain().as_str().contains('\u{1b}'));
}

/// What was said of another identity says nothing of this one.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_about_another_sender_is_not_kept() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let mut world = world(&api).await;
    ask(&world, PanelKind::Sender).await;
    world.settings.mail.from = Some("hello@example.net".into());
    api.answers(Answer::Refuses(500, "InternalFailure", "later"));
    world
        .execute(
            "update account_panels set asked_at = now() - interval '2 minutes' where kind = 'sender';
            update ses_account set called_at = '-infinity'",
        )
        .await;
    ask_once(&world.settings).await;
    let panel = panel(&world, PanelKind::Sender).await;
    assert_eq!((panel.subject.raw(), panel.answer), ("hello@example.net", None));
}

/// moto answers for single identities and for configuration sets, and for nothing else of this.
#[tokio::test(flavor = "multi_thread")]
async fn moto_s_identities_are_understood() {
    let moto = tokio::task::spawn_blocking(Moto::start).await.unwrap();
    moto.verify("no-reply@example.org").await;
    let mut world = World::with_ses_api(&moto.endpoint()).await;
    world.settings.mail.configuration_set = Some(SET.into());
    for kind in [PanelKind::Sender, PanelKind::ConfigurationSet] {
        ask(&world, kind).await;
    }
    let sender = panel(&world, PanelKind::Sender).await;
    let Figures::Identity(known) = figures(sender) else { panic!() };
    assert_eq!((known.verification.raw(), known.dkim.raw()), ("SUCCESS", "NOT_STARTED"));
    assert_eq!(figures(panel(&world, PanelKind::ConfigurationSet).await), Figures::Absent);
}

/// No peer answers all of it: what our stub says must be what Amazon's own library takes for SES's answers.
#[tokio::test(flavor = "multi_thread")]
async fn its_answers_are_ses_s_as_botocore_reads_them() {
    let api = SesApi::start().await;
    let mut all = answers();
    // The account has a field that is new, on purpose.
    all[0].1.as_object_mut().unwrap().remove("SomethingNew");
    // botocore asks for rates by JSON, at another path than our SDK; and by CBOR, as that does.
    all.push(("POST / ", all[6].1.clone()));
    // In the newest model identities are listed by another path, with the same answer.
    let listed = all[3].1.clone();
    all.push(("/list-identities", listed));
    // What acts are answered by comes last, since its paths are parts of others.
    let acts = all.len();
    all.extend(super::acts::answers());
    api.answers(Answer::Knows(all.clone()));
    let endpoint = api.endpoint();
    let output = tokio::task::spawn_blocking(move || {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        Command::new(python(root)).arg(root.join("tests/amazon/read_account.py")).arg(endpoint).output().unwrap()
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let order = [0, 1, 2, 3, 5, 4, acts, acts + 1, acts + 2, acts + 3, acts + 4, 6, 6];
    for (read, at) in read.iter().zip(order) {
        assert_eq!(read, &all[at].1, "{}", all[at].0);
    }
    assert_eq!(read.len(), order.len());
}
