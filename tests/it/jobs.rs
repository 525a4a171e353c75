//! Bulk resends: which users they leave out, that no one gets two mails, that they can be stopped, and how they fare
//! with a million.

mod acts;
mod crowd;
mod long;
mod mails;
mod results;
mod rule;
mod scale;
mod shell;

use std::time::Duration;

use verifydesk::desk::Desk;
use verifydesk::domain::filter::Filter;
use verifydesk::domain::id::JobId;
use verifydesk::domain::job::{JobRow, JobScope};
use verifydesk::domain::verification::Status;

use crate::support::world::{World, operator};

fn filter(status: Option<Status>) -> JobScope {
    JobScope::Filter(Filter { status, ..Filter::default() })
}

fn expired() -> JobScope {
    filter(Some(Status::Expired))
}

/// So many people who were mailed ten days ago and whose verifications have expired since, one by one.
async fn expired_people(world: &World, count: i64) {
    world
        .execute(&format!(
            "insert into users (email, created_at)
            select 'person' || n || '@example.com', now() - interval '10 days' from generate_series(1, {count}) n;
            insert into verifications (user_id, created_at, expires_at, key_nonce, key_digest)
            select
                id, created_at, created_at + interval '3 days' + make_interval(secs => id % 100000),
                decode(md5(id::text), 'hex'), sha256(id::text::bytea)
            from users;
            insert into sends (
                id, verification_id, user_id, recipient, locale, state, queued_at, due_at, changed_at, attempts, reply
            )
            select
                gen_random_uuid(), v.id, u.id, u.email, u.locale, 'delivered', u.created_at, u.created_at, u.created_at,
                1, '250 Ok'
            from users u
            join verifications v on v.user_id = u.id;
            analyze users, verifications, sends"
        ))
        .await;
}

/// Starts a job that may begin at once.
async fn start(desk: &Desk, scope: &JobScope) -> JobId {
    desk.start_job(&operator(), scope, None, Duration::ZERO).await.unwrap()
}

/// Makes all mails of all jobs that run; gives the last look at one of them.
async fn finish(desk: &Desk, id: JobId) -> JobRow {
    while desk.store().advance_jobs(1_000, desk.policy()).await.unwrap().more {}
    desk.job(id).await.unwrap()
}

/// The users that a job has queued mails for, in order.
async fn mailed(world: &World, id: JobId) -> Vec<String> {
    sqlx::query_scalar("select recipient from sends where job_id = $1 order by recipient")
        .bind(id.0)
        .fetch_all(world.pool())
        .await
        .unwrap()
}
