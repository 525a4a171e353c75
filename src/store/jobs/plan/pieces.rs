//! How users of a plan stand, in groups that stand alike. Very many are looked at in pieces of so many users, so that who waits
//! is told how far it is.

use std::time::{Duration, Instant};

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::domain::job::{PlanProgress, Skipped};
use crate::domain::resend::{ResendPolicy, Standing};
use crate::store::{Error, StoredTime, resend};

/// How many users' numbers the first piece spans, and one at most.
const PIECE_FIRST: i64 = 10_000;
const PIECE_MAX: i64 = 500_000;

/// How long a piece is to take.
const PIECE_AIM: Duration = Duration::from_millis(300);

/// How many of the first users are kept.
const FIRST_MAX: usize = 5;

/// Users of a plan who stand alike.
#[derive(FromRow)]
struct Alike {
    is_verified: bool,
    is_waiting: bool,
    has_later: bool,
    block: Option<String>,
    cooling_until: Option<StoredTime>,
    capped_until: Option<StoredTime>,
    users: i64,
    verifications: i64,
    /// The newest of them.
    newest: Vec<i64>,
}

/// Few groups, however many they are. What a group comes to is the program's to decide. Its newest are found in a walk
/// over all of them, which sorts nothing.
const GROUPS: &str = "
    ), alike as (
        select
            is_verified, is_waiting, has_later, block, is_cooling, is_capped,
            max(cooling_until) as cooling_until, max(capped_until) as capped_until,
            count(*) as users, sum(count)::bigint as verifications
        from standing
        group by is_verified, is_waiting, has_later, block, is_cooling, is_capped
    )
    select
        a.is_verified, a.is_waiting, a.has_later, a.block, a.cooling_until, a.capped_until, a.users, a.verifications,
        array(
            select s.user_id
            from standing s
            where
                (s.is_verified, s.is_waiting, s.has_later, s.is_cooling, s.is_capped)
                    = (a.is_verified, a.is_waiting, a.has_later, a.is_cooling, a.is_capped)
                and s.block is not distinct from a.block
            order by s.at desc, s.id desc
            limit 5
        ) as newest
    from alike a";

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Verifications found.
    pub found: i64,
    pub mails: i64,
    pub skipped: Skipped,
    /// Users who would be mailed, the newest first as far as that is known.
    pub first: Vec<i64>,
}

/// The beginning of what is counted: after it come `user_id`, `id`, `at` and, where it was found by one, `mail`.
pub(super) fn begin() -> QueryBuilder<Postgres> {
    QueryBuilder::new("with found as (")
}

/// Counts all of them at once.
pub(super) async fn count(
    connection: &mut PgConnection,
    policy: &ResendPolicy,
    found: QueryBuilder<Postgres>,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    look(connection, policy, &mut tally, found).await?;
    Ok(tally)
}

/// Counts them in pieces, the newest users first. A condition of `v.user_id` can follow on what `push_found` gives.
pub(super) async fn count_in_pieces(
    connection: &mut PgConnection,
    policy: &ResendPolicy,
    about: i64,
    push_found: impl Fn(&mut QueryBuilder<Postgres>),
    mut tell: impl FnMut(PlanProgress) + Send,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    tell(PlanProgress { about, found: 0, mails: 0, part: 0.0 });
    let ids = sqlx::query!(r#"select coalesce(min(id), 0) as "least!", coalesce(max(id), 0) as "most!" from users"#);
    let ids = ids.fetch_one(&mut *connection).await?;
    let (least, most) = (ids.least, ids.most);
    let (mut below, mut piece) = (most.saturating_add(1), PIECE_FIRST);
    while below > least {
        let (from, began) = (below.saturating_sub(piece).max(least), Instant::now());
        let mut query = begin();
        push_found(&mut query);
        query.push(" and v.user_id >= ").push_bind(from).push(" and v.user_id < ").push_bind(below);
        look(connection, policy, &mut tally, query).await?;
        below = from;
        #[expect(clippy::cast_precision_loss, reason = "a part of a whole")]
        let part = 1.0 - (below - least) as f64 / (most - least).max(1) as f64;
        tell(PlanProgress { about: about.max(tally.found), found: tally.found, mails: tally.mails, part });
        piece = next(piece, began.elapsed());
    }
    Ok(tally)
}

/// A piece that takes about as long as it should, after one that took so long.
fn next(piece: i64, took: Duration) -> i64 {
    let factor = (PIECE_AIM.as_secs_f64() / took.as_secs_f64().max(0.001)).clamp(0.25, 4.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "far below 2^52")]
    let next = (piece as f64 * factor) as i64;
    next.clamp(PIECE_FIRST / 10, PIECE_MAX)
}

async fn look(
    connection: &mut PgConnection,
    policy: &ResendPolicy,
    tally: &mut Tally,
    mut query: QueryBuilder<Postgres>,
) -> Result<(), Error> {
    // A user who is there more than once is counted once.
    query
        .push(
            "), people as (
                select
                    user_id, count(*) as count, max(at) as at, max(id) as id, max(mail::text)::uuid as mail
                from found
                group by user_id
            ), standing as materialized (
                select
                    p.*, s.is_verified, s.is_waiting, s.cooling_until, s.capped_until, b.block,
                    s.cooling_until is not null as is_cooling, s.capped_until is not null as is_capped,
                    exists (select from sends l where l.user_id = p.user_id and l.id > p.mail) as has_later
                from people p
                cross join lateral resend_standing(p.user_id, ",
        )
        .push_bind(policy.cool_down.as_secs_f64())
        .push(", ")
        .push_bind(i64::from(policy.daily_cap))
        .push(") s cross join lateral address_block(s.answered, s.answer) b")
        .push(GROUPS);
    for group in query.build_query_as::<Alike>().persistent(false).fetch_all(connection).await? {
        tally.found += group.verifications;
        tally.skipped.duplicate += group.verifications - group.users;
        let standing = Standing {
            is_verified: group.is_verified,
            is_waiting: group.is_waiting,
            block: resend::block(group.block.as_deref()),
            cooling_until: group.cooling_until.map(Into::into),
            capped_until: group.capped_until.map(Into::into),
            open: None,
            send: None,
        };
        match standing.in_job_by_mail(group.has_later) {
            Ok(_) => {
                tally.mails += group.users;
                tally.first.extend(group.newest);
            }
            Err(skip) => tally.skipped.add(skip, group.users),
        }
    }
    tally.first.truncate(FIRST_MAX);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_near_their_time() {
        for (piece, took, wanted) in [
            (10_000, 300, 10_000),
            (10_000, 600, 5_000),
            (10_000, 0, 40_000),
            (10_000, 60_000, 2_500),
            (400_000, 10, 500_000),
            (1_000, 60_000, 1_000),
        ] {
            assert_eq!(next(piece, Duration::from_millis(took)), wanted, "{piece} {took}");
        }
    }
}
