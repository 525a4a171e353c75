//! The rules that a verification mail is held to.

pub mod clients;
pub mod features;
