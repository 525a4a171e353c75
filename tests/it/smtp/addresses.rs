//! A relay whose name has several addresses, of which some are no good.

use std::collections::HashMap;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use verifydesk::dial::Dialer;

use super::*;
use crate::support::silent::Silent;

/// A lane to the server by a name that has these addresses before the server's own.
fn by_name(server: &SmtpServer, tls: Tls, before: &[SocketAddr], timeouts: Timeouts) -> (Transport, Settings) {
    let mut settings = settings(server, tls);
    settings.smtp.host = Some("localhost".to_owned());
    let mut addresses = before.to_vec();
    addresses.push(SocketAddr::from(([127, 0, 0, 1], server.port())));
    let dialer = Dialer::with_names(HashMap::from([("localhost".to_owned(), addresses)]));
    (transport(&settings, timeouts).with_dialer(dialer), settings)
}

async fn send_over(transport: &Transport, settings: &Settings) -> Result<Receipt, Failure> {
    let id = SendId::new();
    transport.lane().send(&mail(settings, id, Locale::En), id, &forever()).await
}

#[tokio::test]
async fn a_silent_address_of_the_relay_hides_no_other() {
    for (tls, options) in [(Tls::Starttls, starttls()), (Tls::Tls, SmtpServer::tls().sign_in(USER, PASSWORD))] {
        let (server, first, second) = (options.start(), Silent::new().await, Silent::new().await);
        let (transport, settings) = by_name(&server, tls, &[first.at, second.at], PATIENT);
        for count in 1..=2 {
            send_over(&transport, &settings).await.unwrap();
            assert_eq!(server.mails().len(), count);
        }
    }
}

#[tokio::test]
async fn where_all_are_silent_the_bound_is_that_of_connecting() {
    let (server, first) = (starttls().start(), Silent::new().await);
    let mut settings = settings(&server, Tls::Starttls);
    settings.smtp.host = Some("localhost".to_owned());
    let dialer = Dialer::with_names(HashMap::from([("localhost".to_owned(), vec![first.at])]));
    let transport = transport(&settings, SHORT).with_dialer(dialer);
    let failure = send_over(&transport, &settings).await.unwrap_err();
    assert_eq!((failure.stage, failure.cause), (Stage::Connect, Cause::TimedOut(SHORT.connect)));
}

#[tokio::test]
async fn an_address_that_is_no_good_is_tried_last_from_then_on() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let busy = starttls().fault("greeting=each-reply:421 Too many concurrent SMTP connections").start();
    let busy_at = SocketAddr::from(([127, 0, 0, 1], busy.port()));
    let closing = TcpSocket::new_v4().unwrap();
    closing.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closing = closing.listen(8).unwrap();
    let closing_at = closing.local_addr().unwrap();
    tokio::spawn(async move { while closing.accept().await.is_ok() {} });
    for (tls, options) in [(Tls::Starttls, starttls()), (Tls::Tls, SmtpServer::tls().sign_in(USER, PASSWORD))] {
        let server = options.start();
        for at in [mute.local_addr().unwrap(), busy_at, closing_at] {
            let (transport, settings) = by_name(&server, tls, &[at], SHORT);
            let failure = send_over(&transport, &settings).await.unwrap_err();
            assert!(failure.stage <= Stage::Greeting, "{at}: {failure}");
            send_over(&transport.with_timeouts(PATIENT), &settings).await.unwrap();
        }
        assert_eq!(server.mails().len(), 3);
    }
}
