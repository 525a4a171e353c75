//! The demo: a private PostgreSQL, made-up users, and everything that runs on them.
//!
//! ```text
//! env.rs         starts and stops all of it
//! cluster/       the private PostgreSQL
//! fake_data/     made-up users and their mails
//! ses.rs         what SES reports about the mails that are sent
//! walkthrough.rs the demo as text, where there is no terminal
//! ```

pub mod cluster;
pub mod env;
pub mod fake_data;
pub mod ses;
pub mod walkthrough;
