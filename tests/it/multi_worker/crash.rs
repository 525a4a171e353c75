//! Workers that are killed in the midst of it, over a database that is restarted: no mail is lost, and none is doubled
//! but those that were in a worker's hands, each of which is marked.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;
use verifydesk::demo::cluster::{Cluster, Options};

use super::ending::{self, Ending, Row, settled};
use super::{ALONE, Fleet, queue, size};
use crate::mail_servers::Counter;

/// Longest wait for the next of the steps by which the test goes on.
const STEP_MAX: Duration = Duration::from_mins(1);

const WORKERS: usize = 3;

/// Time-outs, and with them leases, are short, and the pace is no matter here.
const SETTINGS: [(&str, &str); 5] = [
    ("VERIFYDESK_SMTP__TIMEOUT", "2s"),
    ("VERIFYDESK_SMTP__DATA_TIMEOUT", "3s"),
    ("VERIFYDESK_WORKER__UNKNOWN_AFTER", "1s"),
    ("VERIFYDESK_WORKER__LANES", "20"),
    ("VERIFYDESK_PACE__RATE", "100000"),
];

/// Mails that a worker was sending when it was killed, and that may go out twice.
#[derive(Default)]
struct AtRisk {
    sends: HashSet<Uuid>,
    /// With each kill counted for itself: a mail may be in the way of two.
    count: usize,
    /// The same as the server saw it.
    seen: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mail_is_lost_and_none_doubled_in_silence() {
    let server = Counter::start(Duration::from_millis(10), Duration::from_millis(50));
    crash(&server, 1_500, SETTINGS.map(|(name, value)| (name, value.to_owned())).to_vec()).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread")]
async fn nor_by_the_api() {
    let server = Counter::start_api(Duration::from_millis(10), Duration::from_millis(50));
    let mut settings = SETTINGS.map(|(name, value)| (name, value.to_owned())).to_vec();
    settings.extend([
        ("VERIFYDESK_MAIL__TRANSPORT", "ses".to_owned()),
        ("VERIFYDESK_SES__TIMEOUT", "2500ms".to_owned()),
        ("AWS_SES_REGION_NAME", "eu-central-1".to_owned()),
        ("AWS_SES_REGION_ENDPOINT", format!("http://127.0.0.1:{}", server.port())),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
    ]);
    crash(&server, 1_000, settings).await;
}

async fn crash(server: &Counter, sends: usize, settings: Vec<(&str, String)>) {
    let _alone = ALONE.lock().await;
    let sends: usize = size("VERIFYDESK_CRASH_SENDS", sends);
    let kills: usize = size("VERIFYDESK_CRASH_KILLS", 8);
    let restarts: usize = size("VERIFYDESK_CRASH_RESTARTS", 1);
    let seed = size("VERIFYDESK_CRASH_SEED", fastrand::u64(..));
    eprintln!("VERIFYDESK_CRASH_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let (_place, options) = crate::cluster::place();
    // It is killed as well, and must keep what it has promised to keep.
    let options = Options { durable: true, ..options };
    let mut cluster = Cluster::start(options.clone()).unwrap();
    cluster.create_database("crash").await.unwrap();
    let url = cluster.url("crash");
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut fleet = Fleet::new(&url, server, &settings);
    let migrated = fleet.program.run(&["migrate"]);
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    queue(&mut connection, sends).await;

    let started = Instant::now();
    for _ in 0..WORKERS {
        fleet.start();
    }
    let mut at_risk = AtRisk::default();
    let restart_at: Vec<usize> = (1..=restarts).map(|n| n * kills / (restarts + 1)).collect();
    for step in 1..=kills {
        // Spread evenly over the mails, wherever that is in time.
        server.wait_for(step * sends / (kills + 1), STEP_MAX);
        at_risk.seen += server.in_flight();
        let pid = fleet.kill(random.usize(..WORKERS));
        at_risk.note(Some(pid), &mut connection).await;
        fleet.start();
        if let Some(before) = restart_at.iter().position(|&at| at == step) {
            at_risk.seen += server.in_flight();
            cluster = restart(cluster, &options, before % 2 == 0);
            connection = PgConnection::connect(&url).await.unwrap();
            at_risk.note(None, &mut connection).await;
        }
    }
    let rows = settled(&mut connection, &fleet).await;
    let took = started.elapsed();
    fleet.end();
    assert_eq!(rows.len(), sends);
    let wrong = judge(&rows, server, &at_risk, took);
    assert!(wrong.is_empty(), "{}\nthe workers say\n{}", wrong.join("\n"), fleet.log());
    drop(connection);
    cluster.stop().unwrap();
}

impl AtRisk {
    /// Takes in what a worker was sending, or what all are. A worker that has not written a heartbeat yet may be
    /// anyone; and while the database was away, leases may have ended.
    async fn note(&mut self, pid: Option<i32>, connection: &mut PgConnection) {
        let query = "select sends.id
            from sends
            left join workers on workers.id = lease_by
            where
                state = 'sending' and ($1 is null or pid = $1 or pid is null)
                or state = 'unknown' and $1 is null";
        let found: Vec<Uuid> = sqlx::query_scalar(query).bind(pid).fetch_all(connection).await.unwrap();
        self.count += found.len();
        self.sends.extend(found);
    }
}

/// Stops the database and starts it again; kills it instead, if asked to.
fn restart(cluster: Cluster, options: &Options, by_force: bool) -> Cluster {
    if by_force {
        let server = nix::unistd::Pid::from_raw(cluster.pid().unwrap());
        nix::sys::signal::kill(server, nix::sys::signal::Signal::SIGKILL).unwrap();
        drop(cluster);
    } else {
        cluster.stop().unwrap();
    }
    Cluster::start(options.clone()).unwrap()
}

/// What is not as it should be; empty if all is.
fn judge(rows: &[Row], server: &Counter, at_risk: &AtRisk, took: Duration) -> Vec<String> {
    let seen = server.by_recipient();
    let mut wrong = Vec::new();
    let Ending { doubles, unknown, unseen } = ending::judge(rows, &seen, &mut wrong, |row| {
        (!at_risk.sends.contains(&row.id)).then_some("is double, and no dead worker had it")
    });
    eprintln!(
        "{} mails in {took:.1?}: {doubles} twice, {unknown} unknown for good, {unseen} of them never seen; \
         at risk were {} by the database, {} by the server",
        rows.len(),
        at_risk.count,
        at_risk.seen
    );
    assert!(at_risk.count > 0, "nothing was in anybody's hands; this has tested nothing");
    assert!(doubles <= at_risk.count);
    wrong
}
