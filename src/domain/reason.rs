//! Why an operator did something, in words for the readers of the audit log.

/// Fewest different letters and digits that can mean anything.
const DIFFERENT_MIN: usize = 2;

/// What fingers type that have nothing to say: along the alphabet, and along the rows of a keyboard, in Korean too.
const ROWS: [&str; 7] = [
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ",
    "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ",
    "ㅋㅌㅊㅍㅠㅜㅡ",
];

/// Whether a reason says something: *abc*, *xxx*, *asdf* and *...* do not. Whether what it says is true no program knows,
/// so a short word passes, and so does the number of a ticket.
#[must_use]
pub fn says_something(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut different = letters.clone();
    different.sort_unstable();
    different.dedup();
    different.len() >= DIFFERENT_MIN && !ROWS.iter().any(|row| runs_along(row, &letters))
}

/// Whether a text is nothing but pieces of a row, each of three or more: *abc*, *asdfasdf*.
fn runs_along(row: &str, letters: &[char]) -> bool {
    let places: Option<Vec<usize>> = letters.iter().map(|letter| row.chars().position(|c| c == *letter)).collect();
    let Some(places) = places else { return false };
    places.chunk_by(|a, b| a + 1 == *b).all(|piece| piece.len() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_no_reason() {
        for text in [
            "",
            "  ",
            "...",
            "xxx",
            "aaaaaaa",
            "abc",
            "ABC",
            "a b c",
            "asdf",
            "asdfasdf",
            "qwerty",
            "ㅁㄴㅇㄹ",
            "ㅋㅋㅋ",
            "111",
            "-- --",
        ] {
            assert!(!says_something(text), "{text:?}");
        }
    }

    #[test]
    fn what_may_say_something_is_one() {
        for text in [
            "they called",
            "typo",
            "a test",
            "#4711",
            "1234",
            "전화로 확인",
            "본인확인",
            "were away",
            "tree",
            "lee",
            "ticket abc",
        ] {
            assert!(says_something(text), "{text:?}");
        }
    }
}
