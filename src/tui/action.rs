//! What an operator can do from the keyboard: the one table that keys, footer and help are derived from.

use crossterm::event::{KeyCode, KeyEvent};

use super::keymap::{Chord, char, ctrl, key};

/// Something an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One row or line up.
    Up,
    /// One row or line down.
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// To the newest row, or the first line.
    First,
    /// To the oldest row loaded, or the last line.
    Last,
    /// Show all about the selected row.
    Open,
    /// Out of whatever is open.
    Back,
    /// The next tab.
    NextTab,
    /// The tab before.
    PreviousTab,
    /// The tab with the number pressed.
    PickTab,
    /// The next view.
    NextView,
    /// The view before.
    PreviousView,
    /// The view of mails.
    Mail,
    /// The view of templates.
    Templates,
    /// Look for somebody.
    Search,
    /// Mail the link again.
    Resend,
    /// Verify without the link.
    ForceVerify,
    /// Sign someone up.
    SignUp,
    /// The template in the other language.
    Language,
    /// Load anew.
    Refresh,
    /// Show all keys.
    Help,
    /// End the console.
    Quit,
    /// Stop in the shell's sense.
    Suspend,
    /// Do what the dialog says.
    Confirm,
    /// Close the dialog without doing anything.
    Cancel,
    /// The form's next field.
    NextField,
    /// The form's field before.
    PreviousField,
    /// The form's other language.
    Toggle,
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The list of verifications.
    Verifications,
    /// A verification's detail.
    Detail,
    /// The list of mails.
    Mail,
    /// A mail's detail.
    Send,
    /// The templates.
    Templates,
    /// The search prompt.
    Prompt,
    /// The help.
    Help,
    /// A question answered by yes or no.
    Confirm,
    /// A question answered by a text.
    Reason,
    /// The sign-up form.
    Form,
}

impl Place {
    /// Whether characters are typed into a text here.
    #[must_use]
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Reason | Self::Form)
    }
}

/// A line of the table.
#[derive(Debug)]
pub struct Entry {
    /// What it does.
    pub action: Action,
    /// In a word or two, for the footer.
    pub title: &'static str,
    /// In a sentence, for the help.
    pub help: &'static str,
    /// Its keys; the first is the one that the footer shows.
    pub keys: &'static [Chord],
    /// Where it applies.
    pub places: &'static [Place],
    /// Its rank in the footer: 1 is shown first where room is short, 0 is never shown.
    pub rank: u8,
}

const LISTS: &[Place] = &[Place::Verifications, Place::Mail];
const DETAILS: &[Place] = &[Place::Detail, Place::Send];
const PAGES: &[Place] = &[Place::Verifications, Place::Detail, Place::Mail, Place::Send, Place::Templates];
const TABBED: &[Place] = &[Place::Verifications, Place::Mail, Place::Templates];
const MOVES: &[Place] =
    &[Place::Verifications, Place::Detail, Place::Mail, Place::Send, Place::Templates, Place::Help, Place::Prompt];
const PEOPLE: &[Place] = &[Place::Verifications, Place::Detail, Place::Mail, Place::Send];
const VERIFICATIONS: &[Place] = &[Place::Verifications, Place::Detail];
const OVERLAYS: &[Place] = &[Place::Prompt, Place::Help, Place::Confirm, Place::Reason, Place::Form];

/// Everything, in the order that footer and help show it.
pub static TABLE: &[Entry] = &[
    Entry {
        action: Action::Open,
        title: "open",
        help: "Show all about the selected row",
        keys: &[key(KeyCode::Enter)],
        places: &[Place::Verifications, Place::Mail, Place::Send],
        rank: 4,
    },
    Entry {
        action: Action::Search,
        title: "search",
        help: "Find by e-mail, name or number; in Mail by recipient or SES id",
        keys: &[char('/')],
        places: LISTS,
        rank: 3,
    },
    Entry {
        action: Action::Resend,
        title: "resend",
        help: "Mail the link again; asks first and says what will happen",
        keys: &[char('r')],
        places: PEOPLE,
        rank: 5,
    },
    Entry {
        action: Action::ForceVerify,
        title: "force-verify",
        help: "Verify without the link; asks for the reason",
        keys: &[char('v')],
        places: VERIFICATIONS,
        rank: 6,
    },
    Entry {
        action: Action::SignUp,
        title: "sign up",
        help: "Sign someone up",
        keys: &[char('n')],
        places: PAGES,
        rank: 7,
    },
    Entry {
        action: Action::Language,
        title: "language",
        help: "The template in the other language",
        keys: &[char('L')],
        places: &[Place::Templates],
        rank: 3,
    },
    Entry {
        action: Action::NextTab,
        title: "next tab",
        help: "The next tab",
        keys: &[char(']'), char('l'), key(KeyCode::Right)],
        places: TABBED,
        rank: 0,
    },
    Entry {
        action: Action::PreviousTab,
        title: "previous tab",
        help: "The tab before",
        keys: &[char('['), char('h'), key(KeyCode::Left)],
        places: TABBED,
        rank: 0,
    },
    Entry {
        action: Action::PickTab,
        title: "tab",
        help: "The tab with that number",
        keys: &[char('1'), char('2'), char('3'), char('4'), char('5'), char('6'), char('7'), char('8'), char('9')],
        places: TABBED,
        rank: 0,
    },
    Entry {
        action: Action::NextView,
        title: "next view",
        help: "Verifications, Mail, Templates in turn",
        keys: &[key(KeyCode::Tab)],
        places: PAGES,
        rank: 9,
    },
    Entry {
        action: Action::PreviousView,
        title: "previous view",
        help: "The same, backwards",
        keys: &[key(KeyCode::BackTab)],
        places: PAGES,
        rank: 0,
    },
    Entry {
        action: Action::Mail,
        title: "mail",
        help: "What became of each mail",
        keys: &[char('m')],
        places: PAGES,
        rank: 0,
    },
    Entry {
        action: Action::Templates,
        title: "templates",
        help: "How the verification mail looks",
        keys: &[char('t')],
        places: PAGES,
        rank: 0,
    },
    Entry {
        action: Action::Up,
        title: "up",
        help: "Up",
        keys: &[key(KeyCode::Up), char('k'), ctrl('p')],
        places: MOVES,
        rank: 0,
    },
    Entry {
        action: Action::Down,
        title: "down",
        help: "Down",
        keys: &[key(KeyCode::Down), char('j'), ctrl('n')],
        places: MOVES,
        rank: 0,
    },
    Entry {
        action: Action::PageUp,
        title: "page up",
        help: "A screenful up",
        keys: &[key(KeyCode::PageUp), ctrl('b')],
        places: MOVES,
        rank: 0,
    },
    Entry {
        action: Action::PageDown,
        title: "page down",
        help: "A screenful down",
        keys: &[key(KeyCode::PageDown), ctrl('f'), char(' ')],
        places: MOVES,
        rank: 0,
    },
    Entry {
        action: Action::First,
        title: "newest",
        help: "To the newest row, or the top",
        keys: &[char('g'), key(KeyCode::Home)],
        places: &[Place::Verifications, Place::Detail, Place::Mail, Place::Send, Place::Templates, Place::Help],
        rank: 0,
    },
    Entry {
        action: Action::Last,
        title: "oldest",
        help: "To the oldest row loaded, or the bottom",
        keys: &[char('G'), key(KeyCode::End)],
        places: &[Place::Verifications, Place::Detail, Place::Mail, Place::Send, Place::Templates, Place::Help],
        rank: 0,
    },
    Entry {
        action: Action::Confirm,
        title: "do it",
        help: "Do what the dialog says",
        keys: &[char('y'), key(KeyCode::Enter)],
        places: &[Place::Confirm],
        rank: 1,
    },
    Entry {
        action: Action::Confirm,
        title: "do it",
        help: "Do what the dialog says",
        keys: &[key(KeyCode::Enter)],
        places: &[Place::Reason, Place::Form],
        rank: 1,
    },
    Entry {
        action: Action::Confirm,
        title: "keep",
        help: "Keep the search and go to the list",
        keys: &[key(KeyCode::Enter)],
        places: &[Place::Prompt],
        rank: 1,
    },
    Entry {
        action: Action::NextField,
        title: "next field",
        help: "The next field",
        keys: &[key(KeyCode::Tab), key(KeyCode::Down)],
        places: &[Place::Form],
        rank: 3,
    },
    Entry {
        action: Action::PreviousField,
        title: "previous field",
        help: "The field before",
        keys: &[key(KeyCode::BackTab), key(KeyCode::Up)],
        places: &[Place::Form],
        rank: 0,
    },
    Entry {
        action: Action::Toggle,
        title: "language",
        help: "The other language",
        keys: &[ctrl('l')],
        places: &[Place::Form],
        rank: 4,
    },
    Entry {
        action: Action::Cancel,
        title: "cancel",
        help: "Close the dialog without doing anything",
        keys: &[key(KeyCode::Esc), char('n'), char('q')],
        places: &[Place::Confirm],
        rank: 2,
    },
    Entry {
        action: Action::Cancel,
        title: "cancel",
        help: "Close the dialog without doing anything",
        keys: &[key(KeyCode::Esc)],
        places: &[Place::Reason, Place::Form],
        rank: 2,
    },
    Entry {
        action: Action::Cancel,
        title: "clear",
        help: "Give the search up",
        keys: &[key(KeyCode::Esc)],
        places: &[Place::Prompt],
        rank: 2,
    },
    Entry {
        action: Action::Cancel,
        title: "close",
        help: "Close the help",
        keys: &[key(KeyCode::Esc), char('?'), char('q'), key(KeyCode::Enter)],
        places: &[Place::Help],
        rank: 1,
    },
    Entry {
        action: Action::Back,
        title: "back",
        help: "Dismiss messages, leave the detail, clear the search, go back",
        keys: &[key(KeyCode::Esc)],
        places: DETAILS,
        rank: 2,
    },
    Entry {
        action: Action::Back,
        title: "back",
        help: "Dismiss messages, leave the detail, clear the search, go back",
        keys: &[key(KeyCode::Esc)],
        places: TABBED,
        rank: 0,
    },
    Entry {
        action: Action::Refresh,
        title: "refresh",
        help: "Load anew, at the same place",
        keys: &[char('R'), ctrl('l')],
        places: PAGES,
        rank: 8,
    },
    Entry { action: Action::Help, title: "help", help: "Show all keys", keys: &[char('?')], places: PAGES, rank: 1 },
    Entry {
        action: Action::Quit,
        title: "quit",
        help: "End the console",
        keys: &[char('q'), ctrl('c')],
        places: PAGES,
        rank: 2,
    },
    Entry {
        action: Action::Quit,
        title: "quit",
        help: "End the console",
        keys: &[ctrl('c')],
        places: OVERLAYS,
        rank: 0,
    },
    Entry {
        action: Action::Suspend,
        title: "suspend",
        help: "Back to the shell; `fg` returns",
        keys: &[ctrl('z')],
        places: PAGES,
        rank: 0,
    },
    Entry {
        action: Action::Suspend,
        title: "suspend",
        help: "Back to the shell; `fg` returns",
        keys: &[ctrl('z')],
        places: OVERLAYS,
        rank: 0,
    },
];

/// What a key asks for at a place. Where text is typed, characters are no commands.
#[must_use]
pub fn find(place: Place, event: &KeyEvent) -> Option<Action> {
    TABLE
        .iter()
        .filter(|entry| entry.places.contains(&place))
        .find(|entry| entry.keys.iter().any(|k| k.matches(event) && !(place.takes_text() && k.is_text())))
        .map(|entry| entry.action)
}

/// What applies at a place, in the table's order.
pub fn at(place: Place) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |entry| entry.places.contains(&place))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 10] = [
        Place::Verifications,
        Place::Detail,
        Place::Mail,
        Place::Send,
        Place::Templates,
        Place::Prompt,
        Place::Help,
        Place::Confirm,
        Place::Reason,
        Place::Form,
    ];

    #[test]
    fn no_key_means_two_things_at_one_place() {
        for place in PLACES {
            let entries: Vec<_> = at(place).collect();
            for (n, a) in entries.iter().enumerate() {
                for b in &entries[n + 1..] {
                    let shared = a.keys.iter().find(|k| b.keys.contains(k));
                    assert!(shared.is_none(), "{shared:?} is {:?} and {:?} at {place:?}", a.action, b.action);
                }
            }
        }
    }

    #[test]
    fn every_place_can_be_left() {
        use crossterm::event::KeyModifiers;
        for place in PLACES {
            let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(find(place, &ctrl_c), Some(Action::Quit), "{place:?}");
            let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
            assert!(matches!(find(place, &esc), Some(Action::Back | Action::Cancel)), "{place:?}");
        }
    }

    #[test]
    fn text_is_typed_where_text_is_taken() {
        use crossterm::event::KeyModifiers;
        for place in PLACES.into_iter().filter(|p| p.takes_text()) {
            for c in ' '..='~' {
                let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
                assert_eq!(find(place, &event), None, "{c:?} at {place:?}");
            }
        }
    }
}
