//! The Amazon SES account: where it is, how to sign in to its SMTP endpoint, and the events that it reports.

pub mod credentials;
pub mod endpoint;
pub mod event;
pub mod simulator;
mod smtp;

pub use smtp::{Credentials, SmtpTarget, smtp_settings};
