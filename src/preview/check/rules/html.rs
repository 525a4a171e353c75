//! H: whether mail programs can read and lay out the HTML.

use super::super::look::{violation, violation_of, visible};
use crate::mail::templates::Part;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::preview::dom::css::Declaration;
use crate::preview::dom::tags;
use crate::preview::view::{CELL_WIDTH, View, Width};

pub(super) static CHECKS: [Check; 6] = [
    Check::mail(
        Rule {
            id: "H002",
            severity: Severity::Warning,
            title: "What the mail needs does not stand in <style> only",
            why: "Gmail drops <style> for accounts of other providers and on the mobile web: inline what is needed.",
            source: "caniemail, html-style",
        },
        is_inlined,
    ),
    Check::mail(
        Rule {
            id: "H003",
            severity: Severity::Warning,
            title: "The mail fits into 640 px, and into 320 px on a phone",
            why: "A wider mail is cut, or shrunk until no one can read it.",
            source: "convention of 600 to 640 px; phones of 320 px",
        },
        fits,
    ),
    Check::mail(
        Rule {
            id: "H004",
            severity: Severity::Error,
            title: "No scripts, forms, frames, foreign style sheets, data: images or SVG",
            why: "Mail programs remove them, and filters take some of them for an attack.",
            source: "caniemail: html-form, html-svg, image-base64, image-svg, css-at-import, html-link",
        },
        nothing_forbidden,
    ),
    Check::mail(
        Rule {
            id: "H005",
            severity: Severity::Warning,
            title: "Boxes of a width stand in tables, or have one for Outlook",
            why: "Outlook on Windows knows widths and columns of tables only; others stretch over the whole window.",
            source: "caniemail: css-max-width, css-width, css-float, css-display-flex",
        },
        boxes_are_tables,
    ),
    Check::mail(
        Rule {
            id: "H006",
            severity: Severity::Error,
            title: "Tags fit together",
            why: "Each mail program repairs broken HTML in its own way; text ends up where no one meant it.",
            source: "HTML standard, parse errors",
        },
        tags_fit,
    ),
    Check::mail(
        Rule {
            id: "H007",
            severity: Severity::Warning,
            title: "CSS can be read",
            why: "What cannot be read is left out; in Gmail a mistake may cost the whole style sheet.",
            source: "CSS Syntax 3; caniemail, html-style",
        },
        css_can_be_read,
    ),
];

/// What changes little where it is missing, or is only asked of some programs.
const SPARED: [&str; 9] = [
    "color-scheme",
    "supported-color-schemes",
    "text-size-adjust",
    "cursor",
    "transition",
    "outline",
    "border-collapse",
    "border-spacing",
    "word-break",
];

fn is_inlined(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (with, without) = (View::default(), View { styles: false, ..View::default() });
    let (with, without) = (mail.laid(&with), mail.laid(&without));
    if with.rows == without.rows && with.needed == without.needed {
        return;
    }
    let dom = mail.dom();
    let bare = dom.cascade(&View { styles: false, ..View::default() });
    let before = found.len();
    for element in visible(dom, &bare) {
        for declared in mail.light().style(element).iter() {
            let spared = SPARED.contains(&declared.name.as_str())
                || declared.name.starts_with(['-', 'm']) && is_vendor(declared);
            let inline = bare.style(element).get(&declared.name);
            if !spared && inline.is_none_or(|inline| inline.value != declared.value) {
                let message = format!("{} stands in <style> only", declared.name);
                let new = violation(mail, declared.line, &declared.name, message);
                if !found.contains(&new) {
                    found.push(new);
                }
            }
        }
    }
    if found.len() == before {
        found.push(Violation::part(Part::Html, "the mail looks otherwise without its <style>"));
    }
}

fn is_vendor(declared: &Declaration) -> bool {
    declared.name.starts_with('-') || declared.name.starts_with("mso-")
}

fn fits(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for width in [Width::Desk, Width::Small] {
        let needed = mail.laid(&View { width, ..View::default() }).needed;
        if needed > width.columns() {
            let message = format!("the mail does not fit into {} px", width.pixels());
            found.push(Violation::part(Part::Html, message).with(format!("it needs about {} px", needed * CELL_WIDTH)));
        }
    }
}

fn nothing_forbidden(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let dom = mail.dom();
    for element in dom.elements() {
        let name = element.value().name();
        let address = element.attr("src").or_else(|| element.attr("href")).unwrap_or_default();
        let what = match name {
            "script" => "scripts are removed",
            "form" | "input" | "button" | "select" | "textarea" => "forms do not work in mails",
            "iframe" | "frame" | "object" | "embed" | "applet" => "frames and embedded things are removed",
            "svg" => "SVG is not shown by Gmail and Outlook",
            "link" if element.attr("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("stylesheet")) => {
                "a style sheet of its own address is not fetched"
            }
            "meta" if element.attr("http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh")) => {
                "a mail cannot lead elsewhere by itself"
            }
            "img" if address.starts_with("data:") => "an image in a data: address is not shown by Gmail",
            "img"
                if address.split(['?', '#']).next().is_some_and(|path| path.to_ascii_lowercase().ends_with(".svg")) =>
            {
                "an SVG image is not shown by Gmail"
            }
            _ => match element.value().attrs().find(|(name, _)| name.starts_with("on")) {
                Some(_) => "scripts are removed",
                None => continue,
            },
        };
        found.push(violation_of(mail, element, format!("<{name}>: {what}")));
    }
    for at_rule in dom.sheets().iter().flat_map(|sheet| &sheet.at_rules).filter(|at_rule| at_rule.name == "import") {
        found.push(violation(
            mail,
            at_rule.line,
            "@import",
            "@import: a style sheet of its own address is not fetched",
        ));
    }
    let inline = dom.with("style").flat_map(|(element, _)| dom.inline(element).0);
    let rules = dom.sheets().iter().flat_map(|sheet| &sheet.rules).flat_map(|rule| rule.declarations.clone());
    for declared in inline.chain(rules).filter(|one| one.parts.urls.iter().any(|url| url.starts_with("data:"))) {
        let message = format!("{}: an image in a data: address is not shown by Gmail", declared.name);
        found.push(violation(mail, declared.line, &declared.name, message));
    }
}

fn boxes_are_tables(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    for element in visible(dom, cascade) {
        if !matches!(element.value().name(), "div" | "section" | "article" | "main" | "header" | "footer") {
            continue;
        }
        let style = cascade.style(element);
        let has_width =
            |name: &str| style.get(name).is_some_and(|declared| declared.pixels().is_some_and(|px| px > 0.0));
        let is_column = ["left", "right"].iter().any(|side| style.is("float", side))
            || ["flex", "inline-flex", "grid", "inline-block", "table-cell"]
                .iter()
                .any(|kind| style.is("display", kind));
        let what = if has_width("max-width") || has_width("width") {
            "a width"
        } else if is_column {
            "columns"
        } else {
            continue;
        };
        if !has_ghost(element) {
            let message = format!("<{}> makes {what} that Outlook does not know: use a table", element.value().name());
            found.push(violation_of(mail, element, message));
        }
    }
}

/// Whether a table for Outlook is opened in a conditional comment before an element.
fn has_ghost(element: scraper::ElementRef<'_>) -> bool {
    let nodes = element.prev_siblings().take_while(|node| !node.value().is_element());
    nodes.filter_map(|node| node.value().as_comment()).any(|comment| {
        let comment = comment.to_ascii_lowercase();
        comment.contains("[if") && comment.contains("mso") && (comment.contains("<table") || comment.contains("<td"))
    })
}

fn tags_fit(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let parser = mail.dom().mistakes().iter().filter(|mistake| mistake.message.contains("too large or too deep"));
    for mistake in tags::mistakes(&mail.marked.html).iter().chain(parser) {
        let needle = mistake.message.split('>').next().filter(|start| start.starts_with('<')).unwrap_or_default();
        found.push(violation(mail, mistake.line, needle, &mistake.message));
    }
}

fn css_can_be_read(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let dom = mail.dom();
    for mistake in dom.sheets().iter().flat_map(|sheet| &sheet.mistakes) {
        found.push(violation(mail, mistake.line, "", format!("CSS: {}", mistake.message)));
    }
    for (element, _) in dom.with("style") {
        for mistake in dom.inline(element).1 {
            found.push(violation_of(mail, element, format!("CSS: {}", mistake.message)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{HTML, try_each};

    #[test]
    fn what_is_needed_is_inline() {
        try_each(
            "H002",
            &[
                (HTML, "</head>", "<style>h1 { padding-left: 80px }</style></head>", true),
                (HTML, "</head>", "<style>p { display: none }</style></head>", true),
                (
                    HTML,
                    "</head>",
                    "<style>@media (prefers-color-scheme: dark) { h1 { padding-left: 80px } }</style></head>",
                    false,
                ),
                (HTML, "</head>", "<style>.nobody { padding-left: 80px } a { cursor: pointer }</style></head>", false),
            ],
        );
    }

    #[test]
    fn it_fits() {
        try_each(
            "H003",
            &[
                (HTML, "<h1 ", "<table role=\"presentation\" width=\"700\"><tr><td>a</td></tr></table><h1 ", true),
                (HTML, "<h1 ", "<table role=\"presentation\" width=\"400\"><tr><td>a</td></tr></table><h1 ", true),
                (HTML, "<h1 ", "<table role=\"presentation\" width=\"100%\"><tr><td>a</td></tr></table><h1 ", false),
            ],
        );
    }

    #[test]
    fn nothing_is_forbidden() {
        let rows: Vec<(&str, &str, String, bool)> = [
            ("<script>x()</script>", true),
            ("<form action=\"https://example.org\"><input></form>", true),
            ("<iframe src=\"https://example.org\"></iframe>", true),
            ("<svg width=\"1\"></svg>", true),
            ("<img alt=\"\" src=\"data:image/png;base64,xx\">", true),
            ("<img alt=\"\" src=\"https://example.org/a.svg?x\">", true),
            ("<link rel=\"stylesheet\" href=\"https://example.org/x.css\">", true),
            ("<style>@import url(https://example.org/x.css);</style>", true),
            ("<p style=\"background: url(data:image/png;base64,xx)\">a</p>", true),
            ("<p onclick=\"x()\">a</p>", true),
            ("<meta http-equiv=\"refresh\" content=\"0;url=https://example.org\">", true),
            ("<img alt=\"\" src=\"https://example.org/a.png\">", false),
            ("<!-- <script> --><p>script</p>", false),
        ]
        .map(|(html, wanted)| (HTML, "<h1 ", format!("{html}<h1 "), wanted))
        .to_vec();
        let rows: Vec<_> = rows.iter().map(|(path, from, to, wanted)| (*path, *from, to.as_str(), *wanted)).collect();
        try_each("H004", &rows);
    }

    #[test]
    fn boxes_are_tables() {
        try_each(
            "H005",
            &[
                (HTML, "<h1 ", "<div style=\"max-width: 300px\">a</div><h1 ", true),
                (HTML, "<h1 ", "<div style=\"float: left\">a</div><h1 ", true),
                (HTML, "<h1 ", "<div style=\"display: inline-block\">a</div><h1 ", true),
                (
                    HTML,
                    "<h1 ",
                    "<!--[if mso]><table width=\"300\"><tr><td><![endif]-->\n<div style=\"max-width: 300px\">a</div>\n<!--[if mso]></td></tr></table><![endif]--><h1 ",
                    false,
                ),
                (HTML, "<h1 ", "<div style=\"color: #1c2430\">a</div><h1 ", false),
                (HTML, "<table ", "<table style=\"max-width: 560px\" ", false),
            ],
        );
    }

    #[test]
    fn tags_fit() {
        try_each(
            "H006",
            &[
                (HTML, "</td></tr>", "</tr>", true),
                (HTML, "<h1 ", "<b><h1 ", true),
                (HTML, "<h1 ", "</div><h1 ", true),
                (HTML, "<h1 ", "<h1 class=a class=b ", true),
                (HTML, "</p>", "", false),
            ],
        );
    }

    #[test]
    fn css_can_be_read() {
        try_each(
            "H007",
            &[
                (HTML, "margin: 0; font-size", "margin 0; font-size", true),
                (HTML, "</head>", "<style>a { color red }</style></head>", true),
                (HTML, "</head>", "<style>a { color: red</style></head>", false),
                (HTML, "margin: 0; font-size", "mso-line-height-rule: exactly; font-size", false),
            ],
        );
    }
}
