//! Z: whether the mail is small enough to be shown whole.

use super::super::look::violation_of;
use crate::mail::templates::Part;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};

pub(super) static CHECKS: [Check; 2] = [
    Check::mail(
        Rule {
            id: "Z001",
            severity: Severity::Warning,
            title: "The HTML has less than 80 KB",
            why: "Gmail cuts a mail at 102 KB and hides the rest, with whatever stands there.",
            source: "spamresource; tests of several senders",
        },
        is_small,
    ),
    Check::mail(
        Rule {
            id: "Z002",
            severity: Severity::Warning,
            title: "A <style> has less than 16 KB",
            why: "Gmail drops a larger one as a whole.",
            source: "caniemail, html-style, note 6",
        },
        styles_are_small,
    ),
];

/// From how many bytes on a mail is close to being cut.
const LARGE: usize = 80 * 1024;
/// From how many bytes on Gmail cuts it.
pub(in crate::preview) const CUT: usize = 102 * 1024;
/// How many bytes of a `<style>` Gmail takes.
const STYLE_MAX: usize = 16 * 1024;

fn is_small(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let size = mail.mailed.html.len();
    let shown = format!("{} KB", size.div_ceil(1024));
    if size > CUT {
        let violation = Violation::part(Part::Html, "Gmail cuts the mail: it has more than 102 KB");
        found.push(violation.as_bad_as(Severity::Error).with(shown));
    } else if size > LARGE {
        found.push(Violation::part(Part::Html, "the mail has more than 80 KB; Gmail cuts it at 102 KB").with(shown));
    }
}

fn styles_are_small(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for style in mail.dom().named(&["style"]) {
        let size: usize = style.text().map(str::len).sum();
        if size > STYLE_MAX {
            let violation = violation_of(mail, style, "Gmail drops this <style>: it has more than 16 KB");
            found.push(violation.with(format!("{} KB", size.div_ceil(1024))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::check::testing::{Bench, HTML, try_each};

    #[test]
    fn mails_are_small() {
        let of = |kilobytes: usize| format!("<!--{}-->\n<h1 ", "x".repeat(kilobytes * 1024));
        let (fine, large, cut) = (of(70), of(90), of(110));
        try_each("Z001", &[(HTML, "<h1 ", &fine, false), (HTML, "<h1 ", &large, true), (HTML, "<h1 ", &cut, true)]);
        for (html, severity) in [(large, Severity::Warning), (cut, Severity::Error)] {
            assert_eq!(Bench::new().english().replace(HTML, "<h1 ", &html).breaks("Z001")[0].severity, severity);
        }
    }

    #[test]
    fn styles_are_small() {
        let of = |kilobytes: usize| format!("<style>/*{}*/</style></head>", "x".repeat(kilobytes * 1024));
        let (fine, large) = (of(12), of(17));
        try_each("Z002", &[(HTML, "</head>", &fine, false), (HTML, "</head>", &large, true)]);
    }
}
