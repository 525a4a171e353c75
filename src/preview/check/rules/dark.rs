//! D: whether the mail is ready for dark screens.

use scraper::ElementRef;

use super::super::look::{has_background, has_own_text, violation, violation_of, visible};
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::preview::dom::above;
use crate::preview::dom::cascade::{list, selector};
use crate::preview::dom::css::Rule as Styled;

pub(super) static CHECKS: [Check; 1] = [Check::mail(
    Rule {
        id: "D001",
        severity: Severity::Warning,
        title: "The mail says that it knows dark screens, and sets text and background together",
        why: "Without the meta tag programs invert colours by themselves; a text colour without a background vanishes.",
        source: "caniemail: html-meta-color-scheme, css-at-media-prefers-color-scheme",
    },
    is_ready_for_dark,
)];

fn is_for_dark(rule: &Styled) -> bool {
    rule.within.iter().any(|within| within.contains("prefers-color-scheme") && within.contains("dark"))
}

fn is_ready_for_dark(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    let for_dark: Vec<&Styled> =
        dom.sheets().iter().flat_map(|sheet| &sheet.rules).filter(|rule| is_for_dark(rule)).collect();
    let has_meta = dom.named(&["meta"]).any(|meta| {
        meta.attr("name").is_some_and(|name| name.eq_ignore_ascii_case("color-scheme"))
            && meta.attr("content").is_some_and(|content| content.to_ascii_lowercase().contains("dark"))
    });
    if let Some(first) = for_dark.first().filter(|_| !has_meta) {
        let message = "there are colours for dark screens, but no <meta name=\"color-scheme\" content=\"light dark\">";
        found.push(violation(mail, first.line, "", message));
    }
    let styled: Vec<ElementRef<'_>> = dom.with("style").map(|(element, _)| element).collect();
    for rule in for_dark {
        for selector in list(&rule.selector).into_iter().filter_map(selector) {
            if mail.shared.is_late() {
                return;
            }
            for element in styled.iter().copied().filter(|element| selector.matches(element)) {
                let inline = dom.inline(element).0;
                let loses = |name: &str| inline.iter().any(|inline| inline.name == name);
                for lost in rule.declarations.iter().filter(|one| !one.important && loses(&one.name)) {
                    let message = format!("{} has no effect: `style` is stronger without !important", lost.name);
                    let new = violation(mail, lost.line, &lost.name, message);
                    if !found.contains(&new) {
                        found.push(new);
                    }
                }
            }
        }
    }
    let mut reported = Vec::new();
    for element in visible(dom, cascade).filter(|element| has_own_text(*element)) {
        let around = || std::iter::once(element).chain(above(element));
        let is_coloured =
            |one: &ElementRef<'_>| cascade.style(*one).get("color").is_some() || one.attr("color").is_some();
        let Some(coloured) = around().find(is_coloured) else { continue };
        if !around().any(|one| has_background(one, cascade)) && !reported.contains(&coloured.id()) {
            reported.push(coloured.id());
            found.push(violation_of(
                mail,
                coloured,
                "its text has a colour and no background: it may vanish on a dark screen",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, HTML, try_each};

    const DARK: &str = "<style>@media (prefers-color-scheme: dark) { h1 { color: #ffffff !important } }</style></head>";

    #[test]
    fn ready_for_dark() {
        let weak = DARK.replace("h1 { color", "td { color").replace(" !important", "");
        try_each(
            "D001",
            &[
                (HTML, "</head>", DARK, false),
                (HTML, "</head>", &weak, true),
                (HTML, "<body style=\"margin: 0; background-color: #ffffff; color: #1c2430;\">", "<body>", false),
            ],
        );
        let without = Bench::new()
            .replace(HTML, "<meta name=\"color-scheme\" content=\"light dark\">", "")
            .replace(HTML, "</head>", DARK);
        assert!(without.breaks("D001")[0].message.contains("color-scheme"));
        let bare = Bench::new()
            .replace(HTML, "background-color: #ffffff; color: #1c2430;\">", "color: #1c2430;\">")
            .replace(HTML, "color: #1c2430; background-color: #ffffff;", "color: #1c2430;");
        let lines: Vec<usize> = bare.breaks("D001").iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [13, 18, 20], "the cell, and links that have a colour of their own");
    }
}
