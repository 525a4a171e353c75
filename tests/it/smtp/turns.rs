//! A server that speaks out of turn: a line too many shifts all answers behind it, so that one mail is taken for another.

use verifydesk::mail::transport::Reply;

use super::script::{HONEST, Script, Scripted};
use super::*;

async fn send_over(lane: &mut Lane, settings: &Settings) -> Result<Receipt, Failure> {
    let id = SendId::new();
    lane.send(&mail(settings, id, Locale::En), id, &forever()).await
}

fn is_out_of_turn(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::OutOfTurn(_)) && failure.to_string().contains("out of turn")
}

#[tokio::test]
async fn a_line_too_many_fails_its_connection_before_the_next_command() {
    let table = [
        (Script { greeting: "220 ready\r\n250 odd\r\n", ..HONEST }, Stage::Greeting),
        (Script { greeting: "220 ready\r\n25", ..HONEST }, Stage::Greeting),
        (Script { mail: "250 Ok\r\n250 odd\r\n", ..HONEST }, Stage::Rcpt),
        (Script { mail: "250 Ok\r\n250 Ok\r\n354 go\r\n250 Ok all at once\r\n", ..HONEST }, Stage::Rcpt),
        (Script { mail: "250 Ok\r\nodd\r\n", ..HONEST }, Stage::Rcpt),
        (Script { mail: "250-Ok\r\n250 Ok\r\n250-odd\r\n", ..HONEST }, Stage::Rcpt),
        (Script { rcpt: "250 Ok\r\n354 odd\r\n", ..HONEST }, Stage::Data),
        (Script { data: "354 go\r\n250 Ok odd\r\n", ..HONEST }, Stage::Content),
        (Script { data: "354 go\r\n550 odd\r\n", end: "550 refused\r\n", ..HONEST }, Stage::Content),
    ];
    for (script, stage) in table {
        let server = Scripted::new(&[script]).await;
        let (mut lane, settings) = server.lane();
        let failure = send_over(&mut lane, &settings).await.unwrap_err();
        assert_eq!(failure.stage, stage, "{failure}");
        assert!(is_out_of_turn(&failure) && !failure.is_unknown(), "{failure}");
        server.wait_for_closed(1).await;
        assert_eq!((server.connections(), server.mails()), (1, 0), "{failure}");
        let receipt = send_over(&mut lane, &settings).await.unwrap();
        assert_eq!(receipt.reply.raw(), "250 Ok honest");
        assert_eq!((server.connections(), server.mails()), (2, 1));
    }
}

#[tokio::test]
async fn before_anything_of_the_mail_was_said_it_is_tried_on_a_new_connection_once() {
    let odd = Script { ehlo: "250 mail.example.test\r\n250 odd\r\n", ..HONEST };
    let server = Scripted::new(&[odd]).await;
    let (mut lane, settings) = server.lane();
    assert_eq!(send_over(&mut lane, &settings).await.unwrap().reply.raw(), "250 Ok honest");
    assert_eq!((server.connections(), server.mails()), (2, 1));

    let server = Scripted::new(&[odd, odd, odd]).await;
    let (mut lane, settings) = server.lane();
    let failure = send_over(&mut lane, &settings).await.unwrap_err();
    assert!(failure.stage == Stage::Mail && is_out_of_turn(&failure) && !failure.is_unknown(), "{failure}");
    assert_eq!((server.connections(), server.mails()), (2, 0));
}

#[tokio::test]
async fn of_several_answers_to_a_mail_none_counts() {
    for end in [
        "250 Ok first\r\n550 refused\r\n",
        "550 refused\r\n250 Ok second\r\n",
        "250 Ok first\r\n250 Ok second\r\n",
        "250 Ok first\r\n25",
        "421 busy\r\n250 Ok second\r\n",
    ] {
        let server = Scripted::new(&[Script { end, ..HONEST }]).await;
        let (mut lane, settings) = server.lane();
        let failure = send_over(&mut lane, &settings).await.unwrap_err();
        assert!(failure.is_unknown() && is_out_of_turn(&failure), "{end:?}: {failure}");
        assert_eq!(failure.stage, Stage::EndOfData);
        send_over(&mut lane, &settings).await.unwrap();
        assert_eq!((server.connections(), server.mails()), (2, 2));
    }
}

#[tokio::test]
async fn a_server_that_closes_behind_its_answer_has_answered() {
    let server = Scripted::new(&[Script { end: "250 Ok first\r\n421 closing\r\n", ..HONEST }]).await;
    let (mut lane, settings) = server.lane();
    for _ in 0..2 {
        send_over(&mut lane, &settings).await.unwrap();
    }
    assert_eq!((server.connections(), server.mails()), (2, 2));
}

#[tokio::test]
async fn a_server_that_closes_out_of_turn_is_believed() {
    for (script, stage) in [
        (Script { mail: "250 Ok\r\n421 closing\r\n", ..HONEST }, Stage::Rcpt),
        (Script { data: "354 go\r\n421 closing\r\n", ..HONEST }, Stage::Content),
    ] {
        let server = Scripted::new(&[script]).await;
        let (mut lane, settings) = server.lane();
        let failure = send_over(&mut lane, &settings).await.unwrap_err();
        assert_eq!((failure.stage, failure.reply().map(Reply::whole)), (stage, Some("421 closing".into())));
        assert!(!failure.is_unknown() && server.mails() == 0);
    }
}

#[tokio::test]
async fn what_is_said_within_a_mail_ends_it_before_its_end() {
    let server = Scripted::new(&[Script { within: "552 too large\r\n", ..HONEST }]).await;
    let (mut lane, settings) = server.lane();
    let id = SendId::new();
    let failure = lane.send(&large(&settings, id), id, &forever()).await.unwrap_err();
    assert!(failure.stage == Stage::Content && is_out_of_turn(&failure) && !failure.is_unknown(), "{failure}");
    assert!(failure.to_string().contains("552 too large"), "{failure}");
    server.wait_for_closed(1).await;
    assert_eq!(server.mails(), 0, "it was never ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn within_tls_as_well() {
    for (at, stage) in [
        ("greeting", Stage::Greeting),
        ("ehlo", Stage::StartTls),
        ("starttls", Stage::StartTls),
        ("mail", Stage::Rcpt),
        ("rcpt", Stage::Data),
        ("data", Stage::Content),
    ] {
        let server = starttls().fault(&format!("{at}=behind:250 odd")).start();
        let failure = send_to(&server, PATIENT).await.unwrap_err();
        assert!(failure.stage == stage && is_out_of_turn(&failure) && !failure.is_unknown(), "{at}: {failure}");
        assert!(server.mails().is_empty());
    }
    for at in ["auth", "mail"] {
        let options = SmtpServer::tls().sign_in(USER, PASSWORD).fault(&format!("{at}=pass"));
        let server = options.fault(&format!("{at}=behind:250 odd")).start();
        let settings = settings(&server, Tls::Tls);
        let transport = transport(&settings, PATIENT);
        let mut lane = transport.lane();
        send_over(&mut lane, &settings).await.unwrap();
        if at == "auth" {
            // Signed in again, found the line, signed in once more.
            send_over(&mut transport.lane(), &settings).await.unwrap();
            assert_eq!((server.mails().len(), server.lines_with(">> b'AUTH")), (2, 3));
        } else {
            let failure = send_over(&mut lane, &settings).await.unwrap_err();
            assert!(failure.stage == Stage::Rcpt && is_out_of_turn(&failure), "{failure}");
        }
    }
}
