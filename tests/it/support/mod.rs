//! What the tests stand on: a database each, in one PostgreSQL that belongs to the run.

mod database;
mod server;

pub use database::TestDb;
