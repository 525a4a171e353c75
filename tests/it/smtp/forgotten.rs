//! Connections that a firewall has forgotten while they waited: nothing passes, and neither side is notified.

use super::script::{HONEST, Script, Scripted};
use super::*;
use crate::support::tcp_proxy::TcpProxy;

/// Patient, and a connection is tested however short it has waited.
const TESTING: Timeouts = Timeouts { tested_after: Duration::ZERO, ..PATIENT };

async fn send_over(lane: &mut Lane, settings: &Settings) {
    let id = SendId::new();
    lane.send(&mail(settings, id, Locale::En), id, &forever()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_connection_costs_a_mail_a_moment() {
    for (tls, options) in [(Tls::Starttls, starttls()), (Tls::Tls, SmtpServer::tls().sign_in(USER, PASSWORD))] {
        // The server closes connections that have waited for longer than goes untested, and reports when.
        let server = options.idle(Duration::from_millis(1_200)).start();
        let proxy = TcpProxy::before(server.port()).await;
        let mut settings = settings(&server, tls);
        settings.smtp.port = Some(proxy.port());
        let mut lane = Transport::from_settings(&settings).unwrap().lane();
        send_over(&mut lane, &settings).await;
        proxy.forget();
        tokio::task::block_in_place(|| server.wait_for_lines("connection timeout", 1));
        let start = std::time::Instant::now();
        send_over(&mut lane, &settings).await;
        assert!(start.elapsed() < settings.smtp.timeout / 2, "{:?}", start.elapsed());
        assert_eq!((server.mails().len(), server.lines_with("<< b'220 mail.example.test")), (2, 2));
    }
}

#[tokio::test]
async fn a_connection_that_has_waited_is_tested_before_its_next_mail() {
    let server = starttls().start();
    let settings = settings(&server, Tls::Starttls);
    let mut lane = transport(&settings, TESTING).lane();
    for _ in 0..3 {
        send_over(&mut lane, &settings).await;
    }
    assert_eq!((server.mails().len(), server.lines_with("<< b'220 mail.example.test")), (3, 1));
    assert_eq!(server.lines_with(">> b'NOOP"), 2, "the first mail's connection was new");
}

#[tokio::test]
async fn an_opened_connection_is_ready_for_its_mail() {
    let server = starttls().start();
    let settings = settings(&server, Tls::Starttls);
    let mut lane = transport(&settings, PATIENT).lane();
    for mails in 1..=2 {
        for _ in 0..2 {
            lane.open().await.unwrap();
        }
        assert_eq!((server.lines_with(">> b'AUTH"), server.lines_with(">> b'MAIL")), (1, mails - 1));
        send_over(&mut lane, &settings).await;
    }
    assert_eq!((server.mails().len(), server.lines_with("<< b'220 mail.example.test")), (2, 1));
}

#[tokio::test]
async fn a_busy_connection_is_not_tested() {
    let server = starttls().start();
    let settings = settings(&server, Tls::Starttls);
    let mut lane = transport(&settings, PATIENT).lane();
    for _ in 0..3 {
        send_over(&mut lane, &settings).await;
    }
    assert_eq!((server.lines_with(">> b'NOOP"), server.lines_with("<< b'220 mail.example.test")), (0, 1));
}

#[tokio::test]
async fn one_that_does_not_pass_the_test_is_replaced() {
    for noop in ["250 here\r\n250 odd\r\n", "421 closing\r\n", "500 what?\r\n", "odd\r\n"] {
        let server = Scripted::new(&[Script { noop, ..HONEST }]).await;
        let (_, settings) = server.lane();
        let mut lane = transport(&settings, TESTING).lane();
        for _ in 0..2 {
            send_over(&mut lane, &settings).await;
        }
        assert_eq!((server.connections(), server.mails()), (2, 2), "{noop:?}");
    }
}
