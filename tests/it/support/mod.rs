//! What the tests stand on: a database each, in one PostgreSQL that belongs to the run.

mod database;
pub mod gate;
pub mod pty;
mod server;

pub use database::TestDb;
