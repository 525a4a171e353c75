//! Handing mail over by SMTP, to aiosmtpd.

use std::time::Duration;

use mail_parser::MessageParser;
use tokio::sync::watch;
use verifydesk::config::{Secret, Settings, Tls};
use verifydesk::domain::Time;
use verifydesk::domain::id::SendId;
use verifydesk::domain::locale::Locale;
use verifydesk::mail::message::{Composed, Composer};
use verifydesk::mail::templates::Templates;
use verifydesk::mail::transport::{Cause, Failure, Lane, Lease, Receipt, Stage, Timeouts, Transport};
use verifydesk::mail::verification::{TEMPLATE, VerificationMail};

mod addresses;
mod cancel;
mod forgotten;
mod script;
mod turns;
mod words;

use crate::mail_servers::{Authority, PATIENCE, SmtpServer, SmtpServerOptions};

const USER: &str = "AKIAIOSFODNN7EXAMPLE";
const PASSWORD: &str = "correct horse";

/// Time-outs that no healthy server on this machine comes near.
const PATIENT: Timeouts =
    Timeouts { connect: PATIENCE, command: PATIENCE, end_of_data: PATIENCE, tested_after: PATIENCE };

/// Time-outs for servers that never answer.
const SHORT: Timeouts = Timeouts {
    connect: Duration::from_millis(1500),
    command: Duration::from_millis(1500),
    end_of_data: Duration::from_millis(1500),
    ..PATIENT
};

fn settings(server: &SmtpServer, tls: Tls) -> Settings {
    let mut settings = Settings::default();
    settings.mail.from = Some("Example, Inc. <no-reply@example.org>".to_owned());
    settings.smtp.host = Some("127.0.0.1".to_owned());
    settings.smtp.port = Some(server.port());
    settings.smtp.tls = tls;
    if tls != Tls::None {
        settings.smtp.ca_file = Some(Authority::shared().ca_file());
        settings.smtp.username = Some(USER.to_owned());
        settings.smtp.password = Some(Secret::new(PASSWORD));
    }
    settings
}

/// A lease that does not end.
fn forever() -> Lease {
    Lease::new(watch::channel(tokio::time::Instant::now() + Duration::from_hours(1)).1)
}

fn transport(settings: &Settings, timeouts: Timeouts) -> Transport {
    Transport::from_settings(settings).unwrap().with_timeouts(timeouts)
}

fn mail(settings: &Settings, id: SendId, locale: Locale) -> Composed {
    let at: Time = "2026-11-22T05:30:00Z".parse().unwrap();
    let mail = VerificationMail::sample(locale, settings, at);
    let templates = Templates::load(None).unwrap();
    let rendered = templates.render(TEMPLATE, locale, &mail.context(&settings.site)).unwrap();
    Composer::from_settings(settings).unwrap().compose(id, 1, &mail.recipient, "Robin", &rendered, at).unwrap()
}

fn starttls() -> SmtpServerOptions {
    SmtpServer::starttls().sign_in(USER, PASSWORD)
}

/// Sends one mail on a new lane.
async fn send_to(server: &SmtpServer, timeouts: Timeouts) -> Result<Receipt, Failure> {
    let settings = settings(server, Tls::Starttls);
    let id = SendId::new();
    transport(&settings, timeouts).lane().send(&mail(&settings, id, Locale::Ko), id, &forever()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_arrive_as_they_were_made() {
    let server = starttls().start();
    let settings = settings(&server, Tls::Starttls);
    let transport = transport(&settings, PATIENT);
    assert_eq!((transport.kind(), transport.target()), ("smtp", format!("127.0.0.1:{}", server.port())));
    let mut lane = transport.lane();
    let mut sent = Vec::new();
    for locale in [Locale::Ko, Locale::En, Locale::Ko] {
        let id = SendId::new();
        let mail = mail(&settings, id, locale);
        let receipt = lane.send(&mail, id, &forever()).await.unwrap();
        let ses_id = receipt.ses_id.unwrap();
        assert!(ses_id.raw().starts_with("0102") && ses_id.raw().ends_with("-000000"), "{ses_id:?}");
        assert_eq!(receipt.reply.raw(), format!("250 Ok {}", ses_id.raw()));
        sent.push(mail.bytes);
    }
    lane.close().await;
    assert_eq!(server.mails(), sent);
    server.wait_for_lines(">> b'QUIT'", 1);
    assert_eq!(server.lines_with("<< b'220 mail.example.test"), 1, "one connection for all of them");
    let stored = server.wait_for(|line| line["event"] == "stored");
    assert_eq!(
        (stored["from"].as_str(), stored["to"][0].as_str()),
        (Some("no-reply@example.org"), Some("robin@example.com"))
    );
    let received = server.mails();
    let parsed = MessageParser::default().parse(&received[0]).unwrap();
    assert!(parsed.subject().unwrap().contains("이메일 주소를 확인해 주세요"));
}

#[tokio::test]
async fn tls_from_the_first_byte_and_both_ways_to_sign_in() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = SmtpServer::tls().sign_in(USER, PASSWORD).mechanism(mechanism).start();
        let settings = settings(&server, Tls::Tls);
        let id = SendId::new();
        transport(&settings, PATIENT).lane().send(&mail(&settings, id, Locale::En), id, &forever()).await.unwrap();
        assert_eq!(server.mails().len(), 1);
        assert_eq!(server.lines_with("STARTTLS"), 0);
    }
}

#[tokio::test]
async fn loopback_needs_neither_tls_nor_password() {
    let server = SmtpServer::plain().start();
    let mut settings = settings(&server, Tls::None);
    // Keys that are there for other reasons do no harm where no server asks for them.
    settings.ses.access_key_id = Some(USER.to_owned());
    settings.ses.secret_access_key = Some(Secret::new("secret"));
    settings.ses.region = Some("ap-northeast-2".to_owned());
    let id = SendId::new();
    transport(&settings, PATIENT).lane().send(&mail(&settings, id, Locale::En), id, &forever()).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_password_derived_from_the_iam_key_goes_to_no_other_host() {
    let derived = "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd";
    let server = SmtpServer::starttls().sign_in(USER, derived).start();
    let mut settings = settings(&server, Tls::Starttls);
    settings.smtp.username = None;
    settings.smtp.password = None;
    settings.ses.access_key_id = Some(USER.to_owned());
    settings.ses.secret_access_key = Some(Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    settings.ses.endpoint = Some("email.us-west-2.amazonaws.com".to_owned());
    let id = SendId::new();
    let mail = mail(&settings, id, Locale::En);
    let failure = transport(&settings, PATIENT).lane().send(&mail, id, &forever()).await.unwrap_err();
    assert_eq!((failure.stage, failure.reply().map(|reply| reply.code)), (Stage::Mail, Some(530)));
    let said = format!("{:?}", server.reports());
    assert!(!said.contains("b'AUTH") && !said.contains(USER), "{said}");
    let verdict = verifydesk::outbox::reply::judge(&failure, &mail.from, &mail.to);
    assert!(verdict.next.contains("`smtp.username` and `smtp.password`"), "{verdict:?}");
}

#[tokio::test]
async fn a_wrong_password_is_reported_and_not_repeated() {
    let server = SmtpServer::starttls().sign_in(USER, "another").start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert_eq!((failure.stage, failure.reply().map(|reply| reply.code)), (Stage::Auth, Some(535)));
    assert!(!failure.is_unknown());
    let shown = format!("{failure} {failure:?}");
    assert!(shown.contains("535 Authentication Credentials Invalid") && !shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn refusals_keep_their_stage_and_their_words() {
    let table = [
        ("greeting=reply:421 Too many concurrent SMTP connections", Stage::Greeting, 421),
        ("starttls=reply:454 TLS not available", Stage::StartTls, 454),
        ("auth=reply:454 Temporary authentication failure", Stage::Auth, 454),
        ("mail=reply:553 <x> Invalid email address", Stage::Mail, 553),
        ("rcpt=reply:550 5.1.1 no such user", Stage::Rcpt, 550),
        ("rcpt=reply:550-5.7.1 first\\n550 5.7.1 second", Stage::Rcpt, 550),
        ("data=reply:554 Access denied", Stage::Data, 554),
        ("data=reply:250 odd", Stage::Data, 250),
        ("end=reply:454 Throttling failure: Maximum sending rate exceeded", Stage::EndOfData, 454),
        ("end=reply:554 Transaction failed: \u{1b}]0;pwned\u{7}", Stage::EndOfData, 554),
        ("end=reply:571 5.7.1 refused by policy", Stage::EndOfData, 571),
        ("end=reply:571-5.7.1 first\\n571 5.7.1 second", Stage::EndOfData, 571),
        ("rcpt=reply:468 later on", Stage::Rcpt, 468),
        ("mail=reply:590 no", Stage::Mail, 590),
        ("greeting=reply:582 closed forever", Stage::Greeting, 582),
        ("greeting=reply:220-hello\\n554 closed", Stage::Greeting, 554),
        ("end=reply:550\tno", Stage::EndOfData, 550),
        ("end=reply:250-Ok\\n550 refused", Stage::EndOfData, 550),
    ];
    for (fault, stage, code) in table {
        let server = starttls().fault(fault).start();
        let failure = send_to(&server, PATIENT).await.unwrap_err();
        assert_eq!((failure.stage, failure.reply().map(|reply| reply.code)), (stage, Some(code)), "{fault}: {failure}");
        let words: String = fault.split_once("reply:").unwrap().1.chars().skip(4).take(12).collect();
        let words = words.split('\\').next().unwrap();
        assert!(failure.reply().unwrap().text.raw().contains(words), "{fault}: {failure}");
        assert!(!failure.is_unknown() && server.mails().is_empty());
        assert!(!failure.to_string().contains('\u{1b}'));
    }
}

#[tokio::test]
async fn a_server_that_offers_blanks_is_read() {
    let fault = format!("ehlo=reply:250-mail.example.test\\n250-{}x\\n250 HELP", " ".repeat(950));
    let server = starttls().fault(&fault).start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert_eq!(failure.cause, Cause::NoStartTls, "{failure}");
}

#[tokio::test]
async fn an_answer_without_an_end_fails_at_once() {
    let fault = format!("mail=reply:250 {}", "x".repeat(100_000));
    let server = starttls().fault(&fault).start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert!(failure.stage == Stage::Mail && failure.to_string().contains("too long"), "{failure}");
}

#[tokio::test]
async fn only_250_is_success() {
    for code in [200, 211, 214, 220, 221, 235, 240, 251, 252, 253, 255, 260, 299, 334, 350, 354, 364, 390] {
        let server = starttls().fault(&format!("end=reply:{code} odd")).start();
        let failure = send_to(&server, PATIENT).await.unwrap_err();
        assert!(failure.stage == Stage::EndOfData && failure.is_unknown(), "{code}: {failure}");
        assert_eq!(failure.reply().unwrap().code, code, "{failure}");
    }
}

#[tokio::test]
async fn a_drop_reports_its_stage_and_only_the_last_is_unknown() {
    let table = [
        ("greeting", Stage::Greeting),
        ("ehlo", Stage::Greeting),
        ("starttls", Stage::StartTls),
        ("auth", Stage::Auth),
        ("mail", Stage::Mail),
        ("rcpt", Stage::Rcpt),
        ("data", Stage::Data),
        ("end", Stage::EndOfData),
    ];
    for (at, stage) in table {
        let server = starttls().fault(&format!("{at}=drop")).start();
        let failure = send_to(&server, PATIENT).await.unwrap_err();
        assert_eq!(failure.stage, stage, "{at}: {failure}");
        assert!(matches!(failure.cause, Cause::Network(_)), "{at}: {failure}");
        assert_eq!(failure.is_unknown(), at == "end", "{at}");
    }
}

#[tokio::test]
async fn a_mail_that_was_taken_while_the_answer_was_lost_is_unknown() {
    let server = starttls().fault("end=store-drop").start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert!(failure.is_unknown(), "{failure}");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn every_stage_has_its_time_out() {
    let table = [
        ("greeting", Stage::Greeting),
        ("ehlo", Stage::Greeting),
        ("starttls", Stage::StartTls),
        ("auth", Stage::Auth),
        ("mail", Stage::Mail),
        ("rcpt", Stage::Rcpt),
        ("data", Stage::Data),
        ("end", Stage::EndOfData),
    ];
    let tries = table.map(|(at, stage)| async move {
        let server = starttls().fault(&format!("{at}=each-hang")).start();
        let failure = send_to(&server, SHORT).await.unwrap_err();
        assert_eq!(failure.stage, stage, "{at}: {failure}");
        assert!(matches!(failure.cause, Cause::TimedOut(_)), "{at}: {failure}");
        assert_eq!(failure.is_unknown(), at == "end", "{at}");
    });
    futures_util::future::join_all(tries).await;
}

#[tokio::test]
async fn a_server_that_takes_nothing_in_has_its_time_out_as_well() {
    let server = starttls().fault("data=stall").start();
    let settings = settings(&server, Tls::Starttls);
    let id = SendId::new();
    let failure = transport(&settings, SHORT).lane().send(&large(&settings, id), id, &forever()).await.unwrap_err();
    assert_eq!((failure.stage, &failure.cause), (Stage::Content, &Cause::TimedOut(SHORT.end_of_data)));
    assert!(!failure.is_unknown(), "its end was never written");

    // One that speaks no TLS where TLS comes first.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings.clone();
    settings.smtp.tls = Tls::Tls;
    settings.smtp.port = Some(listener.local_addr().unwrap().port());
    let failure = transport(&settings, SHORT).lane().send(&large(&settings, id), id, &forever()).await.unwrap_err();
    assert_eq!((failure.stage, &failure.cause), (Stage::Connect, &Cause::TimedOut(SHORT.command)));
}

/// A mail that is more than any socket holds.
fn large(settings: &Settings, id: SendId) -> Composed {
    let mut mail = mail(settings, id, Locale::En);
    mail.bytes.extend("x".repeat(70).into_bytes().into_iter().chain(*b"\r\n").cycle().take(72 * 200_000));
    mail
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_has_closed_is_renewed() {
    let server = starttls().idle(Duration::from_millis(700)).start();
    let settings = settings(&server, Tls::Starttls);
    let mut lane = transport(&settings, PATIENT).lane();
    for count in 1..=2 {
        let id = SendId::new();
        lane.send(&mail(&settings, id, Locale::En), id, &forever()).await.unwrap();
        assert_eq!(server.mails().len(), count);
        tokio::task::block_in_place(|| server.wait_for_lines("connection timeout", count));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_idle_time_out_of_ses_is_retried_once_at_once() {
    let timeout = "reply:451 4.4.2 Timeout waiting for data from client.";
    let server = starttls().fault(&format!("mail={timeout}")).start();
    send_to(&server, PATIENT).await.unwrap();
    assert_eq!(server.mails().len(), 1);

    let server = starttls().fault(&format!("mail=each-{timeout}")).start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert_eq!((failure.stage, failure.reply().unwrap().code), (Stage::Mail, 451));
    server.wait_for_lines(">> b'MAIL FROM", 2);
    server.wait_for_lines(">> b'QUIT'", 2);
    assert_eq!(server.lines_with(">> b'MAIL FROM"), 2);
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_by_name_of_the_setting() {
    let stranger = Authority::new();
    for (server, tls) in [(starttls().start(), Tls::Starttls), (SmtpServer::tls().start(), Tls::Tls)] {
        for ca_file in [None, Some(stranger.ca_file())] {
            let mut settings = settings(&server, tls);
            settings.smtp.ca_file = ca_file;
            let id = SendId::new();
            let failure = transport(&settings, PATIENT)
                .lane()
                .send(&mail(&settings, id, Locale::En), id, &forever())
                .await
                .unwrap_err();
            assert!(matches!(failure.cause, Cause::Certificate(_)), "{failure:?}");
            assert!(failure.to_string().contains("`smtp.ca_file`"), "{failure}");
        }
        assert_eq!((server.lines_with(">> b'AUTH"), server.lines_with(">> b'MAIL")), (0, 0));
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_where_it_is_the_one_in_the_file() {
    let (own, stranger) = (Authority::self_signed(), Authority::self_signed());
    for tls in [Tls::Starttls, Tls::Tls] {
        let kind = if tls == Tls::Tls { SmtpServer::tls() } else { SmtpServer::starttls() };
        let server = kind.sign_in(USER, PASSWORD).certificate(&own).start();
        let mut settings = settings(&server, tls);
        settings.smtp.ca_file = Some(own.ca_file());
        let trusting = transport(&settings, PATIENT);
        for count in 1..=2 {
            let id = SendId::new();
            trusting.lane().send(&mail(&settings, id, Locale::En), id, &forever()).await.unwrap();
            assert_eq!(server.mails().len(), count);
        }
        for ca_file in [None, Some(stranger.ca_file()), Some(Authority::shared().ca_file())] {
            settings.smtp.ca_file = ca_file;
            let mut lane = transport(&settings, PATIENT).lane();
            for _ in 1..=3 {
                let id = SendId::new();
                let failure = lane.send(&mail(&settings, id, Locale::En), id, &forever()).await.unwrap_err();
                assert!(matches!(failure.cause, Cause::Certificate(_)), "{failure:?}");
            }
        }
        settings.smtp.ca_file = Some(own.ca_file());
        settings.smtp.host = Some("localhost".to_owned());
        let id = SendId::new();
        let failure = transport(&settings, PATIENT)
            .lane()
            .send(&mail(&settings, id, Locale::En), id, &forever())
            .await
            .unwrap_err();
        assert!(matches!(failure.cause, Cause::Certificate(_)), "another name: {failure:?}");
        assert_eq!((server.mails().len(), server.lines_with(">> b'AUTH PLAIN")), (2, 2));
    }
}

#[tokio::test]
async fn lanes_that_meet_a_self_signed_certificate_at_once_all_learn_of_it() {
    let own = Authority::self_signed();
    for tls in [Tls::Starttls, Tls::Tls] {
        let kind = if tls == Tls::Tls { SmtpServer::tls() } else { SmtpServer::starttls() };
        let server = kind.sign_in(USER, PASSWORD).certificate(&own).start();
        let mut settings = settings(&server, tls);
        settings.smtp.ca_file = Some(own.ca_file());
        let transport = transport(&settings, PATIENT);
        let sends = (0..8).map(|_| async {
            let id = SendId::new();
            transport.lane().send(&mail(&settings, id, Locale::En), id, &forever()).await
        });
        for result in futures_util::future::join_all(sends).await {
            result.unwrap();
        }
        assert_eq!(server.mails().len(), 8);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_starttls_nothing_is_said() {
    let server = SmtpServer::plain().start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert_eq!((failure.stage, failure.cause), (Stage::StartTls, Cause::NoStartTls));
    server.wait_for_lines(">> b'QUIT'", 1);
    for word in ["AUTH", "MAIL", "RCPT", "DATA"] {
        assert_eq!(server.lines_with(&format!(">> b'{word}")), 0, "{word}");
    }
}

#[tokio::test]
async fn a_server_that_asks_no_one_to_sign_in_is_not_the_one_that_was_meant() {
    let server = SmtpServer::starttls().start();
    let failure = send_to(&server, PATIENT).await.unwrap_err();
    assert_eq!((failure.stage, failure.cause), (Stage::Auth, Cause::NoAuth));
}

#[tokio::test]
async fn no_server_there() {
    let server = starttls().start();
    let mut settings = settings(&server, Tls::Starttls);
    drop(server);
    for tls in [Tls::Starttls, Tls::Tls] {
        settings.smtp.tls = tls;
        let id = SendId::new();
        let result = transport(&settings, PATIENT).lane().send(&mail(&settings, id, Locale::En), id, &forever()).await;
        let failure = result.unwrap_err();
        assert_eq!(failure.stage, Stage::Connect, "{failure}");
        assert!(failure.to_string().contains("refused"), "{failure}");
    }
}

#[test]
fn a_ca_file_that_is_none_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.smtp.host = Some("relay.example.org".to_owned());
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, content) in [("missing.pem", None), ("empty.pem", Some("")), ("broken.pem", Some(broken))] {
        let path = dir.path().join(file);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        settings.smtp.ca_file = Some(path);
        let error = Transport::from_settings(&settings).unwrap_err();
        let said = format!("{} {}", error.what, error.hint);
        assert!(said.contains("`smtp.ca_file`") && said.contains(file), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_is_begun_on_a_lease_that_may_end_before_it() {
    let server = starttls().start();
    let settings = settings(&server, Tls::Starttls);
    let mut lane = transport(&settings, PATIENT).lane();
    let id = SendId::new();
    let mail = mail(&settings, id, Locale::En);
    let longest = PATIENT.command + PATIENT.end_of_data;
    let short = watch::channel(tokio::time::Instant::now() + longest).1;
    let failure = lane.send(&mail, id, &Lease::new(short)).await.unwrap_err();
    assert_eq!((failure.stage, &failure.cause), (Stage::Data, &Cause::LeaseEnds));
    assert!(!failure.is_unknown());
    lane.send(&mail, id, &forever()).await.unwrap();
    assert_eq!(server.lines_with(">> b'DATA"), 1, "only the second was announced");
    assert_eq!(server.mails().len(), 1);
}
