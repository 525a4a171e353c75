//! The demo: a private PostgreSQL, people who never were, and a stage on which everything runs.

pub mod cluster;
pub mod people;
pub mod stage;
pub mod story;
