use super::*;
use crate::domain::Time;
use crate::domain::sort::{By, Sort};
use proptest::prelude::*;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn clock() -> Clock {
    Clock::utc(at("2026-11-27T12:00:00Z"))
}

fn read(line: &str) -> Result<Filter, WrongTerm> {
    parse(line, Place::Verifications, clock())
}

/// What is wrong, and the word.
fn fault(line: &str, place: Place) -> (String, String) {
    let wrong = parse(line, place, clock()).unwrap_err();
    (line[wrong.span.clone()].to_owned(), wrong.what)
}

#[test]
fn terms_and_free_text() {
    let line = "kim status:Pending mina domain:Naver.com locale:ko mail:bounced,failed reason:suppressed since:yesterday \
                until:18:00 created:>2d expires:<6h job:019ac5d2-7f00-7aaa-8bbb-0123456789ab sort:-Email";
    let expected = Filter {
        status: Some(Status::Pending),
        search: Search::parse("kim mina"),
        since: Some(at("2026-11-26T00:00:00Z")),
        until: Some(at("2026-11-27T18:00:00Z")),
        domain: Some(DomainName::parse("naver.com").unwrap()),
        locale: Some(crate::domain::locale::Locale::Ko),
        created: Span { from: None, to: Some(at("2026-11-25T12:00:00Z")) },
        expires: Span { from: Some(at("2026-11-27T12:00:00Z")), to: Some(at("2026-11-27T18:00:00Z")) },
        mail: [SendState::Bounced, SendState::Failed].into_iter().collect(),
        reason: Some(Reason::Suppressed),
        job: Some("019ac5d2-7f00-7aaa-8bbb-0123456789ab".parse().unwrap()),
        by: None,
        actions: Vec::new(),
        origins: Vec::new(),
        sort: Some(Sort { by: By::Email, is_up: false }),
    };
    assert_eq!(read(line), Ok(expected.clone()));
    assert_eq!(read(&expected.to_string()), Ok(expected));
}

#[test]
fn spans() {
    let all = |from: &str, to: &str| Span {
        from: Some(from).filter(|t| !t.is_empty()).map(at),
        to: Some(to).filter(|t| !t.is_empty()).map(at),
    };
    let table = [
        ("created:<2h", all("2026-11-27T10:00:00Z", "")),
        ("created:yesterday", all("2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z")),
        ("created:2026-11-01", all("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")),
        ("created:>2026-11-01", all("2026-11-01T00:00:00Z", "")),
        ("created:<2026-11-01T10:00", all("", "2026-11-01T10:00:00Z")),
        ("created:>2026-11-01 created:<3d", all("2026-11-24T12:00:00Z", "")),
        ("created:<2d created:>1d", all("2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z")),
    ];
    for (line, span) in table {
        assert_eq!(read(line).map(|filter| filter.created), Ok(span), "{line}");
    }
    assert_eq!(read("expires:>2d").unwrap().expires, all("2026-11-29T12:00:00Z", ""));
}

#[test]
fn the_wrong_word_is_named() {
    use Place::{Audit, Mails, Verifications};
    let table = [
        ("kim status:pendng", Verifications, "pendng", "is no status: pending, verified"),
        ("statsu:pending kim", Verifications, "statsu", "did you mean status:?"),
        ("foo:bar status:pending", Verifications, "foo", "there is no foo:, only status, mail"),
        ("mail:bounced,lost", Mails, "bounced,lost", "is no mail: queued"),
        ("status:pending", Mails, "status:pending", "is no term for mails"),
        ("by:kim", Verifications, "by:kim", "is no term for verifications"),
        ("domain:naver.com", Audit, "domain:naver.com", "is no term for the audit log"),
        ("created:2d", Verifications, "2d", "put < or >"),
        ("created:>", Verifications, ">", "such as <2h"),
        ("since:never", Verifications, "never", "write today"),
        ("since:1900-01-01", Verifications, "1900-01-01", "years 1970"),
        ("locale:fr 김", Verifications, "fr", "ko, en"),
        ("domain:naver", Verifications, "naver", "a whole domain"),
        ("job:7", Mails, "7", "the id of a bulk resend"),
        ("status:pending status:expired", Verifications, "status:expired", "twice"),
        ("reason:%", Mails, "%", "suppressed, no-mailbox"),
        ("mina action:pause,stop", Audit, "pause,stop", "\"pause,stop\" is no action: sign-up, resend, "),
        ("origin:phone", Audit, "phone", "is no origin: console, cli, web, "),
        ("acton:pause", Audit, "acton", "did you mean action:?"),
        ("action:pause", Mails, "action:pause", "is no term for mails"),
        ("by:\" \"", Audit, " ", "a part of a system user"),
        ("sort:name", Verifications, "name", "is no sort: created, expires"),
        ("sort:queued", Verifications, "queued", "verifications are not sorted by queued, only by created"),
        ("kim sort:email", Mails, "email", "mails are not sorted by email, only by queued"),
        ("sort:created sort:email", Verifications, "sort:email", "twice"),
        ("sort:created", Audit, "sort:created", "is no term for the audit log"),
    ];
    for (line, place, word, what) in table {
        let found = fault(line, place);
        assert!(found.0 == word && found.1.contains(what), "{line}: {found:?}");
    }
    for (line, rest) in [
        ("kim status:pendng  mina", "kim mina"),
        ("status:pendng", ""),
        ("kim reason:\"%  %\"", "kim"),
        ("created:2d 김", "김"),
        ("김 by:x", "김"),
    ] {
        assert_eq!(read(line).unwrap_err().without_word(line), rest, "{line}");
    }
    let unfinished = read("kim status:").unwrap_err();
    assert!(unfinished.is_unfinished && unfinished.what.contains("pending"), "{unfinished:?}");
    let line = "김미나 status:\u{202e}x";
    assert_eq!(read(line).unwrap_err().pointed_at(line), ["김미나 status:\u{fffd}x", "              ^^"]);
}

#[test]
fn quotes() {
    let filter = read("reason:\"mailbox full\" \"status:pending\" kim").unwrap();
    assert_eq!(filter.reason, Some(Reason::Said("mailbox full".into())));
    assert_eq!((filter.status, filter.search), (None, Search::parse("\"status:pending\" kim")));
    assert_eq!(read("reason:\"mailbox fu").unwrap().reason, Some(Reason::Said("mailbox fu".into())));
    assert_eq!(parse("by:\"Kim Mina\"", Place::Audit, clock()).unwrap().by.as_deref(), Some("Kim Mina"));
    let line = "kim by:\"Kim Mina\" since:2026-11-01T00:00:00Z action:force-verify,pause origin:cli";
    let audit = |line: &str| parse(line, Place::Audit, clock()).unwrap();
    assert_eq!(audit(&audit(line).to_string()), audit(line));
}

/// As of mail programs, mail servers and people.
fn pasted() -> impl Strategy<Value = String> {
    let email = "[a-z0-9.+_-]{1,8}[a-z0-9]@[a-z]{2,8}\\.(com|kr)".prop_filter("no dots together", |email| {
        !email.contains("..") && !email.starts_with('.') && !email.contains(".@")
    });
    let term = prop::sample::select(vec!["status:bounced", "reason:550", "mail:x", "since:10:00", "by:postfix"]);
    (email, term, 0usize..9).prop_map(|(email, term, shape)| match shape {
        0 => email,
        1 => format!("Kim Mina <{email}>"),
        2 => format!("mailto:{email}?subject=status:pending"),
        3 => format!("Nov 27 10:00:01 mx postfix/smtp[42]: 4F: to=<{email}>, {term} (550 5.1.1 <{email}>: unknown)"),
        4 => format!("2026-11-27T10:00:01Z {term} => {email} R=dnslookup"),
        5 => format!("Status: 5.1.1 {term} {email}"),
        6 => format!("mail:{email}"),
        7 => format!("{{\"{term}\":\"{email}\",\"at\":1}}"),
        _ => format!("to={email} relay=none {term} delay=3"),
    })
}

fn term() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "status:pending",
        "status:all",
        "mail:failed,unknown",
        "reason:\"mailbox full\"",
        "reason:5.1.1",
        "domain:@예시.한국",
        "locale:EN",
        "since:2h",
        "until:yesterdayT18:00",
        "created:<3d",
        "created:2026-11-01",
        "expires:>1week",
        "job:019AC5D2-7f00-7aaa-8bbb-0123456789ab",
        "kim",
        "김미나",
        "\"status:x\"",
        "@naver.com",
        "#42",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn what_was_pasted_is_looked_for_as_it_stands(line in pasted()) {
        for place in [Place::Verifications, Place::Mails, Place::Audit] {
            let filter = parse(&line, place, clock());
            prop_assert_eq!(filter, Ok(Filter { search: Search::parse(&line), ..Filter::default() }), "{}", line);
        }
    }

    #[test]
    fn a_filter_in_words_is_the_same_filter(terms in prop::collection::vec(term(), 0..6)) {
        let line = terms.join(" ");
        if let Ok(filter) = read(&line) {
            let words = filter.to_string();
            prop_assert_eq!(read(&words), Ok(filter), "{} became {}", line, words);
        }
    }

    #[test]
    fn hostile_text_is_no_trouble(
        text in "\\PC{0,60}",
        odd in "(status|mail|reason|since|created|by|x)?[:<>\"=@ \\x00\u{202e}a-c0-9,-]{0,40}",
        cut in 0usize..60,
    ) {
        for line in [&text, &odd, &format!("{odd} {text}")] {
            for place in [Place::Verifications, Place::Mails, Place::Audit] {
                match parse(line, place, clock()) {
                    Ok(filter) => { let _ = filter.to_string(); }
                    Err(wrong) => {
                        let word = line.get(wrong.span.clone());
                        prop_assert!(word.is_some_and(|word| !word.is_empty()), "{:?}", wrong);
                        prop_assert_eq!(plain(&wrong.what).into_string(), wrong.what.clone());
                        let _ = wrong.pointed_at(line);
                    }
                }
                let cursor = (0..=cut.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
                let _ = super::super::complete::complete(line, cursor, place, std::iter::empty());
            }
        }
    }
}
