//! What a worker relies on when it claims mails: that it may, and that the database's server still is the one that
//! has heard of all it did.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::worker::GONE_AFTER_SECONDS;
use crate::store::{Error, Store};

/// One run of a database server. Another one may lack the last moments: a standby that took over, or a server that came
/// back after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerRun(pub(crate) i64);

/// Who claims mails, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claimant {
    /// A worker, which must be admitted, have a heartbeat, and know the server; a test needs none of it.
    pub worker: Option<Uuid>,
    /// The server that it knows.
    pub server: Option<ServerRun>,
}

/// A worker has come to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which.
    pub server: ServerRun,
    /// For how long workers have been there; `None` if they were at no other before.
    pub others_for: Option<Duration>,
}

/// What the database says to that. Its clock runs on while a machine is paused, other than that machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether the worker may work.
    pub is_admitted: bool,
    pub server: ServerRun,
}

/// How the claimant stands.
pub async fn standing(connection: &mut PgConnection, claimant: Claimant) -> Result<Standing, Error> {
    let row = sqlx::query!(
        r#"select
            $1::uuid is null or exists (
                select
                from workers
                where
                    id = $1
                    and stopped_at is null
                    and waits_for is null
                    and beat_at > now() - make_interval(secs => $2::bigint)
                    and beat_at <= now() + interval '1 second'
            ) as "is_admitted!",
            (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint as "server!""#,
        claimant.worker,
        GONE_AFTER_SECONDS
    )
    .fetch_one(connection)
    .await?;
    Ok(Standing { is_admitted: row.is_admitted, server: ServerRun(row.server) })
}

impl Claimant {
    /// Whether it may claim something.
    #[must_use]
    pub fn may_claim(self, standing: Standing) -> bool {
        standing.is_admitted && (self.worker.is_none() || self.server == Some(standing.server))
    }
}

impl Store {
    /// Notes that workers are at this run of a server.
    pub async fn arrive(&self) -> Result<Arrival, Error> {
        let server = standing(&mut *self.pool().acquire().await?, Claimant::default()).await?.server;
        sqlx::query!(
            "update pace
            set server_since = case when server_run is not null then now() end, server_run = $1
            where server_run is distinct from $1",
            server.0
        )
        .execute(self.pool())
        .await?;
        let seconds = sqlx::query_scalar!("select extract(epoch from now() - server_since)::float8 from pace")
            .fetch_one(self.pool())
            .await?;
        // Negative where the clock was set back.
        let others_for = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
        Ok(Arrival { server, others_for })
    }
}
