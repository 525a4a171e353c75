//! Keys: how they are written, matched and shown.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::theme::Theme;

/// One press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
}

pub(super) const ENTER: Chord = key(KeyCode::Enter);
pub(super) const ESC: Chord = key(KeyCode::Esc);
pub(super) const TAB: Chord = key(KeyCode::Tab);
pub(super) const BACK_TAB: Chord = key(KeyCode::BackTab);
pub(super) const UP: Chord = key(KeyCode::Up);
pub(super) const DOWN: Chord = key(KeyCode::Down);
pub(super) const LEFT: Chord = key(KeyCode::Left);
pub(super) const RIGHT: Chord = key(KeyCode::Right);
pub(super) const PAGE_UP: Chord = key(KeyCode::PageUp);
pub(super) const PAGE_DOWN: Chord = key(KeyCode::PageDown);
pub(super) const HOME: Chord = key(KeyCode::Home);
pub(super) const END: Chord = key(KeyCode::End);
pub(super) const F1: Chord = key(KeyCode::F(1));

const fn key(code: KeyCode) -> Chord {
    Chord { code, ctrl: false }
}

pub(super) const fn char(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: false }
}

/// A letter with Ctrl.
pub(super) const fn ctrl(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: true }
}

impl Chord {
    /// Whether it types something, so that it cannot be a command where text is typed.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.ctrl
    }

    /// Whether a key event is this chord.
    #[must_use]
    pub fn matches(self, event: &KeyEvent) -> bool {
        let event_ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        if self.ctrl != event_ctrl || event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER) {
            return false;
        }
        match (self.code, event.code) {
            (KeyCode::Char(mine), KeyCode::Char(theirs)) if self.ctrl => mine == theirs.to_ascii_lowercase(),
            (KeyCode::Char(mine), KeyCode::Char(theirs)) => mine == theirs || latin_of(theirs) == Some(mine),
            // Terminals disagree on whether shift-tab is a key of its own.
            (KeyCode::BackTab, KeyCode::Tab) => event.modifiers.contains(KeyModifiers::SHIFT),
            (KeyCode::Tab, KeyCode::Tab) => !event.modifiers.contains(KeyModifiers::SHIFT),
            (mine, theirs) => mine == theirs,
        }
    }

    #[cfg(test)]
    pub(super) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, if self.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    /// As footer and help write it.
    #[must_use]
    pub fn name(self, theme: &Theme) -> String {
        let [up, down, left, right] = theme.glyphs().arrows;
        let name = match self.code {
            KeyCode::Char(' ') => "Space".into(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "Enter".into(),
            KeyCode::Esc => "Esc".into(),
            KeyCode::Tab => "Tab".into(),
            KeyCode::BackTab => "Shift-Tab".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            KeyCode::Home => "Home".into(),
            KeyCode::End => "End".into(),
            KeyCode::Up => up.into(),
            KeyCode::Down => down.into(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Left => left.into(),
            KeyCode::Right => right.into(),
            _ => "?".into(),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

/// The Latin letter on the key of a Hangul letter (KS X 5002), so that commands work while a Korean keyboard is on.
fn latin_of(c: char) -> Option<char> {
    const HANGUL: &str = "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ";
    const LATIN: &str = "qwertyuiopasdfghjklzxcvbnmQWERTOP";
    HANGUL.chars().zip(LATIN.chars()).find_map(|(hangul, latin)| (hangul == c).then_some(latin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_what_terminals_send() {
        let event = KeyEvent::new;
        let none = KeyModifiers::NONE;
        let table = [
            (char('r'), event(KeyCode::Char('r'), none), true),
            (char('R'), event(KeyCode::Char('R'), KeyModifiers::SHIFT), true),
            (char('r'), event(KeyCode::Char('R'), KeyModifiers::SHIFT), false),
            (char('r'), event(KeyCode::Char('r'), KeyModifiers::CONTROL), false),
            (char('r'), event(KeyCode::Char('r'), KeyModifiers::ALT), false),
            (ctrl('c'), event(KeyCode::Char('c'), KeyModifiers::CONTROL), true),
            (ctrl('c'), event(KeyCode::Char('c'), none), false),
            (key(KeyCode::BackTab), event(KeyCode::BackTab, KeyModifiers::SHIFT), true),
            (key(KeyCode::BackTab), event(KeyCode::Tab, KeyModifiers::SHIFT), true),
            (key(KeyCode::Tab), event(KeyCode::Tab, KeyModifiers::SHIFT), false),
            (char('j'), event(KeyCode::Char('ㅓ'), none), true),
            (char('v'), event(KeyCode::Char('ㅍ'), none), true),
            (char('R'), event(KeyCode::Char('ㄲ'), KeyModifiers::SHIFT), true),
            (char('j'), event(KeyCode::Char('ㅏ'), none), false),
        ];
        for (chord, event, fits) in table {
            assert_eq!(chord.matches(&event), fits, "{chord:?} {event:?}");
        }
    }

    #[test]
    fn every_hangul_key_has_a_latin_one() {
        assert_eq!(latin_of('ㅂ'), Some('q'));
        assert_eq!(latin_of('ㅡ'), Some('m'));
        assert_eq!(latin_of('ㅖ'), Some('P'));
    }
}
