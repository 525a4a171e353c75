//! What a worker relies on when it claims mails: that it may, and that the database's server still is the one that
//! has heard of all it did.

use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::brake::{BrakeCause, BrakeState};
use crate::domain::change::Change;
use crate::domain::worker::GONE_AFTER_SECONDS;
use crate::store::brake::{self, NewBrake};
use crate::store::{Error, Store};

/// Why nothing goes out of a copy.
const RESTORED: &str = "this database was restored or copied: what is queued in it may have gone out before; cancel what \
                        must not go out again, then resume";

/// One database in one run of a server. Another one may lack the last moments: a standby that took over, a server that
/// came back after a crash, a copy that was restored.
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
            -- One run may have several databases, one after another under the same name.
            (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint
                # (select oid::bigint from pg_database where datname = current_database()) as "server!""#,
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
    /// Notes that workers are at this run of a server. If it is a copy of the database that they were at, the outbox is
    /// paused before any of them may claim: what is queued there may have gone out since.
    pub async fn arrive(&self, worker: &str) -> Result<Arrival, Error> {
        self.come_home(worker).await?;
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

    async fn come_home(&self, worker: &str) -> Result<(), Error> {
        // A dump that is restored gets another number, and so does each cluster. A copy of a whole cluster's files keeps
        // both.
        let at = sqlx::query!(
            r#"select
                home,
                case
                    when has_function_privilege('pg_control_system()', 'execute')
                        then (select system_identifier::text from pg_control_system())
                    else ''
                end || '/' || (select oid from pg_database where datname = current_database()) as "here!"
            from pace"#
        )
        .fetch_one(self.pool())
        .await?;
        if at.home.as_ref() == Some(&at.here) {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let is_first = sqlx::query!("update pace set home = $1 where home is not distinct from $2", at.here, at.home)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let is_copy = is_first == 1 && at.home.is_some();
        if is_copy {
            let new = NewBrake {
                state: BrakeState::Paused,
                cause: BrakeCause::Restored,
                set_by: worker,
                reason: RESTORED,
                seconds: None,
            };
            brake::set(&mut tx, new).await?;
        }
        tx.commit().await?;
        if is_copy {
            tracing::warn!("{RESTORED}");
            self.notify(Change::Outbox).await;
        }
        Ok(())
    }
}
