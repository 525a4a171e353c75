//! Everything that needs a database, a server or a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on should say where")]
#![allow(clippy::disallowed_methods, reason = "a test that panics is to end")]

#[cfg(feature = "aws")]
mod account;
mod acts;
mod alerts;
mod browser;
mod budgets;
mod cluster;
mod comparison;
mod console;
#[cfg(feature = "aws")]
mod credentials;
mod demo_data;
mod demo_ses;
mod desk;
mod dial;
mod docs;
mod doctor;
mod end_to_end;
mod events;
mod failover;
mod hooks;
mod jobs;
#[cfg(feature = "aws")]
mod local_ses;
mod mail_servers;
mod migrations;
mod monitor;
mod multi_worker;
mod plan;
mod pooler;
mod preview;
mod prune;
mod pty;
mod reputation;
mod roles;
mod schema;
mod sessions;
mod smtp;
mod sns;
mod standing;
mod support;
mod support_call;
mod surroundings;
mod templates;
mod terminal;
mod test_send;
mod times;
mod tmux;
mod transactions;
mod upgrade;
mod ways;
mod web;
mod workbench;
mod worker;
