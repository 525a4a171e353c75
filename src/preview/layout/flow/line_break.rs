//! Where lines may break: as Chromium does, by the Unicode line breaking algorithm, but for pairs of ASCII, which
//! have rules of their own (a URL is not broken behind a slash).

use unicode_linebreak::BreakOpportunity;

use crate::preview::layout::style::WordBreak;

/// Marks each byte of a text before which a line may break by the rules of its language. Blanks are not broken off
/// what stands before them.
pub fn chances(text: &str) -> Vec<bool> {
    let mut chances = vec![false; text.len() + 1];
    let bytes = text.as_bytes();
    let ascii = |at: usize| bytes[at].is_ascii_graphic();
    if !text.is_ascii() {
        for (at, chance) in unicode_linebreak::linebreaks(text) {
            chances[at] = chance == BreakOpportunity::Allowed;
        }
    }
    for at in 1..bytes.len() {
        if bytes[at - 1] == b' ' && bytes[at] != b' ' {
            chances[at] = true;
        } else if ascii(at - 1) && ascii(at) {
            let before = at.checked_sub(2).map_or(b' ', |before| bytes[before]);
            chances[at] = behind(before, bytes[at - 1], bytes[at]);
        }
    }
    chances[text.len()] = false;
    chances
}

/// Whether a line may break between two ASCII characters that are no blanks; found out by asking Chromium for each pair.
fn behind(before: u8, last: u8, next: u8) -> bool {
    match last {
        b'-' if next.is_ascii_digit() => before.is_ascii_alphanumeric(),
        b'-' => !matches!(next, b'!' | b'$' | b')' | b',' | b'.' | b'/' | b':' | b';' | b'?' | b']' | b'}'),
        b'?' => !matches!(next, b'!' | b'"' | b'\'' | b')' | b',' | b'.' | b'/' | b':' | b';' | b'?' | b']' | b'}'),
        b'$' | b'\'' | b'(' | b'[' | b'{' | b'/' | b'<' | b'@' | b'^' | b'_' | b'`' => false,
        _ if last.is_ascii_alphanumeric() => false,
        _ => matches!(next, b'(' | b'<' | b'[' | b'{'),
    }
}

/// Whether a line may break between two characters under `word-break`, where by the language it may or may not.
pub fn allowed(chance: bool, last: char, next: char, rule: WordBreak) -> bool {
    match rule {
        WordBreak::Normal => chance,
        WordBreak::KeepAll => chance && !(last.is_alphanumeric() && next.is_alphanumeric()),
        WordBreak::BreakAll => chance || !(opens(last) || closes(next)),
    }
}

/// Behind which nothing is broken that was not broken before.
fn opens(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '"' | '\'' | '$' | '\\' | '\u{a0}' | '“' | '‘' | '”' | '’' | '「' | '『' | '（')
}

/// Before which nothing is broken that was not broken before.
fn closes(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}'
            | '!'
            | '"'
            | '%'
            | '\''
            | ')'
            | ','
            | '.'
            | '/'
            | ':'
            | ';'
            | '?'
            | ']'
            | '}'
            | '“'
            | '‘'
            | '”'
            | '’'
            | '、'
            | '。'
            | '，'
            | '．'
            | '」'
            | '』'
            | '）'
            | '？'
            | '！'
            | '…'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> String {
        let chances = chances(text);
        text.char_indices().fold(String::new(), |mut out, (at, c)| {
            if chances[at] {
                out.push('|');
            }
            out.push(c);
            out
        })
    }

    #[test]
    fn as_chromium_breaks() {
        let table = [
            ("one two", "one |two"),
            ("https://example.org/a/b?key=c-d", "https://example.org/a/b?|key=c-|d"),
            ("안녕 하세", "안|녕 |하|세"),
            ("끝.다음", "끝.|다|음"),
            ("(주)회사", "(주)|회|사"),
            ("a\u{a0}b", "a\u{a0}b"),
            ("日本語。", "日|本|語。"),
            ("-1 a-1", "-1 |a-|1"),
        ];
        for (text, expected) in table {
            assert_eq!(broken(text), expected);
        }
    }

    #[test]
    fn word_break() {
        assert!(!allowed(true, '안', '녕', WordBreak::KeepAll));
        assert!(allowed(true, ' ', '녕', WordBreak::KeepAll));
        assert!(allowed(false, 'a', 'b', WordBreak::BreakAll));
        assert!(!allowed(false, 'a', '/', WordBreak::BreakAll));
    }
}
