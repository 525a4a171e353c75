//! The pace as a server sees it that takes 0.6 s for each mail: never faster, and hardly ever slower.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::{ALONE, Fleet, queue, size};
use crate::mail_servers::Counter;
use crate::support::TestDb;

/// What SES takes on average.
const LATENCY: Duration = Duration::from_millis(600);

/// Until the lanes are open and their number is right.
const WARM_UP: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_share_one_pace() {
    keep_pace(3, 50, size("VERIFYDESK_PACE_SECONDS", 12), Duration::ZERO).await;
}

/// A new connection takes its time, an open one does not: mails over the first must not come with those over the second.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_open_slowly_do_not_push_mails_together() {
    keep_pace(2, 20, 6, Duration::from_millis(400)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_never_exceed_it_together() {
    keep_pace(2, 20, 6, Duration::ZERO).await;
}

/// Lets workers send for some seconds at a limit of so many mails a second, to a server that greets after this time.
async fn keep_pace(workers: u32, limit: u32, seconds: u32, greeting: Duration) {
    let _alone = ALONE.lock().await;
    let db = TestDb::new().await;
    let server = Counter::start(LATENCY, Duration::ZERO);
    server.greet_after(greeting);
    let mut fleet = Fleet::new(&db.url, &server, &[("VERIFYDESK_PACE__RATE", &limit.to_string())]);
    for _ in 0..workers {
        fleet.start();
    }
    // Mails come once all are at work: how long a program takes to start is not what is measured here.
    let at_work = "select count(*) from workers where pace_rate is not null";
    let deadline = Instant::now() + Duration::from_secs(30);
    while sqlx::query_scalar::<_, i64>(at_work).fetch_one(&db.pool).await.unwrap() < workers.into() {
        assert!(Instant::now() < deadline, "not all are at work\n{}", fleet.log());
    }
    let wanted = usize::try_from(limit * (seconds + 2)).unwrap();
    queue(&mut PgConnection::connect(&db.url).await.unwrap(), wanted * 2).await;
    sqlx::query("select pg_notify('verifydesk', 'queued')").execute(&db.pool).await.unwrap();
    server.wait_for(1, Duration::from_secs(30));
    let begun = server.arrivals()[0].at + WARM_UP;
    let lasted = Duration::from_secs(seconds.into());
    tokio::time::sleep_until((begun + lasted).into()).await;
    fleet.end();

    let arrivals: Vec<Instant> = server.arrivals().iter().map(|arrival| arrival.at).collect();
    let (most, worst) = most_in_a_second(&arrivals);
    let counted = arrivals.iter().filter(|at| (begun..begun + lasted).contains(*at)).count();
    let used = f64::from(u32::try_from(counted).unwrap()) / f64::from(limit * seconds);
    let within = arrivals.iter().filter_map(|at| at.checked_duration_since(worst)).take(most + 5);
    let came: Vec<u128> = within.map(|after| after.as_millis()).collect();
    eprintln!("in the fullest second they came at ms {came:?}");
    eprintln!(
        "{workers} workers, {limit}/s, {seconds} s: at most {most} in a second, {:.1} s after the first; {:.1} % used",
        (worst - arrivals[0]).as_secs_f64(),
        used * 100.0
    );
    let burst = (limit / 10).max(1);
    assert!(most <= usize::try_from(limit + burst).unwrap(), "{most} mails within a second where {limit} may go");
    assert!(used >= 0.95, "only {:.1} % of the limit was used; the workers say\n{}", used * 100.0, fleet.log());
}

/// The most that came within any second, and when that began.
fn most_in_a_second(arrivals: &[Instant]) -> (usize, Instant) {
    let within = |from: Instant| arrivals.partition_point(|at| *at < from + Duration::from_secs(1));
    let counts = arrivals.iter().enumerate().map(|(before, &from)| (within(from) - before, from));
    counts.max().expect("mails have come")
}

#[tokio::test(flavor = "multi_thread")]
async fn not_one_mail_more_than_the_day_s_quota() {
    const QUOTA: usize = 30;
    let _alone = ALONE.lock().await;
    let db = TestDb::new().await;
    let server = Counter::start(Duration::ZERO, Duration::ZERO);
    let settings = [("VERIFYDESK_PACE__RATE", "200"), ("VERIFYDESK_PACE__DAILY_QUOTA", "30")];
    let fleet = Fleet::new(&db.url, &server, &settings);
    queue(&mut PgConnection::connect(&db.url).await.unwrap(), QUOTA * 3).await;
    let mut drains = [(); 2].map(|()| fleet.command(&["worker", "--drain"]).spawn().unwrap());
    let codes = drains.each_mut().map(|drain| drain.wait().unwrap().code());
    // The other one may have found nothing to do, where this one had claimed it all.
    assert!(codes.contains(&Some(1)), "a drain that the quota ends says so: {codes:?}\n{}", fleet.log());
    assert_eq!(server.arrivals().len(), QUOTA);
    assert!(fleet.log().contains("24 hours"), "{}", fleet.log());
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from sends where state = 'queued'").fetch_one(&db.pool).await.unwrap();
    assert_eq!(usize::try_from(waiting).unwrap(), QUOTA * 2);
}
