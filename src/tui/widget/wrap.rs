//! Text broken into lines by terminal columns.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::width;

/// Breaks text at spaces, and inside words that are longer than a line. Returns at least one line.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let wide = width(word);
        if used + width(word.trim_end()) <= columns {
            line.push_str(word);
            used += wide;
            continue;
        }
        if used > 0 && wide <= columns {
            lines.push(std::mem::take(&mut line));
            line.push_str(word);
            used = wide;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let wide = width(grapheme);
            if used + wide > columns && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push_str(grapheme);
            used += wide;
        }
    }
    lines.push(line);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_at_spaces_and_inside_long_words() {
        let table: [(&str, usize, &[&str]); 6] = [
            ("", 5, &[""]),
            ("one two", 7, &["one two"]),
            ("one two three", 7, &["one two", "three"]),
            ("김철수입니다", 5, &["김철", "수입", "니다"]),
            ("0123456789", 4, &["0123", "4567", "89"]),
            ("a 0123456789", 4, &["a 01", "2345", "6789"]),
        ];
        for (text, columns, lines) in table {
            assert_eq!(wrap(text, columns), lines, "{text:?} at {columns}");
        }
    }

    proptest! {
        #[test]
        fn loses_nothing_and_fits(text in "[a-z김가 ]{0,60}", columns in 2usize..20) {
            let lines = wrap(&text, columns);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?}");
            }
            let squeeze = |s: &str| s.replace(' ', "");
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }
}
