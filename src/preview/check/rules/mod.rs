//! The rules, a file a group.
//!
//! Left out of `facts/mail-templates.md`, section 5, because they cannot apply here: C010 (a code in one piece: these
//! mails have links, no codes), Z003 (threads of test mails: it is about sending them). T008 would say that an included
//! .txt is not escaped, but Tera 2 escapes it as the file that includes it.

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
pub(super) use templates::{DECLARED, RENDERS};
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
