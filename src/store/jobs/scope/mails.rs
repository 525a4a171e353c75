//! Jobs about mails: walked over along the index of the mails' states, the newest first, so that an outage's are found
//! wherever their verifications are.

use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Place, Step, Walked};
use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::domain::id::{SendId, UserId, VerificationId};
use crate::domain::job::JobScope;
use crate::domain::send::SendState;
use crate::store::list::{self, Found};
use crate::store::{Error, StoredTime, mailed, sends};

#[derive(FromRow)]
struct Row {
    mail: Uuid,
    id: i64,
    user_id: i64,
}

/// The next `limit` mails of a job behind one.
pub(super) async fn step(
    connection: &mut PgConnection,
    scope: &JobScope,
    cut_off: Time,
    after: Option<SendId>,
    limit: i64,
) -> Result<Step, Error> {
    let mut query = QueryBuilder::new("");
    push_some(&mut query, connection, scope, cut_off, after, Some(limit)).await?;
    let rows = query.build_query_as::<Row>().persistent(false).fetch_all(connection).await?;
    let looked_at = i64::try_from(rows.len()).unwrap_or(limit);
    Ok(Step {
        looked_at,
        after: rows.last().map(|row| Place::Mail(SendId(row.mail))),
        is_last: looked_at < limit,
        walked: rows.into_iter().map(Into::into).collect(),
    })
}

impl From<Row> for Walked {
    fn from(row: Row) -> Self {
        Self { id: VerificationId(row.id), user: UserId(row.user_id), mail: Some(SendId(row.mail)) }
    }
}

/// All mails of a job behind one: `mail`, their verification's `id` and `user_id`, and when they were queued (`at`).
pub(in crate::store::jobs) async fn push(
    query: &mut QueryBuilder<Postgres>,
    connection: &mut PgConnection,
    scope: &JobScope,
    cut_off: Time,
    after: Option<SendId>,
) -> Result<(), Error> {
    push_some(query, connection, scope, cut_off, after, None).await
}

async fn push_some(
    query: &mut QueryBuilder<Postgres>,
    connection: &mut PgConnection,
    scope: &JobScope,
    cut_off: Time,
    after: Option<SendId>,
    limit: Option<i64>,
) -> Result<(), Error> {
    let by = match scope {
        JobScope::Filter(filter) => By::Last(list::found_users(connection, filter).await?),
        JobScope::Mails(filter) => By::Mails(filter, sends::found(connection, filter).await?),
        JobScope::Marked(_) => By::Nothing,
    };
    let end = |query: &mut QueryBuilder<Postgres>, order: &str| {
        if let Some(limit) = limit {
            query.push(" order by ").push(order).push(" desc limit ").push_bind(limit);
        }
    };
    query.push("select mail, id, user_id, at from (");
    for (at, state) in by.states().into_iter().enumerate() {
        query.push(if at == 0 { "(" } else { " union all (" });
        query.push("select s.id as mail, s.verification_id as id, s.user_id, s.queued_at as at from ");
        by.push(query, state, cut_off);
        query.push(" and s.queued_at <= ").push_bind(StoredTime(cut_off));
        if let Some(after) = after {
            query.push(" and s.id < ").push_bind(after.0);
        }
        end(query, "s.id");
        query.push(")");
    }
    query.push(") found");
    end(query, "mail");
    Ok(())
}

/// How the mails are found.
enum By<'a> {
    /// As the last ones of the verifications that a filter finds.
    Last(Found<'a>),
    /// As the list of mails has them.
    Mails(&'a Filter, Option<Vec<Uuid>>),
    Nothing,
}

impl By<'_> {
    fn states(&self) -> Vec<Option<SendState>> {
        match self {
            Self::Last(found) => mailed::branches(found.filter(), found.is_named()),
            Self::Mails(filter, found) => mailed::branches(filter, found.is_some()),
            Self::Nothing => vec![None],
        }
    }

    /// The mails `s` of one state that someone can be mailed for: neither tests nor those of users who were deleted.
    fn push(&self, query: &mut QueryBuilder<Postgres>, state: Option<SendState>, cut_off: Time) {
        match self {
            Self::Last(found) => {
                query.push("sends s join verifications v on v.id = s.verification_id where true");
                push_state(query, state);
                mailed::push_mail(query, found.filter(), "s");
                mailed::push_is_last(query, "s");
                list::push_found(query, found, Some(cut_off));
            }
            Self::Mails(filter, found) => {
                sends::push_source(query, filter, found.as_deref());
                push_state(query, state);
                sends::push_conditions(query, filter);
            }
            Self::Nothing => _ = query.push("sends s where false"),
        }
        query.push(" and s.verification_id is not null and s.user_id is not null");
    }
}

fn push_state(query: &mut QueryBuilder<Postgres>, state: Option<SendState>) {
    if let Some(state) = state {
        query.push(" and s.state = ").push_bind(state.as_str());
    }
}
