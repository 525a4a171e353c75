//! Everything the console knows, as plain data.

pub mod field;
mod queue;
pub mod slot;
mod tabbed;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use chrono::Duration;
use uuid::Uuid;

use super::action::{Action, KeyContext};
use super::dialog::{Dialog, Doctor};
use super::effect::{Answer, Problem};
use super::undo::Offer;
use super::view::account::model::Account;
use super::view::detour::{self, Detour};
use super::view::pane::Target;
use super::view::queue::model::Queue;
use super::view::templates::model::{Mode, Workbench};
use super::view::templates::person::Wish;
use super::view::{suppressed, verifications};
use super::when;
use crate::domain::Time;
use crate::domain::account::suppressed::SuppressedRow;
use crate::domain::account::suppression_list::SuppressionList;
use crate::domain::audit::{AuditKind, AuditRow};
use crate::domain::filter::line::WrongTerm;
use crate::domain::filter::{Clock, Filter, Place, Saved, Search};
use crate::domain::id::{SendId, VerificationId};
use crate::domain::idn;
use crate::domain::right::Rights;
use crate::domain::send::SendRow;
use crate::domain::user::User;
use crate::domain::verification::{Counts, Status, Verification, VerificationDetail, VerificationRow};
use crate::domain::worker::OutboxView;
use crate::domain::zone::Zone;
use crate::text::Untrusted;
use field::Field;
use slot::Slot;
pub use tabbed::Tabbed;

/// What the console starts with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// The site's name, or "demo".
    pub site: String,
    /// What the database is for: *production*, *staging*, …; empty where no one says.
    pub environment: String,
    /// Which database it is, and on which host; empty where that is not known.
    pub database: String,
    /// Whether nothing may be changed, as the flag or the settings say.
    pub is_read_only: bool,
    /// Under which name the operator's acts are audited.
    pub operator: String,
    /// In which zone absolute times are shown.
    pub zone: Zone,
    /// The worker within this console (`console.send`).
    pub sends: Option<Uuid>,
    /// Whether a worker is being started beside this console.
    pub starts_worker: bool,
    /// Who may get test mails, as the settings say: addresses, and domains with an `@` before.
    pub tests: Vec<String>,
    /// Where the files of templates are, where there may be some.
    pub templates_dir: Option<PathBuf>,
    /// Filters that have a name.
    pub saved: Saved,
    /// Whether there are templates and nothing else: no database is needed, and none is asked for.
    pub only_templates: bool,
}

/// What the body shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Verifications by status.
    #[default]
    Verifications,
    /// Mails by state.
    Mail,
    /// The outbox: pace, jobs, workers.
    Queue,
    /// Who did what to whom.
    Audit,
    /// The SES account, and how mail is received.
    Account,
    /// SES's suppression list, opened from the account.
    Suppressed,
    /// The templates' workbench.
    Templates,
}

impl View {
    /// Every view that the tab key leads to, in its order.
    pub const ALL: [Self; 6] =
        [Self::Verifications, Self::Mail, Self::Queue, Self::Audit, Self::Account, Self::Templates];

    /// The view that it belongs to.
    #[must_use]
    pub fn whole(self) -> Self {
        if self == Self::Suppressed { Self::Account } else { self }
    }

    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Verifications => "Verifications",
            Self::Mail => "Mail",
            Self::Queue => "Queue",
            Self::Audit => "Audit",
            Self::Account | Self::Suppressed => "Account",
            Self::Templates => "Templates",
        }
    }
}

/// The tabs of [`View::Verifications`].
pub const STATUS_TABS: [Option<Status>; 5] =
    [Some(Status::Pending), Some(Status::Verified), Some(Status::Expired), Some(Status::Revoked), None];

/// How the database is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Link {
    /// It has not answered yet.
    #[default]
    Connecting,
    /// It answers.
    Up,
    /// It does not.
    Away {
        problem: Problem,
        /// When it is tried again.
        retry_at: Time,
    },
}

/// How much a toast matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was done.
    Done,
    /// Something cannot be done.
    Refused,
    /// Something failed.
    Failed,
}

/// A message that goes by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    pub level: Level,
    pub what: String,
    pub hint: String,
    /// When it goes.
    pub until: Time,
    /// Until when a key takes back what it tells of, if one does.
    pub undo_until: Option<Time>,
}

/// Words that Tab puts in the place of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completing {
    pub words: Vec<String>,
    /// Which of them is there now.
    pub at: usize,
    /// Where, in bytes.
    pub part: Range<usize>,
}

/// The detail of a verification.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Of which one.
    pub id: Option<VerificationId>,
    /// What was loaded, of that one.
    pub data: Option<Box<VerificationDetail>>,
    /// There is no such verification.
    pub missing: bool,
    /// Why it could not be loaded.
    pub problem: Option<Problem>,
    /// First line shown.
    pub scroll: usize,
    /// Which of the user's mails and verifications the cursor is on.
    pub chosen: Option<Target>,
    /// The one that is being loaded; the next waits for it.
    pub loading: Option<VerificationId>,
    /// It has to be loaded again.
    pub stale: bool,
}

/// The console's whole state.
#[derive(Clone, Debug)]
pub struct Model {
    pub setup: Setup,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The database's time, as near as it is known.
    pub now: Time,
    /// How far the database's clock is ahead of this machine's.
    pub skew: Duration,
    /// Until when a worker that is being started is waited for, by this machine's clock.
    worker_due: Time,
    /// How the database is.
    pub link: Link,
    pub view: View,
    pub verifications: Tabbed<VerificationRow>,
    pub mail: Tabbed<SendRow>,
    pub audit: Tabbed<AuditRow>,
    pub suppressed: Tabbed<SuppressedRow>,
    /// How that was read; `None` where no worker reads it.
    pub suppression: Option<SuppressionList>,
    /// Addresses near to the one that a search did not find, once they are known.
    pub near: Option<(Search, Vec<Untrusted>)>,
    /// The verification whose detail was opened: keys go there, and it stays whatever happens to the list.
    pub opened: Option<VerificationId>,
    /// From where the mail on the screen was opened, the last at the end.
    pub(super) detours: Vec<Detour>,
    /// Whether keys go to the detail of the selected mail or audit entry.
    pub row_open: bool,
    /// The detail of the selected or opened verification.
    pub detail: Detail,
    /// Whose mail is to be shown as they got it, once they are loaded.
    pub(super) preview: Option<Wish>,
    /// First line shown of a mail's detail.
    pub send_scroll: usize,
    /// First line shown of an audit entry's detail.
    pub entry_scroll: usize,
    /// Verifications marked for a bulk resend.
    pub marks: BTreeSet<VerificationId>,
    /// Which of them was marked last, or unmarked: where a range begins.
    pub marked_last: Option<VerificationId>,
    /// Mails marked for one, and whose they are.
    pub mail_marks: BTreeMap<SendId, VerificationId>,
    /// Which of those was marked last, or unmarked.
    pub mail_marked_last: Option<SendId>,
    pub queue: Queue,
    pub account: Account,
    pub workbench: Workbench,
    /// What the login may do, once the database has said so.
    pub rights: Option<Rights>,
    /// How many there are of each status.
    pub counts: Option<Counts>,
    /// The outbox and its workers.
    pub outbox: Option<OutboxView>,
    /// Whether a search is being typed.
    pub prompt: bool,
    /// What was pasted outside any field, until it is found or not.
    pub(super) pasted: Option<String>,
    /// What Tab puts into it next.
    pub completing: Option<Completing>,
    /// Whether all is well, as far as it was looked at.
    pub doctor: Doctor,
    /// What covers the screen.
    pub dialog: Option<Dialog>,
    /// Messages, the newest last.
    pub toasts: Vec<Toast>,
    /// The last act, as long as it can be taken back by a key.
    pub undo: Option<Offer>,
    pub(super) slots: Slots,
    pub(super) generation: u64,
    pub(super) outbox_due: Option<Time>,
    pub(super) newer_for: Option<(u64, usize)>,
    /// How far the search for a page has come, where it takes long.
    pub(super) searched: Option<Searched>,
    /// The list that is being written into a file.
    pub(super) exporting: Option<Exporting>,
    pub(super) dirty: bool,
}

/// Loads that run at most once at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    pub(super) counts: Slot,
    pub(super) outbox: Slot,
    pub(super) newer: Slot,
    pub(super) rows: Slot,
    /// Rows that changed while others were being loaded.
    pub(super) changed: Vec<VerificationId>,
}

/// How far the search for a page has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Searched {
    pub generation: u64,
    pub found: usize,
    pub back_to: Time,
}

/// How far the list that is being written has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exporting {
    pub generation: u64,
    pub rows: usize,
}

impl Model {
    /// A console that has loaded nothing yet. Send it [`super::Msg::Start`] next.
    #[must_use]
    pub fn new(setup: Setup, now: Time, width: u16, height: u16) -> Self {
        let only_templates = setup.only_templates;
        Self {
            setup,
            size: (width, height),
            now,
            skew: Duration::zero(),
            worker_due: now + Duration::seconds(WORKER_STARTS),
            link: if only_templates { Link::Up } else { Link::Connecting },
            view: if only_templates { View::Templates } else { View::Verifications },
            verifications: Tabbed::new(STATUS_TABS),
            near: None,
            mail: Tabbed::of_mails(),
            audit: Tabbed::new(AuditKind::ALL.map(Some).into_iter().chain(std::iter::once(None))),
            suppressed: Tabbed::new([None]),
            suppression: None,
            opened: None,
            detours: Vec::new(),
            row_open: false,
            detail: Detail::default(),
            preview: None,
            send_scroll: 0,
            entry_scroll: 0,
            marks: BTreeSet::new(),
            marked_last: None,
            mail_marks: BTreeMap::new(),
            mail_marked_last: None,
            queue: Queue::default(),
            account: Account::default(),
            workbench: Workbench::default(),
            rights: None,
            counts: None,
            outbox: None,
            prompt: false,
            pasted: None,
            completing: None,
            doctor: Doctor::default(),
            dialog: None,
            toasts: Vec::new(),
            undo: None,
            slots: Slots::default(),
            generation: 0,
            outbox_due: None,
            newer_for: None,
            searched: None,
            exporting: None,
            dirty: true,
        }
    }

    #[must_use]
    pub fn key_context(&self) -> KeyContext {
        if let Some(dialog) = &self.dialog {
            return dialog.key_context();
        }
        match self.view {
            View::Templates => match self.workbench.mode {
                Mode::Checks => KeyContext::Checks,
                Mode::Matrix => KeyContext::Matrix,
                _ => KeyContext::Templates,
            },
            _ if self.prompt => KeyContext::Prompt,
            _ if self.opened.is_some() => KeyContext::Detail,
            View::Verifications => KeyContext::Verifications,
            View::Mail if self.row_open => KeyContext::Send,
            View::Mail => KeyContext::Mail,
            View::Audit if self.row_open => KeyContext::Entry,
            View::Audit => KeyContext::Audit,
            View::Account => KeyContext::Account,
            View::Suppressed => KeyContext::Suppressed,
            View::Queue if self.queue.open => KeyContext::QueueItem,
            View::Queue => KeyContext::Queue,
        }
    }

    /// Whether an action is there at all, wherever its keys apply: without a database much is not.
    #[must_use]
    pub fn offers(&self, action: Action) -> bool {
        use Action::{Account, Audit, Doctor, Mail, NextView, PreviousView, Queue, Verifications};
        let elsewhere =
            matches!(action, NextView | PreviousView | Verifications | Mail | Queue | Audit | Account | Doctor);
        !(self.setup.only_templates && (action.changes_data() || elsewhere || action == Action::Back))
    }

    /// Where one is open, the other, which took its place, is what its reader wants to know of now.
    pub fn follow(&mut self, replaced: VerificationId, by: VerificationId) {
        if self.opened == Some(replaced) {
            self.opened = Some(by);
        }
    }

    /// What took the place of the opened one, where its link was revoked.
    #[must_use]
    pub fn replaced_by(&self) -> Option<VerificationId> {
        let detail = self.detail.data.as_ref().filter(|detail| self.opened == Some(detail.verification.id))?;
        detail.replaced_by().map(|newer| newer.id)
    }

    /// The verification that acts are about, and whose it is.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let selected = match self.view {
            View::Verifications => self.verifications.selected().map(|row| row.verification.id),
            View::Mail => self.mail.selected().and_then(|row| row.verification_id),
            View::Suppressed => self.suppressed.selected().and_then(|row| row.user.as_ref()?.verification),
            View::Audit | View::Account | View::Queue | View::Templates => None,
        };
        let id = self.opened.or(selected)?;
        let subject = |verification: &Verification, user: &User| Subject {
            id,
            email: idn::shown(&user.email).into_string(),
            mailed: user.email.plain().into_string(),
            name: user.name.plain().into_string(),
            status: Some(verification.status(self.now)),
            user_verified: user.verified_at.is_some(),
            is_leaving: user.delete_after.is_some(),
        };
        let rows = self.verifications.lists.iter().flat_map(|list| &list.items).map(|item| &item.row);
        let row = || rows.clone().find(|row| row.verification.id == id).map(|r| subject(&r.verification, &r.user));
        let detail = self.detail.data.as_deref().filter(|d| d.verification.id == id);
        let mail = || {
            // What is opened from elsewhere is not what is selected there.
            self.mail.selected().filter(|send| send.verification_id == Some(id)).map(|send| Subject {
                id,
                email: idn::shown(&send.recipient).into_string(),
                mailed: send.recipient.plain().into_string(),
                name: String::new(),
                status: None,
                user_verified: send.is_verified,
                is_leaving: send.is_leaving,
            })
        };
        let listed = || suppressed::update::listed(self).and_then(suppressed::update::subject);
        detail.map(|d| subject(&d.verification, &d.user)).or_else(row).or_else(mail).or_else(listed)
    }

    /// How far the search for the list on the screen has come, where it takes long.
    pub(super) fn progress(&self) -> Option<String> {
        let (awaiting, is_up) = match self.view {
            View::Verifications => {
                (self.verifications.list()?.awaiting?, verifications::update::filter(self).order().is_up)
            }
            View::Mail => (self.mail.list()?.awaiting?, self.mail.filter.is_oldest_first()),
            _ => return None,
        };
        let searched = self.searched.filter(|searched| searched.generation == awaiting.0)?;
        let found = match searched.found {
            0 => "none found yet".to_owned(),
            found => format!("{found} found"),
        };
        let to = if is_up { "up to" } else { "back to" };
        Some(format!("{found}, searched {to} {}…", when::brief(searched.back_to, self.now, self.setup.zone)))
    }

    /// Whether there may be something new to draw; asking resets it.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Until when a worker that is being started beside this console need not be there yet.
    #[must_use]
    pub(super) fn worker_due(&self) -> Option<Time> {
        let is_started = self.setup.starts_worker || self.setup.sends.is_some();
        let due = self.worker_due + self.skew;
        (is_started && self.now < due).then_some(due)
    }

    /// What the list on the screen can be filtered by.
    #[must_use]
    pub fn place(&self) -> Place {
        match self.view {
            View::Mail => Place::Mails,
            View::Audit => Place::Audit,
            _ => Place::Verifications,
        }
    }

    /// What of the line that is typed applies.
    #[must_use]
    pub fn filter_line(&self) -> &Filter {
        match self.view {
            View::Mail => &self.mail.filter,
            View::Audit => &self.audit.filter,
            View::Suppressed => &self.suppressed.filter,
            _ => &self.verifications.filter,
        }
    }

    /// What is wrong with the line that is typed.
    #[must_use]
    pub fn wrong_term(&self) -> Option<&WrongTerm> {
        match self.view {
            View::Mail => self.mail.wrong.as_ref(),
            View::Audit => self.audit.wrong.as_ref(),
            View::Suppressed => None,
            _ => self.verifications.wrong.as_ref(),
        }
    }

    /// What `yesterday` means.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock { now: self.now, zone: self.setup.zone }
    }

    /// The search that applies to the list on the screen.
    #[must_use]
    pub fn search(&self) -> &Field {
        match self.view {
            View::Mail => &self.mail.search,
            View::Audit => &self.audit.search,
            View::Suppressed => &self.suppressed.search,
            _ => &self.verifications.search,
        }
    }

    /// Goes to a view; what was open elsewhere is closed.
    pub(super) fn show(&mut self, view: View) {
        detour::leave(self);
        self.view = view;
        self.prompt = false;
        self.opened = None;
        self.row_open = false;
        (self.queue.open, self.queue.listed) = (false, None);
    }

    /// Shows a message for a while.
    pub(super) fn toast(&mut self, level: Level, what: impl Into<String>, hint: impl Into<String>) {
        let seconds = match level {
            Level::Done => 6,
            Level::Refused => 8,
            Level::Failed => 20,
        };
        let until = self.now + Duration::seconds(seconds);
        let toast = Toast { level, what: what.into(), hint: hint.into(), until, undo_until: None };
        self.toasts.retain(|other| other.what != toast.what);
        self.toasts.push(toast);
        let extra = self.toasts.len().saturating_sub(TOASTS_MAX);
        self.toasts.drain(..extra);
    }

    /// Nothing is asked for while the database is away; [`super::load::catch_up`] follows.
    #[must_use]
    pub(super) fn is_away(&self) -> bool {
        matches!(self.link, Link::Away { .. })
    }

    /// The database has answered, if this is no problem.
    pub(super) fn heard<T>(&mut self, answer: &Answer<T>) {
        if answer.is_ok() && self.link == Link::Connecting {
            self.link = Link::Up;
        }
    }

    /// Statuses and distances go by the database's clock.
    pub(super) fn correct_clock(&mut self, as_of: Time) {
        let skew = as_of - (self.now - self.skew);
        let skew = if skew.num_seconds().abs() < SKEW_MIN { Duration::zero() } else { skew };
        self.now = self.now - self.skew + skew;
        self.skew = skew;
    }

    /// Shows a problem, unless the banner says it already. Before anything has answered, the list says it, or the banner
    /// will.
    pub(super) fn complain(&mut self, problem: Problem) {
        if !problem.away && self.link == Link::Up {
            self.toast(Level::Failed, problem.what, problem.hint);
        }
    }
}

/// A difference between the clocks that is worth correcting, in seconds; less is the way here.
const SKEW_MIN: i64 = 3;

/// How many seconds a worker may take to start.
const WORKER_STARTS: i64 = 10;

/// How many messages are shown at once.
const TOASTS_MAX: usize = 3;

/// What acts are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which verification.
    pub id: VerificationId,
    /// As it is read: its domain in its own script.
    pub email: String,
    /// As mails are addressed to it.
    pub mailed: String,
    /// The user's name, where it is known.
    pub name: String,
    /// The verification's status, where it is known.
    pub status: Option<Status>,
    /// Whether their address is verified, by this verification or another.
    pub user_verified: bool,
    /// Whether they are being deleted, as far as is known.
    pub is_leaving: bool,
}
