//! The Amazon SES account: where it is, and how to sign in to its SMTP endpoint.

pub mod credentials;
pub mod endpoint;
pub mod simulator;
mod smtp;

pub use smtp::{Credentials, SmtpTarget, smtp_settings};
