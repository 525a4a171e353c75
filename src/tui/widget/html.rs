//! A mail's HTML part as a reader sees it, without a browser.

use html2text::render::RichAnnotation;

use crate::preview::fallback;
use crate::text::plain;

/// A laid-out line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its pieces, left to right.
    pub pieces: Vec<Piece>,
}

/// Text of one kind. It is plain already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it is set in bold.
    pub strong: bool,
    /// Whether it is a link.
    pub link: bool,
}

/// Narrowest layout worth looking at.
const COLUMNS_MIN: u16 = 20;

/// Lays HTML out for a number of columns; nothing where it cannot be (too narrow). Malicious HTML can take long: run it
/// off the async threads, with a time limit.
#[must_use]
pub fn shown(html: &str, columns: u16) -> Option<Vec<Line>> {
    if columns < COLUMNS_MIN {
        return None;
    }
    let lines = fallback::lines(html, columns)?;
    let lines = lines.iter().map(|line| {
        let pieces = line.tagged_strings().map(|piece| Piece {
            text: plain(&piece.s).into_string(),
            strong: piece.tag.iter().any(|tag| matches!(tag, RichAnnotation::Strong)),
            link: piece.tag.iter().any(|tag| matches!(tag, RichAnnotation::Link(_))),
        });
        Line { pieces: pieces.filter(|piece| !piece.text.is_empty()).collect() }
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str, columns: u16) -> Vec<String> {
        let lines = shown(html, columns).unwrap();
        lines.iter().map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect()).collect()
    }

    #[test]
    fn lays_out_and_hides() {
        let html = "<style>.h { display: none }</style><span class=h>hidden</span>\
                    <table><tr><td><p>Hello <b>Mina</b></p></td></tr></table><a href='https://example.org'>Verify</a>";
        let shown_text = text(html, 40).join("\n");
        assert!(shown_text.contains("Hello Mina") && shown_text.contains("Verify"), "{shown_text}");
        assert!(!shown_text.contains("hidden"), "{shown_text}");
        let lines = shown(html, 40).unwrap();
        let pieces: Vec<_> = lines.iter().flat_map(|line| &line.pieces).collect();
        assert!(pieces.iter().any(|piece| piece.strong && piece.text.contains("Mina")));
        assert!(pieces.iter().any(|piece| piece.link && piece.text == "Verify"));
    }

    #[test]
    fn is_plain_and_knows_when_it_cannot() {
        let all = text("<p>a&#x202e;b&#27;[31mc</p>", 40).concat();
        assert!(!all.contains('\u{202e}') && !all.contains('\u{1b}'), "{all:?}");
        assert_eq!(shown("<p>x</p>", 5), None);
    }
}
