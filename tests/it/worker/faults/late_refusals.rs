//! A worker whose connection to the database hangs notes refusals late: the pause that they belong to may be over.

use std::time::Instant;

use verifydesk::domain::id::SendId;
use verifydesk::domain::send::SendState::{Failed, Queued};
use verifydesk::store::refusals::Noted;

use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_only_after_the_pause_is_queued_again_all_the_same() {
    let site = World::new().await;
    for n in 0..30 {
        site.sign_up(&format!("mina{n}@example{}.com", n % 6)).await;
    }
    site.execute("update sends set state = 'failed', reason = '550 no', attempts = 1").await;
    let store = site.store();
    let rules = &site.settings.brake;
    let ids: Vec<_> = site.sends().await.iter().map(|send| send.id).collect();
    let noted = |range: std::ops::Range<usize>, at, pauses_heard| -> Vec<Noted> {
        let one = |id: &SendId| Noted { id: *id, is_of_us: false, is_final: false, is_ended: false, at, pauses_heard };
        ids[range].iter().map(one).collect()
    };
    let states = async || {
        let states: Vec<_> = site.sends().await.iter().map(|send| send.state).collect();
        [&states[..24], &states[24..28], &states[28..]].map(|group| {
            assert!(group.iter().all(|state| *state == group[0]), "{group:?}");
            group[0]
        })
    };
    let during = Instant::now();
    store.note_refusals(&noted(0..24, during, 0)).await.unwrap();
    assert!(store.pause_for_refusals("worker", "550 no", rules).await.unwrap());
    assert_eq!(store.put_back_refused().await.unwrap(), 24);
    assert!(store.end_refusals().await.unwrap());
    assert_eq!(states().await, [Queued, Failed, Failed]);

    store.note_refusals(&noted(24..28, during, 0)).await.unwrap();
    assert_eq!(store.put_back_late().await.unwrap(), 4);
    assert_eq!(states().await, [Queued, Queued, Failed]);
    // Once, and they are no part of a new run.
    assert_eq!(store.put_back_late().await.unwrap(), 0);
    let run: i64 = sqlx::query_scalar("select count(*) from refused_sends where ended_at is null")
        .fetch_one(site.pool())
        .await
        .unwrap();
    assert_eq!(run, 0);

    // What is refused afterwards is not of that pause.
    store.note_refusals(&noted(28..30, Instant::now(), 1)).await.unwrap();
    assert_eq!(store.put_back_late().await.unwrap(), 0);
    assert_eq!(states().await, [Queued, Queued, Failed]);
}

/// The database's clock may be set between a pause and what is noted of it: times do not tell then.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_clock_was_set_to_since() {
    for set in ["refused_from + interval '1 hour'", "refused_from - interval '1 hour'"] {
        let site = World::new().await;
        for n in 0..30 {
            site.sign_up(&format!("mina{n}@example{}.com", n % 6)).await;
        }
        site.execute("update sends set state = 'failed', reason = '550 no', attempts = 1").await;
        let store = site.store();
        let ids: Vec<_> = site.sends().await.iter().map(|send| send.id).collect();
        let noted = |range: std::ops::Range<usize>, pauses_heard| -> Vec<Noted> {
            let at = Instant::now();
            let one =
                |id: &SendId| Noted { id: *id, is_of_us: false, is_final: false, is_ended: false, at, pauses_heard };
            ids[range].iter().map(one).collect()
        };
        store.note_refusals(&noted(0..20, 0)).await.unwrap();
        assert!(store.pause_for_refusals("worker", "550 no", &site.settings.brake).await.unwrap());
        assert_eq!(store.put_back_refused().await.unwrap(), 20);
        assert!(store.end_refusals().await.unwrap());
        assert_eq!(store.pauses_ended().await.unwrap(), 1);
        let until = set.replace("from", "until");
        sqlx::query(sqlx::AssertSqlSafe(format!("update brake set refused_from = {set}, refused_until = {until}")))
            .execute(site.pool())
            .await
            .unwrap();
        store.note_refusals(&noted(20..26, 0)).await.unwrap();
        assert_eq!(store.put_back_late().await.unwrap(), 6, "{set}");
        // Of a worker that has heard of its end.
        store.note_refusals(&noted(26..30, 1)).await.unwrap();
        assert_eq!(store.put_back_late().await.unwrap(), 0, "{set}");
        let run: i64 = sqlx::query_scalar("select count(*) from refused_sends where ended_at is null")
            .fetch_one(site.pool())
            .await
            .unwrap();
        assert_eq!(run, 4, "{set}");
    }
}
