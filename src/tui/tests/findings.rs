//! What checks might find: not what they do, which is their own tests' business.

use crate::domain::locale::Locale;
use crate::preview::check::{File, Finding, Report, Rule, Severity};

static RULES: [Rule; 3] = [
    Rule {
        id: "C003",
        severity: Severity::Error,
        title: "The link can be read beside the button",
        why: "Those who cannot press the button copy the address; careful ones read it first.",
        source: "Postmark's templates",
    },
    Rule {
        id: "S002",
        severity: Severity::Warning,
        title: "The subject is short enough for phones",
        why: "Phones show about 50 columns of a subject, half as many of Korean letters.",
        source: "Postmark's guide",
    },
    Rule {
        id: "P003",
        severity: Severity::Info,
        title: "The preheader has a good length",
        why: "Inboxes fill up what is too short with whatever comes next.",
        source: "what inboxes show",
    },
];

/// A few findings of each severity.
pub fn report() -> Report {
    let finding = |rule: usize, locale: Locale, fixtures: &[&str], file: &str, line, message: &str| Finding {
        rule: &RULES[rule],
        severity: RULES[rule].severity,
        template: Some("verification".into()),
        locale: Some(locale),
        fixtures: fixtures.iter().map(|id| (*id).to_owned()).collect(),
        tried: 10,
        part: None,
        file: Some(File { shown: format!("built-in {locale}/verification/{file}"), path: None }),
        line,
        column: 5,
        message: message.into(),
        suppressed: None,
    };
    let long = ["hostile-long", "long-name"];
    let findings = vec![
        finding(1, Locale::En, &long, "subject.txt", 1, "the subject takes 71 columns; phones show about 50"),
        finding(
            0,
            Locale::En,
            &["hostile-empty"],
            "body.html",
            57,
            "the address behind the button is nowhere to be read",
        ),
        finding(2, Locale::En, &["example"], "body.html", 24, "the preheader has 132 characters"),
        finding(1, Locale::Ko, &long[..1], "subject.txt", 1, "the subject takes 63 columns; phones show about 50"),
    ];
    Report { findings, mails: 20, ..Report::default() }
}
