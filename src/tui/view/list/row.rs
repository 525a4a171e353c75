//! What lists are made of.

use crate::domain::Time;
use crate::domain::account::suppressed::{SuppressedPlace, SuppressedRow};
use crate::domain::audit::{AuditKind, AuditPlace, AuditRow};
use crate::domain::id::{SendId, VerificationId};
use crate::domain::page::Cursor;
use crate::domain::send::{SendRow, SendState};
use crate::domain::sort::Sort;
use crate::domain::verification::{Status, VerificationRow};
use crate::text::width;
use crate::tui::widget::address;

/// A row that can be paged through.
pub trait Row: Clone + std::fmt::Debug {
    type Id: Clone + Eq + std::hash::Hash + std::fmt::Debug;
    /// Its place in the order.
    type Place: Clone + std::fmt::Debug;
    /// What its lists are divided by.
    type Kind: Copy + PartialEq + std::fmt::Debug;

    /// Whether they are mails.
    const ARE_MAILS: bool = false;

    fn id(&self) -> Self::Id;

    /// Its place in a list as of a time.
    fn place(&self, tab: Option<Self::Kind>, sort: Option<Sort>, as_of: Time) -> Self::Place;

    /// The same place, seen at a later time.
    fn at_time(place: Self::Place, as_of: Time) -> Self::Place;

    /// How many columns its texts take: the address, what explains it, and what became of the mail.
    fn widths(&self) -> [usize; 3];
}

impl Row for VerificationRow {
    type Id = VerificationId;
    type Place = Cursor;
    type Kind = Status;

    fn id(&self) -> Self::Id {
        self.verification.id
    }

    fn place(&self, tab: Option<Status>, sort: Option<Sort>, as_of: Time) -> Cursor {
        Cursor::sorted(self, tab, sort.unwrap_or_else(|| Sort::default_of(tab)), as_of)
    }

    fn at_time(place: Cursor, as_of: Time) -> Cursor {
        Cursor { as_of, ..place }
    }

    fn widths(&self) -> [usize; 3] {
        let became = self.last_send.as_ref().map_or(0, |send| width(send.in_short));
        [address::width(&self.user.email), self.user.name.plain().width(), became]
    }
}

impl Row for SendRow {
    type Id = SendId;
    type Place = SendId;
    type Kind = SendState;

    const ARE_MAILS: bool = true;

    fn id(&self) -> Self::Id {
        self.id
    }

    fn place(&self, _: Option<SendState>, _: Option<Sort>, _: Time) -> SendId {
        self.id
    }

    fn at_time(place: SendId, _: Time) -> SendId {
        place
    }

    fn widths(&self) -> [usize; 3] {
        let test = if self.test_of.is_some() { width("test ") } else { 0 };
        [test + address::width(&self.recipient), self.result().map_or(0, |result| width(&result)), 0]
    }
}

impl Row for AuditRow {
    type Id = i64;
    type Place = AuditPlace;
    type Kind = AuditKind;

    fn id(&self) -> i64 {
        self.entry.id
    }

    fn place(&self, _: Option<AuditKind>, _: Option<Sort>, _: Time) -> AuditPlace {
        self.place()
    }

    fn at_time(place: AuditPlace, _: Time) -> AuditPlace {
        place
    }

    fn widths(&self) -> [usize; 3] {
        let why = self.entry.reason.as_ref().map_or(0, |reason| reason.plain().width());
        [self.whom().map_or(0, |whom| width(&whom)), why, width(&self.entry.what())]
    }
}

impl Row for SuppressedRow {
    type Id = String;
    type Place = SuppressedPlace;
    /// They are of one kind.
    type Kind = ();

    fn id(&self) -> String {
        self.address.raw().to_owned()
    }

    fn place(&self, _: Option<()>, _: Option<Sort>, _: Time) -> SuppressedPlace {
        self.place()
    }

    fn at_time(place: SuppressedPlace, _: Time) -> SuppressedPlace {
        place
    }

    fn widths(&self) -> [usize; 3] {
        let whose = self.whose().map_or(0, |whose| width(&whose));
        [address::width(&self.address), whose, self.act_in_words().map_or(0, |words| width(&words))]
    }
}
