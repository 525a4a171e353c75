//! Tests of several rooms together, against programs that this project did not write.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should say where")]

mod peers;
mod smtp;
