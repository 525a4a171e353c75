//! What a person calls herself. Anyone can type anything into a sign-up form with somebody else's address, so a name
//! that could advertise is kept, for support to see, but never mailed.

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
    let fine = !name.is_empty() && name.chars().count() <= NAME_MAX && name.chars().all(is_ordinary) && !may_link(name);
    fine.then_some(name)
}

fn is_ordinary(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !hidden
}

/// Whether the text holds a URL, an address or a domain, also one written with another script's dot.
fn may_link(name: &str) -> bool {
    const DOTS: [char; 5] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}'];
    let folded: String = name
        .chars()
        .map(|c| match c {
            c if DOTS.contains(&c) => '.',
            // Full-width forms read as ASCII in a browser's address bar.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            c => c,
        })
        .collect::<String>()
        .to_lowercase();
    if folded.contains("://") || folded.contains('@') || folded.contains("www.") || folded.contains("//") {
        return true;
    }
    // "J.R.R. Tolkien" and "Kim Jr." are names; "evil.com", "buy.now" and "1.2.3.4" are not.
    folded.split(|c: char| c.is_whitespace() || "()<>[]{},;\"'|/".contains(c)).any(|word| {
        let labels: Vec<&str> = word.trim_matches('.').split('.').collect();
        let numbers = labels.len() == 4 && labels.iter().all(|l| l.parse::<u8>().is_ok());
        let last = labels.last().map_or(0, |l| l.chars().take_while(|c| c.is_alphanumeric() || *c == '-').count());
        numbers || (labels.len() >= 2 && labels.iter().all(|l| !l.is_empty()) && last >= 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ];
        for name in names {
            assert_eq!(mailable(name), None, "{name:?}");
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
