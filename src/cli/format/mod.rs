//! How results are written.

pub mod json;
pub mod outbox;
pub mod table;
