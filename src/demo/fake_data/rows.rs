//! The made-up people as rows, some thousand a statement.

use sqlx::{PgConnection, PgPool};

use super::history::{Entry, Issue, World};
use super::mails::{Event, Mail};
use super::names::Person;
use crate::domain::event::{Fate, Mark, Verdict, judge};
use crate::domain::id::VerificationId;
use crate::domain::key::{Key, Nonce};
use crate::domain::send::Priority;

/// Rows a statement.
const CHUNK: usize = 2_000;

/// The numbers that the first user and the first verification get; the others follow.
#[derive(Clone, Copy)]
struct First {
    user: i64,
    verification: i64,
}

impl First {
    fn user(self, place: usize) -> i64 {
        self.user.saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
    }

    fn verification(self, place: usize) -> i64 {
        self.verification.saturating_add(i64::try_from(place).unwrap_or(i64::MAX))
    }
}

/// Inserts everything in one transaction.
pub async fn insert(pool: &PgPool, world: &World, secret: &[u8]) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // The numbers are given out here: a key is made of its verification's.
    sqlx::query("lock table users, verifications in share row exclusive mode").execute(&mut *tx).await?;
    let (user, verification) = sqlx::query_as(
        "select
            (select coalesce(max(id), 0) + 1 from users),
            (select coalesce(max(id), 0) + 1 from verifications)",
    )
    .fetch_one(&mut *tx)
    .await?;
    let first = First { user, verification };

    for (at, chunk) in world.people.chunks(CHUNK).enumerate() {
        people(&mut tx, first.user(at * CHUNK), chunk).await?;
    }
    for (at, chunk) in world.issues.chunks(CHUNK).enumerate() {
        issues(&mut tx, first, at * CHUNK, chunk, secret).await?;
    }
    for chunk in world.mails.chunks(CHUNK) {
        mails(&mut tx, first, chunk, &world.people).await?;
    }
    for chunk in world.events.chunks(CHUNK) {
        events(&mut tx, chunk).await?;
    }
    // The mails of the last day, as the pace counts them.
    sqlx::query(
        "insert into pace_minutes (minute, drawn)
        select date_trunc('minute', queued_at), count(*)
        from sends
        where attempts > 0 and queued_at > $1 - interval '1 day'
        group by 1
        on conflict do nothing",
    )
    .bind(world.now)
    .execute(&mut *tx)
    .await?;
    // What follows from it for mails and addresses.
    sqlx::query(
        "select apply_events(jsonb_agg(jsonb_build_object(
            'send_id', send_id, 'ses_id', ses_id, 'fate', fate, 'against_us', against_us, 'mark', mark, 'recipients',
            recipients, 'occurred_at', occurred_at
        )))
        from ses_events
        where source = 'simulated'",
    )
    .execute(&mut *tx)
    .await?;
    for chunk in world.entries.chunks(CHUNK) {
        entries(&mut tx, first, chunk).await?;
    }
    let next = [("users", first.user(world.people.len())), ("verifications", first.verification(world.issues.len()))];
    for (table, next) in next {
        sqlx::query("select setval(pg_get_serial_sequence($1, 'id'), $2, false)")
            .bind(table)
            .bind(next)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query("analyze users, verifications, sends, ses_events, audit_log").execute(&mut *tx).await?;
    tx.commit().await
}

async fn people(connection: &mut PgConnection, first: i64, chunk: &[Person]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into users (id, email, name, locale, created_at, verified_at)
        overriding system value
        select $1 + place - 1, email, name, locale, created_at, verified_at
        from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
            with ordinality as rows (email, name, locale, created_at, verified_at, place)",
    )
    .bind(first)
    .bind(column(chunk, |p| p.email.as_str()))
    .bind(column(chunk, |p| p.name.as_str()))
    .bind(column(chunk, |p| p.locale.as_str()))
    .bind(column(chunk, |p| p.created_at))
    .bind(column(chunk, |p| p.verified_at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn issues(
    connection: &mut PgConnection,
    first: First,
    place: usize,
    chunk: &[Issue],
    secret: &[u8],
) -> Result<(), sqlx::Error> {
    let digests: Vec<Option<Vec<u8>>> = (place..)
        .zip(chunk)
        .map(|(place, issue)| {
            let key = || Key::derive(secret, VerificationId(first.verification(place)), &Nonce(issue.nonce));
            issue.mailed.then(|| key().digest().0.to_vec())
        })
        .collect();
    sqlx::query(
        "insert into verifications
            (id, user_id, created_at, expires_at, verified_at, revoked_at, opened_at, key_nonce, key_digest)
        overriding system value
        select $1 + place - 1, user_id, created_at, expires_at, verified_at, revoked_at, opened_at, nonce, digest
        from unnest(
            $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::bytea[], $9::bytea[])
            with ordinality
            as rows (user_id, created_at, expires_at, verified_at, revoked_at, opened_at, nonce, digest, place)",
    )
    .bind(first.verification(place))
    .bind(column(chunk, |i| first.user(i.person)))
    .bind(column(chunk, |i| i.created_at))
    .bind(column(chunk, |i| i.expires_at))
    .bind(column(chunk, |i| i.verified_at))
    .bind(column(chunk, |i| i.revoked_at))
    .bind(column(chunk, |i| i.opened_at))
    .bind(column(chunk, |i| i.nonce.to_vec()))
    .bind(digests)
    .execute(connection)
    .await?;
    Ok(())
}

async fn mails(
    connection: &mut PgConnection,
    first: First,
    chunk: &[Mail],
    people: &[Person],
) -> Result<(), sqlx::Error> {
    let priority = |bulk| if bulk { Priority::Bulk } else { Priority::Person };
    sqlx::query(
        "insert into sends (
            id, verification_id, user_id, recipient, locale, priority, state, queued_at, due_at, changed_at, attempts,
            ses_id, reply, reason)
        select *
        from unnest(
            $1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::text[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::smallint[], $12::text[], $13::text[],
            $14::text[])",
    )
    .bind(column(chunk, |m| m.id))
    .bind(column(chunk, |m| first.verification(m.issue)))
    .bind(column(chunk, |m| first.user(m.person)))
    .bind(column(chunk, |m| people[m.person].email.as_str()))
    .bind(column(chunk, |m| people[m.person].locale.as_str()))
    .bind(column(chunk, |m| priority(m.bulk).rank()))
    .bind(column(chunk, |m| m.state.as_str()))
    .bind(column(chunk, |m| m.queued_at))
    .bind(column(chunk, |m| m.due_at))
    .bind(column(chunk, |m| m.changed_at))
    .bind(column(chunk, |m| m.attempts))
    .bind(column(chunk, |m| m.ses_id.as_deref()))
    .bind(column(chunk, |m| m.reply.as_deref()))
    .bind(column(chunk, |m| m.reason.as_deref()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Stores what SES reported.
async fn events(connection: &mut PgConnection, chunk: &[Event]) -> Result<(), sqlx::Error> {
    sqlx::query("select make_event_partitions($1)")
        .bind(chunk.iter().map(|event| event.received_at).min())
        .execute(&mut *connection)
        .await?;
    let verdicts: Vec<Verdict> = chunk.iter().map(|event| judge(event.kind, event.sub_kind)).collect();
    sqlx::query(
        "insert into ses_events (
            id, send_id, kind, sub_kind, occurred_at, received_at, detail, ses_id, recipients, fate, against_us, mark, source
        )
        select id, send_id, kind, sub_kind, occurred_at, received_at, detail, ses_id, array[recipient], fate, against_us,
            mark, 'simulated'
        from unnest(
            $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[],
            $9::text[], $10::smallint[], $11::boolean[], $12::text[]
        ) as given (
            id, send_id, kind, sub_kind, occurred_at, received_at, detail, ses_id, recipient, fate, against_us, mark
        )",
    )
    .bind(column(chunk, |e| e.id))
    .bind(column(chunk, |e| e.mail))
    .bind(column(chunk, |e| e.kind))
    .bind(column(chunk, |e| e.sub_kind))
    .bind(column(chunk, |e| e.occurred_at))
    .bind(column(chunk, |e| e.received_at))
    .bind(column(chunk, |e| e.detail.as_str()))
    .bind(column(chunk, |e| e.ses_id.as_str()))
    .bind(column(chunk, |e| e.recipient.as_str()))
    .bind(column(&verdicts, |verdict| verdict.fate.map(Fate::rank)))
    .bind(column(&verdicts, |verdict| verdict.is_against_us))
    .bind(column(&verdicts, |verdict| verdict.mark.map(Mark::as_str)))
    .execute(connection)
    .await?;
    Ok(())
}

async fn entries(connection: &mut PgConnection, first: First, chunk: &[Entry]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into audit_log (at, actor, origin, action, outcome, reason, user_id, verification_id, send_id)
        select *
        from unnest(
            $1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
            $9::uuid[])",
    )
    .bind(column(chunk, |e| e.at))
    .bind(column(chunk, |e| e.by.0))
    .bind(column(chunk, |e| e.by.1.as_str()))
    .bind(column(chunk, |e| e.action.as_str()))
    .bind(column(chunk, |e| e.outcome))
    .bind(column(chunk, |e| e.reason))
    .bind(column(chunk, |e| first.user(e.person)))
    .bind(column(chunk, |e| first.verification(e.issue)))
    .bind(column(chunk, |e| e.mail))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<'a, R, T>(rows: &'a [R], take: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(take).collect()
}
