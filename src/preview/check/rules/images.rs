//! I: whether the mail works without its images, and what they reveal.

use super::super::look::{is_dot, links, violation_of, visible};
use crate::mail::templates::Part;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};

pub(super) static CHECKS: [Check; 2] = [
    Check::mail(
        Rule {
            id: "I001",
            severity: Severity::Warning,
            title: "Without images the mail still names the site and has its button",
            why: "Outlook and many companies block images until the reader asks for them.",
            source: "mail programs' defaults; measured with images off",
        },
        works_without,
    ),
    Check::mail(
        Rule {
            id: "I002",
            severity: Severity::Warning,
            title: "Images have sizes and https addresses, and none is there to watch the reader",
            why: "Without sizes the mail jumps, http is blocked, and a pixel that reports when a mail is opened costs trust.",
            source: "react-email's linter; mail programs' proxies",
        },
        images_are_in_order,
    ),
];

fn works_without(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    let images: Vec<_> = visible(dom, cascade).filter(|element| element.value().name() == "img").collect();
    let Some(first) = images.first() else { return };
    let Some(body) = dom.named(&["body"]).next() else { return };
    let text = dom.visible_text(body, cascade);
    let says = |wanted: &str| {
        let alternative = |image: &scraper::ElementRef<'_>| image.attr("alt").is_some_and(|alt| alt.contains(wanted));
        text.contains(wanted) || images.iter().any(alternative)
    };
    if mail.value("site_name").is_some_and(|site| !says(site)) {
        found.push(violation_of(mail, *first, "without images nothing names the site"));
    }
    let Some(target) = mail.link() else { return };
    let mut to_it = links(dom, cascade).filter(|link| link.attr("href") == Some(target)).peekable();
    let has_text = |link: scraper::ElementRef<'_>| {
        let mut inner = link.descendent_elements();
        !dom.visible_text(link, cascade).is_empty()
            || inner.any(|one| one.attr("alt").is_some_and(|alt| !alt.trim().is_empty()))
    };
    if to_it.peek().is_some() && !to_it.any(has_text) {
        found.push(Violation::part(Part::Html, "without images there is no link to press"));
    }
}

fn images_are_in_order(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let (dom, cascade) = (mail.dom(), mail.light());
    // A pixel may hide where no one looks.
    for image in dom.named(&["img"]) {
        let address = image.attr("src").unwrap_or_default().trim();
        let style = cascade.style(image);
        if is_dot(image, cascade) {
            found.push(violation_of(mail, image, "the image is one pixel: it reports when the mail is opened"));
            continue;
        }
        let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        match scheme.as_str() {
            // Other rules report data:, and a cid: without its part.
            "https" | "data" | "cid" => {}
            "http" => found.push(violation_of(mail, image, "the image is fetched by http: use https")),
            _ => found.push(violation_of(mail, image, "the image has no whole https address")),
        }
        for side in ["width", "height"] {
            let said = image.attr(side).is_some_and(|value| !value.trim().is_empty());
            if !said && style.get(side).is_none() {
                found.push(violation_of(mail, image, format!("the image has no {side}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, HTML, try_each};

    #[test]
    fn sizes_and_addresses() {
        let table = [
            ("<img alt=\"\" src=\"https://example.org/a.png\" width=\"40\" height=\"40\">", false),
            ("<img alt=\"\" src=\"https://example.org/a.png\" width=\"40\" style=\"height: auto\">", false),
            ("<img alt=\"\" src=\"https://example.org/a.png\" width=\"40\">", true),
            ("<img alt=\"\" src=\"http://example.org/a.png\" width=\"40\" height=\"40\">", true),
            ("<img alt=\"\" src=\"a.png\" width=\"40\" height=\"40\">", true),
            ("<img alt=\"\" src=\"https://example.org/a.png\" width=\"1\" height=\"1\">", true),
            ("<div hidden><img alt=\"\" src=\"https://example.org/a\" style=\"width: 0; height: 1px\"></div>", true),
        ];
        let rows: Vec<(String, bool)> = table.map(|(html, wanted)| (format!("{html}<h1 "), wanted)).to_vec();
        let rows: Vec<_> = rows.iter().map(|(to, wanted)| (HTML, "<h1 ", to.as_str(), *wanted)).collect();
        try_each("I002", &rows);
    }

    #[test]
    fn works_without() {
        let image =
            |alt: &str| format!("<img alt=\"{alt}\" src=\"https://example.org/a.png\" width=\"9\" height=\"9\">");
        let bench = |html: &str| {
            Bench::new()
                .english()
                .replace(HTML, "your address at {{ site_name }}", "your address")
                .replace(HTML, ">{{ site_name }}</a>", ">home</a>")
                .replace(HTML, "{% else %}{{ site_name }}", "{% else %}home")
                .replace(HTML, "<h1 ", &format!("{html}<h1 "))
                .breaks("I001")
        };
        assert_eq!(bench(&image("Logo")).len(), 1);
        assert_eq!(bench(&image("{{ site_name }}")), []);
        assert_eq!(bench(""), [], "without images another rule reports it");
        let only = |alt: &str| {
            Bench::new()
                .english()
                .replace(HTML, ">Confirm my address</a>", &format!(">{}</a>", image(alt)))
                .replace(HTML, ">{{ link }}</a>", "></a>")
                .breaks("I001")
        };
        assert_eq!(only("").len(), 1);
        assert_eq!(only("Confirm"), []);
    }
}
