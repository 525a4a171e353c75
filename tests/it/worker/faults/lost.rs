//! A mail whose answer was lost: left alone for a while, tried once more, then left to an operator.

use verifydesk::domain::send::SendState;
use verifydesk::outbox::worker::Mode;

use crate::worker::site::{Site, server};

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    lost: i16,
    is_retried: bool,
}

async fn row(site: &Site) -> Row {
    let query = "select lost, retry_at is not null as is_retried from sends";
    sqlx::query_as(query).fetch_one(site.pool()).await.unwrap()
}

async fn is(site: &Site, state: SendState) {
    site.until(async || site.one_send().await.state == state).await;
}

fn tags(mail: &[u8]) -> String {
    let mail = mail_parser::MessageParser::default().parse(mail).unwrap();
    mail.header_raw("X-SES-MESSAGE-TAGS").unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_once_more_and_marked() {
    let server = server().fault("end=store-drop").start();
    let site = Site::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    let tally = site.drain().await;
    assert_eq!((tally.unknown, tally.sent), (1, 0));
    // Its time has not come.
    assert_eq!(site.drain().await.sent, 0);
    assert_eq!(row(&site).await, Row { lost: 1, is_retried: true });

    site.execute("update sends set retry_at = now()").await;
    let running = site.start(Mode::Forever);
    is(&site, SendState::Accepted).await;
    running.end().await;
    let send = site.one_send().await;
    assert_eq!((send.attempts, row(&site).await), (2, Row { lost: 1, is_retried: false }));
    let mails = server.mails();
    let tagged: Vec<String> = mails.iter().map(|mail| tags(mail)).collect();
    assert_eq!(tagged, [1, 2].map(|attempt| format!("send={}, attempt={attempt}", send.id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_twice_it_is_the_operator_s() {
    let server = server().fault("end=each-drop").start();
    let site = Site::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    site.drain().await;
    site.execute("update sends set retry_at = now()").await;
    let running = site.start(Mode::Forever);
    site.until(async || row(&site).await.lost == 2).await;
    running.end().await;
    assert_eq!(row(&site).await, Row { lost: 2, is_retried: false });
    assert_eq!(site.one_send().await.state, SendState::Unknown);
    // Nobody sends it unasked any more.
    assert_eq!(site.drain().await.sent, 0);
    assert_eq!(server.lines_with(">> b'DATA"), 2);
}
