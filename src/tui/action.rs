//! What an operator can do from the keyboard: the one table that keys, footer and help are derived from.

mod key_context;

use crossterm::event::KeyEvent;

use super::keymap::{
    BACK_TAB, Chord, DOWN, END, ENTER, ESC, F1, HOME, LEFT, PAGE_DOWN, PAGE_UP, RIGHT, TAB, UP, char as c, ctrl,
};
use key_context::{
    ACCOUNT, AUDITS, BENCH, CHECKS, CONFIRM, DECIDE, DETAIL, DETAILS, DIALOGS, DOCTOR, ENDS, EXPORTED, FORM, HELP,
    LISTS, MATRIX, MENU, MOVES, PAGE, PAGES, PROMPT, QUEUE, QUEUE_ITEM, QUEUES, SEND, SPACED, SUPPRESSED, TABBED,
    TYPED, USERS, VERIFICATIONS, VIEWS,
};
pub use key_context::{KeyContext, KeyContexts};

use crate::domain::right::Right;

/// The keys of tabs, in the order in which they stand on a keyboard.
pub const TAB_KEYS: &str = "1234567890-=";

/// Something an operator can ask for. [`all`] says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Open,
    Back,
    NextTab,
    PreviousTab,
    PickTab,
    NextView,
    PreviousView,
    Verifications,
    Mail,
    Queue,
    Audit,
    Account,
    Templates,
    Search,
    /// The next order of the list.
    Sort,
    /// Searches for what is suggested.
    Suggested,
    Resend,
    ForceVerify,
    Unverify,
    ChangeAddress,
    Revoke,
    Extend,
    Delete,
    /// Off SES's suppression list, and mailed again.
    Unlist,
    /// The suppression list itself.
    SuppressionList,
    /// Off the suppression list, whether a user has the address or not.
    RemoveSuppressed,
    /// An address onto it.
    AddSuppressed,
    CopyEmail,
    Mark,
    MarkDown,
    MarkUp,
    MarkTo,
    MarkAll,
    MarkOthers,
    BulkResend,
    Pause,
    Drain,
    Resume,
    HoldJob,
    CancelJob,
    Topic,
    RetryWebhooks,
    /// An identity at SES.
    AddIdentity,
    Undo,
    Copy,
    CopyNumber,
    Export,
    /// Built-in templates as files.
    Eject,
    SignUp,
    Language,
    Width,
    Scheme,
    Images,
    Styles,
    Outlook,
    NextFixture,
    PreviousFixture,
    NextTemplate,
    PreviousTemplate,
    OtherForm,
    NextFile,
    Wider,
    ShiftLeft,
    ShiftRight,
    Edit,
    Explain,
    TestSend,
    Page,
    StopPage,
    CopyPageAddress,
    CopySsh,
    Preview,
    /// Whether all is well.
    Doctor,
    Refresh,
    Redraw,
    Help,
    Quit,
    Suspend,
    Confirm,
    Refuse,
    Cancel,
    NextField,
    PreviousField,
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
                | Self::Unverify
                | Self::ChangeAddress
                | Self::Revoke
                | Self::Extend
                | Self::Delete
                | Self::Unlist
                | Self::RemoveSuppressed
                | Self::AddSuppressed
                | Self::SignUp
                | Self::BulkResend
                | Self::Pause
                | Self::Drain
                | Self::Resume
                | Self::HoldJob
                | Self::CancelJob
                | Self::Topic
                | Self::RetryWebhooks
                | Self::AddIdentity
                | Self::Undo
        )
    }

    /// What a login needs to do it, if it needs something.
    #[must_use]
    pub fn right(self) -> Option<Right> {
        Some(match self {
            Self::Resend => Right::Resend,
            Self::ForceVerify => Right::ForceVerify,
            Self::Unverify => Right::Unverify,
            Self::ChangeAddress => Right::ChangeAddress,
            Self::Revoke => Right::Revoke,
            Self::Extend => Right::Extend,
            Self::Delete => Right::Delete,
            Self::Unlist | Self::RemoveSuppressed | Self::AddSuppressed => Right::ChangeSuppression,
            Self::SignUp => Right::SignUp,
            Self::BulkResend | Self::HoldJob | Self::CancelJob => Right::BulkResend,
            Self::Pause | Self::Drain | Self::Resume => Right::StopOutbox,
            Self::Topic => Right::ApproveTopic,
            Self::RetryWebhooks => Right::RetryWebhooks,
            Self::AddIdentity => Right::AddIdentity,
            Self::TestSend => Right::TestSend,
            _ => return None,
        })
    }

    /// Whether, in a context, it mails or changes something, be it the clipboard, opens the dialog that does, or ends
    /// the console: a key must not do so if it is in doubt whether anyone pressed it.
    #[must_use]
    pub fn acts(self, context: KeyContext) -> bool {
        let is_answer = matches!(self, Self::Confirm | Self::Refuse | Self::Toggle) && context != KeyContext::Prompt;
        self.changes_data()
            || is_answer
            || matches!(self, Self::TestSend | Self::Mark | Self::Edit | Self::Eject | Self::Page | Self::Quit)
            || matches!(self, Self::Copy | Self::CopyNumber | Self::CopyEmail | Self::CopyPageAddress | Self::CopySsh)
    }
}

macro_rules! table {
    ($($action:ident: [$($key:expr),+], $contexts:expr, $rank:literal, $title:literal, $help:literal;)+) => {
        &[$(Entry {
            action: Action::$action,
            title: $title,
            help: $help,
            keys: &[$($key),+],
            contexts: $contexts,
            rank: $rank,
        }),+]
    };
}

/// Action: keys, where they apply, rank in the footer, title, help. In the order that footer and help show them.
static TABLE: &[Entry] = table! {
    // What is done to users, mails and the outbox.
    Open: [ENTER], LISTS.and(SEND), 4, "open", "Show all about the selected row";
    Open: [ENTER], QUEUE, 8, "open", "Show all about the selected row; of a job, pressed again, its mails";
    Open: [ENTER], QUEUE_ITEM, 3, "its mails", "Open the chosen skipped user; with none chosen, list its mails";
    Open: [ENTER], DETAIL, 4, "open", "To the chosen mail or verification; of a replaced link, to the newer";
    Open: [ENTER], AUDITS, 4, "open", "Show all about the entry, then about its user";
    Open: [ENTER], SUPPRESSED, 4, "open", "Show all about the user who has the address";
    Search: [c('/')], SUPPRESSED, 3, "search", "Find by any part of the address";
    Search: [c('/')], LISTS, 3, "search", "Find by e-mail, name, number; or terms: mail:failed";
    Search: [c('/')], AUDITS.but(DETAILS), 3, "search", "Find by the user it is about; or terms: by:mina action:pause";
    Search: [c('/')], DETAILS.and(QUEUE), 0, "search", "Find by e-mail, name, number; or terms: mail:failed";
    Sort: [c('s')], LISTS, 0, "sort", "The list's next order: by time or by e-mail, either way round";
    Resend: [c('r')], USERS, 5, "resend", "Mail the link again; says first what will happen";
    ForceVerify: [c('v')], VERIFICATIONS, 6, "force-verify", "Verify without the link; asks for the reason";
    Unverify: [c('V')], VERIFICATIONS, 0, "un-verify", "Take back that a user is verified; asks for the reason";
    ChangeAddress: [c('a')], VERIFICATIONS, 0, "change address", "Correct the user's address, and mail a new link there";
    Revoke: [c('x')], VERIFICATIONS, 0, "revoke", "Stop the link from working; asks for the reason";
    Extend: [c('e')], VERIFICATIONS, 0, "extend", "Let the link work for its whole lifetime again; asks for the reason";
    Delete: [c('d')], VERIFICATIONS, 0, "delete", "Erase the user and all that names them; asks for address and reason";
    Unlist: [c('L')], VERIFICATIONS, 0, "off the list", "Take the address off SES's suppression list, and mail the link again";
    RemoveSuppressed: [c('x')], SUPPRESSED, 5, "remove", "Take the address off the list; asks for the reason";
    Unlist: [c('L')], SUPPRESSED, 6, "remove and mail", "Take the address off the list, and mail its user the link again";
    AddSuppressed: [c('a')], SUPPRESSED, 7, "add", "Put an address on the list, so that SES mails it no more; asks for the reason";
    CopyEmail: [c('y'), c('c')], SUPPRESSED, 8, "copy", "Copy the address";
    CopyEmail: [c('c')], USERS, 0, "copy address", "Copy the user's e-mail address";
    Copy: [c('y')], USERS, 0, "copy", "Copy the address, an id, the reply, or the command that shows the same";
    Copy: [c('y')], ACCOUNT, 4, "copy", "Copy the command that prints all of it, or a record for DNS";
    CopyNumber: [c('1'), c('2'), c('3'), c('4'), c('5'), c('6'), c('7'), c('8'), c('9')], MENU, 0, "that line", "Take the line with that number";
    Export: [c('E')], EXPORTED, 0, "export", "Write all that the list shows into a file, as CSV or JSON Lines";
    Undo: [c('z')], PAGES, 1, "take back", "Take the last act back, for ten seconds after it";
    SignUp: [c('n')], USERS.and(QUEUES), 9, "sign up", "Sign someone up";
    SignUp: [c('n')], BENCH, 0, "sign up", "Sign someone up";
    Mark: [c(' ')], LISTS, 11, "mark", "Mark or unmark the row, for a bulk resend";
    MarkDown: [c('J')], LISTS, 0, "mark down", "Mark the row and the next one";
    MarkUp: [c('K')], LISTS, 0, "mark up", "Mark the row and the one before";
    MarkTo: [c('M')], LISTS, 0, "mark to here", "Mark all from the row that was marked last to this one";
    MarkAll: [ctrl('a')], LISTS, 0, "mark all", "Mark all rows that are loaded";
    MarkOthers: [c('I')], LISTS, 0, "mark others", "Mark the loaded rows that are not marked, and unmark the others";
    BulkResend: [c('B')], LISTS, 7, "bulk resend", "Mail the marked again, or all that is shown; plans first";
    HoldJob: [c('p')], QUEUES, 6, "pause job", "Pause the selected job, or resume it";
    CancelJob: [c('x')], QUEUES, 5, "cancel", "Cancel the selected job, and its queued mails";
    Pause: [c('P')], QUEUES, 3, "pause all", "Pause the whole outbox; asks for the reason";
    Drain: [c('D')], QUEUES, 7, "drain", "Send what is queued now, then nothing; asks for the reason";
    Resume: [c('U')], QUEUES, 4, "resume", "Resume sending, whatever stopped it";
    Resume: [c('U')], USERS.and(BENCH), 0, "resume", "Resume sending, whatever stopped it";
    Topic: [c('A')], QUEUES, 0, "topic", "Approve or refuse the topic of SNS that asks to post events";
    RetryWebhooks: [c('w')], QUEUES, 0, "webhooks", "What the site was not told, and its answers; try it again";
    SuppressionList: [c('L')], ACCOUNT, 6, "suppression list", "Who is on SES's suppression list, why and since when; remove, add";
    AddIdentity: [c('a')], ACCOUNT, 5, "add identity", "Have an address or a domain added at SES, to mail from; shows what goes into DNS";
    // What is done in the templates' workbench.
    Open: [ENTER], CHECKS, 1, "to the line", "To the line in the source";
    Explain: [c('?')], CHECKS, 2, "explain", "What the rule asks for, why, and where that comes from";
    Open: [ENTER], MATRIX, 1, "show", "Show that mail";
    Language: [LEFT, RIGHT, c('h'), c('l')], MATRIX, 0, "language", "The template in the other language";
    Width: [c('w')], BENCH, 3, "width", "Narrower: 640, 480, 375, 320 px";
    Scheme: [c('s')], BENCH, 4, "scheme", "Light, dark as written, colours inverted (a simulation)";
    Language: [c('L')], BENCH, 5, "language", "The template in the other language";
    NextFixture: [c('f')], BENCH, 6, "fixture", "The next fixture: what the variables say";
    PreviousFixture: [c('F')], BENCH, 0, "fixture before", "The fixture before";
    Images: [c('i')], BENCH, 9, "images", "With images, or with their alternative texts";
    Styles: [c('y')], BENCH, 10, "<style>", "With <style>, or without as in some of Gmail";
    Outlook: [c('x')], BENCH, 11, "Outlook", "As Outlook on Windows takes it";
    TestSend: [c('T')], BENCH, 8, "test send", "Send it as a test: to an allow-listed address or SES's simulator";
    Page: [c('p')], BENCH, 12, "page", "Show it in a browser, by a page on this machine only";
    CopyPageAddress: [c('c')], PAGE, 3, "copy address", "Copy the page's address";
    CopySsh: [c('s')], PAGE, 4, "copy ssh line", "Copy the line that reaches it from your own machine";
    StopPage: [c('x')], PAGE, 5, "end it", "End the page";
    Cancel: [ESC, ENTER, c('p'), c('q')], PAGE, 1, "close", "Close this; the page stays";
    NextTemplate: [c('J')], BENCH, 0, "next mail", "The next template or language of the list";
    PreviousTemplate: [c('K')], BENCH, 0, "mail before", "The one before";
    Edit: [c('e')], BENCH, 7, "edit", "Open $VISUAL or $EDITOR at the line";
    Eject: [c('E')], BENCH, 0, "make files", "Write built-in templates as files, to be changed";
    OtherForm: [c('d')], BENCH, 0, "decoded or sent", "MIME decoded or as sent; the template's source or what it became";
    NextFile: [c('a')], BENCH, 0, "file", "The source of subject, text or HTML";
    Wider: [c('b')], BENCH, 0, "more room", "Hide the list beside, or show it";
    ShiftLeft: [c('<'), c(',')], BENCH, 0, "left", "More of what is to the left";
    ShiftRight: [c('>'), c('.')], BENCH, 0, "right", "More of what is to the right";
    Preview: [c('p')], DETAIL.and(SEND), 7, "mail", "The mail as they got it, but for the link; the chosen one, or the newest";
    Preview: [c('p')], LISTS, 0, "mail", "The mail as they got it, but for the link";
    // Getting about, dialogs, and what is the same everywhere.
    NextTab: [c(']'), c('l'), RIGHT], TABBED, 13, "tabs", "The next tab";
    NextTab: [c(']')], MATRIX, 13, "tabs", "The next tab";
    PreviousTab: [c('['), c('h'), LEFT], TABBED, 0, "previous tab", "The tab before";
    PreviousTab: [c('[')], MATRIX, 0, "previous tab", "The tab before";
    PickTab: [c('1'), c('2'), c('3'), c('4'), c('5'), c('6'), c('7'), c('8'), c('9'), c('0'), c('-'), c('=')], TABBED, 0, "tab", "The tab with that key: 1 to 9, then 0, - and =";
    PickTab: [c('1'), c('2'), c('3'), c('4'), c('5'), c('6'), c('7'), c('8'), c('9')], MATRIX, 0, "tab", "The tab with that number";
    NextView: [TAB], PAGES, 12, "next view", "Verifications, Mail, Queue, Audit, Account, Templates in turn";
    PreviousView: [BACK_TAB], PAGES, 0, "previous view", "The same, backwards";
    // No small letter is free in every view.
    Verifications: [c('W')], PAGES, 0, "verifications", "Who has signed up: everyone's verifications";
    Mail: [c('m')], PAGES, 0, "mail", "What became of each mail";
    Queue: [c('o')], PAGES, 0, "queue", "Whether mail flows: what is to go, pace, jobs, workers";
    Audit: [c('u')], PAGES, 0, "audit", "Who did what to whom, when and why";
    Account: [c('S')], PAGES, 0, "account", "The SES account: quota, standing, identities; how mail is received";
    Templates: [c('t')], PAGES, 0, "templates", "How the verification mail looks";
    Doctor: [c('O')], ACCOUNT.and(QUEUES), 15, "all well?", "Whether all is well: what `verifydesk doctor` looks at, with what to do";
    Doctor: [c('O')], PAGES.but(ACCOUNT.and(QUEUES)), 0, "all well?", "Whether all is well: what `verifydesk doctor` looks at, with what to do";
    Up: [UP, c('k'), ctrl('p')], MOVES, 0, "up", "Up";
    Down: [DOWN, c('j'), ctrl('n')], MOVES, 0, "down", "Down";
    PageUp: [PAGE_UP, ctrl('b')], MOVES, 0, "page up", "A screenful up";
    PageDown: [PAGE_DOWN, ctrl('f'), c(' ')], SPACED, 0, "page down", "A screenful down; Space where it does not mark";
    PageDown: [PAGE_DOWN, ctrl('f')], LISTS, 0, "page down", "A screenful down";
    First: [c('g'), HOME], ENDS, 0, "newest", "To the newest row, or the top";
    Last: [c('G'), END], ENDS, 0, "oldest", "To the oldest row, or the bottom";
    Confirm: [c('y'), ENTER], CONFIRM, 1, "do it", "Do what the dialog says";
    Confirm: [ENTER], TYPED, 1, "do it", "Do what the dialog says";
    Confirm: [ENTER], PROMPT, 1, "keep", "Keep the search and go to the list";
    Confirm: [ENTER, c('y')], MENU, 1, "take it", "Take the line that is marked";
    NextField: [DOWN, c('j'), TAB, ctrl('n')], MENU, 3, "next", "The next line";
    PreviousField: [UP, c('k'), BACK_TAB, ctrl('p')], MENU, 0, "before", "The line before";
    Cancel: [ESC, c('q'), c('n')], MENU, 2, "close", "Close this";
    Refuse: [c('x')], DECIDE, 3, "refuse", "Refuse what the dialog asks about";
    NextField: [TAB, DOWN], FORM, 3, "next field", "The next field";
    PreviousField: [BACK_TAB, UP], FORM, 0, "previous field", "The field before";
    Toggle: [ctrl('o')], FORM, 4, "language", "The other language";
    Cancel: [ESC, c('n'), c('q')], CONFIRM, 2, "cancel", "Close the dialog without doing anything";
    Cancel: [ESC], TYPED, 2, "cancel", "Close the dialog without doing anything";
    Suggested: [TAB], PROMPT, 0, "take it", "Complete the word, or take what is suggested where nothing is found";
    Cancel: [ESC], PROMPT, 2, "clear", "Clear the search";
    Cancel: [ESC, c('?'), F1, c('q'), ENTER], HELP, 1, "close", "Close the help";
    Cancel: [ESC, c('O'), c('q'), ENTER], DOCTOR, 1, "close", "Close this";
    Refresh: [c('R')], DOCTOR, 2, "look again", "Look again whether all is well";
    Back: [ESC], DETAILS, 2, "back", "Close messages, detail, search; then go back";
    Back: [ESC], VIEWS, 0, "back", "Close messages, detail, search; then go back";
    Refresh: [c('R')], PAGES, 14, "refresh", "Load again, at the same place";
    Help: [c('?'), F1], PAGES.but(CHECKS), 1, "help", "Show all keys";
    Help: [F1], CHECKS, 3, "help", "Show all keys";
    Quit: [c('q'), ctrl('c')], PAGES, 2, "quit", "End the console";
    Quit: [ctrl('c')], DIALOGS, 0, "quit", "End the console";
    Redraw: [ctrl('l')], PAGES, 0, "redraw", "Redraw the screen";
    Redraw: [ctrl('l')], DIALOGS, 0, "redraw", "Redraw the screen";
    Suspend: [ctrl('z')], PAGES, 0, "suspend", "Back to the shell; `fg` returns";
    Suspend: [ctrl('z')], DIALOGS, 0, "suspend", "Back to the shell; `fg` returns";
};

/// The whole table.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    TABLE.iter()
}

/// A line of the table.
#[derive(Debug)]
pub struct Entry {
    pub action: Action,
    /// In a word or two, for the footer.
    pub title: &'static str,
    /// In a sentence, for the help.
    pub help: &'static str,
    /// Its keys; the first is the one that the footer shows.
    pub keys: &'static [Chord],
    pub contexts: KeyContexts,
    /// Its rank in the footer: 1 is shown first where room is short, 0 is never shown.
    pub rank: u8,
}

/// What a key asks for in a context. Where text is typed, characters are no commands.
#[must_use]
pub fn find(context: KeyContext, event: &KeyEvent) -> Option<Action> {
    all()
        .filter(|entry| entry.contexts.contains(context))
        .find(|entry| entry.keys.iter().any(|k| k.matches(event) && !(context.takes_text() && k.is_text())))
        .map(|entry| entry.action)
}

/// What applies in a context, in the table's order.
pub fn at(context: KeyContext) -> impl Iterator<Item = &'static Entry> {
    all().filter(move |entry| entry.contexts.contains(context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        for context in KeyContext::ALL {
            let entries: Vec<_> = at(context).collect();
            for (n, a) in entries.iter().enumerate() {
                for b in &entries[n + 1..] {
                    let shared = a.keys.iter().find(|k| b.keys.contains(k));
                    assert!(shared.is_none(), "{shared:?} is {:?} and {:?} in {context:?}", a.action, b.action);
                }
            }
        }
    }

    #[test]
    fn every_place_can_be_left() {
        use crossterm::event::KeyModifiers;
        for context in KeyContext::ALL {
            let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
            assert_eq!(find(context, &ctrl_c), Some(Action::Quit), "{context:?}");
            let esc = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
            assert!(matches!(find(context, &esc), Some(Action::Back | Action::Cancel)), "{context:?}");
        }
    }

    #[test]
    fn text_is_typed_where_text_is_taken() {
        use crossterm::event::KeyModifiers;
        for context in KeyContext::ALL.into_iter().filter(|p| p.takes_text()) {
            for c in ' '..='~' {
                let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
                assert_eq!(find(context, &event), None, "{c:?} in {context:?}");
            }
        }
    }
}
