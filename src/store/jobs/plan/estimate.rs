//! About how many a plan is for, before any is counted: as PostgreSQL's planner expects it, from its statistics.

use sqlx::PgConnection;

use crate::domain::Time;
use crate::domain::filter::Filter;
use crate::store::Error;
use crate::store::estimate::expected;
use crate::store::jobs::scope::push_scope;
use crate::store::list::{self, Found};

/// About how many verifications a filter finds.
pub(super) async fn found(connection: &mut PgConnection, filter: &Filter, as_of: Time) -> Result<i64, Error> {
    // What of it a search finds, the planner knows of a query over users alone.
    let of_all = expected(connection, |query| {
        query.push("select ");
        push_scope(query, &Found::but_search(filter), as_of, None);
    })
    .await?;
    let Some(search) = &filter.search else { return Ok(round(of_all)) };
    let users = expected(connection, |query| _ = query.push("select id from users")).await?;
    let fitting = expected(connection, |query| {
        query.push("select id from users where ");
        list::search::push_indexed(query, search, "email", "name");
    })
    .await?;
    Ok(round(of_all * (fitting / users.max(1.0)).min(1.0)))
}

/// To two figures: it is known no better.
fn round(rows: f64) -> i64 {
    let unit = 10_f64.powf((rows.max(1.0).log10().floor() - 1.0).max(0.0));
    #[expect(clippy::cast_possible_truncation, reason = "the rows of a table")]
    let rounded = ((rows / unit).round() * unit) as i64;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_figures_are_kept() {
        for (rows, rounded) in
            [(0.0, 0), (1.0, 1), (7.4, 7), (99.0, 99), (101.0, 100), (2_037_112.0, 2_000_000), (1_550.0, 1_600)]
        {
            assert_eq!(round(rows), rounded, "{rows}");
        }
    }
}
