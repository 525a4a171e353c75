//! What an operator can do from the keyboard: the one table that keys, footer and help are derived from.

mod table;

use crossterm::event::KeyEvent;

use super::keymap::Chord;
pub use table::all;

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
    /// The view of the outbox.
    Queue,
    /// The view of templates.
    Templates,
    /// Look for somebody.
    Search,
    /// Mail the link again.
    Resend,
    /// Verify without the link.
    ForceVerify,
    /// Mark or unmark the selected row.
    Mark,
    /// Mail the links of many again.
    BulkResend,
    /// Stop the outbox.
    Pause,
    /// Stop the outbox behind what is queued.
    Drain,
    /// Let the outbox go again.
    Resume,
    /// Pause the selected job, or let it go on.
    HoldJob,
    /// Call the selected job off.
    CancelJob,
    /// Sign someone up.
    SignUp,
    /// The template in the other language.
    Language,
    /// A narrower window, or the widest again.
    Width,
    /// Light, dark, turned round.
    Scheme,
    /// With images or without.
    Images,
    /// With `<style>` or without.
    Styles,
    /// As Outlook on Windows, or as the others.
    Outlook,
    /// The next fixture.
    NextFixture,
    /// The fixture before.
    PreviousFixture,
    /// The next row of the list of templates.
    NextTemplate,
    /// The row before.
    PreviousTemplate,
    /// Decoded or as sent; the template or what it became.
    OtherForm,
    /// Another of the template's files.
    NextFile,
    /// The list gives its room to the panes, or takes it back.
    Wider,
    /// See more of what is to the left.
    ShiftLeft,
    /// See more of what is to the right.
    ShiftRight,
    /// Open the editor at the line.
    Edit,
    /// What the rule behind a finding is about.
    Explain,
    /// Send a test mail.
    TestSend,
    /// Show the mail in a browser, or where it is shown.
    Page,
    /// End the page for browsers.
    StopPage,
    /// Copy the page's address.
    CopyPageAddress,
    /// Copy the line that reaches the page from another machine.
    CopySsh,
    /// The mail of the selected verification, in the workbench.
    Preview,
    /// Load anew.
    Refresh,
    /// Draw the screen afresh.
    Redraw,
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

impl Action {
    /// Whether it needs the database: what cannot be done while that is away.
    #[must_use]
    pub fn changes_data(self) -> bool {
        matches!(
            self,
            Self::Resend
                | Self::ForceVerify
                | Self::SignUp
                | Self::BulkResend
                | Self::Pause
                | Self::Drain
                | Self::Resume
                | Self::HoldJob
                | Self::CancelJob
        )
    }
}

impl Action {
    /// Whether, at a place, it mails or changes something, opens the dialog that does, or ends the console: what no key may
    /// do of which it is in doubt whether anyone pressed it.
    #[must_use]
    pub fn acts(self, place: Place) -> bool {
        let is_answer = matches!(self, Self::Confirm | Self::Toggle) && place != Place::Prompt;
        self.changes_data()
            || is_answer
            || matches!(self, Self::TestSend | Self::Mark | Self::Edit | Self::Page | Self::Quit)
    }
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
    /// Jobs and workers.
    Queue,
    /// All about a job or a worker.
    QueueItem,
    /// The templates.
    Templates,
    /// The templates, where findings are chosen.
    Checks,
    /// The templates, where a language and a fixture are chosen.
    Matrix,
    /// Where the page for browsers is.
    Page,
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

/// What a key asks for at a place. Where text is typed, characters are no commands.
#[must_use]
pub fn find(place: Place, event: &KeyEvent) -> Option<Action> {
    all()
        .filter(|entry| entry.places.contains(&place))
        .find(|entry| entry.keys.iter().any(|k| k.matches(event) && !(place.takes_text() && k.is_text())))
        .map(|entry| entry.action)
}

/// What applies at a place, in the table's order.
pub fn at(place: Place) -> impl Iterator<Item = &'static Entry> {
    all().filter(move |entry| entry.places.contains(&place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    const PLACES: [Place; 15] = [
        Place::Verifications,
        Place::Detail,
        Place::Mail,
        Place::Send,
        Place::Queue,
        Place::QueueItem,
        Place::Templates,
        Place::Checks,
        Place::Matrix,
        Place::Page,
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
