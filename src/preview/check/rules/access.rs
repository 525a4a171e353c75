//! A: whether everyone can read the mail, and have it read aloud.

use std::collections::BTreeMap;

use scraper::ElementRef;

use super::super::look::{
    has_own_text, is_button, is_dot, line_box, links, own_cell, text_size, violation, violation_of, visible,
};
use crate::mail::templates::Part;
use crate::preview::cell_layout::{Kind, Paint, Rgb};
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::preview::dom::above;
use crate::preview::view::{Scheme, View};

pub(super) static CHECKS: [Check; 7] = [
    Check::mail(
        Rule {
            id: "A001",
            severity: Severity::Warning,
            title: "<html> says its language and direction",
            why: "A screen reader reads Korean with an English voice otherwise; 96 % of mails lack it.",
            source: "Email Markup Consortium, accessibility reports 2025 and 2026; WCAG 3.1.1",
        },
        says_its_language,
    ),
    Check::mail(
        Rule {
            id: "A002",
            severity: Severity::Warning,
            title: "Tables for layout say so, and tables of data have headers",
            why: "A screen reader announces rows and columns of every table that does not have role=\"presentation\".",
            source: "Email Markup Consortium, accessibility reports 2025 and 2026",
        },
        tables_are_distinguished,
    ),
    Check::mail(
        Rule {
            id: "A003",
            severity: Severity::Error,
            title: "Images have alternative texts, and links have texts",
            why: "People who see no images, by choice or by sight, must still find the button.",
            source: "Email Markup Consortium; WCAG 1.1.1 and 2.4.4",
        },
        all_has_a_text,
    ),
    Check::mail(
        Rule {
            id: "A004",
            severity: Severity::Warning,
            title: "Text stands out from its background, in light and in dark",
            why: "Below 4.5 to 1, or 3 to 1 for large text, many people cannot read it.",
            source: "WCAG 2.2, 1.4.3",
        },
        text_stands_out,
    ),
    Check::mail(
        Rule {
            id: "A005",
            severity: Severity::Warning,
            title: "Text has at least 13 px, and buttons 44 px of height",
            why: "Smaller text is enlarged by some phones and unreadable on others; smaller buttons are missed.",
            source: "WCAG 2.2, 2.5.8; Apple's Human Interface Guidelines",
        },
        nothing_is_tiny,
    ),
    Check::mail(
        Rule {
            id: "A006",
            severity: Severity::Warning,
            title: "There is a <title>, and headings follow each other",
            why: "Screen readers announce the title, and people jump from heading to heading.",
            source: "Email Markup Consortium, accessibility reports 2025 and 2026",
        },
        headings_follow,
    ),
    Check::mail(
        Rule {
            id: "A007",
            severity: Severity::Info,
            title: "Links differ by more than colour, and text is not justified",
            why: "Not everyone sees colours; gaps of justified text are hard to read for dyslexic people.",
            source: "WCAG 2.2, 1.4.1 and 1.4.8",
        },
        not_by_colour_only,
    ),
];

fn says_its_language(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(html) = mail.dom().named(&["html"]).next() else { return };
    for attribute in ["lang", "dir"] {
        if html.attr(attribute).is_none_or(|value| value.trim().is_empty()) {
            found.push(violation_of(mail, html, format!("<html> has no {attribute}")));
        }
    }
}

fn tables_are_distinguished(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for table in mail.dom().named(&["table"]) {
        let role = table.attr("role").unwrap_or_default().to_ascii_lowercase();
        let nearest = |cell: ElementRef<'_>| above(cell).find(|one| one.value().name() == "table").map(|one| one.id());
        let has_headers =
            table.descendent_elements().any(|cell| cell.value().name() == "th" && nearest(cell) == Some(table.id()));
        match (matches!(&*role, "presentation" | "none"), has_headers) {
            (false, false) => {
                found.push(violation_of(mail, table, "the table has neither role=\"presentation\" nor headers (<th>)"));
            }
            (true, true) => {
                found.push(violation_of(mail, table, "the table has headers, but says that it is only for layout"));
            }
            _ => {}
        }
    }
}

fn all_has_a_text(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    for image in visible(dom, cascade).filter(|element| element.value().name() == "img") {
        if image.attr("alt").is_none() {
            found.push(violation_of(mail, image, "the image has no alt; an empty one says that it is for decoration"));
        }
    }
    for link in links(dom, cascade) {
        if !dom.visible_text(link, cascade).is_empty() {
            continue;
        }
        let mut images = link.descendent_elements().filter(|inner| inner.value().name() == "img");
        let says = |image: ElementRef<'_>| image.attr("alt").is_some_and(|alt| !alt.trim().is_empty());
        let has_alt = images.any(says);
        let is_named =
            ["aria-label", "title"].iter().any(|name| link.attr(name).is_some_and(|text| !text.trim().is_empty()));
        if has_alt && link.attr("data-mail") == Some("cta") {
            found.push(violation_of(
                mail,
                link,
                "the button is an image only: no one sees it where images are blocked",
            ));
        } else if !has_alt && !is_named {
            found.push(violation_of(mail, link, "the link has no text"));
        }
    }
}

/// From how many pixels on text is large; bold text is from two thirds of it on (18 pt and 14 pt in WCAG).
const LARGE: u16 = 24;
const LARGE_BOLD: u16 = 19;

/// Text that does not stand out enough.
struct Weak {
    contrast: f64,
    needed: f64,
    screens: Vec<&'static str>,
    sample: String,
}

fn text_stands_out(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let mut weak: BTreeMap<(String, String), Weak> = BTreeMap::new();
    for (scheme, screen) in [
        (Scheme::Light, "a light screen"),
        (Scheme::Dark, "a dark screen"),
        (Scheme::Inverted, "a screen whose colours were inverted"),
    ] {
        let laid = mail.laid(&View { scheme, ..View::default() });
        for run in laid.rows.iter().flat_map(|row| &row.runs) {
            let Paint { text, background, bold, size, kind, .. } = run.paint;
            let is_text = matches!(kind, Kind::Text | Kind::Marker) && !run.text.trim().is_empty();
            let needed = if size >= LARGE || (bold && size >= LARGE_BOLD) { 3.0 } else { 4.5 };
            let contrast = text.contrast(background);
            if !is_text || contrast >= needed {
                continue;
            }
            let entry = weak.entry((hex(text), hex(background)));
            let entry = entry.or_insert_with(|| Weak {
                contrast,
                needed,
                screens: Vec::new(),
                sample: run.text.trim().to_owned(),
            });
            if !entry.screens.contains(&screen) {
                entry.screens.push(screen);
            }
        }
    }
    for ((text, background), Weak { contrast, needed, screens, sample }) in weak {
        let message = format!(
            "{text} on {background} has a contrast of {:.1} on {}; {needed} is needed",
            (contrast * 10.0).floor() / 10.0,
            screens.join(" and ")
        );
        let body = mail.marked.html.find("<body").unwrap_or(0);
        // A run may be half a sentence, or hold what HTML writes otherwise: its first words are looked for, too.
        let words: Vec<&str> = sample.split(' ').take(3).collect();
        let at = [sample.as_str(), &words.join(" "), words.first().copied().unwrap_or_default()]
            .into_iter()
            .find_map(|text| mail.marked.html[body..].find(text).filter(|_| !text.is_empty()));
        let violation = match at {
            Some(at) => {
                let (line, column) = crate::preview::check::place_in(&mail.marked.html, body + at);
                Violation::rendered(Part::Html, line, column, message)
            }
            None => Violation::part(Part::Html, message),
        };
        found.push(violation.with(format!("\u{201c}{sample}\u{201d}")));
    }
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The smallest text, in pixels.
const TEXT_MIN: f32 = 13.0;
/// The lowest button, in pixels.
const BUTTON_MIN: f32 = 44.0;

fn nothing_is_tiny(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    for element in visible(dom, cascade).filter(|element| has_own_text(*element)) {
        let size = text_size(element, cascade);
        if size < TEXT_MIN {
            found.push(violation_of(mail, element, format!("the text has {size:.0} px; it should have {TEXT_MIN}")));
        }
    }
    for link in links(dom, cascade).filter(|link| is_button(dom, *link, cascade)) {
        // The cell around it belongs to the button, but only the link itself can be tapped.
        let height = line_box(link, cascade).round();
        if height < BUTTON_MIN {
            found.push(violation_of(
                mail,
                link,
                format!("the button is about {height} px high; {BUTTON_MIN} px is easy to hit"),
            ));
        }
    }
}

fn headings_follow(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    let title = dom.named(&["title"]).next();
    if title.is_none_or(|title| title.text().all(|text| text.trim().is_empty())) {
        let line = title.map_or(1, |title| dom.line(title));
        found.push(violation(mail, line, "<title", "the mail has no <title>"));
    }
    let mut last = 0;
    for heading in visible(dom, cascade) {
        let level = match heading.value().name().as_bytes() {
            [b'h', level @ b'1'..=b'6'] => level - b'0',
            _ => continue,
        };
        if level > last + 1 {
            let message = if last == 0 {
                format!("the first heading is <h{level}>; it should be <h1>")
            } else {
                format!("<h{level}> follows <h{last}>")
            };
            found.push(violation_of(mail, heading, message));
        }
        last = level;
    }
}

fn not_by_colour_only(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    for link in links(dom, cascade) {
        let style = cascade.style(link);
        let bare = ["text-decoration", "text-decoration-line"].iter().any(|name| style.is(name, "none"));
        let bordered = style.get("border-bottom").is_some() || style.get("border").is_some();
        let bold = cascade.inherited(link, "font-weight").is_some();
        let alone = own_cell(dom, link, cascade).is_some();
        if bare && !bordered && !bold && !alone && !is_button(dom, link, cascade) {
            found.push(violation_of(mail, link, "the link differs from the text by its colour only"));
        }
    }
    for element in visible(dom, cascade) {
        let justified = cascade.style(element).is("text-align", "justify")
            || element.attr("align").is_some_and(|align| align.eq_ignore_ascii_case("justify"));
        if justified && !is_dot(element, cascade) {
            found.push(violation_of(mail, element, "the text is justified"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, HTML, try_each};

    #[test]
    fn the_language() {
        try_each(
            "A001",
            &[
                (HTML, "<html lang=\"en\" dir=\"ltr\">", "<html dir=\"ltr\">", true),
                (HTML, "<html lang=\"en\" dir=\"ltr\">", "<html lang=\"en\">", true),
                (HTML, "<html lang=\"en\" dir=\"ltr\">", "<html lang=\"\" dir=\"ltr\">", true),
                (HTML, "<html lang=\"en\" dir=\"ltr\">", "<html dir=\"ltr\" lang=\"en-GB\">", false),
            ],
        );
    }

    #[test]
    fn tables() {
        try_each(
            "A002",
            &[
                (HTML, "<table role=\"presentation\"", "<table", true),
                (HTML, "<h1 ", "<table><tr><th>a</th></tr></table><h1 ", false),
                (HTML, "<h1 ", "<table role=\"none\"><tr><td>a</td></tr></table><h1 ", false),
                (HTML, "<h1 ", "<table role=\"presentation\"><tr><th>a</th></tr></table><h1 ", true),
                (HTML, "<h1 ", "<table><tr><td><table><tr><th>a</th></tr></table></td></tr></table><h1 ", true),
            ],
        );
    }

    #[test]
    fn texts() {
        let image = "<img src=\"https://example.org/a.png\" width=\"9\" height=\"9\"";
        let with = |rest: &str| format!("{image}{rest}<h1 ");
        let rows = [
            (with(">"), true),
            (with(" alt=\"\">"), false),
            (format!("<a href=\"https://example.org\">{image} alt=\"\"></a><h1 "), true),
            (format!("<a href=\"https://example.org\">{image} alt=\"Example\"></a><h1 "), false),
            ("<a href=\"https://example.org\"> </a><h1 ".to_owned(), true),
            ("<a href=\"https://example.org\" aria-label=\"Example\"> </a><h1 ".to_owned(), false),
            ("<a name=\"x\"></a><h1 ".to_owned(), false),
            (format!("<a data-mail=\"cta\" href=\"https://example.org\">{image} alt=\"Go\"></a><h1 "), true),
        ];
        let rows: Vec<_> = rows.iter().map(|(to, wanted)| (HTML, "<h1 ", to.as_str(), *wanted)).collect();
        try_each("A003", &rows);
    }

    #[test]
    fn contrast() {
        let dark = |color: &str| {
            format!(
                "<style>@media (prefers-color-scheme: dark) {{ h1 {{ color: {color} !important }} }}</style></head>"
            )
        };
        let (bad, good) = (dark("#eeeeee"), dark("#222222"));
        try_each(
            "A004",
            &[
                (HTML, "<p>Hello", "<p style=\"color: #999999\">Hello", true),
                (HTML, "<p>Hello", "<p style=\"color: #666666\">Hello", false),
                (HTML, "margin: 0; font-size: 22px;", "margin: 0; font-size: 24px; color: #8a8a8a;", false),
                (HTML, "margin: 0; font-size: 22px;", "margin: 0; font-size: 16px; color: #8a8a8a;", true),
                (HTML, "</head>", &bad, true),
                (HTML, "</head>", &good, false),
            ],
        );
        let found =
            Bench::new().english().replace(HTML, "<p>Hello", "<p style=\"color: #999999\">Hello").breaks("A004");
        assert!(
            found[0].message.starts_with("#999999 on #ffffff has a contrast of 2.8 on a light screen"),
            "{found:#?}"
        );
        assert_eq!(found[0].line, 15);
    }

    #[test]
    fn sizes() {
        try_each(
            "A005",
            &[
                (HTML, "<p>Hello", "<p style=\"font-size: 11px\">Hello", true),
                (HTML, "<p>Hello", "<p style=\"font-size: 0.7em\">Hello", true),
                (HTML, "<p>Hello", "<p style=\"font-size: 10pt\">Hello", false),
                (HTML, "padding: 14px 28px", "padding: 4px 28px", true),
                (HTML, "padding: 14px 28px", "padding: 10px 28px 10px", false),
                (HTML, "padding: 14px 28px", "border: 12px solid #1d5fc4", false),
            ],
        );
    }

    #[test]
    fn headings() {
        try_each(
            "A006",
            &[
                (HTML, "<title>Confirm your address</title>", "<title> </title>", true),
                (HTML, "<title>Confirm your address</title>", "", true),
                (HTML, "<p>Hello", "<h3>a</h3><p>Hello", true),
                (HTML, "<p>Hello", "<h2>a</h2><p>Hello", false),
                (HTML, "<h1 ", "<h2>a</h2><h1 ", true),
            ],
        );
    }

    #[test]
    fn colour_only() {
        try_each(
            "A007",
            &[
                (HTML, "color: #1d5fc4; word-break", "color: #1d5fc4; text-decoration: none; word-break", true),
                (HTML, "padding: 14px 28px", "text-decoration: none; padding: 14px 28px", false),
                (HTML, "<p>Hello", "<p style=\"text-align: justify\">Hello", true),
                (HTML, "<p>Hello", "<p style=\"text-align: left\">Hello", false),
            ],
        );
    }
}
