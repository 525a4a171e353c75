//! The name a user enters. Anyone can type anything into a sign-up form with someone else's address, so a name
//! that could advertise is kept, for support to see, but never mailed.

use crate::text::is_hidden;

/// Longest name, in characters.
pub const NAME_MAX: usize = 64;

/// Why a name cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// More than [`NAME_MAX`] characters.
    #[error("the name is longer than {NAME_MAX} characters")]
    Long,
    /// U+0000, which PostgreSQL cannot hold.
    #[error("the name holds a NUL character")]
    Nul,
}

/// Checks a name for storing; surrounding white space goes.
pub fn check(name: &str) -> Result<&str, NameError> {
    let name = name.trim();
    if name.contains('\0') {
        return Err(NameError::Nul);
    }
    if name.chars().count() > NAME_MAX { Err(NameError::Long) } else { Ok(name) }
}

/// The name if it may be put into a mail, else nothing: no line break or other control or invisible character, and
/// nothing that a mail program could turn into a link.
#[must_use]
pub fn mailable(name: &str) -> Option<&str> {
    let name = name.trim();
    let fine = !name.is_empty()
        && name.chars().count() <= NAME_MAX
        && !name.chars().any(|c| c.is_control() || is_hidden(c))
        && !may_link(name);
    fine.then_some(name)
}

/// Whether the text holds anything that a mail program could turn into a link, in any script's spelling.
fn may_link(name: &str) -> bool {
    let folded = fold(name);
    // What a browser would make of it, without its complaints: a mail program has none.
    let mapped = idna::domain_to_unicode(&folded).0;
    [folded, mapped].iter().any(|text| holds_link(text))
}

/// Lower case, with full-width forms as the ASCII that a browser's address bar reads in them, and one kind of dot.
fn fold(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe19}' | '\u{fe52}' | '\u{2488}'..='\u{249b}' => '.',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            c => c,
        })
        .collect::<String>()
        .to_lowercase()
}

fn holds_link(text: &str) -> bool {
    if text.contains('@') || text.contains("//") || text.contains("www.") {
        return true;
    }
    // "J.R.R. Tolkien" and "Kim Jr." are names; "evil.com", "buy.now" and "1.2.3.4" are not. What stands around the two
    // labels does not matter: a mail program finds a domain inside a word as well.
    let is_break = |c: char| c.is_whitespace() || "()<>[]{},;\"'|/?#&=:!".contains(c);
    text.split(is_break).any(|word| {
        let labels: Vec<&str> = word.split('.').collect();
        let is_domain = |pair: &[&str]| !pair[0].is_empty() && starts_like_a_label(pair[1]);
        let is_number = |label: &&str| label.parse::<u8>().is_ok();
        labels.windows(2).any(is_domain) || labels.windows(4).any(|four| four.iter().all(is_number))
    })
}

/// Whether it begins with two letters, as every top-level domain does.
fn starts_like_a_label(text: &str) -> bool {
    let mut start = text.chars();
    matches!((start.next(), start.next()), (Some(a), Some(b)) if a.is_alphabetic() && b.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_are_greeted() {
        for name in [
            "김민준",
            "Mina Kim",
            "J.R.R. Tolkien",
            "Kim, Jr.",
            "O'Brien",
            "Renée",
            "李 小龍",
            "Dr. Strange",
            "<b>Kim</b>",
            "{{ 7 }}",
            "Kim Jr.",
            "Kim... Min",
            "No. 7",
            "김 . 민준",
        ] {
            assert_eq!(mailable(name), Some(name), "{name}");
        }
    }

    #[test]
    fn advertisements_are_not_mailed() {
        let names = [
            "https://evil.example/x",
            "evil.com",
            "Buy at evil.com now",
            "WWW.EVIL",
            "a@b",
            "evil。com",
            "evil．com",
            "ｅｖｉｌ．ｃｏｍ",
            "//evil",
            "Kim\r\nBcc: x",
            "Kim\nhi",
            "",
            "   ",
            "evil.com/path",
            "(evil.com)",
            "win.a.prize.kr",
            "1.2.3.4",
            "Kim\u{202e}",
            "Kim\u{1b}[31m",
            "Kim\u{2028}hi",
            "evil.com:8080",
            "평생.무료",
            "evil.com?a=b.c",
            "bit.ly?.a",
            "evil.com...now",
            "evil.com#.x",
            "go evil.com.a",
            "evil.com&a",
            "evil.com=.a",
            "evil.com!.a",
            "evil.com:8080.a",
            "evil．com？．a",
            "evil｡com.a",
            "evil\u{fe52}com",
            "evil⒈com",
            "ⓔⓥⓘⓛ.ⓒⓞⓜ",
            "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦",
            "evil.c\u{fe0f}om",
            "i❤.ws",
            "evil.xn--p1ai",
            "user:pass＠evil",
            "user:pass﹫evil",
            "at 1.2.3.4!",
            "x=1.2.3.4:80",
            "１．２．３．４",
            "http:／／1",
        ];
        for name in names {
            assert_eq!(mailable(name), None, "{name:?}");
        }
    }

    /// Whether `[a-z0-9-]\.[a-z]{2}` is found, said in another way than above.
    fn has_domain(text: &str) -> bool {
        let ascii: Vec<char> = idna::domain_to_unicode(text).0.chars().collect();
        ascii.windows(4).any(|four| {
            (four[0].is_ascii_alphanumeric() || four[0] == '-')
                && four[1] == '.'
                && four[2].is_ascii_alphabetic()
                && four[3].is_ascii_alphabetic()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn whatever_is_mailed_holds_no_domain(
            name in prop_oneof!["[a-cA-C1.。．｡ａ-ｃⓐ-ⓒ?#&=:!/@ -]{1,16}", "[ .]{0,2}evil[.。．｡][a-c]{2,3}\\PC{0,8}", "\\PC{0,24}"]
        ) {
            if let Some(name) = mailable(&name) {
                prop_assert!(!has_domain(name), "{name}");
            }
        }
    }

    #[test]
    fn stored_up_to_64_characters() {
        assert_eq!(check(" 김 "), Ok("김"));
        assert_eq!(check(&"가".repeat(64)), Ok("가".repeat(64).as_str()));
        assert_eq!(check(&"가".repeat(65)), Err(NameError::Long));
        assert_eq!(check("a\0b"), Err(NameError::Nul));
    }
}
