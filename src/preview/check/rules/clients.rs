//! H: whether the mail programs that the settings name support what the mail uses.

use std::collections::BTreeMap;

use super::super::clients::{self, Client, Support};
use super::super::features::{Feature, Lack};
use super::super::look::violation;
use super::super::uses::Use;
use crate::preview::check::finding::{At, Violation};
use crate::preview::check::mails::{RenderedMail, TemplateMails};
use crate::preview::check::rule::{Check, Rule, Severity};

pub(super) static CHECKS: [Check; 3] = [
    Check::mail(
        Rule {
            id: "H001",
            severity: Severity::Warning,
            title: "The mail needs nothing that a chosen mail program lacks",
            why: "There it looks broken. `templates.clients` says which programs count.",
            source: "caniemail (MIT), as the npm package caniemail carries it",
        },
        nothing_is_lacking,
    ),
    Check::mail(
        Rule {
            id: "H008",
            severity: Severity::Info,
            title: "Where a chosen mail program makes the mail plainer",
            why: "Good to know, and no fault: the mail reads as well without.",
            source: "caniemail (MIT), as the npm package caniemail carries it",
        },
        where_plainer,
    ),
    Check::template(
        Rule {
            id: "H009",
            severity: Severity::Info,
            title: "The chosen mail programs are known, and there is data about them",
            why: "Nothing is guessed: what a program without data makes of the mail can only be seen in it.",
            source: "caniemail has no data of Naver, Daum and Kakao",
        },
        are_known,
    ),
];

/// What another rule reports, for every program.
const REPORTED_ELSEWHERE: [&str; 6] =
    ["image-base64", "image-svg", "html-svg", "html-form", "css-at-import", "html-link"];

fn nothing_is_lacking(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    each(mail, found, |one, support| match support {
        Support::No(_) if one.lack == Lack::Breaks => Some(("does not work in", None)),
        _ => None,
    });
}

fn where_plainer(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    each(mail, found, |one, support| match support {
        Support::No(_) if one.lack == Lack::Plainer => Some(("is left out by", None)),
        Support::Partly(notes) if one.lack == Lack::Breaks && !one.part_is_enough => {
            Some(("works in part in", notes.first().copied()))
        }
        _ => None,
    });
}

type Verdict = (&'static str, Option<&'static str>);

/// One finding for each feature and verdict, where it is used first.
fn each(mail: &RenderedMail<'_>, found: &mut Vec<Violation>, judge: impl Fn(&Use, &Support) -> Option<Verdict>) {
    // H009 reports a wrong name.
    let Ok(chosen) = clients::chosen(mail.shared.settings) else { return };
    let mut reported: BTreeMap<(&'static str, Verdict), (usize, Vec<&Client>)> = BTreeMap::new();
    for one in mail.uses() {
        let Feature { slug, .. } = *one.feature;
        if REPORTED_ELSEWHERE.contains(&slug) {
            continue;
        }
        for client in &chosen {
            let Some(verdict) = judge(one, &clients::support(client, slug)) else { continue };
            let (_, there) = reported.entry((slug, verdict)).or_insert_with(|| (one.line, Vec::new()));
            if !there.contains(&client) {
                there.push(client);
            }
        }
    }
    for ((slug, (verb, note)), (line, there)) in reported {
        let note = note.map(|note| format!(": {}", bare(note))).unwrap_or_default();
        let title = clients::title(slug);
        found.push(violation(
            mail,
            line,
            title,
            format!("{title} {verb} {}{note}", clients::together(&there, &chosen)),
        ));
    }
}

/// A note without Markdown's links.
fn bare(note: &str) -> String {
    let mut out = String::new();
    let mut rest = note;
    while let Some((before, behind)) = rest.split_once("](") {
        let (text, label) = before.rsplit_once('[').unwrap_or((before, ""));
        out.push_str(text);
        out.push_str(label);
        rest = behind.split_once(')').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    let out = out.replace('`', "");
    ["Partial. ", "Partially supported. ", "Buggy. "]
        .iter()
        .find_map(|word| out.strip_prefix(word))
        .unwrap_or(&out)
        .to_owned()
}

fn are_known(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    match clients::chosen(mails.shared.settings) {
        Err(error) => {
            let message = format!("{}; {}", error.what, error.hint);
            found.push(Violation::new(At::Settings, message).as_bad_as(Severity::Error));
        }
        Ok(chosen) => {
            let without: Vec<&str> =
                chosen.iter().filter(|client| !Client::has_data(client)).map(|client| client.name.as_str()).collect();
            if !without.is_empty() {
                let message = format!("there is no data about {}: look at a test mail there", without.join(", "));
                found.push(Violation::new(At::Settings, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::preview::check::testing::{Bench, HTML};

    /// The good mail with something before its heading, for the programs that count where no setting says it.
    fn with(html: &str) -> Bench {
        let mut bench = Bench::new().english().replace(HTML, "<h1 ", &format!("{html}<h1 "));
        bench.settings.templates.clients = Settings::default().templates.clients;
        bench
    }

    #[test]
    fn nothing_is_lacking() {
        let table = [
            ("", false),
            ("<p style=\"display: flex\">a</p>", true),
            ("<p style=\"position: absolute\">a</p>", true),
            ("<video src=\"https://example.org/a.mp4\"></video>", true),
            ("<p style=\"padding: 1rem\">a</p>", true),
            ("<p style=\"border-radius: 4px\">a</p>", false),
            ("<p style=\"display: block; display: flex\">a</p>", false),
        ];
        for (html, wanted) in table {
            let found = with(html).breaks("H001");
            assert_eq!(!found.is_empty(), wanted, "{html}: {found:#?}");
        }
    }

    #[test]
    fn only_the_chosen_programs_count() {
        let mut bench = with("<p style=\"display: flex\">a</p>");
        let found = bench.breaks("H001");
        let [finding] = found.as_slice() else { panic!("{found:#?}") };
        assert!(
            finding.message.starts_with("display:flex does not work in Outlook (Windows, Windows Mail)"),
            "{}",
            finding.message
        );
        assert_eq!(finding.line, 14);
        bench.settings.templates.clients = vec!["apple-mail".to_owned(), "gmail.ios".to_owned()];
        assert_eq!(bench.breaks("H001"), []);
    }

    #[test]
    fn plainer_is_worth_a_thought() {
        let mut bench = with("<p style=\"border-radius: 4px\">a</p>");
        let about = |bench: &Bench| -> Vec<String> {
            let found = bench.breaks("H008").into_iter();
            found.map(|finding| finding.message).filter(|message| message.contains("border-radius")).collect()
        };
        assert_eq!(about(&bench), ["border-radius is left out by Outlook (Windows, Windows Mail)"]);
        bench.settings.templates.clients = vec!["apple-mail".to_owned()];
        assert_eq!(about(&bench), [""; 0]);
        let bench = with("<div style=\"padding: 4px\">a</div>");
        let padding = bench.breaks("H008").into_iter().find(|finding| finding.message.starts_with("padding ")).unwrap();
        assert!(padding.message.contains("works in part in Outlook (Windows, "), "{}", padding.message);
        assert!(padding.message.ends_with("Only supported on table cells."), "{}", padding.message);
    }

    #[test]
    fn no_data_is_said_and_nonsense_refused() {
        let mut bench = Bench::new();
        bench.settings.templates.clients = vec!["gmail".to_owned(), "naver".to_owned(), "kakao".to_owned()];
        let found = bench.breaks("H009");
        assert_eq!(found.len(), 1, "once, not for each language: {found:#?}");
        assert!(found[0].message.starts_with("there is no data about Naver Mail, Kakao Mail"), "{}", found[0].message);
        assert_eq!(found[0].severity, Severity::Info);
        bench.settings.templates.clients = vec!["gmail".to_owned()];
        assert_eq!(bench.breaks("H009"), []);
        bench.settings.templates.clients = vec!["gmial".to_owned()];
        let found = bench.breaks("H009");
        assert!(found[0].severity == Severity::Error && found[0].message.contains("samsung-email"), "{found:#?}");
    }

    #[test]
    fn notes_lose_their_links() {
        assert_eq!(bare("Use `x`, see [this](https://a/b) and [that](c)."), "Use x, see this and that.");
        assert_eq!(bare("[a]( b"), "a");
    }
}
