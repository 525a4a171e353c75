//! X: what a verification mail must say, and what it must not. The rules but X003 and X004 are about mails with a link.

use super::words::{folded, marketing, not_you, phrase_in, sentences, spans, without_values};
use crate::mail::sender::Sender;
use crate::mail::templates::Part;
use crate::preview::check::finding::{At, Violation, place_in};
use crate::preview::check::mails::{RenderedMail, TemplateMails};
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::plain;

/// The variables that say for how long a link works.
pub(super) const EXPIRY: [&str; 2] = ["expires", "lifetime"];

pub(super) static CHECKS: [Check; 6] = [
    Check::mail(
        Rule {
            id: "X001",
            severity: Severity::Error,
            title: "The mail says until when the link works, by its variables",
            why: "A user who opens the mail a week later must know why the link fails. A written number goes wrong when \
                  the setting is changed.",
            source: "Postmark's guide; data-mail=\"expiry\" marks it",
        },
        says_the_expiry,
    ),
    Check::mail(
        Rule {
            id: "X002",
            severity: Severity::Error,
            title: "The mail says what to do if it was not you",
            why: "Someone else may have typed the address. A recipient who does not read that nothing happens by itself \
                  is alarmed, or reports spam.",
            source: "Postmark's guide; data-mail=\"not-you\" marks it",
        },
        says_not_you,
    ),
    Check::mail(
        Rule {
            id: "X003",
            severity: Severity::Warning,
            title: "The mail names the site",
            why: "A mail that does not say who it is from looks like fraud.",
            source: "Postmark's guide",
        },
        names_the_site,
    ),
    Check::template(
        Rule {
            id: "X006",
            severity: Severity::Warning,
            title: "There is someone to ask",
            why: "Where answers go nowhere, and no link leads to the site, people who are stuck report spam.",
            source: "Postmark's guide",
        },
        has_a_contact,
    ),
    Check::template(
        Rule {
            id: "X004",
            severity: Severity::Warning,
            title: "No password or other secret is mailed but the link",
            why: "Mailboxes are read by others, and for years.",
            source: "Postmark's guide; OWASP: forgot password",
        },
        keeps_secrets,
    ),
    Check::mail(
        Rule {
            id: "X005",
            severity: Severity::Warning,
            title: "There is no advertising and nothing to unsubscribe from",
            why: "No one subscribes to a verification mail. What looks like a newsletter is sorted with newsletters.",
            source: "Google's sender guidelines: one-time codes and password resets are no subscriptions",
        },
        is_no_advertising,
    ),
];

fn says_the_expiry(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let values: Vec<String> = EXPIRY.iter().filter_map(|name| mail.value(name)).map(folded).collect();
    if !mail.has_link() || values.is_empty() {
        return;
    }
    let says = |text: &str| values.iter().any(|value| text.contains(value));
    if let Some(wrong) = mail.marked_as("expiry").find(|marked| !says(&mail.text_of(*marked))) {
        found.push(mail.violation(wrong, "the expiry is not said by {{ expires }} or {{ lifetime }}"));
    } else if !says(mail.visible()) {
        found.push(Violation::part(
            Part::Html,
            "the HTML does not say until when the link works: {{ expires }} or {{ lifetime }}",
        ));
    }
    for part in [Part::Text, Part::Html] {
        let text = if part == Part::Html { mail.visible() } else { mail.marked.part(part) };
        for span in spans(&without_values(mail, &near_the_expiry(mail, text, &values)), mail.locale) {
            let message = format!("\u{201c}{}\u{201d} is written out, and does not follow the settings", plain(span));
            found.push(place_of(mail, part, span, message).as_bad_as(Severity::Warning));
        }
    }
}

/// The sentences that say until when the link works, and those beside them; all where none says it. Other times are not
/// the link's: when someone answers the telephone, in the footer.
fn near_the_expiry(mail: &RenderedMail<'_>, text: &str, values: &[String]) -> String {
    let marked: Vec<String> = mail.marked_as("expiry").map(|element| mail.text_of(element)).collect();
    let sentences: Vec<String> = sentences(text).into_iter().map(folded).collect();
    let says: Vec<bool> = sentences
        .iter()
        .map(|said| {
            values.iter().any(|value| said.contains(value))
                || marked.iter().any(|marked| marked.contains(said.as_str()))
        })
        .collect();
    if !says.contains(&true) {
        return text.to_owned();
    }
    let is_near = |at: usize| says[at.saturating_sub(1)..(at + 2).min(says.len())].contains(&true);
    let near = (0..says.len()).filter(|at| is_near(*at)).map(|at| sentences[at].as_str());
    near.collect::<Vec<_>>().join("\n")
}

/// Something about words of a part: at the words where they stand as they are, else about the part.
fn place_of(mail: &RenderedMail<'_>, part: Part, words: &str, message: String) -> Violation {
    let text = mail.marked.part(part);
    match text.find(words).map(|at| place_in(text, at)) {
        Some((line, column)) => Violation::rendered(part, line, column, message),
        None => Violation::part(part, message),
    }
}

fn says_not_you(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.has_link() {
        return;
    }
    let marked: Vec<String> = mail.marked_as("not-you").map(|element| mail.text_of(element)).collect();
    let is_marked = marked.iter().any(|text| !text.is_empty());
    let phrases = not_you(mail.locale);
    if !is_marked && phrase_in(&without_values(mail, mail.visible()), phrases).is_none() {
        found.push(Violation::part(Part::Html, "the HTML does not say what to do if it was not you"));
    }
    let text = folded(&mail.marked.text);
    let repeated = marked.iter().any(|said| !said.is_empty() && text.contains(said));
    if !repeated && phrase_in(&without_values(mail, &text), phrases).is_none() {
        found.push(Violation::part(Part::Text, "the text does not say what to do if it was not you"));
    }
}

fn names_the_site(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let Some(site) = mail.value("site_name").map(folded) else { return };
    if !mail.visible().contains(&site) {
        found.push(Violation::part(Part::Html, "the HTML does not name the site: {{ site_name }}"));
    }
    if !folded(&mail.marked.text).contains(&site) {
        found.push(Violation::part(Part::Text, "the text does not name the site: {{ site_name }}"));
    }
}

fn has_a_contact(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    let settings = &mails.shared.settings.mail;
    let Some(Ok(from)) = settings.from.as_deref().map(Sender::parse) else { return };
    let answers = match settings.reply_to.as_deref().map(Sender::parse) {
        Some(Ok(reply_to)) => reply_to,
        _ => from,
    };
    let local = answers.address().as_str().split('@').next().unwrap_or_default().replace(['-', '_', '.'], "");
    if !matches!(local.as_str(), "noreply" | "donotreply" | "noanswer") {
        return;
    }
    let leads_home = |mail: &RenderedMail<'_>| mail.links().any(|(_, href)| Some(href) != mail.link());
    if mails.locales.iter().filter_map(|locale| mails.usual(*locale)).any(|mail| !leads_home(mail)) {
        let message = "answers go nowhere and the mail has no link to the site: set mail.reply_to or site.url";
        found.push(Violation::new(At::Settings, message));
    }
}

fn keeps_secrets(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    const SECRETS: [&str; 9] =
        ["password", "passwd", "passphrase", "secret", "pin", "ssn", "token", "credit_card", "card_number"];
    for locale in mails.locales {
        for part in Part::ALL {
            for variable in mails.shared.templates.variables(mails.template, *locale, part) {
                let name = variable.to_lowercase();
                let is_secret = |secret: &str| name == secret || name.split('_').any(|word| word == secret);
                if SECRETS.iter().any(|secret| is_secret(secret)) {
                    let message = format!("{{{{ {} }}}} looks like a secret", plain(&variable));
                    found.push(Violation::part(part, message).in_locale(*locale));
                }
            }
        }
    }
}

fn is_no_advertising(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    if !mail.has_link() {
        return;
    }
    for part in [Part::Text, Part::Html] {
        let text = if part == Part::Html { mail.visible() } else { mail.marked.part(part) };
        if let Some(phrase) = phrase_in(&without_values(mail, text), marketing(mail.locale)) {
            found.push(place_of(mail, part, phrase, format!("\u{201c}{phrase}\u{201d} belongs into advertising")));
        }
    }
    for (element, href) in mail.links() {
        if href.contains("utm_") || href.to_lowercase().contains("unsubscribe") {
            found.push(mail.violation(element, "the address counts clicks, or unsubscribes"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::preview::check::testing::{Bench, HTML, TEXT, try_each};

    #[test]
    fn the_expiry_is_said() {
        const SAID: &str = "It works for {{ lifetime }}, until {{ expires }}.";
        const MARKED: &str = "<p data-mail=\"expiry\">It works for {{ lifetime }}, until {{ expires }}.</p>";
        try_each(
            "X001",
            &[
                (HTML, MARKED, "", true),
                (HTML, MARKED, "<p data-mail=\"expiry\">It works for 24 hours.</p>", true),
                (HTML, MARKED, "<p>It works until {{ expires }}.</p>", false),
                (HTML, MARKED, "<p hidden>It works until {{ expires }}.</p>", true),
                (TEXT, SAID, "It works for {{ lifetime }}. Wait 10 minutes.", true),
                (TEXT, SAID, "It works for {{ lifetime }}.", false),
                (TEXT, "{{ site_url }}", "© 2026 Minted Inc.\n\nSupport 24 hours a day.", false),
                (
                    HTML,
                    "<p>{% if site_url %}",
                    "<p>© 2026 Minted Inc. Support 24 hours a day.</p><p>{% if site_url %}",
                    false,
                ),
                ("ko/verification/body.txt", "{{ site_url }}", "© 2026 주식회사 예시. 상담 24시간", false),
                ("ko/verification/body.txt", "{{ lifetime }} 동안", "24시간 동안", true),
            ],
        );
    }

    #[test]
    fn not_you_is_said() {
        const MARKED: &str = "<p data-mail=\"not-you\">If it was not you, ignore this mail.</p>";
        try_each(
            "X002",
            &[
                (HTML, MARKED, "", true),
                (HTML, MARKED, "<p>If it wasn't you, do nothing.</p>", false),
                (HTML, MARKED, "<p data-mail=\"not-you\">Somebody erred? Never mind.</p>", false),
                (TEXT, "If it was not you, ignore this mail.", "", true),
                ("ko/verification/body.txt", "본인이 아니라면 이 메일을 무시해 주세요.", "감사합니다.", true),
            ],
        );
        let own = "Somebody else? Throw it away.";
        let bench = Bench::new().replace(HTML, MARKED, &format!("<p data-mail=\"not-you\">{own}</p>"));
        let bench = bench.replace(TEXT, "If it was not you, ignore this mail.", own);
        assert_eq!(bench.breaks("X002"), [], "the marker says what to look for in the text");
    }

    #[test]
    fn the_site_is_named() {
        try_each(
            "X003",
            &[
                (HTML, "{{ site_name }}", "us", true),
                (TEXT, "{{ site_name }}", "us", true),
                (HTML, "address at {{ site_name }}", "address", false),
            ],
        );
    }

    #[test]
    fn there_is_someone_to_ask() {
        let bench = |reply_to: Option<&str>, site: Option<&str>| {
            let mut bench = Bench::new();
            bench.settings.mail.reply_to = reply_to.map(ToOwned::to_owned);
            bench.settings.site.url = site.map(ToOwned::to_owned);
            bench.breaks("X006").len()
        };
        assert_eq!(bench(Some("help@example.org"), None), 0);
        assert_eq!(bench(None, Some("https://example.org")), 0);
        assert_eq!(bench(None, None), 1);
        assert_eq!(bench(Some("no_reply@example.org"), None), 1);
    }

    #[test]
    fn secrets_are_kept() {
        try_each(
            "X004",
            &[
                (TEXT, "Hello", "{% if name == \"x\" %}{{ user_password }}{% endif %}", true),
                (TEXT, "Hello", "{{ lifetime }}", false),
            ],
        );
    }

    #[test]
    fn no_advertising() {
        try_each(
            "X005",
            &[
                (TEXT, "If it was", "Unsubscribe. If it was", true),
                (TEXT, "If it was", "Manage preferences. If it was", true),
                (TEXT, "If it was", "Refer a friend. If it was", true),
                (HTML, "<p>Or", "<p><a href=\"https://example.org/?utm_source=mail\">us</a> Or", true),
                ("ko/verification/body.html", "<p>또는", "<p>수신거부 또는", true),
                (TEXT, "If it was", "Subscribers! If it was", false),
            ],
        );
    }
}
