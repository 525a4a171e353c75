//! Where keys apply.

/// Where the operator is, as far as it decides what a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyContext {
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
    /// The audit log.
    Audit,
    /// All about an entry of the audit log.
    Entry,
    /// The SES account.
    Account,
    /// SES's suppression list.
    Suppressed,
    Templates,
    /// The templates, where findings are chosen.
    Checks,
    /// The templates, where a language and a fixture are chosen.
    Matrix,
    /// Where the page for browsers is.
    Page,
    /// The search prompt.
    Prompt,
    Help,
    /// Whether all is well.
    Doctor,
    /// A question answered by yes or no.
    Confirm,
    /// A question where no is an answer as well.
    Decide,
    /// A question answered by a text.
    Reason,
    /// The sign-up form.
    Form,
    /// A choice of one line out of a few.
    Menu,
}

impl KeyContext {
    #[cfg(test)]
    pub(in crate::tui) const ALL: [Self; 22] = [
        Self::Verifications,
        Self::Detail,
        Self::Mail,
        Self::Send,
        Self::Queue,
        Self::QueueItem,
        Self::Audit,
        Self::Entry,
        Self::Account,
        Self::Suppressed,
        Self::Templates,
        Self::Checks,
        Self::Matrix,
        Self::Page,
        Self::Prompt,
        Self::Help,
        Self::Doctor,
        Self::Confirm,
        Self::Decide,
        Self::Reason,
        Self::Form,
        Self::Menu,
    ];

    /// Whether characters are typed into a text here.
    #[must_use]
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Reason | Self::Form)
    }
}

/// A set of contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyContexts(u32);

impl KeyContexts {
    const fn of(contexts: &[KeyContext]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < contexts.len() {
            bits |= 1 << contexts[at] as u16;
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
    pub const fn contains(self, context: KeyContext) -> bool {
        self.0 & 1 << context as u16 != 0
    }
}

pub(super) const DETAIL: KeyContexts = KeyContexts::of(&[KeyContext::Detail]);
pub(super) const SEND: KeyContexts = KeyContexts::of(&[KeyContext::Send]);
pub(super) const QUEUE_ITEM: KeyContexts = KeyContexts::of(&[KeyContext::QueueItem]);
pub(super) const QUEUE: KeyContexts = KeyContexts::of(&[KeyContext::Queue]);
pub(super) const CHECKS: KeyContexts = KeyContexts::of(&[KeyContext::Checks]);
pub(super) const MATRIX: KeyContexts = KeyContexts::of(&[KeyContext::Matrix]);
pub(super) const PAGE: KeyContexts = KeyContexts::of(&[KeyContext::Page]);
pub(super) const PROMPT: KeyContexts = KeyContexts::of(&[KeyContext::Prompt]);
pub(super) const HELP: KeyContexts = KeyContexts::of(&[KeyContext::Help]);
pub(super) const DOCTOR: KeyContexts = KeyContexts::of(&[KeyContext::Doctor]);
pub(super) const DECIDE: KeyContexts = KeyContexts::of(&[KeyContext::Decide]);
pub(super) const CONFIRM: KeyContexts = KeyContexts::of(&[KeyContext::Confirm]).and(DECIDE);
pub(super) const FORM: KeyContexts = KeyContexts::of(&[KeyContext::Form]);
pub(super) const MENU: KeyContexts = KeyContexts::of(&[KeyContext::Menu]);

pub(super) const ENTRY: KeyContexts = KeyContexts::of(&[KeyContext::Entry]);
/// Users and their mails.
pub(super) const LISTS: KeyContexts = KeyContexts::of(&[KeyContext::Verifications, KeyContext::Mail]);
/// What can be written into files.
pub(super) const EXPORTED: KeyContexts = LISTS.and(KeyContexts::of(&[KeyContext::Audit]));
/// The audit log, listed and in full.
pub(super) const AUDITS: KeyContexts = ENTRY.and(KeyContexts::of(&[KeyContext::Audit]));
pub(super) const DETAILS: KeyContexts =
    ENTRY.and(KeyContexts::of(&[KeyContext::Detail, KeyContext::Send, KeyContext::QueueItem]));
pub(super) const VERIFICATIONS: KeyContexts = KeyContexts::of(&[KeyContext::Verifications, KeyContext::Detail]);
/// Verifications and mails, listed and in full.
pub(super) const USERS: KeyContexts = LISTS.and(KeyContexts::of(&[KeyContext::Detail, KeyContext::Send]));
pub(super) const QUEUES: KeyContexts = KeyContexts::of(&[KeyContext::Queue, KeyContext::QueueItem]);
/// The templates, whatever of them is shown.
pub(super) const BENCH: KeyContexts = KeyContexts::of(&[KeyContext::Templates, KeyContext::Checks, KeyContext::Matrix]);
pub(super) const SUPPRESSED: KeyContexts = KeyContexts::of(&[KeyContext::Suppressed]);
pub(super) const ACCOUNT: KeyContexts = KeyContexts::of(&[KeyContext::Account]);
pub(super) const PAGES: KeyContexts = USERS.and(QUEUES).and(AUDITS).and(ACCOUNT).and(SUPPRESSED).and(BENCH);
pub(super) const VIEWS: KeyContexts = PAGES.but(DETAILS);
pub(super) const TABBED: KeyContexts =
    LISTS.and(KeyContexts::of(&[KeyContext::Audit, KeyContext::Templates, KeyContext::Checks]));

/// What is answered by a text.
pub(super) const TYPED: KeyContexts = FORM.and(KeyContexts::of(&[KeyContext::Reason]));
/// What covers the screen, and the prompt.
pub(super) const DIALOGS: KeyContexts = PAGE.and(PROMPT).and(HELP).and(DOCTOR).and(CONFIRM).and(TYPED).and(MENU);

pub(super) const MOVES: KeyContexts = PAGES.and(PAGE).and(HELP).and(DOCTOR).and(PROMPT);
pub(super) const ENDS: KeyContexts = PAGES.and(HELP).and(DOCTOR);
/// Where the space bar turns pages: it marks rows in the lists of verifications and mails.
pub(super) const SPACED: KeyContexts = PAGES.but(LISTS).and(HELP).and(DOCTOR).and(PROMPT);
