//! Who a job is for, walked over chunk by chunk: in the order of the list, or by mails where it is about those.

pub(super) mod mails;

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};

use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::job::JobScope;
use crate::domain::page::At;
use crate::domain::sort::By;
use crate::domain::verification::Status;
use crate::store::list::{self, Found};
use crate::store::{Error, StoredTime};

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A verification in the order of its list.
    Row(Time, i64),
    /// A mail.
    Mail(SendId),
}

impl Place {
    pub fn row(self) -> Option<(Time, i64)> {
        if let Self::Row(at, id) = self { Some((at, id)) } else { None }
    }

    pub fn mail(self) -> Option<SendId> {
        if let Self::Mail(id) = self { Some(id) } else { None }
    }
}

/// A verification on a job's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    pub id: VerificationId,
    pub user: UserId,
    /// The mail by which it was found.
    pub mail: Option<SendId>,
}

/// A job's next step.
#[derive(Debug)]
pub(super) struct Step {
    /// What comes next.
    pub walked: Vec<Walked>,
    /// How many were looked at: of marked ones, some may be gone.
    pub looked_at: i64,
    /// Behind which place the step after this one begins; `None` where there is none.
    pub after: Option<Place>,
    pub is_last: bool,
}

#[derive(FromRow)]
struct Row {
    at: StoredTime,
    id: i64,
    user_id: i64,
}

/// The next `limit` verifications of a job behind a place.
pub(super) async fn step(
    connection: &mut PgConnection,
    scope: &JobScope,
    cut_off: Time,
    after: Option<Place>,
    limit: i64,
) -> Result<Step, Error> {
    let row = after.and_then(Place::row);
    match scope {
        JobScope::Marked(ids) => marked_step(connection, ids, cut_off, row, limit).await,
        _ if scope.is_by_mails() => mails::step(connection, scope, cut_off, after.and_then(Place::mail), limit).await,
        JobScope::Filter(filter) | JobScope::Mails(filter) => {
            filter_step(connection, filter, cut_off, row, limit).await
        }
    }
}

async fn filter_step(
    connection: &mut PgConnection,
    filter: &Filter,
    cut_off: Time,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<Step, Error> {
    let found = list::found(connection, filter).await?;
    let mut query = QueryBuilder::new("select ");
    push_scope(&mut query, &found, cut_off, after);
    list::push_order(&mut query, By::default_of(filter.status), false);
    query.push(" limit ").push_bind(limit);
    let rows = if found.is_no_one() {
        Vec::new()
    } else {
        query.build_query_as::<Row>().persistent(false).fetch_all(connection).await?
    };
    let looked_at = i64::try_from(rows.len()).unwrap_or(limit);
    Ok(Step {
        looked_at,
        after: rows.last().map(|row| Place::Row(row.at.into(), row.id)),
        is_last: looked_at < limit,
        walked: rows.into_iter().map(Into::into).collect(),
    })
}

/// Marked ones go by number, the newest first, as they are stored.
async fn marked_step(
    connection: &mut PgConnection,
    ids: &[VerificationId],
    cut_off: Time,
    after: Option<(Time, i64)>,
    limit: i64,
) -> Result<Step, Error> {
    let begin = after.map_or(0, |(_, id)| ids.partition_point(|marked| marked.0 >= id));
    let rest = &ids[begin..];
    let next: Vec<i64> = rest.iter().take(usize::try_from(limit).unwrap_or_default()).map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        "select created_at as at, id, user_id
        from verifications
        where id = any($1) and created_at <= $2
        order by id desc",
        &next,
        StoredTime(cut_off)
    )
    .fetch_all(connection)
    .await?;
    Ok(Step {
        walked: rows.into_iter().map(Into::into).collect(),
        looked_at: i64::try_from(next.len()).unwrap_or(limit),
        after: next.last().map(|id| Place::Row(cut_off, *id)),
        is_last: next.len() == rest.len(),
    })
}

impl From<Row> for Walked {
    fn from(row: Row) -> Self {
        Self { id: VerificationId(row.id), user: UserId(row.user_id), mail: None }
    }
}

/// The user of each verification that a filter found at the cut-off, and its place in the order. What has left the list
/// since is not in it: it was mailed, verified or revoked in the meantime.
pub(super) fn push_scope(
    query: &mut QueryBuilder<Postgres>,
    found: &Found<'_>,
    cut_off: Time,
    after: Option<(Time, i64)>,
) {
    let filter = found.filter();
    let by = By::default_of(filter.status);
    query.push("v.user_id, v.id, ").push(list::column(by)).push(" as at from ");
    list::push_filter(query, found, Some(cut_off));
    query.push(" and v.created_at <= ").push_bind(StoredTime(cut_off));
    match filter.status {
        None | Some(Status::Pending | Status::Expired) => {}
        Some(Status::Verified) => _ = query.push(" and v.verified_at <= ").push_bind(StoredTime(cut_off)),
        Some(Status::Revoked) => _ = query.push(" and v.revoked_at <= ").push_bind(StoredTime(cut_off)),
    }
    if let Some((at, id)) = after {
        list::push_beyond(query, by, (&At::Time(at), id), list::Beyond::Less);
    }
}
