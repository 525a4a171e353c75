//! Reads headers back with a parser that did not write them.

use mail_parser::MessageParser;
use proptest::prelude::*;

use super::*;

const FROM: HeaderName = HeaderName::new_from_ascii_str("From");
const SUBJECT: HeaderName = HeaderName::new_from_ascii_str("Subject");

fn shown(value: HeaderValue) -> String {
    let mut headers = lettre::message::header::Headers::new();
    headers.insert_raw(value);
    headers.to_string()
}

fn from(name: &str) -> String {
    shown(mailbox(FROM, Some(name), "no-reply@example.org"))
}

/// What holds for the lines of any header.
pub(crate) fn check_lines(head: &str) {
    for line in head.split("\r\n") {
        assert!(line.len() <= 998 && line.is_ascii(), "{line}");
        let words: Vec<&str> = line.split(' ').filter(|word| word.contains("=?")).collect();
        assert!(words.is_empty() || line.len() <= 76, "{} octets with an encoded word: {line}", line.len());
        for word in words {
            assert!(word.len() <= 75, "{word}");
            let inner = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
            let bytes = STANDARD.decode(inner.unwrap_or_else(|| panic!("an odd word: {word}"))).unwrap();
            assert!(str::from_utf8(&bytes).is_ok(), "a character is split: {head}");
        }
    }
}

fn reads_back(name: &str, address: &str) {
    let head = shown(mailbox(FROM, Some(name), address));
    check_lines(&head);
    let message = MessageParser::default().parse(head.as_bytes()).unwrap();
    let list = message.from().unwrap().as_list().unwrap();
    assert_eq!(list.len(), 1, "{head}");
    assert_eq!((list[0].name.as_deref(), list[0].address.as_deref()), (Some(name), Some(address)), "{head}");
}

#[test]
fn names_that_are_no_atoms_are_quoted() {
    let table = [
        ("Mina", "Mina"),
        ("O'Brien", "O'Brien"),
        ("Kim Jr.", "\"Kim Jr.\""),
        ("J.R.R.", "\"J.R.R.\""),
        ("Kim, Lee & Co", "\"Kim, Lee & Co\""),
        ("a;b:c", "\"a;b:c\""),
        ("(x) <y> [z]", "\"(x) <y> [z]\""),
        ("Kim \"Min\" \\ Co", "\"Kim \\\"Min\\\" \\\\ Co\""),
        ("=?utf-8?b?ZXZpbA==?=", "=?utf-8?b?PT91dGYtOD9iP1pYWnBiQT09Pz0=?="),
        ("two  spaces", "=?utf-8?b?dHdvICBzcGFjZXM=?="),
        ("Renée", "=?utf-8?b?UmVuw6ll?="),
    ];
    for (name, written) in table {
        assert_eq!(from(name), format!("From: {written} <no-reply@example.org>\r\n"));
        reads_back(name, "no-reply@example.org");
    }
    assert_eq!(shown(mailbox(FROM, Some(""), "a@example.org")), "From: a@example.org\r\n");
    assert_eq!(shown(mailbox(FROM, None, "a@example.org")), "From: a@example.org\r\n");
}

#[test]
fn long_ones_are_broken() {
    let long = format!("{}@{}.example.org", "x".repeat(60), "y".repeat(60));
    for name in
        ["김".repeat(128), "가 나".repeat(40), "é".repeat(128), "👩‍👩‍👧‍👦".repeat(20), "\"\\".repeat(64), "No. 7 ".repeat(21)]
    {
        reads_back(name.trim(), "no-reply@example.org");
        reads_back(name.trim(), &long);
    }
    assert_eq!(
        from(&"No. 7 ".repeat(12)[..71]),
        format!("From: \"{}No.\r\n 7\" <no-reply@example.org>\r\n", "No. 7 ".repeat(11))
    );
}

#[test]
fn subjects_stand_for_themselves_where_they_can() {
    let table = [
        ("Confirm your address (2.0): \"Example\"", "Confirm your address (2.0): \"Example\""),
        ("=?x", "=?utf-8?b?PT94?="),
        ("이메일", "=?utf-8?b?7J2066mU7J28?="),
    ];
    for (subject, written) in table {
        assert_eq!(shown(text(SUBJECT, subject)), format!("Subject: {written}\r\n"));
    }
    for subject in ["x".repeat(300), "word ".repeat(60), "확인 ".repeat(60)] {
        let head = shown(text(SUBJECT, subject.trim()));
        check_lines(&head);
        assert!(head.split("\r\n").all(|line| line.len() <= 76), "{head}");
        assert_eq!(MessageParser::default().parse(head.as_bytes()).unwrap().subject(), Some(subject.trim()));
    }
}

/// Letters, marks, digits, punctuation and symbols of every script, and spaces between them; what no name may have in a
/// mail (control characters) is left out.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[\\PC&&[^\\p{Z}]]([\\PC]{0,126}[\\PC&&[^\\p{Z}]])?",
        "[\\p{Hangul}\\p{Han}\\p{Arabic}\\p{Hebrew}\\p{Thai}\\p{Devanagari}\\p{Cyrillic}\\p{Greek}]{1,64}",
        "[ -~&&[^ ]]([ -~]{0,126}[ -~&&[^ ]])?",
        "[a-zA-Z]{1,9}([ .,'\"()<>@;:\\\\=?_-][a-zA-Z]{1,9}){0,8}",
    ]
}

proptest! {
    #[test]
    fn any_name_is_read_back(name in names()) {
        reads_back(&name, "no-reply@example.org");
    }

    #[test]
    fn any_subject_is_read_back(subject in names()) {
        let head = shown(text(SUBJECT, &subject));
        check_lines(&head);
        let message = MessageParser::default().parse(head.as_bytes()).unwrap();
        prop_assert_eq!(message.subject(), Some(subject.as_str()));
    }
}
