//! What texts are searched for, by language, and how: rules look at what a template says, not at what its values say.

use std::borrow::Cow;

use crate::domain::locale::Locale;
use crate::preview::check::case::Case;

/// A text without what values brought into it; each leaves a blank.
pub(super) fn without_values(case: &Case<'_>, text: &str) -> String {
    let mut values: Vec<Cow<'_, str>> = Vec::new();
    for (_, value) in case.values() {
        values.push(folded(value).into());
        values.push(value.into());
    }
    // The longest first: one value may be a part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().filter(|value| !value.is_empty()).fold(text.to_owned(), |text, value| text.replace(&**value, " "))
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

/// How a mail says what to do where somebody else signed up.
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

/// Numbers of time that a text says: `24 hours`, `3일`.
pub(super) fn spans(text: &str, locale: Locale) -> Vec<String> {
    let units: &[&str] = match locale {
        Locale::Ko => &["시간", "일", "분", "주"],
        Locale::En => &["hour", "day", "minute", "week", "hr", "min"],
    };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let from = &rest[at..];
        let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (number, behind) = from.split_at(length);
        let word = behind.trim_start_matches([' ', '-', '\u{a0}']);
        let lower = word.to_lowercase();
        // Dates have a month before their day, times of the day a colon.
        let is_date = rest[..at].trim_end().ends_with(['월', ':', '.', '-', '/']);
        if let Some(unit) = units.iter().find(|unit| lower.starts_with(**unit)).filter(|_| !is_date) {
            found.push(format!("{number} {unit}"));
        }
        rest = behind;
    }
    found
}

/// Share of the letters that are Hangul, in percent; none where there are too few letters to tell.
pub(super) fn hangul_share(text: &str) -> Option<usize> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_hangul = |c: &char| matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}');
    let hangul = text.chars().filter(is_hangul).count();
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
    fn spans_are_found_and_dates_are_not() {
        let table: [(&str, Locale, &[&str]); 6] = [
            ("works for 24 hours", Locale::En, &["24 hour"]),
            ("a 3-day link, 10minutes", Locale::En, &["3 day", "10 minute"]),
            ("25 November 2026, 05:30 UTC", Locale::En, &[]),
            ("2026년 11월 25일 14:30", Locale::Ko, &[]),
            ("링크는 24시간 동안, 30분", Locale::Ko, &["24 시간", "30 분"]),
            ("no number", Locale::En, &[]),
        ];
        for (text, locale, wanted) in table {
            assert_eq!(spans(text, locale), wanted, "{text}");
        }
    }

    #[test]
    fn scripts_are_told() {
        assert_eq!(hangul_share("이메일 주소를 확인해 주세요"), Some(100));
        assert_eq!(hangul_share("Confirm your address"), Some(0));
        assert_eq!(hangul_share("Hi 가"), None);
    }
}
