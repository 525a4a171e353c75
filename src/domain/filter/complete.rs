//! What may come next in a filter line that is being typed.

use std::ops::Range;

use super::key::{Key, Place};

/// What can stand in the place of the word that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// What of the line they replace, in bytes.
    pub span: Range<usize>,
    /// The words, the likeliest first.
    pub words: Vec<String>,
}

/// For the word that ends at `cursor`, a byte of the line. An empty word may become any term, or one of the `names` that
/// stand for a saved line.
#[must_use]
pub fn complete<'a>(line: &str, cursor: usize, place: Place, names: impl Iterator<Item = &'a str>) -> Completions {
    let before = line.get(..cursor).unwrap_or(line);
    let begin =
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[begin..];
    let Some((name, value)) = word.split_once(':') else {
        let typed = word.to_lowercase();
        let keys = place.keys().iter().map(|key| format!("{}:", key.as_str()));
        let words = keys
            .chain(names.map(|name| format!("@{name}")))
            .filter(|word| word.starts_with(&typed) && *word != typed)
            .collect();
        return Completions { span: begin..before.len(), words };
    };
    let Some(key) = Key::of(name).filter(|key| place.keys().contains(key)) else { return Completions::default() };
    // Of several the last is being typed.
    let value = if key.takes_several() { value.rsplit(',').next().unwrap_or_default() } else { value };
    let typed = value.to_lowercase();
    let orders = place.orders().iter().filter(|_| key == Key::Sort).flat_map(|by| [by.as_str(), by.reversed()]);
    let values = key.values().into_iter().chain(orders.map(str::to_owned));
    let fitting = values.filter(|word| word.starts_with(&typed) && *word != typed);
    Completions { span: before.len() - value.len()..before.len(), words: fitting.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        const NAMES: [&str; 2] = ["late", "lost"];
        let table: [(&str, Place, &[&str]); 18] = [
            ("st", Place::Verifications, &["status:"]),
            ("kim s", Place::Verifications, &["status:", "since:", "sort:"]),
            ("sort:e", Place::Verifications, &["expires", "email"]),
            ("sort:", Place::Mails, &["queued", "-queued"]),
            ("kim s", Place::Mails, &["since:", "sort:"]),
            ("status:", Place::Verifications, &["pending", "verified", "expired", "revoked", "all"]),
            ("status:e", Place::Verifications, &["expired"]),
            ("mail:failed,un", Place::Mails, &["unknown"]),
            ("since:", Place::Mails, &["today", "yesterday"]),
            ("status:", Place::Mails, &[]),
            ("status:pending", Place::Verifications, &[]),
            ("m", Place::Mails, &["mail:"]),
            ("mina", Place::Verifications, &[]),
            ("by:mina a", Place::Audit, &["action:"]),
            ("action:force-verify,un", Place::Audit, &["unverify", "undo"]),
            ("kim @l", Place::Mails, &["@late", "@lost"]),
            ("@lo", Place::Mails, &["@lost"]),
            ("origin:c", Place::Audit, &["console", "cli"]),
        ];
        for (line, place, words) in table {
            let found = complete(line, line.len(), place, NAMES.into_iter());
            assert_eq!(found.words, words, "{line}");
        }
        let found = complete("kim sta mina", 7, Place::Verifications, NAMES.into_iter());
        assert_eq!((found.span, found.words), (4..7, vec!["status:".to_owned()]));
        let found = complete("mail:failed,un", 14, Place::Mails, NAMES.into_iter());
        assert_eq!(found.span, 12..14);
        let all = complete("", 0, Place::Audit, NAMES.into_iter()).words;
        assert_eq!(all, ["by:", "action:", "origin:", "since:", "until:", "@late", "@lost"]);
    }
}
