//! A question that ends in the database as well where no one waits for its answer any more.
//!
//! A query that is dropped goes on in the server, up to its time-out. So it runs in a task of its own, which is told where
//! its caller is dropped, and has the server cancel it from beside. The task keeps its transaction until the answer is
//! there: the session is no one else's before, whatever is between us and the server, and no other statement is hit.

use std::pin::pin;
use std::time::Duration;

use sqlx::{PgPool, Postgres, QueryBuilder};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::transaction::undisturbed;
use super::{Error, Store};

/// After this it is cancelled once more: the server may not have begun with it.
const AGAIN: Duration = Duration::from_millis(200);

impl Store {
    /// The numbers that a query answers with, as one array, read in this way.
    #[doc(hidden)]
    pub async fn ask_stoppably(&self, how: &'static str, query: QueryBuilder<Postgres>) -> Result<Vec<i64>, Error> {
        let dropped = CancellationToken::new();
        let _tells = dropped.clone().drop_guard();
        let store = self.clone();
        undisturbed(async move { store.ask_until(&dropped, how, query).await }).await
    }

    async fn ask_until(
        &self,
        dropped: &CancellationToken,
        how: &'static str,
        mut query: QueryBuilder<Postgres>,
    ) -> Result<Vec<i64>, Error> {
        let mut tx = self.begin_reading(how).await?;
        let session: i32 = sqlx::query_scalar("select pg_backend_pid()").persistent(false).fetch_one(&mut *tx).await?;
        let answer = {
            // A plan made without the text would be a bad one for most texts.
            let mut answer = pin!(query.build_query_scalar().persistent(false).fetch_one(&mut *tx));
            match dropped.run_until_cancelled(&mut answer).await {
                Some(answer) => answer,
                None => loop {
                    cancel(&self.asking, session).await;
                    if let Ok(answer) = timeout(AGAIN, &mut answer).await {
                        break answer;
                    }
                },
            }
        }?;
        tx.rollback().await?;
        Ok(answer)
    }
}

/// Has the server end what this session does.
async fn cancel(beside: &PgPool, session: i32) {
    let asked = sqlx::query("select pg_cancel_backend($1)").bind(session).persistent(false).execute(beside).await;
    if let Err(error) = asked {
        tracing::debug!(%error, "a question that no one waits for goes on up to its time-out");
    }
}
