//! verifydesk: sign-up mails that verify an address, and the desk from which people run them.
//!
//! A person signs up with an e-mail address. verifydesk makes a key for them, mails them the link through Amazon SES,
//! approves them when the link is opened, and records what became of every mail. Operators see all of it in a terminal
//! console, and act on it there.
//!
//! # The map
//! ```text
//! main.rs   parse arguments, run, exit code
//! cli/      one file per subcommand, one per format; starts the console, the worker and the web
//! tui/      the console: messages in, one owner of the model, frames out
//! web/      the verification view and the site's own API
//! demo/     a private PostgreSQL, made-up people, and everything that runs on them
//!   desk/   what can be done, one file per act: sign up, resend, force-verify, open a link, send a test
//!   preview/ how a mail will look, and whether it is right: layout in cells, checks, a page for browsers; asks no network
//!   export/ rows of lists as JSON Lines and CSV
//!   alerts/ tells someone what begins and ends to be wrong
//!   doctor/ whether all is well, a check a row, with what to do where it is not
//!   monitor/ what services show to those who watch over them: health, metrics
//!   outbox/ the worker: claim, prepare, send, record, one file per step; what replies mean, when mails are tried again
//!   poller/ what workers ask Amazon for: SES's events out of a queue, what the account may
//!   hooks/  webhooks to the site's back end: signed, delivered in order, tried again
//!   mail/   templates, the MIME message, the link; transport/ sends it by SMTP, by SES's API, or into a file
//!   ses/    the SES account: endpoints, credentials, its API, its events, what SNS has signed, and the plan of what it takes
//!   store/  PostgreSQL, and all the SQL: one file per table or aggregate
//!     domain/ what is true: statuses, keys, sends and their states, filters, cursors; no I/O, no clock
//!     config/ settings: defaults < file < environment < flags
//!     dial.rs TCP connections by name: silent addresses hide no others
//!     contain.rs a panic ends what it was in, and nothing more
//!     metrics.rs what this process counts and times, for Prometheus
//!     jitter.rs waits that differ a little
//!     pulse.rs a sign that a loop turns
//!     trust.rs which servers are trusted in TLS
//!     listen.rs HTTP servers: the one of `web`, and the preview page's
//!     text.rs the one way from untrusted text to anything that a person sees
//! ```
//! A room knows those further in, never those further out: `cli`, `web` and `tui` hold no rules and no SQL, so that
//! whatever an operator can do in the console a script can do on the command line, by the same act. They do not know
//! each other either, except that `cli` starts the others.
//!
//! # The words
//! A **user** has one address. A **verification** is one key issued to one user; its **status** is *pending*,
//! *verified*, *expired* or *revoked*. A **send** is one mail, from *queued* over *sending* to *accepted* and on. The
//! **outbox** is the table of sends, a **worker** the process that works it off. The **key** is the secret in the
//! **link**. A person who acts through console or command line is an **operator**, and every act is in the **audit
//! log**. `docs/glossary.md` has the other words.
//!
//! # The rules
//! - Text from outside is [`text::Untrusted`] until [`text::plain`] has made it fit to be seen.
//! - Secrets are in types that never print: [`config::Secret`], [`domain::key::Key`], [`mail::link::Link`].
//! - An act locks the user's row first, checks its rules, changes the data and writes the audit entry in one
//!   transaction; then, in a statement of its own, it notifies those who watch.
//! - The database holds no key that works. A worker commits to a key's digest before it connects to a mail server.
//! - A mail whose answer was lost is *unknown*, never called failed: it is tried once more after a wait, and marked as a
//!   possible double.
//! - The console never waits: whatever takes time is an effect that answers with a message.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test that panics is to end"))]

pub mod alerts;
pub mod cli;
pub mod config;
pub mod contain;
pub mod demo;
pub mod desk;
pub mod dial;
pub mod doctor;
pub mod domain;
pub mod export;
pub mod hooks;
pub mod jitter;
pub mod listen;
pub mod mail;
pub mod metrics;
pub mod monitor;
pub mod outbox;
pub mod poller;
pub mod preview;
pub mod pulse;
pub mod ses;
pub mod store;
pub mod text;
pub mod trust;
pub mod tui;
pub mod web;
