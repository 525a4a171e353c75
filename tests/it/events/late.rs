//! Events that come late say nothing that is newer than what was found out since.

use super::*;

const MARKED: &str = "select count(*) from address_states where suppressed_at is not null";

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_puts_no_one_back_on_the_suppression_list() {
    // What is known of the address, and whether the event of an hour before makes it one that gets no mail.
    for (known, is_marked) in [
        ("", 1),
        ("insert into suppressions (address, checked_at) values ('mina@example.com', '2026-11-20T11:00:00Z')", 0),
        ("insert into suppressions (address, checked_at) values ('mina@example.com', '2026-11-20T09:00:00Z')", 1),
        ("insert into suppressions (address, checked_at) values ('sean@example.com', '2026-11-20T11:00:00Z')", 1),
        (
            "insert into suppressions (address, checked_at, reason) values ('mina@example.com', '2026-11-20T11:00:00Z', 'BOUNCE')",
            1,
        ),
    ] {
        let world = World::new().await;
        let attempt = world.begin().await;
        world.record(attempt, accepted("m-1")).await;
        if !known.is_empty() {
            world.execute(known).await;
        }
        world.take(&[world.event("Bounce", "Permanent/OnAccountSuppressionList", "m-1")]).await;
        let marked: i64 = sqlx::query_scalar(MARKED).fetch_one(&world.db.pool).await.unwrap();
        assert_eq!(marked, is_marked, "{known}");
        // What became of the mail is so, whatever has been done since.
        assert_eq!(world.state().await.0, Bounced);
    }
}
