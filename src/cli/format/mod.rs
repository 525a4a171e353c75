//! How results are written.

pub mod findings;
pub mod json;
pub mod outbox;
pub mod sarif;
pub mod table;
