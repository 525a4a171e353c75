//! What is shown of a user: all of their verifications and mails, whichever of them is looked at.

use chrono::Duration;
use verifydesk::domain::filter::{Clock, Filter, Place, line};
use verifydesk::domain::id::{SendId, VerificationId};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::page::Position;
use verifydesk::domain::send::{Priority, SendState};
use verifydesk::domain::verification::{DETAIL_MAX, Status, VerificationDetail};

use super::age;
use crate::support::Program;
use crate::support::world::{ID_OF, World, leave, operator, rows_read_one_by_one};

fn ids(detail: &VerificationDetail) -> (Vec<VerificationId>, Vec<SendId>) {
    let verifications = detail.verifications().into_iter().map(|one| one.id).collect();
    (verifications, detail.mails().into_iter().map(|one| one.id).collect())
}

/// One who was mailed three links, the second of them twice.
async fn mailed_four_times(world: &World) -> [VerificationId; 3] {
    let first = world.mailed("mina@example.com", Locale::En).await.0;
    let resend = async |id| {
        age(world, Duration::hours(1)).await;
        let done = world.desk.resend(&operator(), id, Priority::Person, None).await.unwrap().verification_id;
        world.mail(done).await;
        done
    };
    world.expire(first).await;
    let second = resend(first).await;
    assert_eq!(resend(second).await, second);
    world.revoke(second).await;
    [first, second, resend(second).await]
}

#[tokio::test]
async fn whichever_verification_is_looked_at_the_user_is_the_same() {
    let world = World::new().await;
    let [first, second, third] = mailed_four_times(&world).await;
    world.mailed("other@example.com", Locale::En).await;
    let newest = world.detail(third).await;
    let (verifications, mails) = ids(&newest);
    assert_eq!(verifications, [third, second, first]);
    let of: Vec<_> = newest.mails().into_iter().map(|send| send.verification_id.unwrap()).collect();
    assert_eq!(of, [third, second, second, first]);
    for id in [first, second] {
        let detail = world.detail(id).await;
        assert_eq!(ids(&detail), (verifications.clone(), mails.clone()), "{id}");
        assert!(detail.sends.iter().all(|send| send.verification_id == Some(id)), "{id}");
    }
    for (known, expected) in [(newest.in_all.verifications, 3), (newest.in_all.mails, 4)] {
        assert!(known.is_all && known.count == expected, "{known:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn show_says_all_that_is_known_of_the_user() {
    let world = World::new().await;
    let [first, second, third] = mailed_four_times(&world).await;
    world.execute("update sends set recipient = 'mnia@example.com' where verification_id = 1").await;
    let program = Program::new(&world.db.url);
    let lines = program.run(&["show", &second.to_string()]).out;
    let starts = [
        "verifications 3",
        &format!("also         verification {third}: pending, created "),
        &format!("also         verification {first}: revoked, created "),
        "mails        4",
        "             to mnia@example.com",
    ];
    for start in starts {
        assert!(lines.lines().any(|line| line.starts_with(start)), "{start:?} is missing in\n{lines}");
    }
    let mails: Vec<&str> = lines.lines().filter(|line| line.starts_with("mail   ")).collect();
    assert_eq!(mails.len(), 4, "{lines}");
    assert!(mails[0].ends_with(&format!(", of verification {third}")), "{lines}");
    assert!(mails[1].ends_with("attempts"), "{lines}");
    let json = program.run(&["show", &second.to_string(), "--json"]).json().remove(0);
    let of = |name: &str| {
        let sends = json[name].as_array().unwrap().iter();
        sends.map(|send| send["verification_id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((of("sends"), of("other_sends")), (vec![second.0; 2], vec![third.0, first.0]));
    assert_eq!(
        json["user_has"],
        serde_json::json!({
            "verifications": { "count": 3, "is_all": true },
            "mails": { "count": 4, "is_all": true },
        })
    );
    // One who was mailed once is told of once.
    let only = world.mailed("once@example.com", Locale::En).await.0;
    let lines = program.run(&["show", &only.to_string()]).out;
    assert!(!lines.contains("mails ") && !lines.contains("verifications ") && !lines.contains("also "), "{lines}");
}

/// By indexes, and no further than is shown: no list and no pane waits for someone who was mailed very often.
#[tokio::test]
async fn of_one_who_was_mailed_ten_thousand_times_no_more_is_read() {
    let world = World::new().await;
    let [first, ..] = mailed_four_times(&world).await;
    world
        .execute(&format!(
            "{ID_OF}
            insert into users (email, name, locale)
                select 'user' || n || '@example.net', 'Many', 'en' from generate_series(1, 100) n;
            insert into verifications (user_id, key_nonce, expires_at, created_at, revoked_at)
                select u.id, decode(repeat('00', 16), 'hex'), now(), now() - interval '1 day', now()
                from users u, generate_series(1, case when u.email like 'mina%' then 2000 else 60 end);
            insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at)
                select pg_temp.id_of(now() - n * interval '1 min'), null, u.id, u.email, u.locale, 'delivered', now()
                from users u, generate_series(1, case when u.email like 'mina%' then 10000 else 300 end) n;
            analyze users; analyze verifications; analyze sends;"
        ))
        .await;
    let detail = world.detail(first).await;
    let filter =
        line::parse(&format!("user {}", detail.user.id), Place::Mails, Clock::utc(chrono::Utc::now())).unwrap();
    let page = world.store().sends(&filter, Position::Newest, 100).await.unwrap();
    leave(&world.desk, world.pool()).await;
    let read = rows_read_one_by_one(world.pool()).await;
    // Of a table that is mostly theirs the planner counts a thousand as they come. It stops there.
    assert!(read["sends"] + read["verifications"] < 10_000, "{read:?}");
    let read = world.number(ENTRIES_READ).await;
    assert!(read < 3_000, "{read} entries of indexes were read");
    for counted in [detail.in_all.verifications, detail.in_all.mails] {
        assert!(!counted.is_all && counted.count == 1_000, "{counted:?}");
    }
    let most = usize::try_from(DETAIL_MAX).unwrap();
    assert_eq!((detail.others.len(), detail.sends.len(), detail.other_sends.len()), (most, 1, most - 1));
    assert_eq!(detail.verification.status(chrono::Utc::now()), Status::Revoked);
    // The list of their mails has them all, page by page.
    assert_eq!(page.rows.len(), 100);
    assert!(page.older && page.rows.iter().all(|send| send.user_id == Some(detail.user.id)));
    let delivered = Filter { mail: SendState::Delivered.into(), ..filter };
    let last = world.another_desk().store().sends(&delivered, Position::Oldest, 100).await.unwrap();
    assert!(last.newer && !last.older && last.rows.len() == 100);
}

/// Entries of the indexes of users' verifications and mails that were read so far.
const ENTRIES_READ: &str = "select coalesce(sum(idx_tup_read), 0)::bigint
    from pg_stat_user_indexes
    where relname in ('sends', 'verifications')";
