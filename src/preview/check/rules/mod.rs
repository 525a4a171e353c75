//! The rules, a file a group.

use super::rule::Check;

mod locales;
mod subject;
mod templates;
mod upkeep;
mod words;

pub(super) use subject::FITS;
pub(super) use templates::RENDERS;
pub(super) use upkeep::{UNUSED, WITHOUT_REASON};

/// Every group, in the order in which rules are listed. A new one needs its line here and nothing else.
pub(super) static GROUPS: &[&[Check]] = &[&templates::CHECKS, &locales::CHECKS, &subject::CHECKS, &upkeep::CHECKS];
