//! What the tests stand on: a database each, in one PostgreSQL that belongs to the run.

pub mod browser;
mod database;
pub mod fake;
#[cfg(feature = "aws")]
pub mod local_ses;
mod log;
#[cfg(feature = "aws")]
pub mod moto;
pub mod node;
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
pub use program::{Program, Run, Running, pg_dump};
