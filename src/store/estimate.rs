//! About how many rows a query has, as PostgreSQL's planner expects it from its statistics.

use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::Error;

pub(super) async fn expected(
    connection: &mut PgConnection,
    push: impl FnOnce(&mut QueryBuilder<Postgres>),
) -> Result<f64, Error> {
    let mut query = QueryBuilder::new("explain (format json) ");
    push(&mut query);
    let plan: Value = query.build_query_scalar().persistent(false).fetch_one(connection).await?;
    Ok(plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64).unwrap_or_default())
}
