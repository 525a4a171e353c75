//! L: every language has the same mail.

use super::words::{hangul_share, without_values};
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::preview::check::case::{Case, Set};
use crate::preview::check::finding::Spot;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::plain;

pub(super) static CHECKS: [Check; 2] = [
    Check::set(
        Rule {
            id: "L001",
            severity: Severity::Error,
            title: "Every language has subject, text and HTML",
            why: "Whoever reads the missing language gets no mail, or half of one.",
            source: "Rails and Mastodon issues: a language that silently falls back",
        },
        is_complete,
    ),
    Check::case(
        Rule {
            id: "L003",
            severity: Severity::Warning,
            title: "The text is in the language of its folder",
            why: "A file copied from another language and not translated is what reviewers overlook.",
            source: "verifydesk: share of Hangul among the letters, without what values say",
        },
        is_in_its_language,
    ),
];

fn is_complete(set: &Set<'_>, found: &mut Vec<Spot>) {
    for locale in set.locales {
        for part in Part::ALL {
            if set.ground.templates.source(set.template, *locale, part).is_none() {
                let path = part.path(*locale, set.template);
                let message = format!("there is no {}, so nothing is mailed from this template", plain(&path));
                found.push(Spot::part(part, message).in_locale(*locale));
            }
        }
    }
}

/// Least share of Hangul in Korean texts and most in English ones, in percent.
const KOREAN_MIN: usize = 30;
const ENGLISH_MAX: usize = 10;

fn is_in_its_language(case: &Case<'_>, found: &mut Vec<Spot>) {
    if !case.is_usual() {
        return;
    }
    for part in [Part::Subject, Part::Text] {
        let Some(share) = hangul_share(&without_values(case, &case.readable(part))) else { continue };
        let language = match case.locale {
            Locale::Ko if share < KOREAN_MIN => "Korean",
            Locale::En if share > ENGLISH_MAX => "English",
            _ => continue,
        };
        let message = format!("the text does not look {language}");
        found.push(Spot::part(part, message).with(format!("{share} % of the letters are Hangul")));
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, SUBJECT, TEXT, try_each};

    #[test]
    fn every_language_is_complete() {
        assert_eq!(Bench::new().breaks("L001"), []);
        let bench = Bench::new().with("en/welcome/subject.txt", "Welcome to {{ site_name }}");
        let found = bench.breaks("L001");
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found[0].message.contains("/welcome/"), "{found:#?}");
        assert_eq!(bench.breaks("T001").len(), 1, "only that it has no schema");
    }

    #[test]
    fn the_language_is_that_of_the_folder() {
        const KOREAN: &str = "ko/verification/subject.txt";
        try_each(
            "L003",
            &[
                (KOREAN, "이메일 주소를 확인해 주세요", "please confirm your address", true),
                (KOREAN, "이메일 주소를", "e-mail 주소를", false),
                (SUBJECT, "Confirm your address", "이메일 주소를 확인해 주세요", true),
                (TEXT, "open this link to confirm your address", "아래 링크를 열어 이메일 주소를 확인해 주세요", true),
                (TEXT, "Hello", "안녕 Hello", false),
            ],
        );
    }
}
