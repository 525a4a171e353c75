//! Facts that both parts of a mail must say: the text part and the HTML part are read by different people.

use std::collections::BTreeSet;

/// A fact, and who says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about: the variable that holds it, or "link".
    pub name: String,
    /// The fact itself; untrusted.
    pub value: String,
    /// Whether the text part says it.
    pub in_text: bool,
    /// Whether the HTML part shows it or leads there.
    pub in_html: bool,
}

impl Fact {
    /// Whether one part says it and the other does not.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.in_text != self.in_html
    }
}

/// Compares the parts. `values` are the facts to look for, by name; every link in either part is one too. `shown`
/// is the text that a reader of the HTML sees, `links` where its links lead.
#[must_use]
pub fn compare(values: &[(String, String)], text: &str, shown: &str, links: &[String]) -> Vec<Fact> {
    let (flat_text, flat_shown) = (squeeze(text), squeeze(shown));
    let mut facts: Vec<Fact> = values
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| Fact {
            name: name.clone(),
            value: value.clone(),
            in_text: flat_text.contains(&squeeze(value)),
            in_html: flat_shown.contains(&squeeze(value)) || links.iter().any(|link| link == value),
        })
        .filter(|fact| fact.in_text || fact.in_html)
        .collect();
    let in_text: BTreeSet<&str> = urls(text).collect();
    let in_html: BTreeSet<&str> = links.iter().map(String::as_str).filter(|link| link.starts_with("http")).collect();
    for url in in_text.union(&in_html) {
        if facts.iter().all(|fact| fact.value.trim_end_matches('/') != url.trim_end_matches('/')) {
            let (in_text, in_html) = (in_text.contains(url), in_html.contains(url));
            facts.push(Fact { name: "link".into(), value: (*url).into(), in_text, in_html });
        }
    }
    facts
}

fn urls(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')'));
    words.filter(|word| word.starts_with("https://") || word.starts_with("http://")).map(|word| {
        // As mail programs find them: what is no part of an address ends it (a Korean particle), and so does the
        // sentence's own mark.
        let end = word.find(|c: char| !c.is_ascii_graphic()).unwrap_or(word.len());
        word[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', ']', '}'])
    })
}

/// Without white space: lines break where they like.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_an_address() {
        let links = ["https://example.org/help".to_owned(), "https://example.org/b?c=d.e".to_owned()];
        let text = "Help: https://example.org/help. (https://example.org/help), https://example.org/b?c=d.e을 보세요";
        let facts = compare(&[], text, "", &links);
        assert!(facts.len() == 2 && facts.iter().all(|fact| !fact.differs()), "{facts:?}");
    }

    #[test]
    fn finds_what_only_one_part_says() {
        let values = [("name", "Robin Park"), ("expires", "25 Nov 2026"), ("site_url", ""), ("other", "nowhere")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let links = ["https://example.org/verify/?key=a".to_owned(), "#top".to_owned()];
        let text = "Hello Robin\nPark, open https://example.org/verify/?key=b until then.";
        let facts = compare(&values, text, "Hello Robin Park. Until 25 Nov 2026.", &links);
        let found: Vec<_> = facts.iter().map(|f| (f.name.as_str(), f.in_text, f.in_html)).collect();
        assert_eq!(
            found,
            [("name", true, true), ("expires", false, true), ("link", false, true), ("link", true, false)]
        );
        assert_eq!(facts.iter().filter(|fact| fact.differs()).count(), 3);
    }
}
