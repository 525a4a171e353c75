//! Rules about the suppressions themselves. The runner tests them, since only it knows what a suppression met.

use crate::preview::check::rule::{Check, Rule, Severity};

/// A suppression that does not count.
pub(in crate::preview::check) const WITHOUT_REASON: &str = "U001";
/// A suppression that met nothing.
pub(in crate::preview::check) const UNUSED: &str = "U002";

pub(super) static CHECKS: [Check; 2] = [
    Check::runner(Rule {
        id: WITHOUT_REASON,
        severity: Severity::Warning,
        title: "A suppression names a rule and a reason",
        why: "Later readers of the template must know why the finding may stand. Without a reason it does not count.",
        source: "verifydesk: {# mail-lint: allow C002 the reason #}",
    }),
    Check::runner(Rule {
        id: UNUSED,
        severity: Severity::Warning,
        title: "A suppression meets a finding",
        why: "One that meets nothing would hide the next mistake of its kind.",
        source: "verifydesk: {# mail-lint: allow C002 the reason #}",
    }),
];
