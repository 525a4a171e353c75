//! Names beyond ASCII, as they are looked for: normalized, in lower case, without spaces, their characters in pairs. The
//! database has an index of these pairs; how it makes them is in migration 41, and a test holds the two together.

use unicode_normalization::UnicodeNormalization as _;

/// Stands before the first character: what begins with it is at the beginning.
const BEGINNING: char = '\n';

/// The first letters of Hangul syllables, in their order in Unicode.
const INITIALS: [char; 19] =
    ['ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ'];

/// What a keyboard makes of two letters, though neither belongs to a syllable.
const CLUSTERS: [(char, [char; 2]); 11] = [
    ('ㄳ', ['ㄱ', 'ㅅ']),
    ('ㄵ', ['ㄴ', 'ㅈ']),
    ('ㄶ', ['ㄴ', 'ㅎ']),
    ('ㄺ', ['ㄹ', 'ㄱ']),
    ('ㄻ', ['ㄹ', 'ㅁ']),
    ('ㄼ', ['ㄹ', 'ㅂ']),
    ('ㄽ', ['ㄹ', 'ㅅ']),
    ('ㄾ', ['ㄹ', 'ㅌ']),
    ('ㄿ', ['ㄹ', 'ㅍ']),
    ('ㅀ', ['ㄹ', 'ㅎ']),
    ('ㅄ', ['ㅂ', 'ㅅ']),
];

/// A text as it is compared: normalized (NFC) and in lower case. So a name that a Mac has taken apart (NFD) is found.
pub(super) fn fold(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// What is looked for in the pairs of a name. Empty if there is nothing but spaces.
pub(super) fn wanted(folded: &str, anywhere: bool) -> Vec<String> {
    let letters: Vec<char> = folded
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(|c| {
            let cluster = CLUSTERS.iter().find(|(cluster, _)| *cluster == c);
            cluster.map_or_else(|| vec![c], |(_, letters)| letters.to_vec())
        })
        .collect();
    of(&letters, anywhere)
}

/// The pairs of a name, as the database has them: none where it is all ASCII.
#[must_use]
pub fn of_name(name: &str) -> Vec<String> {
    if name.is_ascii() {
        return Vec::new();
    }
    let letters: Vec<char> = fold(name).chars().filter(|c| !c.is_whitespace()).collect();
    let initials: Vec<char> = letters.iter().copied().filter_map(initial).collect();
    [of(&letters, false), of(&initials, false)].concat()
}

fn of(letters: &[char], anywhere: bool) -> Vec<String> {
    let mut all = if anywhere { Vec::new() } else { vec![BEGINNING] };
    all.extend(letters);
    all.windows(2).map(|pair| pair.iter().collect()).collect()
}

/// A Hangul syllable.
pub(super) fn is_syllable(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

fn initial(c: char) -> Option<char> {
    let place = u32::from(c).checked_sub(u32::from('가')).filter(|_| is_syllable(c))?;
    INITIALS.get(usize::try_from(place / (21 * 28)).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        let apart = "김미나".nfd().collect::<String>();
        assert_eq!(apart.chars().count(), 7);
        for (typed, folded) in
            [("Kim MINA", "kim mina"), (apart.as_str(), "김미나"), ("JOSE\u{301}", "josé"), ("ΣΑΣ", "σασ"), ("", "")]
        {
            assert_eq!(fold(typed), folded, "{typed}");
        }
    }

    #[test]
    fn pairs_of_names() {
        assert_eq!(of_name("김 미나"), ["\n김", "김미", "미나", "\nㄱ", "ㄱㅁ", "ㅁㄴ"]);
        assert_eq!(of_name("까 X"), ["\n까", "까x", "\nㄲ"]);
        assert_eq!(of_name("Kim Mina"), Vec::<String>::new());
        assert_eq!(wanted("미 나", true), ["미나"]);
        assert_eq!(wanted("ㅁㄴ", true), ["ㅁㄴ"]);
        assert_eq!(wanted("ㄳㅈ", true), ["ㄱㅅ", "ㅅㅈ"]);
        assert_eq!(wanted("김", false), ["\n김"]);
        assert_eq!(wanted(" ", false), Vec::<String>::new());
    }
}
