//! The rules, a file a group.
//!
//! Two rules that such lists have are left out, because they cannot apply: C010 (a code is one piece of text: these mails
//! have links, no codes), and Z003 (mails of one subject are cut together: it is about sending tests, not about a mail).
//! An included .txt needs no rule: Tera 2 escapes it as the file that includes it.

use super::rule::Check;

mod access;
mod action;
mod addresses;
mod clients;
mod content;
mod dark;
mod html;
mod images;
mod locales;
mod mime;
mod preheader;
mod size;
mod subject;
mod templates;
mod upkeep;
mod words;

pub(super) use subject::FITS;
pub(super) use templates::{COMPILES, DECLARED, RENDERS};
pub(super) use upkeep::{UNUSED, WITHOUT_REASON};

/// Every group, in the order in which rules are listed. A new one needs its line here and nothing else.
pub(super) static GROUPS: &[&[Check]] = &[
    &templates::CHECKS,
    &locales::CHECKS,
    &subject::CHECKS,
    &preheader::CHECKS,
    &action::CHECKS,
    &content::CHECKS,
    &mime::CHECKS,
    &clients::CHECKS,
    &html::CHECKS,
    &access::CHECKS,
    &dark::CHECKS,
    &images::CHECKS,
    &size::CHECKS,
    &upkeep::CHECKS,
];
