//! The same table for SES's API: what it says (AWS's API reference, version 2, `SendEmail` and "Common Error Types"), and what
//! happens without an answer.

use std::time::Duration;

use verifydesk::desk::LinkOutcome;
use verifydesk::domain::brake::BrakeCause::{Configuration, Quota};
use verifydesk::domain::send::SendState::{self, Accepted, Failed, Queued, Unknown};
use verifydesk::outbox::worker::Mode;

use super::Then::{self, GoesOn, Pauses, Slower, Stops};
use super::table::{FIRST, MOMENT, NEVER, NOW, REACH, UNKNOWN};
use super::{Expected, RECIPIENT, try_once};
use crate::support::Program;
use crate::support::ses_api::Answer::{self, Closes, Hangs, Refuses, Says, Takes};
use crate::support::ses_api::{Read, SesApi};
use crate::support::silent::Silent;
use crate::support::world::{World, key_in_bytes};

/// What the API does, and what is expected then.
struct Row(Answer, SendState, i16, (f64, f64), &'static str, Then);

const UNVERIFIED_SENDER: &str = "Email address is not verified. The following identities failed the check in region \
    EU-CENTRAL-1: no-reply@example.org, mina@example.com";
const SANDBOX: &str = "Email address is not verified. The following identities failed the check in region \
    EU-CENTRAL-1: mina@example.com";
const PAUSED: &str = "Sending paused for this account. For more information, please check the inbox of the email \
    address associated with your AWS account.";
const ACCESS_DENIED: &str = "User `arn:aws:iam::123456789012:user/mail' is not authorized to perform `ses:SendEmail' \
    on resource `arn:aws:ses:eu-central-1:123456789012:identity/example.org'";
const RATE: &str = "Maximum sending rate exceeded.";
const DAY: &str = "Daily message quota exceeded.";

const GATEWAY: &str =
    "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>sorry</h1>\n";
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
const NO_ID: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
const NO_JSON: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\nhello";
const CUT_OFF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"Message";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
const NO_HTTP: &str = "220 mail.example.org ESMTP\r\n";

fn table() -> Vec<Row> {
    vec![
        Row(Takes, Accepted, 1, NEVER, "", GoesOn),
        // What the API says.
        Row(Refuses(429, "TooManyRequestsException", RATE), Queued, 0, MOMENT, "more mails a second", Slower),
        Row(Refuses(400, "ThrottlingException", RATE), Queued, 0, MOMENT, "more mails a second", Slower),
        Row(Refuses(400, "Throttling", RATE), Queued, 0, MOMENT, "more mails a second", Slower),
        Row(Refuses(429, "TooManyRequestsException", ""), Queued, 0, MOMENT, "more mails a second", Slower),
        Row(Refuses(429, "TooManyRequestsException", DAY), Queued, 0, NOW, "24 hours are used up", Pauses(Quota)),
        Row(Refuses(400, "ThrottlingException", DAY), Queued, 0, NOW, "24 hours are used up", Pauses(Quota)),
        Row(Refuses(400, "LimitExceededException", DAY), Queued, 0, NOW, "24 hours are used up", Pauses(Quota)),
        Row(Refuses(400, "AccountSuspendedException", "x"), Queued, 0, NOW, "AWS has paused", Pauses(Configuration)),
        Row(Refuses(400, "SendingPausedException", "x"), Queued, 0, NOW, "AWS has paused", Pauses(Configuration)),
        Row(Refuses(400, "MessageRejected", PAUSED), Queued, 0, NOW, "AWS has paused", Pauses(Configuration)),
        Row(
            Refuses(400, "MessageRejected", UNVERIFIED_SENDER),
            Queued,
            0,
            NOW,
            "has not verified the sender",
            Pauses(Configuration),
        ),
        Row(Refuses(400, "MessageRejected", SANDBOX), Failed, 1, NEVER, "the SES account is in the sandbox", GoesOn),
        Row(Refuses(400, "MessageRejected", "Bad content"), Failed, 1, NEVER, "400 MessageRejected Bad", GoesOn),
        Row(
            Refuses(400, "MailFromDomainNotVerifiedException", "x"),
            Queued,
            0,
            NOW,
            "MAIL FROM domain",
            Pauses(Configuration),
        ),
        Row(
            Refuses(404, "NotFoundException", "Configuration set <mails> does not exist."),
            Queued,
            0,
            NOW,
            "does not know the configuration set",
            Pauses(Configuration),
        ),
        Row(
            Refuses(403, "AccessDeniedException", ACCESS_DENIED),
            Queued,
            0,
            NOW,
            "may not send this mail",
            Pauses(Configuration),
        ),
        Row(Refuses(400, "BadRequestException", "Missing final '@domain'"), Failed, 1, NEVER, "the recipient", GoesOn),
        Row(Refuses(400, "BadRequestException", "Duplicate header"), Failed, 1, NEVER, "refused the mail", GoesOn),
        Row(Refuses(403, "InvalidClientTokenId", "x"), Queued, 0, NOW, "does not know these credentials", Stops),
        Row(Refuses(403, "UnrecognizedClientException", "x"), Queued, 0, NOW, "does not know these", Stops),
        Row(Refuses(403, "SignatureDoesNotMatch", "x"), Queued, 0, NOW, "this machine's clock", Stops),
        Row(Refuses(403, "InvalidSignatureException", "Signature expired"), Queued, 0, NOW, "clock", Stops),
        Row(Refuses(403, "ExpiredTokenException", "x"), Queued, 0, REACH, "have expired", GoesOn),
        Row(Refuses(403, "OptInRequired", "x"), Queued, 0, NOW, "not subscribed to SES", Stops),
        Row(Refuses(500, "InternalFailure", "x"), Queued, 1, FIRST, "trouble of its own", GoesOn),
        Row(Refuses(503, "ServiceUnavailable", "x"), Queued, 1, FIRST, "trouble of its own", GoesOn),
        // Documented nowhere, by its status.
        Row(Refuses(400, "NewException", "x"), Failed, 1, NEVER, "400 NewException x", GoesOn),
        Row(Refuses(599, "NewException", "x"), Queued, 1, FIRST, "599 NewException x", GoesOn),
        // Not the API's answer: who gave it does not know either.
        Row(Says(GATEWAY), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Says(UNAVAILABLE), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Says(NO_ID), Unknown, 1, UNKNOWN, "without a message id", GoesOn),
        Row(Says(NO_JSON), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Says(CUT_OFF), Unknown, 1, UNKNOWN, "no answer", GoesOn),
        Row(Says(REDIRECT), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Says(NO_HTTP), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        // No answer: what was sent before the connection ended may have been taken.
        Row(Closes(Read::Head), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Closes(Read::All), Unknown, 1, UNKNOWN, "may or may not", GoesOn),
        Row(Hangs(Read::Nothing), Unknown, 1, UNKNOWN, "no answer", GoesOn),
        Row(Hangs(Read::Head), Unknown, 1, UNKNOWN, "no answer", GoesOn),
        Row(Hangs(Read::All), Unknown, 1, UNKNOWN, "no answer", GoesOn),
    ]
}

/// Longer than any answer takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(3);

async fn site(endpoint: String) -> World {
    let mut site = World::with_ses_api(&endpoint).await;
    site.settings.ses.timeout = PATIENT;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_leads_where_it_should() {
    let api = SesApi::start().await;
    let site = site(api.endpoint()).await;
    let mut differences = Vec::new();
    for Row(answer, state, attempts, again, words, then) in table() {
        api.answers(answer.clone());
        let expected = Expected { state, attempts, again, words, then };
        let seen = try_once(&site, state).await;
        let mut found = expected.differs(&seen);
        let reads_all = !matches!(answer, Closes(Read::Head) | Hangs(Read::Nothing | Read::Head));
        let requests = api.requests();
        if requests.len() != usize::from(reads_all) {
            found.push(format!("it was asked {} times", requests.len()));
        }
        if let Refuses(status, code, message) = answer {
            let whole = format!("{status} {code} {message}").trim_end().to_owned();
            if seen.send.reply.as_ref().is_none_or(|kept| kept.raw() != whole) {
                found.push(format!("the reply was kept as {:?}", seen.send.reply));
            }
        }
        differences.extend(found.iter().map(|what| format!("{answer:?}: {what}")));
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_is_not_unknown() {
    let gone = SesApi::start().await;
    let nowhere = gone.endpoint();
    drop(gone);
    let silent = Silent::new().await;
    let away = |words| Expected { state: Queued, attempts: 0, again: REACH, words, then: GoesOn };
    for (endpoint, words) in [(nowhere, "refused"), (format!("http://{}", silent.at), "no answer at connecting")] {
        let site = site(endpoint).await;
        let seen = try_once(&site, Queued).await;
        assert_eq!(away(words).differs(&seen), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_is_the_same_as_by_smtp() {
    let api = SesApi::start().await;
    let mut site = site(api.endpoint()).await;
    site.settings.mail.configuration_set = Some("mails".into());
    site.sign_up(RECIPIENT).await;
    let tally = site.start(Mode::Drain).ended().await;
    assert_eq!((tally.sent, tally.failed), (1, 0), "{tally:?}");
    let send = site.one_send().await;
    assert_eq!(send.reply.unwrap().raw(), "200 OK 0107-1");
    assert_eq!(send.ses_id.unwrap().raw(), "0107-1");
    let requests = api.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.line, "POST /v2/email/outbound-emails HTTP/1.1");
    assert_eq!(request.body["FromEmailAddress"], "no-reply@example.org");
    assert_eq!(request.body["Destination"]["ToAddresses"], serde_json::json!([RECIPIENT]));
    assert_eq!(request.body["ConfigurationSetName"], "mails");
    let signed = request.header("authorization").unwrap();
    assert!(signed.contains("AKIAIOSFODNN7EXAMPLE/") && signed.contains("/eu-central-1/ses/aws4_request"), "{signed}");
    let mail = request.mail();
    let text = String::from_utf8(mail.clone()).unwrap();
    assert!(text.contains(&format!("X-SES-MESSAGE-TAGS: send={}, attempt=1\r\n", send.id)), "{text}");
    assert!(text.contains("X-SES-CONFIGURATION-SET: mails\r\n"), "{text}");
    assert!(text.lines().all(|line| line.len() < 1_000));
    let opened = site.open(&key_in_bytes(&mail)).await;
    assert!(matches!(opened, LinkOutcome::Verified { .. }), "{opened:?}");
}

/// Whether any of it was sent when the connection ended is chance; it is never taken for refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_at_once_refuses_nothing() {
    let api = SesApi::start().await;
    let site = site(api.endpoint()).await;
    api.answers(Closes(Read::Nothing));
    site.sign_up(RECIPIENT).await;
    let running = site.start(Mode::Forever);
    site.until(async || site.one_send().await.reason.is_some()).await;
    running.end().await;
    let send = site.one_send().await;
    assert!(matches!((send.state, send.attempts), (Queued, 0) | (Unknown, 1)), "{send:?}");
}

/// A connection is kept from mail to mail; what SES closed while it was idle is not a lost answer.
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept() {
    let api = SesApi::start().await;
    let mut site = site(api.endpoint()).await;
    site.settings.worker.lanes = 1;
    for n in 0..20 {
        site.sign_up(&format!("user{n}@example.com")).await;
    }
    let tally = site.start(Mode::Drain).ended().await;
    assert_eq!((tally.sent, api.requests().len()), (20, 20), "{tally:?}");
    assert!(api.connections() <= 2);
}

/// The SDK would log whole requests.
#[tokio::test(flavor = "multi_thread")]
async fn no_log_quotes_a_mail() {
    let api = SesApi::start().await;
    let site = site(api.endpoint()).await;
    site.sign_up(RECIPIENT).await;
    let program = Program::new(&site.db.url)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", "a secret of the tests, 32 bytes and more")
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "ses")
        .set("AWS_SES_REGION_NAME", "eu-central-1")
        .set("AWS_SES_REGION_ENDPOINT", api.endpoint())
        .set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .set("RUST_LOG", "trace,aws_smithy_runtime=trace,aws_smithy_runtime::client::orchestrator=trace");
    let ended = tokio::task::spawn_blocking(move || program.run(&["worker", "--drain"])).await.unwrap();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("TRACE"), "{}", ended.err);
    let request = api.requests().into_iter().find(|request| request.line.starts_with("POST")).unwrap();
    let data = request.body["Content"]["Raw"]["Data"].as_str().unwrap();
    let key = key_in_bytes(&request.mail()).expose();
    for secret in [&data[..40], &data[data.len() - 40..], &key[..16], "SendEmail", "bPxRfiCYEXAMPLEKEY"] {
        assert!(!ended.err.contains(secret), "{secret} is in the log");
    }
}
