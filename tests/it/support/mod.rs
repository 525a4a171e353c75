//! What the tests stand on: a database each, in one PostgreSQL that belongs to the run.

pub mod browser;
mod database;
pub mod fake;
pub mod fill;
#[cfg(feature = "aws")]
pub mod local_ses;
mod log;
#[cfg(feature = "aws")]
pub mod moto;
pub mod node;
pub mod place;
mod program;
pub mod pty;
mod server;
#[cfg(feature = "aws")]
pub mod ses_api;
pub mod silent;
pub mod sns;
pub mod tcp_proxy;
pub mod tmux;
pub mod world;

pub use database::TestDb;
pub use log::Log;
pub use program::{Program, Run, Running, address_in, pg_dump};

use tokio::time::{Duration, Instant, sleep};

use crate::mail_servers::PATIENCE;

/// Waits until something is so that nothing tells of.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
