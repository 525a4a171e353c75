//! How results are written.

pub mod json;
pub mod table;
