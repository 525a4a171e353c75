//! What becomes of a mail by what the server says.

use verifydesk::domain::send::SendState;

use crate::support::world::{World, reason, server};

#[tokio::test(flavor = "multi_thread")]
async fn answers_lead_where_they_should() {
    use SendState::{Failed, Queued, Unknown};
    struct Case {
        fault: &'static str,
        state: SendState,
        attempts: i16,
        stops: bool,
        says: &'static str,
    }
    let case = |fault, state, attempts, stops, says| Case { fault, state, attempts, stops, says };
    let cases = [
        case("rcpt=reply:451 Temporary service failure", Queued, 1, false, "SES has trouble of its own"),
        case("rcpt=reply:550 5.1.1 no such user", Failed, 1, false, "no such user"),
        case("rcpt=reply:553 <mina@example.com> address unknown", Failed, 1, false, "address"),
        case(
            "end=reply:454 Throttling failure: Maximum sending rate exceeded",
            Queued,
            0,
            false,
            "more mails a second",
        ),
        case("end=reply:454 Throttling failure: Daily message quota exceeded", Queued, 0, true, "24 hours are used up"),
        case(
            "end=reply:554 Transaction failed: Duplicate header 'From'",
            Failed,
            1,
            false,
            "refuses the mail as it is made",
        ),
        case(
            "end=reply:554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: no-reply@example.org",
            Queued,
            0,
            true,
            "has not verified the sender",
        ),
        case(
            "end=reply:554 Message rejected: Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: mina@example.com",
            Failed,
            1,
            false,
            "sandbox",
        ),
        case("auth=reply:535 Authentication Credentials Invalid", Queued, 0, true, "user or password is wrong"),
        case("rcpt=drop", Queued, 1, false, "tried again"),
        case("end=drop", Unknown, 1, false, "may or may not"),
        case("end=store-drop", Unknown, 1, false, "may or may not"),
        case("greeting=each-drop", Queued, 0, false, "tried again"),
    ];
    for Case { fault, state, attempts, stops, says } in cases {
        let server = server().fault(fault).start();
        let site = World::with_server(&server).await;
        site.sign_up("mina@example.com").await;
        let tally = site.try_once().await;
        let send = site.one_send().await;
        assert_eq!((send.state, send.attempts), (state, attempts), "{fault}: {}", reason(&send));
        assert!(reason(&send).contains(says), "{fault}: {}", reason(&send));
        assert_eq!(tally.stopped_by.is_some(), stops, "{fault}: {tally:?}");
        if let Some(verbatim) = fault.split_once("reply:") {
            assert_eq!(send.reply.as_ref().unwrap().raw(), verbatim.1, "the whole reply is kept");
        }
        if state == Queued {
            assert!(send.due_at > chrono::Utc::now() - chrono::Duration::seconds(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_off_is_given_up_by_its_age() {
    let server = server().fault("rcpt=each-reply:451 not now").start();
    let mut site = World::with_server(&server).await;
    site.settings.worker.attempts = 3;
    site.sign_up("mina@example.com").await;
    let try_once_more = async || {
        site.execute("update sends set due_at = now()").await;
        site.try_once().await;
        let send = site.one_send().await;
        (send.state, send.attempts)
    };
    for attempt in 1..=4 {
        assert_eq!(try_once_more().await, (SendState::Queued, attempt), "an outage of minutes");
    }
    // Three days are a link's life, and half of that is the age.
    site.execute("update sends set queued_at = now() - interval '35 hours'").await;
    assert_eq!(try_once_more().await, (SendState::Queued, 5));
    site.execute("update sends set queued_at = now() - interval '37 hours', attempts = 1").await;
    assert_eq!(try_once_more().await, (SendState::Queued, 2), "it waited, but was hardly tried");
    assert_eq!(try_once_more().await, (SendState::Failed, 3));
    let send = site.one_send().await;
    assert!(reason(&send).starts_with("given up after 3 attempts"), "{}", reason(&send));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_reply_harms_no_one() {
    let server = server().fault("rcpt=reply:550 \x1b]0;pwn\x07 {{ 7 }} <script> \u{202e}x").start();
    let site = World::with_server(&server).await;
    site.sign_up("mina@example.com").await;
    site.drain().await;
    let send = site.one_send().await;
    assert_eq!(send.state, SendState::Failed);
    for shown in [send.reply.unwrap().plain(), send.reason.unwrap().plain()] {
        assert!(!shown.as_str().chars().any(char::is_control) && !shown.as_str().contains('\u{202e}'));
    }
}
