//! The Amazon SES account: where it is, how to sign in to its SMTP endpoint, the events that it reports, and who posts them.

#[cfg(feature = "aws")]
pub mod account;
#[cfg(feature = "aws")]
pub mod aws;
pub mod credentials;
pub mod endpoint;
pub mod event;
pub mod plan;
mod refusal;
pub mod simulator;
mod smtp;
pub mod sns;
#[cfg(feature = "aws")]
pub mod sqs;

pub use refusal::ApiRefusal;
pub use smtp::{Credentials, SmtpTarget, smtp_settings};
