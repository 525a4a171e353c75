//! The rules that a mail is held to: every template in every language with every fixture, offline.
//!
//! ```text
//! rule.rs      what a rule is, and the table of all
//! rules/       the rules with their tests, one file per group: size.rs, subject.rs, links and buttons in action.rs, …
//! mails.rs     what rules look at: one mail, all mails of a template
//! finding.rs   what breaks a rule, where, and the report
//! suppress.rs  {# mail-lint: allow C002 the reason #}
//! source_map.rs from a place in a rendered mail to the place in a file
//! branches.rs  which branches no fixture takes
//! clients.rs   what mail programs support: caniemail's data
//! features.rs  what of HTML and CSS is looked for in a mail
//! run.rs       makes the mails, tries the rules
//! collector.rs joins what is found with several fixtures, within bounds
//! ```
//! A rule is a row in its group's table: what it asks for and why, and a function from a mail to the places that break
//! it. Rules go by the markers `data-mail="cta|expiry|not-you|preheader"` where there are any, so that they work in
//! every language.

mod branches;
pub mod clients;
mod collector;
mod features;
mod finding;
mod look;
mod mails;
mod rule;
mod rules;
mod run;
mod source_map;
mod suppress;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod uses;

pub use collector::Collector;
pub use finding::{At, File, Finding, Report, Violation, place_in};
pub use mails::{CheckContext, RenderedMail, TemplateMails};
pub use rule::{Check, Rule, Severity, Test, all, find};
pub use run::{Options, check, check_with};
