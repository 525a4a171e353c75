//! How results are written.

pub mod account;
pub mod findings;
pub mod flow;
pub mod hooks;
pub mod identities;
pub mod json;
pub mod outbox;
pub mod rows;
pub mod sarif;
pub mod suppression;
pub mod table;
