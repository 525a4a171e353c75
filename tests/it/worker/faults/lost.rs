//! A mail whose answer was lost: left alone for a while, tried once more, then left to an operator.

use verifydesk::domain::send::SendState;
use verifydesk::outbox::worker::Mode;

use crate::support::world::{World, server};

/// How often the answer was lost, and whether the mail is tried once more.
async fn lost(site: &World) -> (i16, bool) {
    let send = site.one_send().await;
    (send.lost, send.retry_at.is_some())
}

async fn is(site: &World, state: SendState) {
    site.until(async || site.one_send().await.state == state).await;
}

fn tags(mail: &[u8]) -> String {
    let mail = mail_parser::MessageParser::default().parse(mail).unwrap();
    mail.header_raw("X-SES-MESSAGE-TAGS").unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_once_more_and_marked() {
    let server = server().fault("end=store-drop").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    let tally = site.drain().await;
    assert_eq!((tally.unknown, tally.sent), (1, 0));
    // Its time has not come.
    assert_eq!(site.drain().await.sent, 0);
    assert_eq!(lost(&site).await, (1, true));
    assert!(!site.one_send().await.is_possible_double());

    site.execute("update sends set retry_at = now()").await;
    let running = site.start(Mode::Forever);
    is(&site, SendState::Accepted).await;
    running.end().await;
    let send = site.one_send().await;
    assert_eq!((send.attempts, lost(&site).await), (2, (1, false)));
    assert!(send.is_possible_double());
    let mails = server.mails();
    let tagged: Vec<String> = mails.iter().map(|mail| tags(mail)).collect();
    assert_eq!(tagged, [1, 2].map(|attempt| format!("send={}, attempt={attempt}", send.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_twice_it_is_the_operator_s() {
    let server = server().fault("end=each-drop").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set retry_at = now()").await;
    let running = site.start(Mode::Forever);
    site.until(async || lost(&site).await.0 == 2).await;
    running.end().await;
    assert_eq!(lost(&site).await, (2, false));
    assert_eq!(site.one_send().await.state, SendState::Unknown);
    // No worker sends it unasked any more.
    assert_eq!(site.drain().await.sent, 0);
    assert_eq!(server.lines_with(">> b'DATA"), 2);
}
