//! Heartbeats of `serve`.

use uuid::Uuid;

use super::{Error, Store, program_version};
use crate::domain::serve::ServeRow;

impl Store {
    /// Writes the heartbeat of a `serve`; the last one says that it ends.
    pub async fn show_serve(&self, run: Uuid, host: &str, is_last: bool) -> Result<(), Error> {
        let pid = i32::try_from(std::process::id()).unwrap_or_default();
        sqlx::query!("select show_serve($1, $2, $3, $4, $5)", run, host, pid, program_version(), is_last)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Those of the last day.
    pub(super) async fn serves(&self) -> Result<Vec<ServeRow>, Error> {
        let rows = sqlx::query!(
            "select id, host, pid, version, started_at, beat_at, stopped_at
            from serves
            where beat_at > now() - interval '1 day'
            order by stopped_at is not null, beat_at desc
            limit 100"
        )
        .fetch_all(self.pool())
        .await?;
        let rows = rows.into_iter().map(|row| ServeRow {
            id: row.id,
            host: row.host.into(),
            pid: row.pid,
            version: row.version.into(),
            started_at: row.started_at.into(),
            beat_at: row.beat_at.into(),
            stopped_at: row.stopped_at.map(Into::into),
        });
        Ok(rows.collect())
    }
}
