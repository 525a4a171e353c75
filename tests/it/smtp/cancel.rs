//! A send that is dropped at whatever point must not leave an unread answer behind: the next mail would take it for its
//! own, and count as sent where it was not.

use std::sync::Arc;

use tokio::sync::mpsc;
use verifydesk::mail::transport::dialogue::DialogueLine;

use super::*;

const STAGES: [&str; 8] = ["greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end"];

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cancelled_send_the_next_one_gets_its_own_answer() {
    for stage in STAGES {
        // An answer that never comes, and one that comes when no one waits for it any more.
        for action in ["hang", "slow"] {
            let server = Arc::new(starttls().fault(&format!("{stage}={action}")).start());
            let settings = settings(&server, Tls::Starttls);
            let mut lane = transport(&settings, PATIENT).lane();
            let lost = SendId::new();
            cancel_at(stage, &server, lane.send(&mail(&settings, lost, Locale::En), lost, &forever())).await;
            gets_its_own_answer(&mut lane, &settings, &server, &format!("{stage}={action}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_in_use_does_not_survive_cancelling_either() {
    for stage in ["mail", "rcpt", "data", "end"] {
        for action in ["hang", "slow"] {
            let options = starttls().fault(&format!("{stage}=pass")).fault(&format!("{stage}={action}"));
            let server = Arc::new(options.start());
            let settings = settings(&server, Tls::Starttls);
            let mut lane = transport(&settings, PATIENT).lane();
            gets_its_own_answer(&mut lane, &settings, &server, "the first").await;
            let lost = SendId::new();
            cancel_at(stage, &server, lane.send(&mail(&settings, lost, Locale::En), lost, &forever())).await;
            gets_its_own_answer(&mut lane, &settings, &server, &format!("{stage}={action}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_within_the_content_the_next_one_gets_its_own_answer() {
    let server = starttls().fault("data=stall").start();
    let settings = settings(&server, Tls::Starttls);
    let (sender, mut lines) = mpsc::unbounded_channel();
    let mut lane = transport(&settings, PATIENT).lane_telling(sender);
    let lost = SendId::new();
    let (large, lease) = (large(&settings, lost), forever());
    let begun = async { while !lines.recv().await.unwrap().to_string().contains("bytes of mail") {} };
    tokio::select! {
        result = lane.send(&large, lost, &lease) => panic!("the send ended by itself: {result:?}"),
        () = begun => {}
    }
    gets_its_own_answer(&mut lane, &settings, &server, "content").await;
    assert_eq!(server.mails().len(), 1, "the other never ended");
}

/// Between any two lines that are said, whichever they are: on a new connection, and on one that is used again.
#[tokio::test(flavor = "multi_thread")]
async fn cancelled_after_any_line_the_next_one_gets_its_own_answer() {
    for (tls, mut server) in [(Tls::Starttls, starttls()), (Tls::Tls, SmtpServer::tls().sign_in(USER, PASSWORD))] {
        server = server.mechanism("LOGIN");
        let server = server.start();
        let settings = settings(&server, tls);
        let transport = transport(&settings, PATIENT);
        for is_used in [false, true] {
            let lines = lines_of_a_send(&transport, is_used, &settings, &server).await;
            assert!(lines >= if is_used { 7 } else { 18 }, "only {lines} lines, used {is_used}");
            for point in 0..lines {
                // Where the answers are there already, a send goes past several lines, or ends, before it can be dropped.
                let mut tries = 0;
                while !cancel_after(point, &transport, is_used, &settings, &server).await {
                    tries += 1;
                    assert!(tries < 100, "after line {point} of {lines} no send could be dropped, used {is_used}");
                }
            }
        }
    }
}

/// How many lines are said in a send that nobody drops.
async fn lines_of_a_send(transport: &Transport, is_used: bool, settings: &Settings, server: &SmtpServer) -> usize {
    let (mut lane, mut lines) = lane_of(transport, is_used, settings, server).await;
    gets_its_own_answer(&mut lane, settings, server, "a whole send").await;
    std::iter::from_fn(|| lines.try_recv().ok()).count()
}

/// Drops a send after so many lines; whether it had not ended by then.
async fn cancel_after(
    point: usize,
    transport: &Transport,
    is_used: bool,
    settings: &Settings,
    server: &SmtpServer,
) -> bool {
    let (mut lane, mut lines) = lane_of(transport, is_used, settings, server).await;
    let lost = SendId::new();
    let mail = mail(settings, lost, Locale::En);
    let lease = forever();
    let reached = async {
        for _ in 0..point {
            lines.recv().await;
        }
    };
    let is_cancelled = tokio::select! {
        biased;
        () = reached => true,
        result = lane.send(&mail, lost, &lease) => { result.unwrap(); false }
    };
    gets_its_own_answer(&mut lane, settings, server, &format!("after line {point}")).await;
    is_cancelled
}

/// A lane, on a connection that has sent a mail or on none yet, and the lines that it says from now on.
async fn lane_of(
    transport: &Transport,
    is_used: bool,
    settings: &Settings,
    server: &SmtpServer,
) -> (Lane, mpsc::UnboundedReceiver<DialogueLine>) {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let mut lane = transport.lane_telling(sender);
    if is_used {
        gets_its_own_answer(&mut lane, settings, server, "the first").await;
        while lines.try_recv().is_ok() {}
    }
    (lane, lines)
}

/// Sends one more mail, and sees that the answer is its own.
async fn gets_its_own_answer(lane: &mut Lane, settings: &Settings, server: &SmtpServer, when: &str) {
    let id = SendId::new();
    let mail = mail(settings, id, Locale::Ko);
    let receipt = lane.send(&mail, id, &forever()).await.unwrap_or_else(|failure| panic!("{when}: {failure}"));
    let ses_id = receipt.ses_id.unwrap();
    let stored = server.wait_for(|line| line["event"] == "stored" && line["id"] == ses_id.raw());
    assert_eq!(std::fs::read(stored["file"].as_str().unwrap()).unwrap(), mail.bytes, "{when}: another mail's answer");
}

/// Lets a send run until the server has struck, and drops it there.
async fn cancel_at(
    stage: &'static str,
    server: &Arc<SmtpServer>,
    sending: impl Future<Output = Result<Receipt, Failure>>,
) {
    let server = Arc::clone(server);
    let struck = tokio::task::spawn_blocking(move || server.wait_for_fault(stage));
    tokio::select! {
        result = sending => panic!("{stage}: the send ended by itself: {result:?}"),
        waited = struck => waited.unwrap(),
    }
}
