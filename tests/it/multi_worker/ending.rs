//! What must be true of every mail in the end, whatever went wrong on the way.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use uuid::Uuid;

use super::Fleet;
use crate::mail_servers::counter::Arrival;

/// What becomes of the workers' mails by their own time-outs must not take longer than this.
const SETTLING_MAX: Duration = Duration::from_mins(2);

/// A send as it is in the end.
#[derive(sqlx::FromRow)]
pub struct Row {
    pub id: Uuid,
    pub recipient: String,
    state: String,
    lost: i16,
    /// What was recorded last, to look into a failure.
    recorded: String,
    is_settled: bool,
}

/// How many mails ended otherwise than by one acceptance.
pub struct Ending {
    /// Came twice, marked as such.
    pub doubles: usize,
    /// Given up as *unknown*.
    pub unknown: usize,
    /// Of these: the server never saw them.
    pub unseen: usize,
}

/// Waits until nothing more will become of any send without an operator.
pub async fn settled(connection: &mut PgConnection, fleet: &Fleet) -> Vec<Row> {
    let deadline = Instant::now() + SETTLING_MAX;
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    loop {
        looks.tick().await;
        let rows: Vec<Row> = sqlx::query_as(
            "select
                id,
                recipient,
                state,
                lost,
                concat_ws(', ', changed_at, reason) as recorded,
                state not in ('queued', 'sending') and retry_at is null as is_settled
            from sends",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let open = rows.iter().filter(|row| !row.is_settled).count();
        if open == 0 {
            return rows;
        }
        assert!(Instant::now() < deadline, "{open} sends are not settled; the workers say\n{}", fleet.log());
    }
}

/// Adds what is not as it should be to `wrong`; `blame` says what is wrong with a double that is marked.
pub fn judge(
    rows: &[Row],
    seen: &HashMap<String, Vec<Arrival>>,
    wrong: &mut Vec<String>,
    blame: impl Fn(&Row) -> Option<&'static str>,
) -> Ending {
    let mut ending = Ending { doubles: 0, unknown: 0, unseen: 0 };
    for row in rows {
        let arrivals = seen.get(&row.recipient).map_or(&[][..], Vec::as_slice);
        let mut see = |is_so: bool, what: &str| {
            if !is_so {
                let Row { recipient, state, lost, recorded, .. } = row;
                wrong.push(format!("{recipient} ({state}, lost {lost} times, {recorded}) {what}: {arrivals:?}"));
            }
        };
        see(arrivals.iter().all(|arrival| arrival.send == row.id), "got another's mail");
        match row.state.as_str() {
            "accepted" => see(arrivals.iter().any(|arrival| arrival.is_answered), "is lost"),
            "unknown" => {
                see(row.lost >= 2, "was given up after its answer was lost once");
                ending.unknown += 1;
                ending.unseen += usize::from(arrivals.is_empty());
            }
            _ => see(false, "is neither sent nor unknown"),
        }
        if arrivals.len() > 1 {
            ending.doubles += 1;
            if let Some(what) = blame(row) {
                see(false, what);
            }
            see(row.lost >= 1, "is not marked as a double");
            let attempts = || arrivals.iter().map(|arrival| arrival.attempt);
            see(attempts().is_sorted_by(|a, b| a < b), "has the same attempt twice in its tags");
        }
    }
    ending
}
