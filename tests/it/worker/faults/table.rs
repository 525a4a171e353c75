//! The table: what SES says (facts: AWS's guides "Amazon SES SMTP response codes" and "Troubleshooting"), what any
//! server may say, and what happens without an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use verifydesk::config::Secret;
use verifydesk::domain::brake::BrakeCause::{Configuration, Quota, Refusals};
use verifydesk::domain::send::SendState::{self, Accepted, Failed, Queued, Unknown};

use super::Then::{self, GoesOn, Pauses, Slower, Stops};
use super::{Expected, try_once};
use crate::mail_servers::{Authority, SmtpServer};
use crate::support::silent::Silent;
use crate::support::world::{World, server};

/// What a server does at these stages, and what is expected then.
struct Row(&'static [&'static str], &'static str, SendState, i16, (f64, f64), &'static str, Then);

/// Stages at which the server has not been given a mail.
const BEFORE: &[&str] = &["greeting", "ehlo", "starttls", "auth"];
/// Stages of a mail.
const MAIL: &[&str] = &["mail", "rcpt", "data", "end"];
const BUT_END: &[&str] = &["mail", "rcpt", "data"];
const DATA: &[&str] = &["data", "end"];
const ALL: &[&str] = &["greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end"];
const END: &[&str] = &["end"];

/// When it is tried again, in seconds.
pub const NOW: (f64, f64) = (0.0, 0.0);
pub const NEVER: (f64, f64) = NOW;
/// The first of 5 s, 10 s, 30 s, 20 min, with up to a fifth more or less.
pub const FIRST: (f64, f64) = (4.0, 6.0);
/// The first of 1 s, 2 s, 4 s … while the server cannot be reached.
pub const REACH: (f64, f64) = (0.8, 1.2);
pub const MOMENT: (f64, f64) = (1.0, 2.0);
const CROWD: (f64, f64) = (5.0, 5.0);
/// `worker.unknown_after`
pub const UNKNOWN: (f64, f64) = (600.0, 600.0);

const ACCESS_DENIED: &str = "554 Access denied: User `arn:aws:iam::123456789012:user/mail' is not authorized to perform \
    `ses:SendRawEmail' on resource `arn:aws:ses:eu-central-1:123456789012:identity/example.org'";
const UNVERIFIED_SENDER: &str = "554 Message rejected: Email address is not verified. The following identities failed \
    the check in region EU-CENTRAL-1: no-reply@example.org, mina@example.com";
const SANDBOX: &str = "554 Message rejected: Email address is not verified. The following identities failed the check \
    in region EU-CENTRAL-1: mina@example.com";
const PAUSED: &str = "554 Message rejected: Sending paused for this account. For more information, please check the \
    inbox of the email address associated with your AWS account.";
const NO_SET: &str = "554 Message rejected: Configuration set <mails> does not exist.";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // What SES says.
    Row(ALL, "421 Too many concurrent SMTP connections", Queued, 0, CROWD, "too many connections", GoesOn),
    Row(BEFORE, "451 Temporary service failure", Queued, 0, REACH, "SES has trouble of its own", GoesOn),
    Row(MAIL, "451 Temporary service failure", Queued, 1, FIRST, "SES has trouble of its own", GoesOn),
    Row(&["mail"], "once 451 4.4.2 Timeout waiting for data from client.", Accepted, 1, NEVER, "", GoesOn),
    Row(&["rcpt", "data", "end"], "once 451 4.4.2 Timeout waiting for data from client.", Accepted, 2, NEVER, "", GoesOn),
    Row(MAIL, "454 Throttling failure: Maximum sending rate exceeded", Queued, 0, MOMENT, "more mails a second", Slower),
    Row(MAIL, "454 Throttling failure: Daily message quota exceeded", Queued, 0, NOW, "24 hours are used up", Pauses(Quota)),
    Row(&["auth", "mail", "end"], "454 Throttling failure: Maximum SigV2 SMTP sending rate exceeded", Queued, 0, NOW, "of the old kind", Stops),
    Row(&["auth"], "454 Temporary authentication failure", Queued, 0, REACH, "could not check the sign-in", GoesOn),
    Row(BEFORE, "454 Temporary service failure", Queued, 0, REACH, "it is tried again", GoesOn),
    Row(MAIL, "454 Temporary service failure", Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(&["auth", "mail"], "530 Authentication required", Queued, 0, NOW, "wants a sign-in", Stops),
    Row(&["auth", "mail"], "530 5.7.0 Must issue a STARTTLS command first", Queued, 0, NOW, "`smtp.tls`", Stops),
    Row(&["auth", "mail"], "535 Authentication Credentials Invalid", Queued, 0, NOW, "user or password is wrong", Stops),
    Row(&["auth", "mail"], "535 Account not subscribed to SES", Queued, 0, NOW, "not subscribed to SES", Stops),
    Row(MAIL, "552 Message is too long.", Failed, 1, NEVER, "the mail is too large", GoesOn),
    Row(&["mail"], "553 <no-reply@example.org> Invalid email address", Queued, 0, NOW, "refused the sender", Pauses(Configuration)),
    Row(&["rcpt"], "553 <mina@example.com> address unknown", Failed, 1, NEVER, "refused the recipient", GoesOn),
    Row(MAIL, ACCESS_DENIED, Queued, 0, NOW, "the IAM user may not send", Pauses(Configuration)),
    Row(MAIL, UNVERIFIED_SENDER, Queued, 0, NOW, "has not verified the sender", Pauses(Configuration)),
    Row(MAIL, SANDBOX, Failed, 1, NEVER, "the SES account is in the sandbox", GoesOn),
    Row(MAIL, PAUSED, Queued, 0, NOW, "AWS has paused sending", Pauses(Configuration)),
    Row(MAIL, NO_SET, Queued, 0, NOW, "does not know the configuration set", Pauses(Configuration)),
    Row(DATA, "554 Transaction failed: Duplicate header 'From'", Failed, 1, NEVER, "refuses the mail as it is made", GoesOn),

    // What servers say of us: of one mail, which is all there is.
    Row(&["rcpt"], "554 5.7.1 <mina@example.com>: Relay access denied", Queued, 0, NOW, "does not relay for this client", Pauses(Refusals)),
    Row(&["mail", "rcpt"], "550 5.7.1 Unable to relay", Queued, 0, NOW, "does not relay for this client", Pauses(Refusals)),
    Row(&["rcpt"], "554 5.7.1 <mail[192.0.2.7]>: Client host rejected: Access denied", Queued, 0, NOW, "refuses this client", Pauses(Refusals)),
    Row(&["mail", "rcpt", "end"], "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org", Queued, 0, NOW, "on a blocklist", Pauses(Refusals)),
    Row(MAIL, "550 5.4.5 Daily user sending limit exceeded.", Queued, 0, NOW, "quota of mails is used up", Pauses(Refusals)),
    Row(&["rcpt"], "550 5.7.1 Refused", Queued, 0, NOW, "refuses this client", Pauses(Refusals)),
    Row(&["rcpt", "data", "end"], "554 5.3.0 Error: queue file write error", Queued, 0, NOW, "trouble of its own", Pauses(Refusals)),
    Row(&["rcpt"], "550 Authentication required", Queued, 0, NOW, "set `smtp.username`", Pauses(Refusals)),

    // What is documented nowhere, by its first digit.
    Row(BEFORE, "459 4.7.1 Not now", Queued, 0, REACH, "put it off", GoesOn),
    Row(MAIL, "459 4.7.1 Not now", Queued, 1, FIRST, "put it off", GoesOn),
    Row(BEFORE, "559 5.7.1 Not you", Queued, 0, NOW, "check `smtp.host`", Stops),
    Row(&["mail"], "559 5.7.1 Not you", Queued, 0, NOW, "check `mail.from`", Pauses(Configuration)),
    Row(&["rcpt"], "550-5.1.1 Nobody\\n550 5.1.1 here", Failed, 1, NEVER, "ask the user for another address", GoesOn),
    Row(DATA, "559 5.7.1 Not this", Failed, 1, NEVER, "refused the mail", GoesOn),
    Row(&["rcpt", "end"], "550 5.7.1 <no-reply@example.org>: Sender address rejected", Queued, 0, NOW, "check `mail.from`", Pauses(Configuration)),
    Row(BUT_END, "252 odd", Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(END, "571 5.7.1 Not this", Failed, 1, NEVER, "refused the mail", GoesOn),
    Row(END, "260 Ok", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    Row(END, "251 Ok", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    Row(END, "354 Go on", Unknown, 1, UNKNOWN, "may or may not", GoesOn),

    // No answer, or none that is SMTP.
    Row(BEFORE, "drop", Queued, 0, REACH, "check `smtp.host`", GoesOn),
    Row(BUT_END, "drop", Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(END, "drop", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    Row(END, "store-drop", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    Row(BEFORE, "hang", Queued, 0, REACH, "no answer", GoesOn),
    Row(BUT_END, "hang", Queued, 1, FIRST, "no answer", GoesOn),
    Row(END, "hang", Unknown, 1, UNKNOWN, "no answer", GoesOn),
    // Taken in and not read: it is little, so that its end is on the way.
    Row(&["data"], "stall", Unknown, 1, UNKNOWN, "no answer", GoesOn),
    Row(BUT_END, "gibberish", Queued, 1, FIRST, "it is tried again", GoesOn),
    Row(END, "gibberish", Unknown, 1, UNKNOWN, "may or may not", GoesOn),

    // A line too many, which would shift the answers behind it.
    Row(&["greeting", "ehlo", "starttls"], "behind:250 odd", Queued, 0, REACH, "out of turn", GoesOn),
    Row(&["auth", "mail", "rcpt", "data"], "behind:250 odd", Queued, 1, FIRST, "out of turn", GoesOn),
    Row(&["auth"], "once behind:250 odd", Accepted, 1, NEVER, "", GoesOn),
    Row(&["mail", "rcpt", "data"], "once behind:250 odd", Accepted, 2, NEVER, "", GoesOn),
    Row(&["rcpt"], "behind:421 4.3.2 closing", Queued, 1, FIRST, "put it off", GoesOn),
    Row(END, "250 Ok\\n550 5.7.1 refused", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
    Row(END, "550 5.7.1 refused\\n250 Ok", Unknown, 1, UNKNOWN, "may or may not", GoesOn),
];

/// Servers at work at once: most of the time goes into waiting.
const SERVERS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_at_each_stage_leads_where_it_should() {
    let cases = TABLE.iter().flat_map(|row| row.0.iter().map(move |&stage| (stage, row)));
    let cases: Arc<Mutex<VecDeque<_>>> = Arc::new(Mutex::new(cases.collect()));
    let tasks = [(); SERVERS].map(|()| tokio::spawn(work_off(Arc::clone(&cases))));
    let mut differences = Vec::new();
    for task in tasks {
        differences.extend(task.await.unwrap());
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Takes cases until there are none left; reports what was not as expected.
async fn work_off(cases: Arc<Mutex<VecDeque<(&'static str, &Row)>>>) -> Vec<String> {
    let mut server = server().start();
    let mut site = World::with_server(&server).await;
    let usual = site.settings.smtp.clone();
    let mut differences = Vec::new();
    loop {
        let Some((at, row)) = cases.lock().unwrap().pop_front() else { return differences };
        let &Row(_, says, state, attempts, again, words, then) = row;
        site.settings.smtp = usual.clone();
        let spoken = |says: &str| match says.strip_prefix("behind:") {
            Some(_) => says.to_owned(),
            None => format!("reply:{says}"),
        };
        let action = match (says, says.strip_prefix("once ")) {
            ("drop" | "store-drop", _) => format!("each-{says}"),
            ("hang" | "stall", _) => {
                (site.settings.smtp.timeout, site.settings.smtp.data_timeout) = (PATIENT, PATIENT);
                format!("each-{says}")
            }
            (_, Some(once)) => spoken(once),
            (each, None) => format!("each-{}", spoken(each)),
        };
        tokio::task::block_in_place(|| server.set_faults(&[format!("{at}={action}")]));
        let expected = Expected { state, attempts, again, words, then };
        let seen = try_once(&site, state).await;
        let mut found = expected.differs(&seen);
        let is_kept = |reply: &str| seen.send.reply.as_ref().is_some_and(|kept| kept.raw() == reply);
        let is_one_line = |reply: &&str| *reply != "gibberish" && !reply.contains("\\n");
        if action.strip_prefix("each-reply:").filter(is_one_line).is_some_and(|reply| !is_kept(reply)) {
            found.push(format!("the reply was kept as {:?}", seen.send.reply));
        }
        differences.extend(found.iter().map(|what| format!("{at}: {says}: {what}")));
    }
}

/// Longer than any answer takes on a busy machine.
const PATIENT: Duration = Duration::from_millis(1_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_the_one_that_was_meant() {
    let stops = |words| Expected { state: Queued, attempts: 0, again: NOW, words, then: Stops };
    let away = Expected { state: Queued, attempts: 0, again: REACH, words: "check `smtp.host`", then: GoesOn };
    let gone = server().start();
    let none_listens = World::with_server(&gone).await;
    drop(gone);
    let plain = SmtpServer::plain().start();
    let open = SmtpServer::starttls().start();
    let stranger = Authority::new();
    let strange = server().certificate(&stranger).start();
    let mut wrong_password = World::with_server(&server().start()).await;
    let picky = server().start();
    wrong_password.settings.smtp.port = Some(picky.port());
    wrong_password.settings.smtp.password = Some(Secret::new("another"));
    let silent = Silent::new().await;
    let mut quiet = World::with_server(&picky).await;
    quiet.settings.smtp.port = Some(silent.at.port());
    quiet.settings.smtp.timeout = PATIENT;
    let no_answer = Expected { words: "no answer at connecting", ..away };
    for (site, expected) in [
        (quiet, no_answer),
        (none_listens, away),
        (World::with_server(&plain).await, stops("offers no STARTTLS")),
        (World::with_server(&open).await, stops("no way to sign in")),
        (World::with_server(&strange).await, stops("certificate is not trusted")),
        (wrong_password, stops("user or password is wrong")),
    ] {
        let found = expected.differs(&try_once(&site, Queued).await);
        assert!(found.is_empty(), "{}: {found:?}", expected.words);
    }
}
