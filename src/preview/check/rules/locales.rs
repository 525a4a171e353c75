//! L: every language has the same mail.

use std::collections::BTreeSet;

use super::words::{hangul_share, without_values};
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::{RenderedMail, TemplateMails};
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::plain;

pub(super) static CHECKS: [Check; 3] = [
    Check::template(
        Rule {
            id: "L001",
            severity: Severity::Error,
            title: "Every language has subject, text and HTML",
            why: "Users who read the missing language get no mail, or half of one.",
            source: "Rails and Mastodon issues: a language that silently falls back",
        },
        is_complete,
    ),
    Check::template(
        Rule {
            id: "L002",
            severity: Severity::Warning,
            title: "Every language says the same variables and has the same links",
            why: "What one language lacks was forgotten when the other was changed.",
            source: "verifydesk: languages are compared part by part",
        },
        says_the_same,
    ),
    Check::mail(
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

fn is_complete(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    for locale in mails.locales {
        for part in Part::ALL {
            if mails.shared.templates.source(mails.template, *locale, part).is_none() {
                let path = part.path(*locale, mails.template);
                let message = format!("there is no {}, so nothing is mailed from this template", plain(&path));
                found.push(Violation::part(part, message).in_locale(*locale));
            }
        }
    }
}

fn says_the_same(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    let variables = |locale, part| mails.shared.templates.variables(mails.template, locale, part);
    let links = |locale: Locale| -> BTreeSet<String> {
        let mail = mails.usual(locale);
        mail.iter().flat_map(|mail| mail.links()).map(|(_, href)| without_language(href, locale)).collect()
    };
    for &locale in mails.locales.iter().filter(|locale| mails.usual(**locale).is_some()) {
        for &other in mails.locales.iter().filter(|other| **other != locale && mails.usual(**other).is_some()) {
            for part in Part::ALL {
                let here = variables(locale, part);
                for lacking in variables(other, part).iter().filter(|name| !here.contains(name)) {
                    let message = format!("{} says {{{{ {} }}}}, this file does not", other, plain(lacking));
                    found.push(Violation::part(part, message).in_locale(locale));
                }
            }
            for lacking in links(other).difference(&links(locale)) {
                let message = format!("{other} links to {}, this file does not", plain(lacking));
                found.push(Violation::part(Part::Html, message).in_locale(locale));
            }
        }
    }
}

/// An address in which a language stands as a step or as a value does not differ by it.
fn without_language(href: &str, locale: Locale) -> String {
    let tag = locale.as_str();
    let steps: Vec<&str> = href.split_inclusive(['/', '=', '&', '?', '#']).collect();
    let is_tag = |step: &&str| step.trim_end_matches(['/', '=', '&', '?', '#']) == tag;
    steps.iter().map(|step| if is_tag(step) { step.replace(tag, "*") } else { (*step).to_owned() }).collect()
}

/// Least share of Hangul in Korean texts and most in English ones, in percent.
const KOREAN_MIN: usize = 30;
const ENGLISH_MAX: usize = 10;

fn is_in_its_language(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.is_usual() {
        return;
    }
    for part in Part::ALL {
        let text = if part == Part::Html { mail.visible() } else { mail.marked.part(part) };
        let Some(share) = hangul_share(&without_values(mail, text)) else { continue };
        let language = match mail.locale {
            Locale::Ko if share < KOREAN_MIN => "Korean",
            Locale::En if share > ENGLISH_MAX => "English",
            _ => continue,
        };
        let message = format!("the text does not look {language}");
        found.push(Violation::part(part, message).with(format!("{share} % of the letters are Hangul")));
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, HTML, SUBJECT, TEXT, try_each};

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
    fn languages_say_the_same() {
        const LINK: &str = "<a href=\"https://example.org/en/help\">help</a>";
        try_each(
            "L002",
            &[
                ("ko/verification/body.html", "{{ name }} 님,", "", true),
                ("ko/verification/body.txt", "{{ site_url }}", "", true),
                ("ko/verification/body.html", "<p>또는", "<p><a href=\"https://example.org/help\">도움</a>또는", true),
                ("ko/verification/body.html", "님, {{", "님! {{", false),
            ],
        );
        let both = |korean: &str| {
            let bench = Bench::new().replace(HTML, "<p>Or", &format!("<p>{LINK}Or"));
            bench.replace("ko/verification/body.html", "<p>또는", &format!("<p>{korean}또는")).breaks("L002").len()
        };
        assert_eq!(both(&LINK.replace("/en/", "/ko/")), 0);
        assert_eq!(both(LINK), 2);
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
