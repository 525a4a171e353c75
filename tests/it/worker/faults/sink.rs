//! The same kinds of fault from postfix's `smtp-sink`: its answers are not SES's, so its codes decide.

use std::time::Duration;

use verifydesk::config::Tls;
use verifydesk::domain::brake::BrakeCause::Refusals;
use verifydesk::domain::send::SendState::{self, Accepted, Failed, Queued, Unknown};

use super::Then::{self, GoesOn, Pauses, Stops};
use super::{Expected, try_once};
use crate::mail_servers::Sink;
use crate::support::world::World;

/// Flags, and what is expected then.
struct Row(&'static [&'static str], SendState, i16, (f64, f64), &'static str, Then);

const NOW: (f64, f64) = (0.0, 0.0);
const FIRST: (f64, f64) = (4.0, 6.0);
const REACH: (f64, f64) = (0.8, 1.2);
const UNKNOWN: (f64, f64) = (600.0, 600.0);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row(&[], Accepted, 1, NOW, "", GoesOn),
    // A soft error.
    Row(&["-r", "connect"], Queued, 0, REACH, "450 4.3.0 Error", GoesOn),
    Row(&["-r", "ehlo"], Queued, 0, REACH, "450 4.3.0 Error", GoesOn),
    Row(&["-r", "mail"], Queued, 1, FIRST, "450 4.3.0 Error", GoesOn),
    Row(&["-r", "rcpt"], Queued, 1, FIRST, "450 4.3.0 Error", GoesOn),
    Row(&["-r", "data"], Queued, 1, FIRST, "450 4.3.0 Error", GoesOn),
    Row(&["-r", "."], Queued, 1, FIRST, "450 4.3.0 Error", GoesOn),
    // A hard error.
    Row(&["-f", "connect"], Queued, 0, NOW, "500 5.3.0 Error", Stops),
    Row(&["-f", "ehlo"], Queued, 0, NOW, "500 5.3.0 Error", Stops),
    Row(&["-f", "mail"], Queued, 0, NOW, "the server has trouble of its own", Pauses(Refusals)),
    Row(&["-f", "rcpt"], Queued, 0, NOW, "the server has trouble of its own", Pauses(Refusals)),
    Row(&["-f", "data"], Queued, 0, NOW, "the server has trouble of its own", Pauses(Refusals)),
    Row(&["-f", "."], Queued, 0, NOW, "the server has trouble of its own", Pauses(Refusals)),
    // In words of the test's choice.
    Row(&["-r", ".", "-b", "454 Throttling failure: Maximum sending rate exceeded"], Queued, 0, (1.0, 2.0), "more mails a second", Then::Slower),
    Row(&["-r", "rcpt", "-b", "451 Temporary service failure"], Queued, 1, FIRST, "SES has trouble of its own", GoesOn),
    Row(&["-f", ".", "-B", "554 Transaction failed: Duplicate header 'From'"], Failed, 1, NOW, "refuses the mail as it is made", GoesOn),
    Row(&["-f", "mail", "-B", "530 Authentication required"], Queued, 0, NOW, "wants a sign-in", Stops),
    // A connection that ends without a word.
    Row(&["-q", "connect"], Queued, 0, REACH, "it is tried again", GoesOn),
    Row(&["-q", "ehlo"], Queued, 0, REACH, "it is tried again", GoesOn),
    Row(&["-q", "mail"], Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(&["-q", "rcpt"], Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(&["-q", "data"], Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(&["-q", "."], Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    // One that ends with a 421.
    Row(&["-Q", "connect"], Queued, 0, REACH, "421", GoesOn),
    Row(&["-Q", "ehlo"], Queued, 0, REACH, "421", GoesOn),
    Row(&["-Q", "mail"], Queued, 1, FIRST, "421", GoesOn),
    Row(&["-Q", "rcpt"], Queued, 1, FIRST, "421", GoesOn),
    Row(&["-Q", "data"], Queued, 1, FIRST, "421", GoesOn),
    Row(&["-Q", "."], Queued, 1, FIRST, "421", GoesOn),
    // An answer that comes too late.
    Row(&["-W", "ehlo:9"], Queued, 0, REACH, "no answer", GoesOn),
    Row(&["-W", "mail:9"], Queued, 1, FIRST, "no answer", GoesOn),
    Row(&["-W", "rcpt:9"], Queued, 1, FIRST, "no answer", GoesOn),
    Row(&["-W", "data:9"], Queued, 1, FIRST, "no answer", GoesOn),
    Row(&["-W", ".:9"], Unknown, 1, UNKNOWN, "no answer", GoesOn),
    // Faults of QUIT are no mail's.
    Row(&["-q", "quit"], Accepted, 1, NOW, "", GoesOn),
    Row(&["-f", "quit"], Accepted, 1, NOW, "", GoesOn),
    Row(&["-W", "quit:9"], Accepted, 1, NOW, "", GoesOn),
];

#[tokio::test(flavor = "multi_thread")]
async fn smtp_sink_s_faults_lead_where_they_should() {
    let mut site = World::new().await;
    site.settings.mail.transport = verifydesk::config::TransportKind::Smtp;
    site.settings.smtp.host = Some("127.0.0.1".into());
    site.settings.smtp.tls = Tls::None;
    (site.settings.smtp.timeout, site.settings.smtp.data_timeout) = (Duration::from_secs(1), Duration::from_secs(1));
    let mut differences = Vec::new();
    for &Row(flags, state, attempts, again, words, then) in TABLE {
        let sink = Sink::start(flags);
        site.settings.smtp.port = Some(sink.port());
        let seen = try_once(&site, state).await;
        let mut found = Expected { state, attempts, again, words, then }.differs(&seen);
        let is_there =
            sink.mails().iter().any(|mail| mail.windows(26).any(|text| text == b"X-Rcpt-Args: <mina@example"));
        if state == Accepted && !is_there {
            found.push("the mail is not there".into());
        }
        differences.extend(found.iter().map(|what| format!("{flags:?}: {what}")));
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
