//! A server that refuses, puts off or loses everything for a while: no mail is given up for it, the outbox pauses and
//! says why, one mail at a time tries whether it is over, and then all go out.

use std::time::Duration;

use verifydesk::domain::brake::{BrakeCause, BrakeState};
use verifydesk::domain::send::{Priority, SendRow, SendState};
use verifydesk::outbox::worker::Mode;

use crate::mail_servers::{PATIENCE, SmtpServer, SmtpServerOptions};
use crate::support::Program;
use crate::support::world::{SECRET, World, operator, reason, server};
use crate::worker::broken::refuse;

/// Mails and domains of a test.
const MAILS: usize = 60;
const DOMAINS: usize = 6;

/// More than are tried before the outbox pauses: a run, what is in progress, what is claimed in the meantime.
const TRIED_MAX: usize = 45;

/// Signs up so many people, at so many domains in turn.
async fn sign_people_up(site: &World, people: usize, domains: usize) {
    for n in 0..people {
        site.sign_up(&format!("mina{n}@example{}.com", n % domains)).await;
    }
}

/// A site with people at this server, and few lanes, so that most of them are left when it pauses.
async fn site(server: &SmtpServer) -> World {
    let mut site = World::with_server(server).await;
    site.settings.worker.lanes = 4;
    site.settings.brake.probe_after = Duration::from_millis(200);
    site.settings.brake.probe_at_most = Duration::from_millis(800);
    sign_people_up(&site, MAILS, DOMAINS).await;
    site
}

async fn is_paused(site: &World) -> bool {
    site.store().brake().await.unwrap().is_some_and(|brake| brake.cause == BrakeCause::Refusals)
}

async fn count(site: &World, state: SendState) -> usize {
    site.sends().await.iter().filter(|send| send.state == state).count()
}

/// How many mails were tried in vain.
fn faults(server: &SmtpServer) -> usize {
    server.reports().iter().filter(|line| line["event"] == "fault").count()
}

async fn probes(site: &World) -> i16 {
    sqlx::query_scalar("select probes from brake").fetch_one(site.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_mail_for_a_while_costs_no_mail() {
    // Stage, what is done there to each mail, what the operator reads.
    let table = [
        ("rcpt", "554 5.7.1 <{to}>: Relay access denied", "Relay access denied"),
        ("rcpt", "554 5.7.1 <mail[192.0.2.7]>: Client host rejected: Access denied", "Client host rejected"),
        ("rcpt", "550 5.1.1 User unknown in local recipient table", "User unknown in local recipient table"),
        ("rcpt", "451 4.3.0 Temporary lookup failure", "Temporary lookup failure"),
        ("data", "554 5.5.1 no valid recipients", "no valid recipients"),
        ("end", "550 5.4.5 Daily user sending limit exceeded", "Daily user sending limit exceeded"),
        ("end", "550 5.3.0 no", "550 5.3.0 no"),
        ("end", "554 Transaction failed: no", "Transaction failed"),
        ("end", "454 Temporary service failure", "Temporary service failure"),
        ("data", "drop", "closed"),
        ("end", "drop", "answer"),
    ];
    for (stage, says, words) in table {
        let action = if says == "drop" { "each-drop".to_owned() } else { format!("each-reply:{says}") };
        let mut server = server().fault(&format!("{stage}={action}")).start();
        let mut site = site(&server).await;
        // Lost ones are tried once more.
        site.settings.worker.unknown_after = Duration::from_secs(1);
        let is_lost = (stage, says) == ("end", "drop");
        let running = site.start(Mode::Forever);
        site.until(async || is_paused(&site).await && probes(&site).await > 0).await;
        let brake = site.store().brake().await.unwrap().unwrap();
        assert_eq!((brake.state, brake.until), (BrakeState::Paused, None));
        assert!(brake.probe_at.is_some() && brake.reason.raw().contains(words), "{stage}: {says}: {brake:?}");
        assert!(!brake.reason.raw().contains("mina"), "{brake:?}");
        // What was in progress when it paused is put back a moment after it was recorded.
        let is_kept = |send: &SendRow| {
            let states = [SendState::Queued, SendState::Sending];
            states.contains(&send.state) || is_lost && send.state == SendState::Unknown
        };
        let tried = async || site.sends().await.into_iter().filter(|send| send.reason.is_some()).collect::<Vec<_>>();
        site.until(async || tried().await.iter().all(is_kept)).await;
        let tried = tried().await;
        assert!((5..TRIED_MAX).contains(&tried.len()), "{stage}: {says}: {} were tried", tried.len());
        for send in tried {
            let said = format!("{} {:?}", reason(&send), send.reply);
            assert!(said.contains(words), "{stage}: {says}: {send:?}");
        }
        tokio::task::block_in_place(|| server.set_faults(&[]));
        site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
        assert_eq!(site.store().brake().await.unwrap(), None, "{stage}: {says}");
        let tally = running.end().await;
        assert_eq!((tally.sent, tally.failed), (MAILS.try_into().unwrap(), 0), "{stage}: {says}: {tally:?}");
        assert_eq!(server.mails().len(), MAILS, "{stage}: {says}");
        let sends = site.sends().await;
        assert!(is_lost || sends.iter().all(|send| send.attempts <= 2 && send.lost == 0), "{stage}: {says}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_fails_nothing_at_a_server_that_refuses_everything() {
    for says in ["554 5.7.1 Unable to relay", "550 5.1.1 User unknown in local recipient table"] {
        let server = server().fault(&format!("rcpt=each-reply:{says}")).start();
        let mut site = site(&server).await;
        site.settings.brake.probe_after = Duration::from_secs(30);
        site.settings.brake.probe_at_most = Duration::from_mins(10);
        let tally = site.drain().await;
        assert_eq!((tally.sent, tally.failed, tally.failed_by), (0, 0, None), "{says}");
        assert!(tally.stopped_by.is_some_and(|why| why.contains(says)), "{says}");
        let sends = site.sends().await;
        assert!(sends.iter().all(|send| send.state == SendState::Queued && send.attempts == 0), "{sends:?}");
        let tried = sends.iter().filter(|send| reason(send).contains(says)).count();
        assert!((5..TRIED_MAX).contains(&tried), "{tried} were tried");
        assert_eq!(tally.deferred, i64::try_from(tried).unwrap());
        // The next one waits for the time of the probe.
        let before = faults(&server);
        let tally = site.drain().await;
        assert!(tally.stopped_by.is_some_and(|why| why.contains(says)) && faults(&server) == before, "{says}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_drains_run_one_of_them_tries() {
    let mut server = server().fault("rcpt=each-reply:554 5.7.1 Unable to relay").start();
    let site = site(&server).await;
    assert!(site.drain().await.stopped_by.is_some());
    let tried = faults(&server);
    site.execute("update brake set probe_at = now()").await;
    assert!(site.drain().await.stopped_by.is_some_and(|why| why.contains("Unable to relay")));
    assert_eq!(faults(&server), tried + 1, "one mail was tried");
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.execute("update brake set probe_at = now()").await;
    let tally = site.drain().await;
    assert_eq!((tally.sent, tally.failed, tally.stopped_by), (MAILS.try_into().unwrap(), 0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_worker_tries_with_one_mail() {
    let server = server().fault("rcpt=each-reply:550 5.1.1 no").start();
    let site = site(&server).await;
    let running = [(); 3].map(|()| site.start(Mode::Forever));
    site.until(async || is_paused(&site).await && probes(&site).await > 0).await;
    // What was in progress then is back.
    site.until(async || count(&site, SendState::Sending).await <= 1).await;
    let (tried, before) = (faults(&server), probes(&site).await);
    site.until(async || probes(&site).await >= before + 4).await;
    for worker in running {
        assert_eq!(worker.end().await.failed, 0);
    }
    let (tried, probed) = (faults(&server) - tried, usize::try_from(probes(&site).await - before).unwrap());
    assert!(tried.abs_diff(probed) <= 1, "{tried} mails for {probed} probes");
    // The waits grow to the longest that is set.
    let wait: f64 = sqlx::query_scalar("select extract(epoch from probe_at - probed_at)::float8 from brake")
        .fetch_one(site.pool())
        .await
        .unwrap();
    assert!((0.75..0.85).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_locked_user_nor_a_broken_row_keeps_the_others_waiting() {
    let mut server = server().fault("rcpt=each-reply:554 5.7.1 Unable to relay").start();
    let site = site(&server).await;
    let running = site.start(Mode::Forever);
    site.until(async || is_paused(&site).await && count(&site, SendState::Sending).await == 0).await;
    // The row of the second person refuses to change, and an act that does not end has the first and the third.
    refuse(&site, "22000").await;
    let mut act = site.pool().begin().await.unwrap();
    let lock = "select from users where email in ('mina0@example0.com', 'mina2@example2.com') for update";
    sqlx::query(lock).execute(&mut *act).await.unwrap();
    // These are the next three.
    site.execute(
        "update sends set priority = 10 where recipient not in (
        'mina0@example0.com', 'mina1@example1.com', 'mina2@example2.com')",
    )
    .await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.until(async || count(&site, SendState::Accepted).await == MAILS - 3).await;
    act.rollback().await.unwrap();
    site.until(async || count(&site, SendState::Accepted).await == MAILS - 1).await;
    assert_eq!(count(&site, SendState::Failed).await, 1);
    let tally = running.end().await;
    assert_eq!((tally.sent, tally.failed), (i64::try_from(MAILS - 1).unwrap(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_keeps_the_probe_no_longer() {
    let mut server = server().fault("rcpt=each-reply:554 5.7.1 Unable to relay").start();
    let site = site(&server).await;
    let running = site.start(Mode::Forever);
    site.until(async || is_paused(&site).await && count(&site, SendState::Sending).await == 0).await;
    site.execute("update brake set probe_at = now() + interval '1 hour', probed_at = now() + interval '1 hour'").await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_resumes_at_once() {
    let mut server = server().fault("rcpt=each-reply:554 5.7.1 Unable to relay").start();
    let mut site = site(&server).await;
    site.settings.brake.probe_after = Duration::from_mins(10);
    site.settings.brake.probe_at_most = Duration::from_mins(10);
    let running = site.start(Mode::Forever);
    site.until(async || is_paused(&site).await && count(&site, SendState::Sending).await == 0).await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.desk.resume(&operator()).await.unwrap();
    site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
    assert_eq!(running.end().await.sent, i64::try_from(MAILS).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_was_asked_for_goes_on_afterwards() {
    let mut server = server().fault("rcpt=each-reply:554 5.7.1 Unable to relay").start();
    let site = site(&server).await;
    site.desk.drain(&operator(), "the house is moving").await.unwrap();
    let running = site.start(Mode::Forever);
    site.until(async || is_paused(&site).await).await;
    site.sign_up("late@example.com").await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
    let brake = site.store().brake().await.unwrap().unwrap();
    assert_eq!((brake.state, brake.cause), (BrakeState::Draining, BrakeCause::Operator));
    assert_eq!((brake.reason.raw(), brake.set_by.raw()), ("the house is moving", "mina@desk"));
    assert_eq!(running.end().await.sent, i64::try_from(MAILS).unwrap(), "what came later waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_which_nothing_is_known_is_tried_at_once() {
    let mut server = server().fault("rcpt=reply:554 5.7.1 Client host rejected: Access denied").start();
    let mut site = World::with_server(&server).await;
    site.settings.brake.probe_after = Duration::from_mins(10);
    site.settings.brake.probe_at_most = Duration::from_mins(10);
    site.sign_up("mina@example.com").await;
    let running = site.start(Mode::Forever);
    // All there is was refused, by what may be a recipient's own server.
    site.until(async || is_paused(&site).await && count(&site, SendState::Queued).await == 1).await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.sign_up("robin@example.net").await;
    site.until(async || count(&site, SendState::Accepted).await == 2).await;
    assert_eq!(site.store().brake().await.unwrap(), None);
    assert_eq!(running.end().await.failed, 0);
}

/// The run is judged in the database, which may be slower than the server.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_tried_than_the_database_can_judge() {
    let mut server = server().fault("rcpt=each-reply:550 5.1.1 User unknown").start();
    let site = site(&server).await;
    let mut act = site.pool().begin().await.unwrap();
    sqlx::query("lock table refused_sends in share mode").execute(&mut *act).await.unwrap();
    let running = site.start(Mode::Forever);
    // Since when a refusal waits to be noted, if one does.
    let since = async || {
        let query = "select min(query_start) from pg_stat_activity
            where wait_event_type = 'Lock' and query like '%insert into refused_sends%'";
        sqlx::query_scalar::<_, Option<verifydesk::domain::Time>>(query).fetch_one(site.pool()).await.unwrap()
    };
    let mut first = None;
    // The first one gives up after some seconds: time enough to try them all.
    let is_second = async {
        loop {
            match (first, since().await) {
                (None, Some(at)) => first = Some(at),
                (Some(first), Some(at)) if at != first => break,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, is_second).await.unwrap();
    let tried = faults(&server);
    assert!((5..TRIED_MAX).contains(&tried), "{tried} were tried");
    act.rollback().await.unwrap();
    site.until(async || is_paused(&site).await).await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
    assert_eq!(running.end().await.failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_between_mails_that_are_taken_pause_nothing() {
    // Every second one.
    let pattern = (0..MAILS).map(|n| if n % 2 == 0 { "rcpt=reply:550 5.7.1 no" } else { "rcpt=pass" });
    let server = pattern.fold(server(), SmtpServerOptions::fault).start();
    let mut site = site(&server).await;
    site.settings.worker.lanes = 1;
    site.settings.brake.probe_after = Duration::from_mins(10);
    site.settings.brake.probe_at_most = Duration::from_mins(10);
    let running = site.start(Mode::Forever);
    site.until(async || count(&site, SendState::Accepted).await == MAILS).await;
    assert_eq!(running.end().await.stopped_by, None);
}

/// A mail that is in progress when a server begins to refuse is taken all the same. What was refused before its answer
/// came belongs to the run nevertheless; what was refused long before does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_under_way_takes_no_refusal_out_of_the_run() {
    for (is_long_ago, failed) in [(false, 0), (true, 1)] {
        let no = "reply:550 5.1.1 User unknown";
        let mut server = server().fault(&format!("rcpt={no}")).fault("rcpt=pass").start();
        let mut site = site(&server).await;
        site.settings.worker.lanes = 1;
        site.settings.pace.rate = Some(4.0);
        let running = site.start(Mode::Forever);
        let is_noted = "select exists (select from refused_sends where ended_at is not null)";
        site.until(async || sqlx::query_scalar(is_noted).fetch_one(site.pool()).await.unwrap()).await;
        if is_long_ago {
            site.execute("update refused_sends set ended_at = now() - interval '1 minute'").await;
        }
        tokio::task::block_in_place(|| server.set_faults(&[format!("rcpt=each-{no}")]));
        site.execute("update pace set rate = 1000, limit_rate = 1000").await;
        site.until(async || is_paused(&site).await).await;
        tokio::task::block_in_place(|| server.set_faults(&[]));
        site.until(async || count(&site, SendState::Accepted).await == MAILS - failed).await;
        assert_eq!(running.end().await.failed, i64::try_from(failed).unwrap(), "long ago: {is_long_ago}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_who_are_not_verified_in_the_sandbox_pause_nothing() {
    let says = "554 Message rejected: Email address is not verified. The following identities failed the check in region \
                EU-CENTRAL-1: {to}";
    let server = server().fault(&format!("end=each-reply:{says}")).start();
    let site = site(&server).await;
    let tally = site.drain().await;
    assert_eq!((tally.failed, tally.stopped_by), (MAILS.try_into().unwrap(), None));
    assert_eq!(site.store().brake().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_mails_alone_are_refused_stops_alone() {
    let bad = server().fault("rcpt=each-reply:550 5.1.1 User unknown").start();
    let good = server().start();
    let mut site = site(&good).await;
    for round in 0..20 {
        for n in 0..10 {
            site.sign_up(&format!("more{round}x{n}@example{n}.net")).await;
        }
    }
    let port = site.settings.smtp.port.replace(bad.port());
    let wrong = site.start(Mode::Forever);
    (site.settings.smtp.port, site.settings.worker.lanes) = (port, 1);
    let right = site.start(Mode::Forever);
    let wrong = wrong.ended().await;
    assert!(wrong.stopped_by.as_ref().is_some_and(|why| why.contains("but takes others'")), "{wrong:?}");
    assert_eq!(wrong.failed, 0, "{wrong:?}");
    site.until(async || count(&site, SendState::Accepted).await == MAILS + 200).await;
    let right = right.end().await;
    assert_eq!((right.failed, right.stopped_by), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_asked_for_again_in_the_meantime_is_not_doubled() {
    let mut server = server().fault("rcpt=each-reply:550 5.1.1 no").start();
    let mut site = World::with_server(&server).await;
    site.settings.brake.refusals = 5;
    site.settings.brake.probe_after = Duration::from_millis(200);
    let first = site.sign_up("mina@example0.com").await;
    assert_eq!(site.drain().await.failed, 1);
    site.execute("update sends set queued_at = now() - interval '2 minutes'").await;
    site.desk.resend(&operator(), first, Priority::Person, None).await.unwrap();
    for n in 1..6 {
        site.sign_up(&format!("mina@example{n}.com")).await;
    }
    // The run of the drain before counts as well.
    let running = site.start(Mode::Forever);
    site.until(async || is_paused(&site).await).await;
    tokio::task::block_in_place(|| server.set_faults(&[]));
    site.until(async || count(&site, SendState::Accepted).await == 6).await;
    running.end().await;
    assert_eq!((server.mails().len(), count(&site, SendState::Failed).await), (6, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_by_its_exit_code_that_mails_failed() {
    let server = server().fault("rcpt=reply:550 5.1.1 no such user").start();
    let site = World::with_server(&server).await;
    sign_people_up(&site, 3, 3).await;
    let program = Program::new(&site.db.url)
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", SECRET)
        .set("VERIFYDESK_MAIL__FROM", "no-reply@example.org")
        .set("VERIFYDESK_SMTP__HOST", "127.0.0.1")
        .set("VERIFYDESK_SMTP__PORT", server.port().to_string())
        .set("VERIFYDESK_SMTP__CA_FILE", crate::mail_servers::Authority::shared().ca_file().display().to_string())
        .set("VERIFYDESK_SMTP__USERNAME", "user")
        .set("VERIFYDESK_SMTP__PASSWORD", "password")
        .set("VERIFYDESK_PACE__RATE", "1000");
    let drained = tokio::task::block_in_place(|| program.run(&["worker", "--drain"]));
    assert!(drained.out.starts_with("sent 2, failed 1, deferred 0, "), "{}", drained.out);
    assert_eq!(drained.code, 1, "{}", drained.err);
    let said: Vec<&str> = drained.err.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(said.len() == 1 && said[0].contains("1 mail failed") && said[0].contains("no such user"), "{said:?}");
    // There is nothing left to fail.
    let drained = tokio::task::block_in_place(|| program.run(&["worker", "--drain"]));
    assert_eq!(drained.code, 0, "{}", drained.err);
}
