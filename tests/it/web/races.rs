//! Everybody at once.

use verifydesk::desk;
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::locale::Locale;
use verifydesk::domain::send::Priority;

use super::{Answer, Served, TOKEN, link, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clicks_on_one_link_verify_once() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let mut clicks = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        clicks.spawn(Answer::of(site.server.request(reqwest::Method::GET, &link(&key))));
    }
    let answers = clicks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1_000);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    assert_eq!(site.outcomes("open_link").await, ["verified"]);
    let (users, verifications): (i64, i64) = sqlx::query_as(
        "select
            (select count(verified_at) from users),
            (select count(*) from verifications v join users u on u.verified_at = v.verified_at)",
    )
    .fetch_one(&site.db.pool)
    .await
    .unwrap();
    assert_eq!((users, verifications), (1, 1));
}

/// A user who is deleted between the look at the link and the act was never there.
#[tokio::test]
async fn a_deletion_races_with_everything() {
    let site = Served::start().await;
    let operator = Actor::new("mina@desk", Origin::Console);
    for act in ["open", "press", "new mail", "sign up", "resend", "force-verify"] {
        let (id, key) = site.mailed("mina@example.com", Locale::En).await;
        let mut deleting = site.db.pool.begin().await.unwrap();
        for table in ["sends", "verifications", "users"] {
            let statement = sqlx::AssertSqlSafe(format!("delete from {table}"));
            sqlx::query(statement).execute(&mut *deleting).await.unwrap();
        }
        let acting = async {
            match act {
                "open" => Err(site.server.get(&link(&key)).await),
                "press" => Err(site.server.post("/verify/", &key).await),
                "new mail" => Err(site.server.post("/verify/new-mail", &key).await),
                "sign up" => {
                    let request = site.server.request(reqwest::Method::POST, "/api/signups").bearer_auth(TOKEN);
                    let body = serde_json::json!({ "email": "mina@example.com" });
                    let answer = Answer::of(request.json(&body)).await;
                    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (202, &"created".into()));
                    Ok(())
                }
                "resend" => {
                    let resent = site.server.desk.resend(&operator, id, Priority::Person, None).await.unwrap_err();
                    assert!(matches!(resent, desk::Error::NotFound(_)), "{resent}");
                    Ok(())
                }
                _ => {
                    let forced = site.server.desk.force_verify(&operator, id, "they called").await.unwrap_err();
                    assert!(matches!(forced, desk::Error::NotFound(_)), "{forced}");
                    Ok(())
                }
            }
        };
        let waiting = async {
            until("it waits for the row", async || {
                sqlx::query_scalar::<_, bool>(
                    "select exists (select from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock')",
                )
                .fetch_one(&site.db.pool)
                .await
                .unwrap()
            })
            .await;
            deleting.commit().await.unwrap();
        };
        let (done, ()) = tokio::join!(acting, waiting);
        if let Err(page) = done {
            // A language is known where there was a look before the act.
            let heading = if act == "new mail" { "We do not know this link" } else { "알 수 없는 링크입니다" };
            assert_eq!((page.status.as_u16(), page.heading()), (404, heading), "{act}");
        }
        for table in ["sends", "verifications", "users"] {
            let statement = sqlx::AssertSqlSafe(format!("delete from {table}"));
            sqlx::query(statement).execute(&site.db.pool).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forced_verify_and_a_click_both_tell_the_truth() {
    let site = Served::start().await;
    let operator = Actor::new("mina@desk", Origin::Console);
    for round in 0..50 {
        let (id, key) = site.mailed(&format!("user{round}@example.com"), Locale::En).await;
        let path = link(&key);
        let (clicked, forced) =
            tokio::join!(site.server.get(&path), site.server.desk.force_verify(&operator, id, "they called"));
        assert_eq!((clicked.status.as_u16(), clicked.heading()), (200, "Your email address is confirmed"));
        let detail = site.server.desk.store().show(id).await.unwrap().unwrap();
        assert_eq!(detail.user.verified_at, detail.verification.verified_at);
        assert!(detail.user.verified_at.is_some());
        let outcome_of = |action: &str| -> Vec<&str> {
            detail.audit.iter().filter(|entry| entry.action.raw() == action).map(|entry| entry.outcome.raw()).collect()
        };
        let (click, force) = (outcome_of("open_link"), outcome_of("force_verify"));
        if forced.is_ok() {
            assert_eq!((click, force), (vec!["already_verified"], vec!["verified"]));
        } else {
            assert_eq!((click, force), (vec!["verified"], vec!["already_verified"]));
        }
    }
}
