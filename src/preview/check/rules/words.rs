//! What texts are searched for, by language, and how: rules look at what a template says, not at what its values say.

use std::borrow::Cow;

use crate::domain::locale::Locale;
use crate::preview::check::mails::RenderedMail;

/// A text without what values brought into it; each leaves a blank. Only whole words are taken for a value: a short
/// one, such as a name, may well stand within others.
pub(super) fn without_values(mail: &RenderedMail<'_>, text: &str) -> String {
    // No template says the language's code, and `en` is in many words.
    let values = mail.values().filter(|(name, _)| *name != "locale").map(|(_, value)| value);
    without(values, text)
}

fn without<'v>(values: impl Iterator<Item = &'v str>, text: &str) -> String {
    let mut values: Vec<Cow<'_, str>> = values.flat_map(|value| [folded(value).into(), value.into()]).collect();
    // The longest first: one value may be a part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().filter(|value| !value.is_empty()).fold(text.to_owned(), |text, value| without_one(&text, value))
}

fn without_one(text: &str, value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(value) {
        let (before, behind) = (&text[..at], &text[at + value.len()..]);
        let begins = !is_one_word(before.chars().next_back(), value.chars().next(), true);
        let ends = !is_one_word(value.chars().next_back(), behind.chars().next(), value.chars().count() == 1);
        if begins && ends {
            out.push_str(&text[from..at]);
            out.push(' ');
            from = at + value.len();
        }
    }
    out.push_str(&text[from..]);
    out
}

/// Whether two neighbours belong to one word. Korean particles follow a word without a blank.
fn is_one_word(left: Option<char>, right: Option<char>, hangul_too: bool) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    match (is_hangul(left), is_hangul(right)) {
        (true, true) => hangul_too,
        (false, false) => left.is_alphanumeric() && right.is_alphanumeric(),
        _ => false,
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}')
}

/// White space as HTML folds it.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Which of the phrases is in a text: whole words, whatever their case. Korean particles may follow.
pub(super) fn phrase_in<'p>(text: &str, phrases: &[&'p str]) -> Option<&'p str> {
    let text = text.to_lowercase();
    phrases.iter().copied().find(|phrase| {
        text.match_indices(*phrase).any(|(at, _)| {
            let is_latin = |c: char| c.is_ascii_alphanumeric();
            let (before, behind) = (&text[..at], &text[at + phrase.len()..]);
            let begins = !phrase.starts_with(is_latin) || !before.ends_with(is_latin);
            let ends = !phrase.ends_with(is_latin) || !behind.starts_with(is_latin);
            begins && ends
        })
    })
}

/// Words of advertising, which make a mail that people wait for look like one that they do not.
pub(super) fn promotional(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::Ko => {
            &["무료", "할인", "특가", "이벤트", "당첨", "축하합니다", "지금 바로", "긴급", "혜택", "쿠폰", "(광고)"]
        }
        Locale::En => &[
            "free",
            "offer",
            "discount",
            "% off",
            "deal",
            "winner",
            "congratulations",
            "act now",
            "urgent",
            "limited time",
            "special",
            "bonus",
            "coupon",
            "sale",
            "last chance",
            "don't miss",
            "exclusive",
        ],
    }
}

/// Link texts that say nothing about where the link leads.
pub(super) fn vague(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::Ko => {
            &["여기", "여기를 클릭", "여기를 누르", "클릭", "클릭하세요", "이곳", "링크", "더 보기", "바로가기"]
        }
        Locale::En => {
            &["click here", "here", "click", "this link", "link", "read more", "more", "learn more", "tap here"]
        }
    }
}

/// How a mail says what to do where someone else signed up.
pub(super) fn not_you(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::Ko => &[
            "본인이 아니",
            "본인이 하지",
            "본인이 신청하지",
            "본인이 요청하지",
            "가입하지 않",
            "요청하지 않",
            "신청하지 않",
            "무시하",
            "무시해",
        ],
        Locale::En => &[
            "not you",
            "wasn't you",
            "wasn\u{2019}t you",
            "isn't you",
            "didn't",
            "didn\u{2019}t",
            "did not",
            "ignore",
            "disregard",
            "by mistake",
            "in error",
        ],
    }
}

/// How advertising mails end.
pub(super) fn marketing(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::Ko => &["수신거부", "수신 거부", "구독 취소", "구독취소", "뉴스레터", "추천 상품", "(광고)"],
        Locale::En => &[
            "unsubscribe",
            "opt out",
            "manage preferences",
            "email preferences",
            "newsletter",
            "view in browser",
            "follow us",
            "refer a friend",
        ],
    }
}

/// What may follow a Korean unit of time: particles, and words for how long and until when.
const BEHIND_UNITS: [&str; 22] = [
    "동안",
    "간",
    "내",
    "이내",
    "안",
    "후",
    "뒤",
    "까지",
    "의",
    "이",
    "은",
    "는",
    "을",
    "를",
    "만",
    "에",
    "이면",
    "이고",
    "입니다",
    "부터",
    "짜리",
    "이상",
];

/// Numbers of time that a text says, as they stand there up to their unit: `24 hour`, `3일`.
pub(super) fn spans(text: &str, locale: Locale) -> Vec<&str> {
    let units: &[&str] = match locale {
        Locale::Ko => &["시간", "일", "분", "주"],
        Locale::En => &["hour", "day", "minute", "week", "hr", "min"],
    };
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(|c: char| c.is_ascii_digit()).map(|at| from + at) {
        let end = text[at..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |length| at + length);
        let word = text[end..].trim_start_matches([' ', '-', '\u{a0}']);
        // Dates have a month before their day, times of the day a colon; years have four digits.
        let is_date = end - at > 3 || text[..at].trim_end().ends_with(['월', ':', '.', '-', '/']);
        let unit = units.iter().find(|unit| {
            let is_it = word.get(..unit.len()).is_some_and(|word| word.eq_ignore_ascii_case(unit));
            is_it && ends_unit(&word[unit.len()..])
        });
        if let Some(unit) = unit.filter(|_| !is_date) {
            found.push(&text[at..text.len() - word.len() + unit.len()]);
        }
        from = end;
    }
    found
}

/// Whether a unit of time ends before this rest of its word: `s` of English, a particle of Korean.
fn ends_unit(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let rest = &rest[..end];
    rest.is_empty() || rest.eq_ignore_ascii_case("s") || BEHIND_UNITS.iter().any(|word| rest.starts_with(word))
}

/// The sentences of a text; a line ends one too where a blank line follows.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let behind = &text[at + c.len_utf8()..];
        let is_end = match c {
            '.' | '!' | '?' | '…' | '。' => behind.is_empty() || behind.starts_with(char::is_whitespace),
            '\n' => behind.starts_with(['\n', '\r']),
            _ => false,
        };
        if is_end {
            found.push(&text[from..at + c.len_utf8()]);
            from = at + c.len_utf8();
        }
    }
    found.push(&text[from..]);
    found.retain(|sentence| !sentence.trim().is_empty());
    found
}

/// Share of the letters that are Hangul, in percent; `None` if there are too few letters to judge.
pub(super) fn hangul_share(text: &str) -> Option<usize> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let hangul = text.chars().filter(|c| is_hangul(*c)).count();
    (letters >= 8).then(|| hangul * 100 / letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_whole_words() {
        let table = [
            ("Get it FREE", "free", true),
            ("Carefree", "free", false),
            ("freedom", "free", false),
            ("50% off today", "% off", true),
            ("여기를 클릭하세요", "여기", true),
        ];
        for (text, phrase, found) in table {
            assert_eq!(phrase_in(text, &[phrase]).is_some(), found, "{text}");
        }
    }

    #[test]
    fn only_whole_values_are_left_out() {
        let table = [
            ("Hello Robin, Robins nest", "Robin", "Hello  , Robins nest"),
            ("Urgent: enter now", "en", "Urgent: enter now"),
            ("하늘님, 하늘 나라", "하늘", " 님,   나라"),
            ("이메일 새이름", "이", "이메일 새이름"),
            ("사이트Example에서", "Example", "사이트 에서"),
        ];
        for (text, value, wanted) in table {
            assert_eq!(without([value].into_iter(), text), wanted, "{text}");
        }
    }

    #[test]
    fn sentences_end() {
        let found = sentences("It works 24 hours. See example.org, and\nask us!\n\n© Example");
        let found: Vec<&str> = found.into_iter().map(str::trim).collect();
        assert_eq!(found, ["It works 24 hours.", "See example.org, and\nask us!", "© Example"]);
    }

    #[test]
    fn spans_are_found_and_dates_are_not() {
        let table: [(&str, Locale, &[&str]); 11] = [
            ("© 2026 Minted Inc., 20 Mint Street", Locale::En, &[]),
            ("© 2026 주식회사 예시, 24 주식회사", Locale::Ko, &[]),
            ("1000 days, 24hrs, 5 mins", Locale::En, &["24hr", "5 min"]),
            ("24시간 이내, 3일간, 30분까지, 2주의", Locale::Ko, &["24시간", "3일", "30분", "2주"]),
            ("3일정, 5분기", Locale::Ko, &[]),
            ("works for 24 hours", Locale::En, &["24 hour"]),
            ("a 3-day link, 10minutes", Locale::En, &["3-day", "10minute"]),
            ("25 November 2026, 05:30 UTC", Locale::En, &[]),
            ("2026년 11월 25일 14:30", Locale::Ko, &[]),
            ("링크는 24시간 동안, 30분", Locale::Ko, &["24시간", "30분"]),
            ("no number", Locale::En, &[]),
        ];
        for (text, locale, wanted) in table {
            assert_eq!(spans(text, locale), wanted, "{text}");
        }
    }

    #[test]
    fn scripts_are_recognised() {
        assert_eq!(hangul_share("이메일 주소를 확인해 주세요"), Some(100));
        assert_eq!(hangul_share("Confirm your address"), Some(0));
        assert_eq!(hangul_share("Hi 가"), None);
    }
}
