//! C: the one thing that the mail is for: a button, its address in full, and links that say where they lead. Rules
//! about the link go by the variable `link`; a mail without it has none of them.

use scraper::ElementRef;
use url::Url;

use super::addresses::{in_text, wrong_address};
use super::words::{folded, phrase_in, vague};
use crate::mail::templates::Part;
use crate::mail::verification;
use crate::preview::check::finding::{At, Violation, place_in};
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::preview::dom::css::Declaration;
use crate::text::plain;

/// Longest address that mail programs keep whole.
const ADDRESS_MAX: usize = 200;

/// Least length of a key, in characters (OWASP).
const KEY_MIN: usize = 32;

pub(super) static CHECKS: [Check; 8] = [
    Check::mail(
        Rule {
            id: "C001",
            severity: Severity::Error,
            title: "There is a link to verify with",
            why: "It is what the mail is for.",
            source: "data-mail=\"cta\" marks it; the variable link is where it leads",
        },
        has_the_link,
    ),
    Check::mail(
        Rule {
            id: "C002",
            severity: Severity::Warning,
            title: "There is one button, and no other link before it",
            why: "People who have one thing to do do it; each further link leads some of them elsewhere.",
            source: "what the verification mails of known sites have in common",
        },
        has_one_button,
    ),
    Check::mail(
        Rule {
            id: "C003",
            severity: Severity::Error,
            title: "The address of the link is visible in full",
            why: "Where buttons are not shown or not trusted people copy the address.",
            source: "Postmark's templates",
        },
        shows_the_address,
    ),
    Check::mail(
        Rule {
            id: "C004",
            severity: Severity::Error,
            title: "Links lead where they say",
            why: "A visible address that differs from where the link leads is the mark of fraud, to people and filters.",
            source: "anti-phishing rules of mail programs",
        },
        leads_where_it_says,
    ),
    Check::mail(
        Rule {
            id: "C005",
            severity: Severity::Warning,
            title: "The text of a link says what it does",
            why: "Screen readers list links without what stands around them: \u{201c}here\u{201d} says nothing.",
            source: "Email Markup Consortium; WCAG 2.4.4",
        },
        says_what_it_does,
    ),
    Check::mail(
        Rule {
            id: "C006",
            severity: Severity::Error,
            title: "Addresses are absolute, https, and the site's own",
            why: "A mail has no page to be relative to; without https anyone on the way reads the key; shortened and \
                  foreign addresses look like fraud. A loopback address is for trying things out, and fine.",
            source: "react-email's linter; Google's sender guidelines",
        },
        are_sound,
    ),
    Check::mail(
        Rule {
            id: "C007",
            severity: Severity::Warning,
            title: "Addresses are short and end where they seem to",
            why: "Mail programs cut or break long addresses, and take a full stop behind one for a part of it.",
            source: "RFC 3986, appendix C; RFC 5322, 2.1.1",
        },
        are_copied_whole,
    ),
    Check::mail(
        Rule {
            id: "C008",
            severity: Severity::Warning,
            title: "The key in the link has at least 32 characters",
            why: "A shorter one can be guessed.",
            source: "OWASP: Input Validation Cheat Sheet, e-mail verification",
        },
        has_a_long_key,
    ),
];

/// What the reader is to press: what is marked, else the first link that leads there.
fn action<'c>(mail: &'c RenderedMail<'_>) -> Option<(ElementRef<'c>, &'c str)> {
    let marked = |element: ElementRef<'_>| {
        element.attr("data-mail") == Some("cta")
            || element.ancestors().filter_map(ElementRef::wrap).any(|above| above.attr("data-mail") == Some("cta"))
    };
    let led = || mail.links().find(|(_, href)| Some(*href) == mail.link());
    mail.links().find(|(element, _)| marked(*element)).or_else(led)
}

fn has_the_link(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(link) = mail.link() else { return };
    if !mail.links().any(|(_, href)| href == link) {
        found.push(Violation::part(Part::Html, "no link of the HTML leads to {{ link }}"));
    }
    let is_link = |element: &ElementRef<'_>| {
        let mut within = element.descendants().filter_map(ElementRef::wrap);
        within.any(|inner| inner.value().name() == "a" && inner.attr("href").is_some())
    };
    if let Some(marked) = mail.marked_as("cta").find(|element| !is_link(element)) {
        found.push(mail.violation(marked, "what is marked as the call to action is no link"));
    }
}

fn is_button(mail: &RenderedMail<'_>, element: ElementRef<'_>) -> bool {
    let cascade = mail.light();
    let style = cascade.style(element);
    let around = element.parent().and_then(ElementRef::wrap).filter(|parent| parent.value().name() == "td");
    let length = |declared: Option<&Declaration>| {
        declared.and_then(|declared| declared.parts.lengths.first().map(|(length, _)| *length)).unwrap_or(0.0)
    };
    let is_thick = |property: &str| length(style.get(property)) >= 6.0;
    let is_padded = is_thick("padding") || is_thick("padding-top") || is_thick("border") || is_thick("border-top");
    let has_background = |element: ElementRef<'_>| {
        let style = cascade.style(element);
        ["background", "background-color"]
            .iter()
            .any(|name| style.get(name).is_some_and(|declared| !declared.has("transparent") && !declared.has("none")))
            || element.attr("bgcolor").is_some()
    };
    is_padded && (has_background(element) || around.is_some_and(has_background) || is_thick("border"))
}

fn has_one_button(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.has_link() {
        return;
    }
    let action = action(mail).map(|(element, _)| element.id());
    let mut is_before = action.is_some();
    for (element, href) in mail.links() {
        if Some(element.id()) == action {
            is_before = false;
            continue;
        }
        if is_button(mail, element) {
            found.push(mail.violation(element, "there is another button"));
        } else if is_before && Some(href) != mail.link() {
            found.push(mail.violation(element, "there is another link before the button"));
        }
    }
}

fn shows_the_address(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if mail.link().is_some_and(|link| !mail.visible().contains(link)) {
        found.push(Violation::part(Part::Html, "the address of the link is nowhere to be read: {{ link }} as text"));
    }
}

fn leads_where_it_says(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if let (Some(link), Some((element, href))) = (mail.link(), action(mail))
        && href != link
    {
        found.push(mail.violation(element, "the call to action does not lead to {{ link }}"));
    }
    for (element, href) in mail.links() {
        let said = mail.text_of(element);
        let is_address = !said.contains(' ') && (said.contains("://") || said.starts_with("www."));
        if is_address && bare(&said) != bare(href) {
            found.push(mail.violation(element, "the visible address is not where the link leads"));
        }
    }
    let Some(link) = mail.link() else { return };
    let view = link.split('?').next().unwrap_or(link);
    let link = link.trim_end_matches(clings);
    for (at, address) in in_text(&mail.marked.text) {
        // C007 reports what clings to it.
        let ascii = address.split(|c: char| !c.is_ascii()).next().unwrap_or(address);
        let said = ascii.trim_end_matches(clings);
        // Without a question mark longer addresses may be other pages.
        let is_meant = if view.len() < link.len() { said.starts_with(view) } else { is_longer_word(said, link) };
        if is_meant && said != link {
            let place = place_in(&mail.marked.text, at);
            found.push(Violation::rendered(Part::Text, place.0, place.1, "this address differs from {{ link }}"));
        }
    }
}

/// Whether an address continues within the last word of another.
fn is_longer_word(address: &str, link: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '%' | '=');
    link.ends_with(is_word) && address.strip_prefix(link).is_some_and(|more| more.starts_with(is_word))
}

/// What is taken for a part of an address that it stands right behind.
fn clings(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']' | '"' | '\'') || !c.is_ascii()
}

/// An address without what people leave out.
fn bare(address: &str) -> &str {
    let address = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or(address);
    address.strip_prefix("www.").unwrap_or(address).trim_end_matches('/')
}

fn says_what_it_does(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for (element, _) in mail.links() {
        let said = folded(&mail.text_of(element)).to_lowercase();
        let bare = said.trim_matches(|c: char| !c.is_alphanumeric());
        let phrases = vague(mail.locale);
        let clicks: Vec<&str> = phrases.iter().copied().filter(|phrase| phrase.contains(' ')).collect();
        let is_vague = phrases.contains(&bare) || phrase_in(&said, &clicks).is_some_and(|_| bare.chars().count() < 24);
        if is_vague {
            let message = format!("\u{201c}{}\u{201d} does not say where the link leads", plain(&said));
            found.push(mail.violation(element, message));
        }
    }
}

fn are_sound(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let report = |violation: Violation, address: &str, found: &mut Vec<Violation>| {
        let Some((wrong, severity)) = wrong_address(mail, address) else { return };
        let setting = setting_of(mail, address);
        let violation = match setting {
            Some(setting) => Violation::new(At::Settings, format!("{setting}: the address {wrong}")),
            None => Violation { message: format!("the address {wrong}"), ..violation },
        };
        found.push(violation.as_bad_as(severity));
    };
    for (element, href) in mail.links() {
        report(mail.violation(element, ""), href, found);
    }
    for (at, address) in in_text(&mail.marked.text) {
        let (line, column) = place_in(&mail.marked.text, at);
        report(Violation::rendered(Part::Text, line, column, ""), address, found);
    }
}

/// The setting that an address comes from, where no fixture says it.
fn setting_of(mail: &RenderedMail<'_>, address: &str) -> Option<&'static str> {
    let is = |variable: &str| mail.value(variable) == Some(address) && !mail.fixture.values.contains_key(variable);
    if mail.template == verification::TEMPLATE && is("link") {
        return Some("public_url");
    }
    is("site_url").then_some("site.url")
}

fn are_copied_whole(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let is_odd = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    for (element, href) in mail.links() {
        if href.len() > ADDRESS_MAX {
            let message = format!("the address has more than {ADDRESS_MAX} characters");
            found.push(mail.violation(element, message).with(href.len().to_string()));
        }
        if href.contains(is_odd) || !href.is_ascii() && Url::parse(href).is_ok_and(|url| url.host().is_some()) {
            found.push(mail.violation(element, "the address has characters that must be written as %XX"));
        }
    }
    let text = &mail.marked.text;
    for (at, address) in in_text(text) {
        let (line, column) = place_in(text, at);
        let is_bracketed = text[..at].ends_with('<');
        if !is_bracketed && (address.ends_with(clings) || address.contains(|c: char| !c.is_ascii())) {
            let message = "what stands right behind the address will be taken for a part of it";
            found.push(Violation::rendered(Part::Text, line, column, message));
        }
    }
}

fn has_a_long_key(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(url) = mail.link().and_then(|link| Url::parse(link).ok()) else { return };
    let values = url.query_pairs().map(|(_, value)| value.chars().count());
    let steps = url.path_segments().into_iter().flatten().map(|step| step.chars().count());
    let longest = values.chain(steps).max().unwrap_or(0);
    if longest < KEY_MIN {
        let message = format!("the key in {{{{ link }}}} has fewer than {KEY_MIN} characters");
        found.push(Violation::part(Part::Html, message).with(longest.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::rule::Severity;
    use crate::preview::check::testing::{Bench, HTML, TEXT, try_each};

    const BUTTON: &str = "<a data-mail=\"cta\" href=\"{{ link }}\"";
    const PASTE: &str = "<a href=\"{{ link }}\" style=\"color: #1d5fc4; word-break: break-all;\">{{ link }}</a>";

    fn extra(link: &str) -> String {
        format!("{link}<p>Or paste")
    }

    #[test]
    fn there_is_a_link() {
        try_each(
            "C001",
            &[
                (HTML, "href=\"{{ link }}\"", "href=\"https://example.org/\"", true),
                (HTML, BUTTON, "<a href=\"{{ link }}\"", false),
                (HTML, BUTTON, "<b data-mail=\"cta\"", true),
                (HTML, PASTE, "{{ link }}", false),
            ],
        );
    }

    #[test]
    fn there_is_one_button() {
        let second = "<a href=\"https://example.org/\" style=\"padding: 12px; background: #1d5fc4\">Shop</a>";
        let in_cell = "<table><tr><td bgcolor=\"#1d5fc4\"><a href=\"https://example.org/\" style=\"padding: 12px\">Shop</a></table>";
        let bordered = "<a href=\"https://example.org/\" style=\"border: 12px solid #1d5fc4\">Shop</a>";
        let link = "<a href=\"https://example.org/\">Shop</a>";
        try_each(
            "C002",
            &[
                (HTML, "<p>Or paste", &extra(second), true),
                (HTML, "<p>Or paste", &extra(in_cell), true),
                (HTML, "<p>Or paste", &extra(bordered), true),
                (HTML, "<p>Or paste", &extra(link), false),
                (HTML, "<p>Hello", &format!("{link}<p>Hello"), true),
            ],
        );
    }

    #[test]
    fn the_address_is_visible() {
        try_each(
            "C003",
            &[(HTML, ">{{ link }}</a>", ">this</a>", true), (HTML, PASTE, "<span>{{ link }}</span>", false)],
        );
    }

    #[test]
    fn links_lead_where_they_say() {
        try_each(
            "C004",
            &[
                (HTML, BUTTON, "<a data-mail=\"cta\" href=\"https://example.org/\"", true),
                (HTML, "<p>Or paste", &extra("<a href=\"https://example.org/a\">https://example.org/b</a>"), true),
                (HTML, "<p>Or paste", &extra("<a href=\"https://www.example.org/\">www.example.org</a>"), false),
                (TEXT, "If it was", "https://example.org/verify/?key=other\n\nIf it was", true),
                (TEXT, "If it was", "https://example.org/help/\n\nIf it was", false),
                (TEXT, "{{ link }}", "{{ link }}x", true),
                (TEXT, "{{ link }}", "{{ link }}&from=mail", true),
                (TEXT, "{{ link }}", "{{ link }}.", false),
            ],
        );
    }

    #[test]
    fn link_texts_say_what_they_do() {
        try_each(
            "C005",
            &[
                (HTML, "Confirm my address</a>", "Click here!</a>", true),
                (HTML, "Confirm my address</a>", "Click here now</a>", true),
                (HTML, "Confirm my address</a>", "Here I am</a>", false),
                ("ko/verification/body.html", "이메일 주소 확인하기</a>", "여기</a>", true),
            ],
        );
    }

    #[test]
    fn addresses_are_sound() {
        let rows = [
            ("http://example.org/x", true),
            ("/x", true),
            ("", true),
            ("javascript:alert(1)", true),
            ("https://192.0.2.1/", true),
            ("https://bit.ly/x", true),
            ("http://127.0.0.1:8080/", false),
            ("http://localhost/", false),
            ("mailto:help@example.org", false),
            ("https://help.example.org/x", false),
        ];
        for (address, wanted) in rows {
            let to = extra(&format!("<a href=\"{address}\">Our help pages</a>"));
            let found = Bench::new().english().replace(HTML, "<p>Or paste", &to).breaks("C006");
            assert_eq!(found.len(), usize::from(wanted), "{address}: {found:#?}");
            assert!(found.iter().all(|finding| finding.severity == Severity::Error), "{address}");
        }
        let to = extra("<a href=\"https://elsewhere.example/\">Our help pages</a>");
        let found = Bench::new().english().replace(HTML, "<p>Or paste", &to).breaks("C006");
        assert_eq!(found[0].severity, Severity::Warning);
        try_each("C006", &[(TEXT, "If it was", "http://example.org/help\n\nIf it was", true)]);
    }

    #[test]
    fn a_loopback_public_url_is_fine_and_another_is_the_settings_mistake() {
        let found = |url: &str| {
            let mut bench = Bench::new();
            bench.settings.public_url = Some(url.to_owned());
            bench.settings.site.url = Some(url.to_owned());
            bench.check().findings
        };
        assert_eq!(found("http://127.0.0.1:8080"), []);
        let found = found("http://shop.example.org");
        let settings: Vec<_> = found.iter().map(|f| (f.rule.id, f.subject())).collect();
        assert_eq!(settings, [("C006", "settings".to_owned()), ("C006", "settings".to_owned())], "{found:#?}");
        assert!(found[0].message.starts_with("public_url") && found[1].message.starts_with("site.url"));
    }

    #[test]
    fn addresses_are_copied_whole() {
        let long = extra(&format!("<a href=\"https://example.org/{}\">help</a>", "x".repeat(200)));
        try_each(
            "C007",
            &[
                (HTML, "<p>Or paste", &long, true),
                (HTML, "<p>Or paste", &extra("<a href=\"https://example.org/a b\">help</a>"), true),
                (TEXT, "{{ link }}", "{{ link }}.", true),
                (TEXT, "{{ link }}", "<{{ link }}>", false),
                (TEXT, "{{ link }}", "{{ link }} .", false),
                ("ko/verification/body.txt", "{{ link }}", "{{ link }}에서", true),
            ],
        );
    }

    #[test]
    fn keys_are_long() {
        let short = "[values]\nlink = \"https://example.org/verify/?key=0123456789\"\n";
        let long = short.replace("0123456789", &"0123456789".repeat(4));
        let with = |fixture: &str| Bench::new().with("fixtures/verification/own.toml", fixture).breaks("C008").len();
        assert_eq!((with(short), with(&long)), (2, 0));
    }
}
