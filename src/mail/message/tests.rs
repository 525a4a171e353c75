//! Reads every mail back with a parser that did not write it.

use mail_parser::{Address as Parsed, MessageParser, MimeHeaders as _};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::locale::Locale;
use crate::mail::templates::Templates;
use crate::mail::verification::{TEMPLATE, VerificationMail};

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.mail.from = Some("Kim, Lee & \"Co\" 서점 <no-reply@mail.example.org>".to_owned());
    settings.mail.reply_to = Some("Help, please <help@example.org>".to_owned());
    settings.mail.configuration_set = Some("verify-events_1".to_owned());
    settings.site.name = "Example".to_owned();
    settings.site.url = Some("https://example.org/".to_owned());
    settings
}

fn send() -> SendId {
    SendId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_002a))
}

fn at() -> Time {
    "2026-11-22T05:30:00Z".parse().unwrap()
}

fn compose_with(settings: &Settings, locale: Locale, name: &str) -> Composed {
    let mut mail = VerificationMail::sample(locale, settings, at());
    mail.name = name.into();
    let templates = Templates::load(None).unwrap();
    let rendered = templates.render(TEMPLATE, locale, &mail.context(&settings.site)).unwrap();
    Composer::from_settings(settings).unwrap().compose(send(), 1, &mail.recipient, name, &rendered, at()).unwrap()
}

/// Headers that are there exactly once, and no other.
const HEADERS: [&str; 10] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-SES-CONFIGURATION-SET",
    "X-SES-MESSAGE-TAGS",
    "MIME-Version",
];

/// What holds for the bytes of any mail.
fn check_bytes(bytes: &[u8]) {
    assert!(bytes.is_ascii());
    let text = str::from_utf8(bytes).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a line ends in something else than CRLF");
    assert!(!text.contains('\0'));
    assert!(text.split("\r\n").all(|line| line.len() <= 200), "a long line");
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    crate::mail::header::tests::check_lines(head);
    let mut names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').unwrap().0)
        .filter(|name| *name != "Content-Type")
        .collect();
    names.sort_unstable();
    let mut expected = HEADERS.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

fn only(address: Option<&Parsed<'_>>) -> (Option<String>, String) {
    let list = address.unwrap().as_list().unwrap();
    assert_eq!(list.len(), 1);
    (list[0].name.as_deref().map(ToOwned::to_owned), list[0].address.as_deref().unwrap().to_owned())
}

#[test]
fn a_parser_reads_back_what_was_meant() {
    let settings = settings();
    for (locale, name) in [(Locale::Ko, "김하늘"), (Locale::En, "Kim, \"Jr\" <x>")] {
        let composed = compose_with(&settings, locale, name);
        check_bytes(&composed.bytes);
        assert_eq!(composed.from.as_str(), "no-reply@mail.example.org");
        assert_eq!(composed.to.as_str(), "robin@example.com");
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let from = (Some("Kim, Lee & \"Co\" 서점".to_owned()), "no-reply@mail.example.org".to_owned());
        assert_eq!(only(message.from()), from);
        assert_eq!(only(message.to()), (Some(name.to_owned()), "robin@example.com".to_owned()));
        assert_eq!(only(message.reply_to()), (Some("Help, please".to_owned()), "help@example.org".to_owned()));
        assert!(message.subject().unwrap().contains("Example"));
        assert_eq!(message.date().unwrap().to_timestamp(), at().timestamp());
        assert_eq!(message.message_id(), Some("01990000-0000-7000-8000-00000000002a@mail.example.org"));
        assert_eq!(message.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
        assert_eq!(message.header_raw("X-SES-CONFIGURATION-SET").unwrap().trim(), "verify-events_1");
        assert_eq!(
            message.header_raw("X-SES-MESSAGE-TAGS").unwrap().trim(),
            "send=01990000-0000-7000-8000-00000000002a, attempt=1"
        );
        assert_eq!(message.content_type().unwrap().subtype(), Some("alternative"));
        let kinds: Vec<_> = message.parts[1..].iter().map(|part| part.content_type().unwrap()).collect();
        assert_eq!(kinds.iter().map(|kind| kind.subtype().unwrap()).collect::<Vec<_>>(), ["plain", "html"]);
        assert!(kinds.iter().all(|kind| kind.attribute("charset") == Some("utf-8")));
        let link = VerificationMail::sample(locale, &settings, at()).link.expose();
        assert!(message.body_text(0).unwrap().lines().any(|line| line == link));
        assert!(message.body_html(0).unwrap().contains(&link));
    }
}

#[test]
fn hostile_names_change_no_header_and_no_part() {
    let settings = settings();
    let long = "evil ".repeat(2_000);
    let names = [
        "Kim\r\nBcc: x@evil.example",
        "Kim\nX-SES-MESSAGE-TAGS: send=other",
        "Kim\r\n\r\n<h1>hi</h1>",
        "Buy now at https://evil.example/x",
        "evil.example",
        "win@evil.example",
        "ｅｖｉｌ．ｃｏｍ",
        "\u{1b}]0;evil\u{7}",
        "Kim \u{202e}evil",
        "evil\0",
        &long,
    ];
    for name in names {
        for locale in Locale::ALL {
            let composed = compose_with(&settings, locale, name);
            check_bytes(&composed.bytes);
            let message = MessageParser::default().parse(&composed.bytes).unwrap();
            assert_eq!(only(message.to()), (None, "robin@example.com".to_owned()), "{name:?}");
            let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
            for part in [text, html] {
                assert!(!part.contains("evil") && !part.contains("ｅｖｉｌ"), "{name:?}");
            }
        }
    }
}

#[test]
fn odd_but_honest_names_are_mailed_as_they_are() {
    let settings = settings();
    for name in ["{{ link }}", "{% raw %}", "<b>Kim</b>", "O'Brien & \\ Sons", "=?utf-8?b?ZXZpbA==?=", "a;b:c"] {
        let composed = compose_with(&settings, Locale::En, name);
        check_bytes(&composed.bytes);
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        assert_eq!(only(message.to()).0.as_deref(), Some(name));
        assert!(message.body_text(0).unwrap().starts_with(&format!("Hello {name},")));
        assert!(!message.body_html(0).unwrap().contains("<b>Kim"));
    }
}

#[test]
fn nothing_but_the_sender_is_needed() {
    let mut settings = Settings::default();
    assert!(Composer::from_settings(&settings).unwrap_err().what.contains("no sender"));
    settings.mail.from = Some("no-reply@example.org".to_owned());
    let composed = compose_with(&settings, Locale::En, "");
    let text = str::from_utf8(&composed.bytes).unwrap();
    assert!(text.contains("\r\nTo: robin@example.com\r\n") && text.contains("From: no-reply@example.org\r\n"));
    assert!(!text.contains("Reply-To") && !text.contains("CONFIGURATION-SET"));
}

#[test]
fn wrong_settings_are_named() {
    let long = "x".repeat(65);
    for set in ["a b", "a\r\nX: y", "", "é", &long] {
        let mut settings = settings();
        settings.mail.configuration_set = Some(set.to_owned());
        let error = Composer::from_settings(&settings).unwrap_err();
        assert!(error.what.contains("`mail.configuration_set`") && !error.what.contains('\n'), "{}", error.what);
    }
    let mut settings = settings();
    settings.mail.reply_to = Some("help".to_owned());
    assert!(Composer::from_settings(&settings).unwrap_err().what.contains("`mail.reply_to`"));
}

#[test]
fn debug_keeps_the_link() {
    let composed = compose_with(&settings(), Locale::En, "Kim");
    let shown = format!("{composed:?}");
    assert!(shown.starts_with("Composed(no-reply@mail.example.org to robin@example.com, ") && !shown.contains("key="));
}

#[test]
fn one_mail_a_locale() {
    for locale in Locale::ALL {
        let name = if locale == Locale::Ko { "김하늘" } else { "Robin Park" };
        let composed = compose_with(&settings(), locale, name);
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        let text = str::from_utf8(&composed.bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let shown = format!(
            "{head}\n\nsubject: {}\n\n--- text\n{}\n--- html\n{}",
            message.subject().unwrap(),
            message.body_text(0).unwrap(),
            message.body_html(0).unwrap(),
        );
        insta::assert_snapshot!(format!("mail_{locale}"), shown.replace("\r\n", "\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_the_frame(subject in "\\PC{1,300}", text in any::<String>(), html in any::<String>(), name in any::<String>()) {
        let composer = Composer::from_settings(&settings()).unwrap();
        let to = EmailAddress::parse("robin@example.com").unwrap();
        let rendered = Rendered { subject: subject.clone(), text: format!("{text}."), html };
        let composed = composer.compose(send(), 1, &to, &name, &rendered, at()).unwrap();
        check_bytes(&composed.bytes);
        let message = MessageParser::default().parse(&composed.bytes).unwrap();
        prop_assert_eq!(message.parts.len(), 3);
    }
}
