//! Identities are added by those who hold no keys, and what each domain that is not verified needs in DNS is known.

use verifydesk::domain::account::act::{ActState, Came};
use verifydesk::domain::account::facts::in_dns;
use verifydesk::domain::account::identity_name::IdentityName;

use super::acts::{act, jun, without_keys, work};
use super::commanded::{bastion, object, polling};
use super::*;
use crate::support::moto::Moto;

const SHOP: &str = "shop.example";

/// SES has a domain and an address that are not verified, and takes more.
fn answers() -> Vec<(&'static str, Value)> {
    let detail = json!({
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": false,
        "VerificationStatus": "PENDING",
        "DkimAttributes": { "SigningEnabled": true, "Status": "PENDING", "Tokens": ["ddd", "eee"],
            "SigningHostedZone": "dkim.eu-central-2.amazonses.com" },
        "MailFromAttributes": { "MailFromDomain": "bounce.shop.example", "MailFromDomainStatus": "PENDING",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE" },
    });
    let mut known = super::acts::answers();
    known.extend([
        ("/v2/email/identities/shop.example ", detail),
        (
            "/v2/email/identities?",
            json!({ "EmailIdentities": [
                { "IdentityType": "DOMAIN", "IdentityName": "example.org", "SendingEnabled": true,
                  "VerificationStatus": "SUCCESS" },
                { "IdentityType": "EMAIL_ADDRESS", "IdentityName": "mina@example.net", "SendingEnabled": false,
                  "VerificationStatus": "PENDING" },
                { "IdentityType": "DOMAIN", "IdentityName": SHOP, "SendingEnabled": false,
                  "VerificationStatus": "PENDING" },
            ] }),
        ),
        (ACCOUNT, account(14.0, 50_000.0)),
    ]);
    known
}

fn name(text: &str) -> IdentityName {
    IdentityName::parse(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_add_it_once_within_the_one_call_a_second() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    let desk = without_keys(&world);
    let id = desk.add_identity(&jun(), &name("New.Example"), Some("our new shop")).await.unwrap();
    let _workers = [polling(&world), polling(&world)];
    // Until the other domain that is not verified was asked about as well.
    let asked = "select count(*) from identities where answered_at is not null";
    world.until(async || world.number(asked).await == 2).await;
    let requests = api.requests();
    let posts: Vec<&Request> =
        requests.iter().filter(|asked| asked.line.starts_with("POST /v2/email/identities")).collect();
    assert_eq!(posts.len(), 1, "{requests:?}");
    assert_eq!(posts[0].body, json!({ "EmailIdentity": "new.example" }));
    let gaps: Vec<Duration> = requests.windows(2).map(|two: &[Request]| two[1].at - two[0].at).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
    let done = act(&world, id).await;
    assert_eq!((done.state, done.came, done.attempts), (ActState::Done, Some(Came::Done), 1));
    let records: Vec<String> =
        in_dns(&world.store().account().await.unwrap()).iter().map(ToString::to_string).collect();
    for record in [
        "ddd._domainkey.new.example CNAME ddd.dkim.amazonses.com",
        "ddd._domainkey.shop.example CNAME ddd.dkim.eu-central-2.amazonses.com",
        "bounce.shop.example MX 10 feedback-smtp.eu-central-1.amazonses.com",
        "bounce.shop.example TXT \"v=spf1 include:amazonses.com ~all\"",
        "_dmarc.new.example TXT \"v=DMARC1; p=none\"",
    ] {
        assert!(records.iter().any(|one| one == record), "{record}: {records:?}");
    }
    let entries: Vec<String> = sqlx::query_scalar(
        "select concat_ws(' ', actor, origin, action, outcome, reason, after - 'act') from audit_log order by id",
    )
    .fetch_all(world.pool())
    .await
    .unwrap();
    let entry =
        |outcome| format!(r#"jun@bastion console add_identity {outcome} our new shop {{"identity": "new.example"}}"#);
    assert_eq!(entries, [entry("asked"), entry("done")]);
}

/// The audit log knows users by number, and what was asked about them goes with them.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_user_is_in_no_log() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    world.sign_up("mina@example.com").await;
    let id = without_keys(&world).add_identity(&jun(), &name("Mina@example.com"), None).await.unwrap();
    work(&world).await;
    assert_eq!(act(&world, id).await.came, Some(Came::Done));
    let post = api.requests().into_iter().find(|asked| asked.line.starts_with("POST ")).unwrap();
    assert_eq!(post.body, json!({ "EmailIdentity": "Mina@example.com" }), "its case counts at SES");
    let by_number = "select count(*) from audit_log where action = 'add_identity' and user_id = 1 and reason is null";
    assert_eq!(world.number(by_number).await, 2);
    let named = "select count(*) from audit_log where action = 'add_identity' and after::text ilike '%mina%'";
    assert_eq!(world.number(named).await, 0);
    assert_eq!(world.number("select count(*) from identities").await, 0, "of an address nothing has to be in DNS");
    world.execute("delete from users").await;
    assert_eq!(world.number("select count(*) from account_acts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_there_already_is_no_failure() {
    let api = SesApi::start().await;
    api.answers(Answer::Refuses(400, "AlreadyExistsException", "Email identity shop.example already exist."));
    let world = World::with_ses_api(&api.endpoint()).await;
    let id = without_keys(&world).add_identity(&jun(), &name(SHOP), None).await.unwrap();
    work(&world).await;
    let there = act(&world, id).await;
    assert_eq!((there.state, there.came), (ActState::Done, Some(Came::Exists)));
    assert_eq!(there.in_words(), "is an identity already");
}

/// To wait makes no room; where SES is only asked too often, it does.
#[tokio::test(flavor = "multi_thread")]
async fn one_more_than_aws_lets_an_account_have_is_said_at_once() {
    let api = SesApi::start().await;
    let world = World::with_ses_api(&api.endpoint()).await;
    for (status, code, state) in
        [(400, "LimitExceededException", ActState::Failed), (429, "TooManyRequestsException", ActState::Waiting)]
    {
        api.answers(Answer::Refuses(status, code, "There are too many instances of the specified resource type."));
        let id = without_keys(&world).add_identity(&jun(), &name("one.more.example"), None).await.unwrap();
        work(&world).await;
        let came = act(&world, id).await;
        assert_eq!((came.state, came.attempts), (state, 1), "{code}");
        let words = came.in_words();
        assert!(words.contains(code), "{words}");
        assert_eq!(words.contains("delete an identity"), state == ActState::Failed, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_keys_adds_one_and_is_told_what_goes_into_dns() {
    let api = SesApi::start().await;
    api.answers(Answer::Knows(answers()));
    let world = World::with_ses_api(&api.endpoint()).await;
    let _polling = polling(&world);
    let bastion = bastion(&world);
    let identities = |arguments: &[&str]| {
        let run = bastion.run(&[&["account", "identities"], arguments].concat());
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{}{}", run.out, run.err);
        (run.code, run.out, run.err)
    };
    let (code, out, err) = identities(&["add", "new.example", "--reason", "our new shop"]);
    assert_eq!(code, 0, "{err}");
    let expected = "new.example: added at SES; SES verifies it when its records are in DNS
  DKIM       ddd._domainkey.new.example CNAME ddd.dkim.amazonses.com
  DKIM       eee._domainkey.new.example CNAME eee.dkim.amazonses.com
  DKIM       fff._domainkey.new.example CNAME fff.dkim.amazonses.com
  DMARC      _dmarc.new.example TXT \"v=DMARC1; p=none\"  (a proposal, if there is none)
";
    assert_eq!(out, expected);
    let (code, out, _) = identities(&["add", "Mina@example.net"]);
    assert_eq!(code, 0);
    assert_eq!(out, "Mina@example.net: added at SES; AWS has mailed it a link that its owner has to open\n");
    let (_, out, _) = identities(&["add", "other.example", "--json"]);
    let added = object(&out);
    assert_eq!((&added["identity"], &added["kind"]), (&"other.example".into(), &"add_identity".into()));
    assert_eq!(added["dns"][0]["value"], "ddd.dkim.amazonses.com");

    // The list, once the domain in it was asked about.
    world.until(async || world.number("select count(*) from identities where name = 'shop.example'").await == 1).await;
    let (_, out, _) = identities(&["list"]);
    let expected = "mina@example.net  pending: its owner has to open the link that AWS has mailed
shop.example  pending
  DKIM       ddd._domainkey.shop.example CNAME ddd.dkim.eu-central-2.amazonses.com
  DKIM       eee._domainkey.shop.example CNAME eee.dkim.eu-central-2.amazonses.com
  MAIL FROM  bounce.shop.example MX 10 feedback-smtp.eu-central-1.amazonses.com
  MAIL FROM  bounce.shop.example TXT \"v=spf1 include:amazonses.com ~all\"
  DMARC      _dmarc.shop.example TXT \"v=DMARC1; p=none\"  (a proposal, if there is none)
example.org  success
";
    assert_eq!(out, expected);
    let (_, out, _) = identities(&["list", "--json"]);
    let rows: Vec<Value> = out.lines().map(object).collect();
    assert_eq!((&rows[1]["name"], &rows[1]["dns"][2]["type"]), (&SHOP.into(), &"MX".into()));
    assert_eq!((&rows[0]["dns"], &rows[2]["dns"]), (&Value::Null, &Value::Null));
    let shown = bastion.run(&["account"]).out;
    assert!(shown.contains("new.example: added at SES"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_asked_for_nowhere_and_without_a_worker_it_waits() {
    let world = World::new().await;
    let bastion = bastion(&world);
    let long = format!("{}.example", "x".repeat(300));
    for nonsense in [
        "",
        "mina kim@example.com",
        "exam ple.org",
        "a\u{1b}[2J@example.com",
        "\"mina\"@example.com",
        "민아@example.com",
        &long,
    ] {
        let run = bastion.run(&["account", "identities", "add", nonsense]);
        assert_eq!(run.code, 2, "{nonsense:?}: {}", run.err);
        assert!(!run.err.contains('\u{1b}'), "{}", run.err);
    }
    assert_eq!(world.number("select count(*) from account_acts").await, 0);
    let run = bastion.run(&["account", "identities", "add", "example.org", "--reason", "xxx"]);
    assert_eq!(run.code, 4, "{}", run.err);
    let run = bastion.run(&["--read-only", "account", "identities", "add", "example.org"]);
    assert_eq!(run.code, 4, "{}", run.err);
    let run = bastion.run(&["account", "identities", "list"]);
    assert!(run.code == 0 && run.err.contains("no worker has asked SES about identities yet"), "{}", run.err);
    let run = bastion.run(&["account", "identities", "add", "mina@책방.example", "--wait", "0"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, "mina@책방.example: waits for a worker that has AWS's keys\n"),
        "{}",
        run.err
    );
    let stored = "select count(*) from account_acts where identity = 'mina@xn--vh3bp80a.example'";
    assert_eq!(world.number(stored).await, 1);
}

/// moto takes identities, addresses and domains.
#[tokio::test(flavor = "multi_thread")]
async fn moto_takes_identities() {
    let moto = tokio::task::spawn_blocking(Moto::start).await.unwrap();
    let world = World::with_ses_api(&moto.endpoint()).await;
    let desk = without_keys(&world);
    let domain = desk.add_identity(&jun(), &name(SHOP), None).await.unwrap();
    let address = desk.add_identity(&jun(), &name("mina@example.net"), None).await.unwrap();
    let _polling = polling(&world);
    world.until(async || world.number("select count(*) from account_acts where state = 'waiting'").await == 0).await;
    for id in [domain, address] {
        let act = act(&world, id).await;
        assert_eq!(act.came, Some(Came::Done), "{act:?}");
    }
    // It answers no list by the path that this SDK asks for.
    let names: Vec<String> = sqlx::query_scalar("select name from identities").fetch_all(world.pool()).await.unwrap();
    assert_eq!(names, [SHOP]);
}
