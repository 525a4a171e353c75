//! A line of text that is typed.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use crate::text::plain;

/// Longest text that can be typed, in characters; an address may have 254.
pub const LENGTH_MAX: usize = 320;

/// A line of text with its cursor. Holds only characters that may be shown as they are.
#[derive(Clone, Debug, Default)]
pub struct Field {
    input: Input,
}

impl Field {
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The text up to the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        let text = self.input.value();
        text.char_indices().nth(self.input.cursor()).map_or(text, |(at, _)| &text[..at])
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    pub fn clear(&mut self) {
        self.input.reset();
    }

    /// Puts a word in the place of a part of the text, in bytes, and the cursor behind it.
    pub fn replace(&mut self, part: Range<usize>, word: &str) {
        let text = self.text();
        if let (Some(before), Some(behind)) = (text.get(..part.start), text.get(part.end..)) {
            let cursor = before.chars().count() + word.chars().count();
            let text = format!("{before}{word}{behind}");
            if text.chars().count() <= LENGTH_MAX {
                self.input = Input::new(text).with_cursor(cursor);
            }
        }
    }

    /// Types or edits; says whether the text has changed.
    pub fn press(&mut self, event: &KeyEvent) -> bool {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let request = match event.code {
            KeyCode::Char(c) if !ctrl && !alt => return self.insert(c),
            KeyCode::Char('a') if ctrl => InputRequest::GoToStart,
            KeyCode::Char('e') if ctrl => InputRequest::GoToEnd,
            KeyCode::Char('w') if ctrl => InputRequest::DeletePrevWord,
            KeyCode::Char('u') if ctrl => InputRequest::DeleteFromStart,
            KeyCode::Char('k') if ctrl => InputRequest::DeleteTillEnd,
            KeyCode::Char('h') if ctrl => InputRequest::DeletePrevChar,
            KeyCode::Char('d') if ctrl => InputRequest::DeleteNextChar,
            KeyCode::Char('y') if ctrl => InputRequest::Yank,
            KeyCode::Char('b') if alt => InputRequest::GoToPrevWord,
            KeyCode::Char('f') if alt => InputRequest::GoToNextWord,
            KeyCode::Backspace if alt || ctrl => InputRequest::DeletePrevWord,
            KeyCode::Backspace => InputRequest::DeletePrevChar,
            KeyCode::Delete => InputRequest::DeleteNextChar,
            KeyCode::Left if ctrl => InputRequest::GoToPrevWord,
            KeyCode::Right if ctrl => InputRequest::GoToNextWord,
            KeyCode::Left => InputRequest::GoToPrevChar,
            KeyCode::Right => InputRequest::GoToNextChar,
            KeyCode::Home => InputRequest::GoToStart,
            KeyCode::End => InputRequest::GoToEnd,
            _ => return false,
        };
        self.input.handle(request).is_some_and(|changed| changed.value)
    }

    /// Takes a pasted text: its first line that has something, without what could not be typed. Says whether the text
    /// has changed.
    pub fn paste(&mut self, text: &str) -> bool {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let mut changed = false;
        for c in line.chars() {
            changed |= self.insert(if c == '\t' { ' ' } else { c });
        }
        changed
    }

    fn insert(&mut self, c: char) -> bool {
        let typeable = plain(c.encode_utf8(&mut [0; 4])).as_str().starts_with(c) && c != '\u{fffd}';
        typeable
            && self.text().chars().count() < LENGTH_MAX
            && self.input.handle(InputRequest::InsertChar(c)).is_some_and(|changed| changed.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_what_may_be_shown() {
        let mut field = Field::default();
        assert!(field.paste("\n \x1b[31mmina\u{202e}@\u{0}example\u{200b}.com\tx\u{7f}\nsecond line\r\n"));
        assert_eq!(field.text(), "[31mmina@example.com x");
        assert!(!field.paste("\u{9b}\u{feff}"));
        assert!(field.paste(&"가".repeat(1_000)));
        assert_eq!(field.text().chars().count(), LENGTH_MAX);
    }

    #[test]
    fn edits() {
        let mut field = Field::default();
        field.paste("김철수 mina");
        let press = |field: &mut Field, code, modifiers| field.press(&KeyEvent::new(code, modifiers));
        assert!(press(&mut field, KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(field.text(), "김철수 ");
        assert!(press(&mut field, KeyCode::Backspace, KeyModifiers::NONE));
        assert!(!press(&mut field, KeyCode::Left, KeyModifiers::NONE));
        assert_eq!(field.before_cursor(), "김철");
        assert!(press(&mut field, KeyCode::Char('x'), KeyModifiers::NONE));
        assert_eq!(field.text(), "김철x수");
        field.replace(3..7, "나 ");
        assert_eq!((field.text(), field.before_cursor()), ("김나 수", "김나 "));
        field.replace(0..99, "x");
        field.replace(1..2, "x");
        field.replace(0..3, &"x".repeat(LENGTH_MAX));
        assert_eq!(field.text(), "김나 수");
        assert!(!press(&mut field, KeyCode::F(5), KeyModifiers::NONE));
    }
}
