//! No worker is there: `serve` tells it, however many there are, and so does a worker that comes back.

use std::time::Duration;

use super::*;

/// For as long one must have watched.
const LONG: Duration = Duration::from_mins(2);

/// Both look for workers, having watched for so long, and both tell, at once.
async fn both(told: &Told, watches: &[Watch; 2], span: Duration) -> (Judged, Vec<(String, String)>) {
    let before = told.messages().len();
    let (one, other) = tokio::join!(watches[0].judge_workers(span), watches[1].judge_workers(span));
    (one.unwrap() + other.unwrap(), told.both_tell(watches, before).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_serves_tell_once_that_no_worker_is_there_and_that_one_is_back() {
    const BEGAN: Judged = Judged { began: 1, ended: 0 };
    const ENDED: Judged = Judged { began: 0, ended: 1 };
    let nothing = (Judged::default(), vec![]);
    let told = Told::by(KEEP).await;
    let serves = [told.watch_of(Teller::Serve), told.watch_of(Teller::Serve)];
    let mixed = [told.watch_of(Teller::Serve), told.watch()];
    assert_eq!(both(&told, &serves, Duration::from_secs(119)).await, nothing, "one may be on its way");
    assert_eq!(both(&told, &serves, LONG).await, (BEGAN, pair("began", "no_worker")));
    assert_eq!(both(&told, &serves, LONG).await, nothing, "it goes on");
    assert_eq!(both(&told, &serves, Duration::ZERO).await, nothing, "a serve that was started again knows no better");
    let alerts = told.site.store().alerts().await.unwrap();
    assert!(alerts.len() == 1 && alerts[0].is_told, "{alerts:?}");
    assert_eq!(alerts[0].in_words(|_| "noon".into()), "no worker is there, since noon; told");

    let beats = async || {
        let count: i64 =
            sqlx::query_scalar("select count(*) from workers").fetch_one(told.site.store().pool()).await.unwrap();
        count == 1
    };
    let first = told.site.start(Mode::Forever);
    until("it is there", beats).await;
    // It judges all else, too, and has nothing to do with this one.
    assert_eq!(mixed[1].judge().await.unwrap(), Judged::default());
    assert_eq!(both(&told, &mixed, LONG).await, (ENDED, pair("ended", "no_worker")), "who is back, and serve");
    first.end().await;
    assert_eq!(both(&told, &serves, LONG).await, nothing, "it has just ended");

    told.site.execute("update workers set host = 'mail-1', beat_at = now() - interval '2 minutes'").await;
    assert_eq!(both(&told, &mixed, LONG).await, (BEGAN, pair("began", "no_worker")), "one that hangs, and serve");
    told.site.execute("update workers set beat_at = now() + interval '1 hour'").await;
    assert_eq!(both(&told, &serves, LONG).await, nothing, "a clock that was set back proves no worker");
    let second = told.site.start(Mode::Forever);
    until("it is back", async || told.site.store().outbox().await.unwrap().is_worked()).await;
    assert_eq!(both(&told, &serves, LONG).await, (ENDED, pair("ended", "no_worker")));
    second.end().await;

    let messages = told.messages();
    assert_eq!(messages[0]["summary"], "no worker has ever been heard of");
    assert_eq!(messages[0]["docs"], "docs/operations.md#a-worker-stands-still-or-stops");
    let summary = messages[2]["summary"].as_str().unwrap();
    assert!(summary.starts_with("no worker has been heard of since 20") && summary.ends_with("on mail-1"), "{summary}");
}

/// What serve's login may not tell is the workers' matter.
#[tokio::test(flavor = "multi_thread")]
async fn serve_tells_of_nothing_else() {
    let told = Told::by(KEEP).await;
    told.site.desk.pause(&operator(), "maintenance").await.unwrap();
    assert_eq!(told.watch().judge().await.unwrap().began, 1);
    assert_eq!(told.watch_of(Teller::Serve).tell().await.unwrap(), 0);
    assert_eq!(told.watch().tell().await.unwrap(), 1);
}
