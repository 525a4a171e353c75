//! Where keys apply.

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
    #[cfg(test)]
    pub(in crate::tui) const ALL: [Self; 15] = [
        Self::Verifications,
        Self::Detail,
        Self::Mail,
        Self::Send,
        Self::Queue,
        Self::QueueItem,
        Self::Templates,
        Self::Checks,
        Self::Matrix,
        Self::Page,
        Self::Prompt,
        Self::Help,
        Self::Confirm,
        Self::Reason,
        Self::Form,
    ];

    /// Whether characters are typed into a text here.
    #[must_use]
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Reason | Self::Form)
    }
}

/// A set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places(u16);

impl Places {
    const fn of(places: &[Place]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < places.len() {
            bits |= 1 << places[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn but(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[must_use]
    pub const fn contains(self, place: Place) -> bool {
        self.0 & 1 << place as u16 != 0
    }
}

pub(super) const LIST: Places = Places::of(&[Place::Verifications]);
pub(super) const SEND: Places = Places::of(&[Place::Send]);
pub(super) const QUEUE: Places = Places::of(&[Place::Queue]);
pub(super) const CHECKS: Places = Places::of(&[Place::Checks]);
pub(super) const MATRIX: Places = Places::of(&[Place::Matrix]);
pub(super) const PAGE: Places = Places::of(&[Place::Page]);
pub(super) const PROMPT: Places = Places::of(&[Place::Prompt]);
pub(super) const HELP: Places = Places::of(&[Place::Help]);
pub(super) const CONFIRM: Places = Places::of(&[Place::Confirm]);
pub(super) const FORM: Places = Places::of(&[Place::Form]);

pub(super) const LISTS: Places = Places::of(&[Place::Verifications, Place::Mail]);
pub(super) const DETAILS: Places = Places::of(&[Place::Detail, Place::Send, Place::QueueItem]);
pub(super) const VERIFICATIONS: Places = Places::of(&[Place::Verifications, Place::Detail]);
/// Verifications and mails, listed and in full.
pub(super) const PEOPLE: Places = LISTS.and(Places::of(&[Place::Detail, Place::Send]));
pub(super) const QUEUES: Places = Places::of(&[Place::Queue, Place::QueueItem]);
/// The templates, whatever of them is shown.
pub(super) const BENCH: Places = Places::of(&[Place::Templates, Place::Checks, Place::Matrix]);
pub(super) const PAGES: Places = PEOPLE.and(QUEUES).and(BENCH);
pub(super) const VIEWS: Places = PAGES.but(DETAILS);
pub(super) const TABBED: Places = LISTS.and(Places::of(&[Place::Templates, Place::Checks]));

/// What is answered by a text.
pub(super) const TYPED: Places = FORM.and(Places::of(&[Place::Reason]));
/// What covers the screen, and the prompt.
pub(super) const DIALOGS: Places = PAGE.and(PROMPT).and(HELP).and(CONFIRM).and(TYPED);

pub(super) const MOVES: Places = PAGES.and(PAGE).and(HELP).and(PROMPT);
pub(super) const ENDS: Places = PAGES.and(HELP);
/// Where the space bar turns pages: it marks rows in the list of verifications.
pub(super) const SPACED: Places = PAGES.but(LIST).and(HELP).and(PROMPT);
