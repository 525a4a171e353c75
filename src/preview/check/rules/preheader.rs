//! P: the preheader, the line that inboxes show behind the subject.

use scraper::ElementRef;

use super::words::folded;
use crate::mail::templates::Part;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::is_hidden;

/// Characters that inboxes show of a preheader: at least and at most.
const LENGTH: std::ops::RangeInclusive<usize> = 35..=130;

pub(super) static CHECKS: [Check; 4] = [
    Check::mail(
        Rule {
            id: "P001",
            severity: Severity::Warning,
            title: "There is a preheader before all other text",
            why: "Behind the subject inboxes show the first text of the mail. Without a preheader that is a logo's \
                  alternative text or a greeting, which say nothing.",
            source: "guides on preheaders; data-mail=\"preheader\" marks it",
        },
        is_there,
    ),
    Check::mail(
        Rule {
            id: "P002",
            severity: Severity::Warning,
            title: "The preheader is hidden everywhere",
            why: "Outlook on Windows and Gmail's mobile web page do not obey display: none everywhere; with \
                  max-height: 0, overflow: hidden and mso-hide: all in its style the preheader stays hidden.",
            source: "caniemail: css-display-none",
        },
        is_hidden_everywhere,
    ),
    Check::mail(
        Rule {
            id: "P003",
            severity: Severity::Info,
            title: "The preheader has 35 to 130 characters",
            why: "A shorter one lets the greeting follow it; of a longer one the end is never seen. The first 40 count.",
            source: "guides on preheaders",
        },
        has_a_length,
    ),
    Check::mail(
        Rule {
            id: "P004",
            severity: Severity::Warning,
            title: "The preheader does not hold the link",
            why: "Preheaders are shown on locked screens, where anyone can read them.",
            source: "judgement; suppress it where the screen is the reader's own",
        },
        keeps_the_link,
    ),
];

/// The preheader: what is marked as one, or hidden text before all that is shown.
fn preheader<'c>(mail: &'c RenderedMail<'_>) -> Option<(ElementRef<'c>, String)> {
    let text_of = |element: ElementRef<'_>| {
        // Blanks of no width push the rest of the mail out of sight.
        let seen = |c: &char| !is_hidden(*c) && *c != '\u{a0}' && *c != '\u{200c}';
        folded(&element.text().collect::<String>().chars().filter(seen).collect::<String>())
    };
    if let Some(marked) = mail.marked_as("preheader").next() {
        return Some((marked, text_of(marked)));
    }
    let first = first_shown(mail).map(|(element, _)| element.id());
    let body = mail.dom().named(&["body"]).next()?;
    let within = body.descendants().filter_map(ElementRef::wrap).filter(|element| element.id() != body.id());
    let before = within.take_while(|element| Some(element.id()) != first);
    before
        .filter(|element| mail.light().hides(*element) && !matches!(element.value().name(), "style" | "script"))
        .map(|element| (element, text_of(element)))
        .find(|(_, text)| !text.is_empty())
}

/// The first text that is shown, with the element that holds it.
fn first_shown<'c>(mail: &'c RenderedMail<'_>) -> Option<(ElementRef<'c>, String)> {
    let body = mail.dom().named(&["body"]).next()?;
    body.descendants().find_map(|node| {
        let text = folded(node.value().as_text()?);
        let element = node.ancestors().find_map(ElementRef::wrap)?;
        (!text.is_empty() && !mail.dom().is_hidden(element, mail.light())).then_some((element, text))
    })
}

fn is_there(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let first = first_shown(mail);
    match (preheader(mail), first) {
        (Some((element, text)), _) if text.is_empty() => found.push(mail.violation(element, "the preheader is empty")),
        (Some((element, _)), Some((before, _))) => {
            let order = |wanted: ElementRef<'_>| mail.dom().elements().position(|other| other.id() == wanted.id());
            let is_within = before.ancestors().any(|above| above.id() == element.id()) || before.id() == element.id();
            if order(before) < order(element) && !is_within {
                found.push(mail.violation(element, "other text stands before the preheader"));
            }
        }
        (None, Some((element, text))) => {
            let message = "there is no preheader: inboxes show the first text of the mail behind the subject";
            found.push(mail.violation(element, message).with(text));
        }
        (None, None) => found.push(Violation::part(Part::Html, "there is no preheader")),
        (Some(_), None) => {}
    }
}

fn is_hidden_everywhere(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some((element, _)) = preheader(mail) else { return };
    if !mail.light().hides(element) {
        return;
    }
    let (declared, _) = mail.dom().inline(element);
    let has = |name: &str, is: &dyn Fn(&crate::preview::dom::css::Declaration) -> bool| {
        declared.iter().any(|declaration| declaration.name == name && is(declaration))
    };
    let mut lacking = Vec::new();
    if !has("max-height", &|declared| declared.pixels() == Some(0.0)) {
        lacking.push("max-height: 0");
    }
    if !has("overflow", &|declared| declared.has("hidden")) {
        lacking.push("overflow: hidden");
    }
    if !has("mso-hide", &|declared| declared.has("all")) {
        lacking.push("mso-hide: all");
    }
    if !lacking.is_empty() {
        found.push(mail.violation(element, format!("the preheader's style lacks {}", lacking.join(", "))));
    }
}

fn has_a_length(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some((element, text)) = preheader(mail).filter(|(_, text)| mail.is_usual() && !text.is_empty()) else { return };
    // Hangul says twice as much a character.
    let length = crate::text::width(&text);
    if !LENGTH.contains(&length) {
        let wrong = if length < *LENGTH.start() { "short" } else { "long" };
        found.push(mail.violation(element, format!("the preheader is {wrong}")).with(format!("{length} columns")));
    }
}

fn keeps_the_link(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some((element, text)) = preheader(mail) else { return };
    if mail.link().is_some_and(|link| text.contains(link)) {
        found.push(mail.violation(element, "the preheader holds the link"));
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{HTML, try_each};

    const STYLE: &str = "display: none; max-height: 0; overflow: hidden; mso-hide: all;";
    const MARK: &str = "<div data-mail=\"preheader\"";
    const WORDS: &str = "One click until {{ expires }}. Not you? Ignore this mail.";

    #[test]
    fn there_is_one() {
        try_each(
            "P001",
            &[
                (HTML, MARK, "<div", false),
                (HTML, MARK, "<p>Hello</p><div data-mail=\"preheader\"", true),
                (HTML, &format!("{MARK} style=\"{STYLE}\">{WORDS}</div>"), "", true),
                (HTML, WORDS, "&zwnj;&nbsp;", true),
                (HTML, &format!("{MARK} style=\"{STYLE}\""), "<div data-mail=\"preheader\"", false),
            ],
        );
    }

    #[test]
    fn it_is_hidden_everywhere() {
        try_each(
            "P002",
            &[
                (HTML, STYLE, "display: none;", true),
                (HTML, STYLE, "display: none; max-height: 0; overflow: hidden", true),
                (HTML, STYLE, "display:none;max-height:0px;overflow:hidden;mso-hide:all;font-size:1px", false),
                (
                    HTML,
                    &format!("{MARK} style=\"{STYLE}\""),
                    "<style>.x{display:none}</style><div class=x data-mail=\"preheader\"",
                    true,
                ),
                (HTML, &format!("{MARK} style=\"{STYLE}\""), MARK, false),
            ],
        );
    }

    #[test]
    fn it_has_a_length() {
        try_each(
            "P003",
            &[
                (HTML, WORDS, "Short", true),
                (HTML, WORDS, &"Long and longer. ".repeat(10), true),
                (HTML, WORDS, "One click, and we know that it is you. Thank you.", false),
            ],
        );
    }

    #[test]
    fn it_keeps_the_link() {
        try_each("P004", &[(HTML, "One click until", "{{ link }}", true), (HTML, "One click", "{{ name }}", false)]);
    }
}
