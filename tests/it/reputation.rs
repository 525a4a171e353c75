//! How mail is received, as `queue` and the console show it.

use verifydesk::domain::reputation::{HOURS, Hour, Rate};

use crate::support::Program;
use crate::support::world::{ID_OF, World};

/// Mails of one user: 90 delivered, 8 bounced for good, 2 for the time being, 1 complained, and a test mail. Four of them
/// two hours ago, one failed then, and what came to its end the day before.
async fn received(world: &World) {
    world.sign_up("mina@example.com").await;
    world
        .execute(&format!(
            "{ID_OF}
            insert into sends (id, verification_id, user_id, recipient, locale, state, against_us, queued_at, changed_at)
            select
                pg_temp.id_of(now()), 1, 1, 'mina@example.com', 'en',
                case when n <= 90 then 'delivered' when n <= 100 then 'bounced' else 'complained' end,
                n between 91 and 98, now(),
                now() - interval '1 hour' * case when n between 95 and 98 then 2.5 else 0 end
            from generate_series(1, 101) as n;
            insert into sends (id, verification_id, user_id, recipient, locale, state, reason, queued_at, changed_at)
            select
                pg_temp.id_of(now()), 1, 1, 'mina@example.com', 'en', 'failed', 'given up', now() - interval '3 days',
                now() - interval '1 hour' * hours
            from unnest(array[2.5, 30]) as hours;
            insert into sends (id, recipient, locale, test_of, state, attempts, against_us)
            values (pg_temp.id_of(now()), 'bounce@simulator.amazonses.com', 'en', 'x (example)', 'bounced', 1, true);
            insert into pace_minutes (minute, drawn)
            values (date_trunc('minute', now() - interval '150 minutes'), 70), (now() - interval '25 hours', 9);
            update pace set minute = date_trunc('minute', now()), minute_drawn = 31"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_beside_the_limits_and_the_last_hours() {
    let world = World::with(|settings| (settings.brake.bounce_rate, settings.brake.sends) = (0.1, 500)).await;
    assert!(!world.store().outbox().await.unwrap().reputation.is_enough());
    received(&world).await;
    let reputation = world.store().outbox().await.unwrap().reputation;
    assert!(reputation.is_enough());
    assert_eq!((reputation.sends, reputation.window), (101, 500));
    assert_eq!(reputation.bounces, Rate { count: 8, of: 101, limit: 0.1 });
    assert_eq!(reputation.complaints, Rate { count: 1, of: 101, limit: 0.003 });
    assert_eq!(reputation.hours.len(), HOURS);
    let busy: Vec<(usize, Hour)> =
        reputation.hours.iter().copied().enumerate().filter(|(_, hour)| *hour != Hour::default()).collect();
    let expected = [
        (HOURS - 3, Hour { sent: 70, bounced: 4, complained: 0, failed: 1 }),
        (HOURS - 1, Hour { sent: 31, bounced: 6, complained: 1, failed: 0 }),
    ];
    assert_eq!(busy, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_before_the_release_counts_no_more() {
    let world = World::new().await;
    received(&world).await;
    world.execute("update brake set released_at = clock_timestamp()").await;
    let reputation = world.store().outbox().await.unwrap().reputation;
    assert_eq!((reputation.sends, reputation.bounces.count), (0, 0));
    assert_eq!(reputation.day().bounced, 10, "the hours are what happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_same() {
    let world = World::new().await;
    let program = Program::new(&world.db.url);
    let first = program.run(&["queue"]).out;
    assert!(!first.contains("bounces"), "{first}");
    received(&world).await;
    let text = program.run(&["queue"]).out;
    for line in [
        "bounces  7.9 % of 5 %: 8 of the last 101 mails bounced for good",
        "spam     0.99 % of 0.3 %: 1 of the last 101 mails were called spam",
        "24 h     101 sent, 10 bounced, 1 complained, 1 failed",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    let reputation = &program.run(&["queue", "--json"]).json()[0]["reputation"];
    assert_eq!((&reputation["bounces"]["count"], &reputation["day"]["sent"]), (&8.into(), &101.into()));
    assert_eq!(reputation["hours"].as_array().unwrap().len(), HOURS);
}
