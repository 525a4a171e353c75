//! The text of lines: blanks collapse, letters are transformed, words are found.

use unicode_segmentation::UnicodeSegmentation as _;

use super::box_tree::Piece;
use super::line_break;
use super::{COLUMN, Flow};
use crate::preview::layout::source::dom::{Data, Id};
use crate::preview::layout::style::value::Unit;
use crate::preview::layout::style::{Text, Transform};
use crate::text::{plain, width};

/// Stands for a block within the text.
const OBJECT: char = '\u{fffc}';

/// Most characters that [`plain`] is given at once: it cuts longer texts.
const PLAIN_CHUNK: usize = 400;

/// What lines are filled with.
#[derive(Debug, Default)]
pub struct Paragraph {
    /// Its text, plain but for breaks and blanks of no width.
    pub text: String,
    /// Its parts.
    pub tokens: Vec<Token>,
}

/// A part of a paragraph.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub what: What,
    /// Whether a line may break before it.
    pub chance: bool,
}

/// What a part of a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Text that is not broken.
    Word {
        /// Where it begins.
        start: usize,
        end: usize,
        /// The element whose style it has.
        style: Id,
        /// How wide it is.
        width: Unit,
        /// Whether it is nothing but blanks that vanish at a line's end.
        blank: bool,
    },
    /// An inline element begins.
    Open(Id),
    /// An inline element ends.
    Close(Id),
    /// The line ends; in the style of which element.
    Break(Id),
    /// An inline block or an image.
    Atom(Id),
}

/// A stretch of a paragraph while it is built.
struct Stretch {
    what: What,
    start: usize,
    end: usize,
}

impl Flow<'_> {
    pub(super) fn build(&self, pieces: &[Piece]) -> Paragraph {
        let mut builder = Builder { text: String::new(), stretches: Vec::new(), after_blank: true };
        for piece in pieces {
            match *piece {
                Piece::Text(node, style) => {
                    if let Data::Text(text) = self.dom.data(node) {
                        builder.text(text, style, &self.style(style).text);
                    }
                }
                Piece::Open(node) => builder.mark(What::Open(node)),
                Piece::Close(node) => builder.mark(What::Close(node)),
                Piece::Break(node) => builder.end_line(node),
                Piece::Chance => builder.text.push('\u{200b}'),
                Piece::Atom(node) => {
                    builder.text.push(OBJECT);
                    builder.mark(What::Atom(node));
                    builder.after_blank = false;
                }
            }
        }
        let chances = line_break::chances(&builder.text);
        let mut tokens = Vec::with_capacity(builder.stretches.len() * 2);
        for stretch in &builder.stretches {
            match stretch.what {
                What::Word { style, .. } => {
                    self.words(&builder.text, stretch, style, &chances, &mut tokens);
                }
                What::Atom(_) => {
                    let at = stretch.end - OBJECT.len_utf8();
                    tokens.push(Token { what: stretch.what, chance: chances[at] || around(&builder.text, at) });
                }
                what => tokens.push(Token { what, chance: false }),
            }
        }
        Paragraph { text: builder.text, tokens }
    }

    /// Splits a stretch of text of one style into words and blanks.
    fn words(&self, text: &str, stretch: &Stretch, style: Id, chances: &[bool], tokens: &mut Vec<Token>) {
        let look = &self.style(style).text;
        let of = &text[stretch.start..stretch.end];
        // Text of no size takes no space and is not seen.
        let column = if look.size == 0 { 0 } else { COLUMN };
        let mut last = text[..stretch.start].chars().next_back();
        let mut begin = stretch.start;
        let mut blank = of.starts_with(is_space);
        let mut chance = false;
        let push = |tokens: &mut Vec<Token>, start: usize, end: usize, blank: bool, chance: bool| {
            if start < end {
                let columns = measured(&text[start..end]);
                let what = What::Word { start, end, style, width: columns * column, blank };
                tokens.push(Token { what, chance });
            }
        };
        for (offset, c) in of.char_indices() {
            let at = stretch.start + offset;
            let may = look.wraps
                && (look.keep_blanks || !is_space(c))
                && last.is_some_and(|last| {
                    last == OBJECT || is_space(last) || line_break::allowed(chances[at], last, c, look.word_break)
                });
            if may || is_space(c) != blank {
                push(tokens, begin, at, blank && !look.keep_blanks, chance);
                (begin, blank, chance) = (at, is_space(c), may);
            }
            last = Some(c);
        }
        push(tokens, begin, stretch.end, blank && !look.keep_blanks, chance);
    }
}

/// Whether lines may break before an object although the language knows nothing about it.
fn around(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|c| c != '\u{a0}' && c != '\n')
}

/// Blanks at which lines break.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{200b}')
}

/// How many columns a text takes.
fn measured(text: &str) -> Unit {
    let columns = if text.is_ascii() { text.len() } else { text.graphemes(true).map(width).sum() };
    Unit::try_from(columns).unwrap_or(0)
}

struct Builder {
    text: String,
    stretches: Vec<Stretch>,
    after_blank: bool,
}

impl Builder {
    fn mark(&mut self, what: What) {
        let at = self.text.len();
        self.stretches.push(Stretch { what, start: at, end: at });
    }

    fn end_line(&mut self, node: Id) {
        self.text.push('\n');
        self.mark(What::Break(node));
        self.after_blank = true;
    }

    fn text(&mut self, text: &str, style: Id, look: &Text) {
        let mut start = self.text.len();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let blank = matches!(c, ' ' | '\n' | '\t' | '\r' | '\x0c');
            let end =
                rest.find(|c: char| blank != matches!(c, ' ' | '\n' | '\t' | '\r' | '\x0c')).unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            rest = tail;
            if !blank {
                self.word(head, look.transform);
                self.after_blank = false;
            } else if look.keep_breaks || look.keep_blanks {
                for c in head.chars() {
                    match c {
                        '\n' if look.keep_breaks => {
                            self.stretch(start, style);
                            self.end_line(style);
                            start = self.text.len();
                        }
                        '\r' => {}
                        '\t' if look.keep_blanks => self.text.push_str("        "),
                        _ if look.keep_blanks => self.text.push(' '),
                        _ if !self.after_blank => {
                            self.text.push(' ');
                            self.after_blank = true;
                        }
                        _ => {}
                    }
                }
            } else if !self.after_blank {
                self.text.push(' ');
                self.after_blank = true;
            }
        }
        self.stretch(start, style);
    }

    fn stretch(&mut self, start: usize, style: Id) {
        let end = self.text.len();
        if start < end {
            let what = What::Word { start, end, style, width: 0, blank: false };
            self.stretches.push(Stretch { what, start, end });
        }
    }

    /// Appends a word without blanks, made plain.
    fn word(&mut self, word: &str, transform: Transform) {
        let clean;
        let word = if word.bytes().all(|byte| byte.is_ascii_graphic()) {
            word
        } else {
            clean = cleaned(word);
            &clean
        };
        match transform {
            Transform::None => self.text.push_str(word),
            Transform::Upper => self.text.push_str(&word.to_uppercase()),
            Transform::Lower => self.text.push_str(&word.to_lowercase()),
            Transform::Capital => {
                let mut letters = word.chars();
                let first = letters.next();
                self.text.extend(first.into_iter().flat_map(char::to_uppercase));
                self.text.push_str(letters.as_str());
            }
        }
    }
}

/// A word made plain. What authors put between letters to pad or to join them is no attack: it goes without a trace.
fn cleaned(word: &str) -> String {
    let harmless = |c: char| {
        matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200c}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    let kept: String = word.chars().filter(|c| !harmless(*c)).collect();
    let mut out = String::with_capacity(kept.len());
    for (index, part) in kept.split('\u{200b}').enumerate() {
        if index > 0 {
            out.push('\u{200b}');
        }
        let mut rest = part;
        while !rest.is_empty() {
            let end = rest.grapheme_indices(true).nth(PLAIN_CHUNK).map_or(rest.len(), |(at, _)| at);
            let (head, tail) = rest.split_at(end);
            out.push_str(plain(head).as_str());
            rest = tail;
        }
    }
    out
}
