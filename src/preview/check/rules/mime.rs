//! M: the mail as bytes, read back as a mail program reads it.

use mail_parser::{Message, MimeHeaders as _, PartType};

use super::addresses::in_text;
use super::content::EXPIRY;
use super::words::folded;
use crate::mail::templates::Part;
use crate::mail::templates::fixture::Kind;
use crate::preview::check::finding::Violation;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::{plain, width};

/// Longest line of a mail, in octets without its end (RFC 5322, 2.1.1).
const LINE_MAX: usize = 998;

/// Columns of a line of text that old mail programs show.
const COLUMNS: usize = 78;

pub(super) static CHECKS: [Check; 10] = [
    Check::mail(
        Rule {
            id: "M001",
            severity: Severity::Error,
            title: "There is a text part, and it comes before the HTML",
            why: "Watches, screen readers and people who chose so show the text; mail programs show the last part that \
                  they can. Filters count HTML alone as a mark of spam.",
            source: "RFC 2046, 5.1.4; SpamAssassin: MIME_HTML_ONLY",
        },
        has_text_before_html,
    ),
    Check::mail(
        Rule {
            id: "M002",
            severity: Severity::Error,
            title: "The text says the link and the expiry that the HTML says",
            why: "People who read the text have to do the same.",
            source: "verifydesk: both parts are compared, value by value",
        },
        says_in_both,
    ),
    Check::mail(
        Rule {
            id: "M003",
            severity: Severity::Warning,
            title: "Lines of the text are at most 78 columns wide",
            why: "Wider ones are broken anywhere, or have to be scrolled. Addresses are left whole.",
            source: "RFC 5322, 2.1.1",
        },
        has_short_lines,
    ),
    Check::mail(
        Rule {
            id: "M004",
            severity: Severity::Error,
            title: "Every part is UTF-8, and says so",
            why: "A <meta> that says something else turns Korean into noise in programs that believe it.",
            source: "RFC 2046, 4.1.2; HTML: character encoding declarations",
        },
        is_utf8,
    ),
    Check::mail(
        Rule {
            id: "M005",
            severity: Severity::Error,
            title: "The bytes are 7-bit, lines end in CRLF and are short",
            why: "Servers on the way refuse or rewrite anything else, each in its own way.",
            source: "RFC 2045, 2.7; RFC 5321, 4.5.3.1.6",
        },
        is_7bit,
    ),
    Check::mail(
        Rule {
            id: "M006",
            severity: Severity::Error,
            title: "From, To, Subject, Date, Message-ID and MIME-Version are there once",
            why: "SES and other servers refuse a mail in which one is there twice; a Message-ID of another domain is a \
                  mark of spam.",
            source: "RFC 5322, 3.6; SES rewrites Date and Message-ID",
        },
        has_its_headers,
    ),
    Check::mail(
        Rule {
            id: "M007",
            severity: Severity::Warning,
            title: "Auto-Submitted says that a program wrote the mail",
            why: "It keeps absence notes and other programs from answering.",
            source: "RFC 3834, 5",
        },
        says_auto_submitted,
    ),
    Check::mail(
        Rule {
            id: "M008",
            severity: Severity::Info,
            title: "There is no List-Unsubscribe",
            why: "It is for what people subscribed to; on this mail it offers a button that can do nothing.",
            source: "RFC 8058; Google's sender guidelines",
        },
        has_no_unsubscribe,
    ),
    Check::mail(
        Rule {
            id: "M009",
            severity: Severity::Warning,
            title: "There are no attachments, and no cid: without one",
            why: "A cid: image without its part is a broken box; attachments on a verification mail look like \
                  fraud.",
            source: "RFC 2392",
        },
        has_no_attachments,
    ),
    Check::mail(
        Rule {
            id: "M010",
            severity: Severity::Info,
            title: "The HTML's lang is the language of the mail",
            why: "Screen readers pronounce, and programs offer to translate, by it.",
            source: "WCAG 3.1.1; RFC 3282",
        },
        says_its_language,
    ),
];

/// Does something with the mail as it is read back, where it could be put together.
fn read<'c>(mail: &'c RenderedMail<'_>) -> Option<Message<'c>> {
    if mail.bytes.is_empty() { None } else { mail.message() }
}

fn has_text_before_html(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if mail.marked.text.trim().is_empty() {
        let message = "the text part is empty; `verifydesk templates suggest-text` makes a first one from the HTML";
        found.push(Violation::part(Part::Text, message));
    }
    if mail.marked.html.trim().is_empty() {
        found.push(Violation::part(Part::Html, "the HTML part is empty"));
    }
    let Some(message) = read(mail) else { return };
    let place = |is: fn(&PartType<'_>) -> bool| message.parts.iter().position(|part| is(&part.body));
    let text = place(|body| matches!(body, PartType::Text(_)));
    let html = place(|body| matches!(body, PartType::Html(_)));
    match (text, html) {
        (None, _) => found.push(Violation::mail("there is no text/plain part")),
        (Some(text), Some(html)) if html < text => found.push(Violation::mail("the HTML comes before the text")),
        _ => {}
    }
}

fn says_in_both(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let text = folded(&mail.marked.text);
    let lacks = |value: &str| {
        let value = folded(value);
        mail.visible().contains(&value) && !text.contains(&value)
    };
    let mut links = mail.links().map(|(_, href)| href);
    if mail.link().is_some_and(|link| !text.contains(link) && (links.any(|href| href == link) || lacks(link))) {
        found.push(Violation::part(Part::Text, "the text lacks {{ link }}, which the HTML has"));
    }
    let urls = mail.schema().into_iter().flat_map(|schema| &schema.variables);
    for (name, _) in
        urls.filter(|(name, declared)| declared.kind == Kind::Url && *name != "link" && *name != "site_url")
    {
        if mail.value(name).is_some_and(&lacks) {
            found.push(Violation::part(
                Part::Text,
                format!("the text lacks {{{{ {} }}}}, which the HTML shows", plain(name)),
            ));
        }
    }
    let said =
        |text: &str| EXPIRY.iter().filter_map(|name| mail.value(name)).any(|value| text.contains(&folded(value)));
    if mail.has_link() && said(mail.visible()) && !said(&text) {
        let message = "the text lacks {{ expires }} or {{ lifetime }}, which the HTML says";
        found.push(Violation::part(Part::Text, message));
    }
}

fn has_short_lines(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.is_usual() {
        return;
    }
    for (number, line) in (1..).zip(mail.marked.text.lines()) {
        let columns = width(line);
        if columns > COLUMNS && in_text(line).next().is_none() {
            let message = format!("the line is wider than {COLUMNS} columns");
            found.push(Violation::rendered(Part::Text, number, 1, message).with(columns.to_string()));
        }
    }
}

fn is_utf8(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for meta in mail.dom().named(&["meta"]) {
        let declared = meta.attr("charset").map(str::to_lowercase).or_else(|| {
            let content = meta.attr("content")?.to_lowercase();
            Some(content.split("charset=").nth(1)?.trim().trim_matches(['"', '\'']).to_owned())
        });
        if declared.is_some_and(|declared| declared != "utf-8") {
            found.push(mail.violation(meta, "the <meta> says another character set than UTF-8"));
        }
    }
    let Some(message) = read(mail) else { return };
    for part in message.parts.iter().filter(|part| matches!(part.body, PartType::Text(_) | PartType::Html(_))) {
        let charset = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or("us-ascii");
        if !charset.eq_ignore_ascii_case("utf-8") {
            found.push(Violation::mail(format!("a part says that it is {}", plain(charset))));
        }
        if part.is_encoding_problem {
            found.push(Violation::mail("a part cannot be decoded"));
        }
    }
}

fn is_7bit(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let bytes = &mail.bytes;
    let mut say = |is: bool, what: &str| {
        if is {
            found.push(Violation::mail(what));
        }
    };
    say(bytes.iter().any(|byte| *byte >= 0x80), "there are bytes beyond 7 bits without an encoding");
    say(bytes.contains(&0), "there is a NUL");
    let is_bare = |(at, byte): (usize, &u8)| match byte {
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    say(bytes.iter().enumerate().any(is_bare), "there is a line that does not end in CRLF");
    let is_long = bytes.split(|byte| *byte == b'\n').any(|line| line.len() > LINE_MAX + 1);
    say(is_long, "there is a line of more than 998 octets");
}

fn has_its_headers(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(message) = read(mail) else {
        found.push(Violation::mail("the mail cannot be put together"));
        return;
    };
    for name in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version"] {
        match message.headers_raw().filter(|(header, _)| header.eq_ignore_ascii_case(name)).count() {
            0 => found.push(Violation::mail(format!("{name} is missing"))),
            1 => {}
            _ => found.push(Violation::mail(format!("{name} is there more than once"))),
        }
    }
    let from = message.from().and_then(|from| from.first()).and_then(|from| from.address());
    let domain = |address: &str| address.rsplit('@').next().unwrap_or_default().to_lowercase();
    if let (Some(id), Some(from)) = (message.message_id(), from)
        && domain(id) != domain(from)
    {
        found.push(Violation::mail("the Message-ID is of another domain than the sender"));
    }
}

fn header<'m>(message: &'m Message<'_>, name: &str) -> Option<&'m str> {
    message.headers_raw().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn says_auto_submitted(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(message) = read(mail) else { return };
    if header(&message, "Auto-Submitted").is_none_or(|value| value.eq_ignore_ascii_case("no")) {
        found.push(Violation::mail("there is no Auto-Submitted: auto-generated"));
    }
}

fn has_no_unsubscribe(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(message) = read(mail).filter(|_| mail.has_link()) else { return };
    if header(&message, "List-Unsubscribe").is_some() {
        found.push(Violation::mail("there is a List-Unsubscribe on a mail that no one subscribed to"));
    }
}

fn has_no_attachments(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let message = read(mail);
    let has_part =
        |id: &str| message.iter().flat_map(|message| &message.parts).any(|part| part.content_id() == Some(id));
    for attribute in ["src", "background"] {
        for (element, value) in mail.dom().with(attribute) {
            if value.strip_prefix("cid:").is_some_and(|id| !has_part(id)) {
                found.push(mail.violation(element, format!("no part is {}", plain(value))));
            }
        }
    }
    if message.as_ref().is_some_and(|message| message.attachment_count() > 0) {
        found.push(Violation::mail("there is an attachment"));
    }
}

fn says_its_language(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(html) = mail.dom().named(&["html"]).next() else { return };
    let Some(lang) = html.attr("lang") else { return };
    let primary = lang.split(['-', '_']).next().unwrap_or_default();
    if !primary.eq_ignore_ascii_case(mail.locale.as_str()) {
        found.push(mail.violation(html, format!("lang is {}, the mail is in {}", plain(lang), mail.locale)));
    }
    let said = read(mail).and_then(|message| header(&message, "Content-Language").map(ToOwned::to_owned));
    if said.is_some_and(|said| !said.to_lowercase().starts_with(mail.locale.as_str())) {
        found.push(Violation::mail("Content-Language is another language"));
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::mails::RenderedMail;
    use crate::preview::check::testing::{HTML, TEXT, try_each, violations};

    /// Whether the rule is broken once something in the bytes is replaced.
    fn is_broken(rule: &str, from: &str, to: &str) -> bool {
        let change = |mail: &mut RenderedMail<'_>| {
            let bytes = String::from_utf8(mail.bytes.clone()).unwrap();
            assert!(bytes.contains(from), "{bytes}");
            mail.bytes = bytes.replacen(from, to, 1).into_bytes();
        };
        !violations(rule, change).is_empty()
    }

    #[test]
    fn text_before_html() {
        let table = [
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8", false),
            ("text/plain; charset=utf-8", "text/html; charset=utf-8", true),
            ("text/plain; charset=utf-8", "image/png", true),
        ];
        for (from, to, wanted) in table {
            assert_eq!(is_broken("M001", from, to), wanted, "{to}");
        }
        let swap = |mail: &mut RenderedMail<'_>| {
            let bytes = String::from_utf8(mail.bytes.clone()).unwrap();
            let swapped = bytes.replacen("text/plain", "text/x", 1).replacen("text/html", "text/plain", 1);
            mail.bytes = swapped.replacen("text/x", "text/html", 1).into_bytes();
        };
        assert_eq!(violations("M001", swap)[0].message, "the HTML comes before the text");
        let all = "{{ site_name }} {{ site_url }}\n";
        try_each("M001", &[(TEXT, all, "", false)]);
        assert_eq!(violations("M001", |mail| mail.marked.text.clear()).len(), 1);
        assert_eq!(violations("M001", |mail| mail.marked.html.clear()).len(), 1);
    }

    #[test]
    fn both_parts_say_it() {
        try_each(
            "M002",
            &[
                (TEXT, "{{ link }}", "", true),
                (TEXT, "{{ lifetime }}, until {{ expires }}", "a while", true),
                (TEXT, ", until {{ expires }}", "", false),
                (TEXT, "Hello {{ name }}", "Hello", false),
            ],
        );
    }

    #[test]
    fn lines_are_short() {
        let long = "words ".repeat(14);
        try_each(
            "M003",
            &[
                (TEXT, "Hello", &long, true),
                (TEXT, "{{ link }}", "{{ link }}&amp;and=so-on-and-so-on-and-so-on", false),
                ("ko/verification/body.txt", "안녕하세요", &"안녕하세요 ".repeat(8), true),
            ],
        );
    }

    #[test]
    fn utf8_everywhere() {
        try_each(
            "M004",
            &[
                (HTML, "charset=\"utf-8\"", "charset=\"euc-kr\"", true),
                (HTML, "charset=\"utf-8\"", "http-equiv=\"Content-Type\" content=\"text/html; charset=euc-kr\"", true),
                (HTML, "charset=\"utf-8\"", "http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\"", false),
            ],
        );
        assert!(is_broken("M004", "text/plain; charset=utf-8", "text/plain; charset=euc-kr"));
        assert!(is_broken("M004", "text/plain; charset=utf-8", "text/plain"));
    }

    #[test]
    fn seven_bits() {
        assert_eq!(violations("M005", |_| ()), []);
        let long = format!("\r\nX-Long: {}\r\nSubject:", "x".repeat(1000));
        for (from, to) in [
            ("Hello", "안녕"),
            ("Hello", "Hel\0lo"),
            ("Hello", "Hel\nlo"),
            ("Hello", "Hel\rlo"),
            ("\r\nSubject:", &long),
        ] {
            assert!(is_broken("M005", from, to), "{to:?}");
        }
    }

    #[test]
    fn headers_once() {
        assert_eq!(violations("M006", |_| ()), []);
        assert!(is_broken("M006", "Subject: ", "From: a@example.org\r\nSubject: "));
        assert!(is_broken("M006", "Date: ", "X-Date: "));
        assert!(is_broken("M006", "@example.org>\r\nAuto", "@localhost>\r\nAuto"));
        assert_eq!(violations("M006", |mail| mail.bytes.clear())[0].message, "the mail cannot be put together");
    }

    #[test]
    fn other_headers() {
        for (rule, from, to) in [
            ("M007", "Auto-Submitted: auto-generated", "Auto-Submitted: no"),
            ("M007", "Auto-Submitted:", "X-Auto-Submitted:"),
            ("M008", "Subject:", "List-Unsubscribe: <https://example.org/u>\r\nSubject:"),
            ("M010", "Subject:", "Content-Language: ko\r\nSubject:"),
        ] {
            assert_eq!(violations(rule, |_| ()), [], "{rule}");
            assert!(is_broken(rule, from, to), "{rule}");
        }
        try_each("M010", &[(HTML, "lang=\"en\"", "lang=\"ko\"", true), (HTML, "lang=\"en\"", "lang=\"en-GB\"", false)]);
    }

    #[test]
    fn no_attachments() {
        try_each(
            "M009",
            &[
                (HTML, "<h1", "<img src=\"cid:logo\" alt=\"Logo\"><h1", true),
                (HTML, "<h1", "<h1 title=\"cid:x\"", false),
            ],
        );
        assert!(is_broken("M009", "text/plain; charset=utf-8", "application/pdf"));
    }
}
