//! Which characters every terminal draws as wide as ratatui counts them.
//!
//! Terminals carry width tables of different years, join clusters or do not, and none says which. What is listed here
//! has had one width in all of them for twenty years; everything else is doubtful, and [`super::ansi`] writes it so that
//! it spoils nothing, however wide it comes out: flags, emoji, the vowel signs of Thai, Indic scripts, Khmer and Burmese,
//! half-width kana with marks, loose Hangul jamo, letters with combining marks.
//!
//! Characters that are wide on terminals set up for the legacy encodings of East Asia (Greek, Cyrillic, `é`, and the
//! console's own frames and signs) count as agreed: such a terminal wants `glyphs = "ascii"` anyway.

/// The widest that any terminal draws one character, in cells.
const CHARACTER_MAX: u16 = 2;

/// Whether all terminals agree on the width of what a cell holds.
#[must_use]
pub fn is_agreed(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) => is_agreed_character(c),
        // An empty cell is drawn as a blank, or not at all behind a wide one.
        (None, _) => true,
        // Where there is a second one, it is a mark or is joined to the first.
        _ => false,
    }
}

/// How many cells a terminal may draw on at most for this, from where it begins.
#[must_use]
pub fn reach(symbol: &str) -> u16 {
    let characters = u16::try_from(symbol.chars().count()).unwrap_or(u16::MAX);
    characters.saturating_mul(CHARACTER_MAX)
}

fn is_agreed_character(c: char) -> bool {
    matches!(c,
        ' '..='~'
        // Latin, Greek, Cyrillic, without marks that combine.
        | '\u{a0}'..='\u{ac}'
        | '\u{ae}'..='\u{24f}'
        | '\u{384}'..='\u{386}'
        | '\u{388}'..='\u{38a}'
        | '\u{38c}'
        | '\u{38e}'..='\u{3a1}'
        | '\u{3a3}'..='\u{3ce}'
        | '\u{400}'..='\u{481}'
        | '\u{48a}'..='\u{4ff}'
        | '\u{1e00}'..='\u{1e9b}'
        | '\u{1ea0}'..='\u{1ef9}'
        // Dashes, quotes, dots; the euro; what frames, gauges and marks are made of.
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{203a}'
        | '€'
        | '\u{2190}'..='\u{2193}'
        | '\u{2500}'..='\u{259f}'
        | '⊘' | '▣' | '◆' | '◌' | '○' | '●' | '◦' | '✓' | '✗'
        // CJK: punctuation, kana, Hangul, ideographs, the wide forms of ASCII, narrow kana.
        | '\u{3000}'..='\u{3029}'
        | '\u{3041}'..='\u{3094}'
        | '\u{309b}'..='\u{309e}'
        | '\u{30a1}'..='\u{30fe}'
        | '\u{3131}'..='\u{3163}'
        | '\u{3165}'..='\u{318e}'
        | '\u{3400}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fa5}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{ff01}'..='\u{ff5e}'
        | '\u{ff61}'..='\u{ff9d}'
        | '\u{ffe0}'..='\u{ffe6}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Theme;
    use crate::tui::theme::ColourDepth;

    #[test]
    fn names_that_cost_nothing_extra_and_names_that_are_watched() {
        let agreed = "Kim Jürgen Nguyễn Łukasz Ωmega Иван 김철수 山田太郎 やまだ ヤマダ ﾔﾏﾀﾞ ，“x” … ─│┌";
        for c in agreed.chars().filter(|c| *c != '\u{ff9e}') {
            assert!(is_agreed(c.encode_utf8(&mut [0; 4])), "{c} U+{:04X}", u32::from(c));
        }
        let doubtful =
            ["🇰🇷", "👍", "ก", "กำ", "ि", "က္က", "ក្ម", "ﾀﾞ", "e\u{301}", "ᄀ", "\u{fffd}", "☰", "\u{1cf9}", "𠀋"];
        for symbol in doubtful {
            assert!(!is_agreed(symbol), "{symbol:?}");
        }
    }

    #[test]
    fn each_agreed_character_is_one_or_two_cells_and_shows() {
        let agreed = ('\0'..=char::MAX).filter(|c| is_agreed_character(*c));
        for c in agreed {
            let width = crate::text::width(c.encode_utf8(&mut [0; 4]));
            assert!(
                (1..=2).contains(&width) && !crate::text::is_hidden(c) && !c.is_control(),
                "U+{:04X}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn what_the_console_draws_itself_is_agreed() {
        let theme = Theme::new(ColourDepth::Sixteen, true);
        let glyphs = format!("{:?}", theme.glyphs());
        for c in glyphs.chars() {
            assert!(is_agreed(c.encode_utf8(&mut [0; 4])), "{c}");
        }
    }

    #[test]
    fn a_cluster_reaches_as_far_as_its_characters_can() {
        assert_eq!(reach("👍"), 2);
        assert_eq!(reach("🇰🇷"), 4);
        assert_eq!(reach("กำ"), 4);
    }
}
