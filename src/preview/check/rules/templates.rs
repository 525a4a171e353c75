//! T: the files themselves compile, render with every fixture, and escape what strangers wrote.

use crate::mail::templates::Templates;
use crate::preview::check::finding::{At, Spot};
use crate::preview::check::rule::{Check, Rule, Severity};

/// A mail that cannot be rendered.
pub(in crate::preview::check) const RENDERS: &str = "T002";

pub(super) static CHECKS: [Check; 2] = [
    Check::all(
        Rule {
            id: "T001",
            severity: Severity::Error,
            title: "Every file is read, compiles and is used",
            why: "A template that does not compile keeps the worker from starting; one that nothing uses is believed \
                  to be mailed and is not.",
            source: "Tera 2: filters, tests, functions and includes are looked up when a template is added",
        },
        compiles,
    ),
    Check::runner(Rule {
        id: RENDERS,
        severity: Severity::Error,
        title: "Every fixture renders",
        why: "An undefined variable fails the mail of exactly those people whose data takes that branch.",
        source: "Tera 2: an undefined variable is an error",
    }),
];

fn compiles(templates: &Templates, found: &mut Vec<Spot>) {
    for mistake in templates.mistakes() {
        let (line, column) = mistake.place().unwrap_or((1, 1));
        let at = mistake.file().map_or(At::Mail, |file| At::Shown(file.to_owned(), line, column));
        found.push(Spot::new(at, mistake.message()));
    }
}
