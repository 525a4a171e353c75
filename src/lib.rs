//! verifydesk: sign-up mails that verify an address, and the desk from which people run them.

pub mod cli;
pub mod config;
pub mod demo;
pub mod desk;
pub mod domain;
pub mod mail;
pub mod outbox;
pub mod ses;
pub mod store;
pub mod text;
pub mod tui;
pub mod web;
