//! S: the subject and the sender, which decide whether the mail is opened at all.

use super::words::{phrase_in, promotional, without_values};
use crate::mail::sender::Sender;
use crate::mail::templates::Part;
use crate::preview::check::finding::{At, Violation};
use crate::preview::check::mails::{RenderedMail, TemplateMails};
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::{is_hidden, width};

/// A subject that cannot stand in a header; if the template makes one, the mail cannot be rendered, and the runner
/// reports it.
pub(in crate::preview::check) const FITS: &str = "S001";

/// Columns that inboxes show of a subject; Hangul takes two.
const COLUMNS: usize = 50;

pub(super) static CHECKS: [Check; 4] = [
    Check::mail(
        Rule {
            id: FITS,
            severity: Severity::Error,
            title: "The subject is one line of visible characters",
            why: "A line break would begin another header, and invisible characters are a mark of spam.",
            source: "RFC 5322, 2.2",
        },
        fits,
    ),
    Check::mail(
        Rule {
            id: "S002",
            severity: Severity::Warning,
            title: "The subject is short and names the site",
            why: "Phones show about 50 columns, 25 of Hangul. People who do not see which site it is about delete it.",
            source: "Postmark's guide to transactional mail; Email Markup Consortium",
        },
        is_short,
    ),
    Check::mail(
        Rule {
            id: "S003",
            severity: Severity::Warning,
            title: "The subject does not sound like advertising",
            why: "Words of advertising, capitals, exclamation marks and emoji are what filters and people sort out.",
            source: "what the verification mails of known sites have in common",
        },
        is_calm,
    ),
    Check::template(
        Rule {
            id: "S004",
            severity: Severity::Warning,
            title: "The sender has a name",
            why: "Inboxes show the sender before the subject; a bare address looks like no one in particular.",
            source: "Postmark's guide to transactional mail",
        },
        sender_is_named,
    ),
];

fn subject(message: impl Into<String>) -> Violation {
    Violation::rendered(Part::Subject, 1, 1, message)
}

fn fits(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let said = without_values(mail, &mail.marked.subject);
    if let Some(hidden) = said.chars().find(|c| c.is_control() || is_hidden(*c)) {
        found.push(subject(format!("the subject holds the invisible character U+{:04X}", u32::from(hidden))));
    }
}

fn is_short(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.is_usual() {
        return;
    }
    let columns = width(&mail.marked.subject);
    if columns > COLUMNS {
        let message = format!("the subject takes more than {COLUMNS} columns");
        found.push(subject(message).with(format!("{columns} with the examples")));
    }
    if mail.value("site_name").is_some_and(|site| !mail.marked.subject.contains(site)) {
        found.push(subject("the subject does not name the site ({{ site_name }})"));
    }
}

fn is_calm(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let said = without_values(mail, &mail.marked.subject);
    if let Some(word) = phrase_in(&said, promotional(mail.locale)) {
        found.push(subject(format!("\u{201c}{word}\u{201d} sounds like advertising")));
    }
    let shouts = |word: &&str| word.chars().count() >= 4 && word.chars().all(|c| c.is_ascii_uppercase());
    if let Some(word) = said.split(|c: char| !c.is_alphanumeric()).find(shouts) {
        found.push(subject(format!("\u{201c}{word}\u{201d} is written in capitals")));
    }
    if said.matches(['!', '\u{ff01}']).count() > 1 {
        found.push(subject("there is more than one exclamation mark"));
    }
    if said.chars().any(is_emoji) {
        found.push(subject("there is an emoji"));
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' | '\u{2b50}' | '\u{2b55}' | '\u{231a}' | '\u{231b}')
}

fn sender_is_named(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    // Where none is set nothing is sent from here; the sender sets one.
    let Some(from) = &mails.shared.settings.mail.from else { return };
    let wrong = match Sender::parse(from) {
        Err(error) => format!("mail.from cannot be used: {error}"),
        Ok(sender) => match sender.name() {
            None => "mail.from has no name before its address".to_owned(),
            Some(name) if name.eq_ignore_ascii_case(sender.address().as_str()) || name.contains('@') => {
                "the name in mail.from is an address".to_owned()
            }
            Some(_) => return,
        },
    };
    found.push(Violation::new(At::Settings, wrong));
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, SUBJECT, try_each};

    const WHOLE: &str = "Confirm your address for {{ site_name }}";

    #[test]
    fn one_line_of_visible_characters() {
        try_each(
            "S001",
            &[
                (SUBJECT, "Confirm", "Please confirm", false),
                (SUBJECT, "Confirm", "Con\u{200b}firm", true),
                (SUBJECT, "Confirm", "Con\nfirm", true),
                (SUBJECT, WHOLE, "{% if not name %}x{% endif %}", true),
            ],
        );
    }

    #[test]
    fn short_with_the_site() {
        try_each(
            "S002",
            &[
                (SUBJECT, "Confirm", "Confirm and confirm and confirm and confirm", true),
                (SUBJECT, "{{ site_name }}", "us", true),
                (SUBJECT, "Confirm", "Please confirm", false),
                ("ko/verification/subject.txt", "이메일", "이메일 이메일 이메일 이메일 이메일", true),
            ],
        );
    }

    #[test]
    fn calm() {
        try_each(
            "S003",
            &[
                (SUBJECT, "Confirm", "Free! Confirm", true),
                (SUBJECT, "Confirm", "CONFIRM", true),
                (SUBJECT, "Confirm", "Urgent: Confirm", true),
                (SUBJECT, "Confirm", "Confirm!!", true),
                (SUBJECT, "Confirm", "\u{1f389} Confirm", true),
                (SUBJECT, "Confirm", "Confirm the API of", false),
                ("ko/verification/subject.txt", "이메일", "무료 이메일", true),
                ("ko/verification/subject.txt", "이메일", "전자우편", false),
            ],
        );
        let mut bench = Bench::new();
        bench.settings.site.name = "FREE SALE!!".to_owned();
        assert_eq!(bench.breaks("S003"), [], "a site's name is its own business");
    }

    #[test]
    fn the_sender() {
        let table = [
            ("no-reply@example.org", true),
            ("\"no-reply@example.org\" <no-reply@example.org>", true),
            ("Example <no-reply", true),
            ("Example <no-reply@example.org>", false),
        ];
        for (from, wanted) in table {
            let mut bench = Bench::new();
            bench.settings.mail.from = Some(from.to_owned());
            let found = bench.breaks("S004");
            assert_eq!(found.len(), usize::from(wanted), "{from}");
            assert!(found.iter().all(|finding| finding.file.as_ref().unwrap().shown == "settings"), "{from}");
        }
        let mut bench = Bench::new();
        bench.settings.mail.from = None;
        assert_eq!(bench.breaks("S004"), []);
    }
}
