//! What a list shows, read to its end.

use serde_json::Value;

use super::{Columns, Format, json};
use crate::domain::audit::{AuditFilter, AuditPlace, AuditRow};
use crate::domain::filter::Filter;
use crate::domain::page::{Cursor, Position};
use crate::domain::send::SendRow;
use crate::domain::verification::VerificationRow;
use crate::store::list::whole::Whole as WholeList;
use crate::store::sends::whole::Whole as WholeSends;
use crate::store::{Error, Store};

/// How many entries of the audit log are read at once.
const ENTRIES: i64 = 1_000;

/// What a list shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed {
    Verifications(Filter),
    Mails(Filter),
    Audit(AuditFilter),
}

/// What is left of it.
pub(super) enum Reading<'a> {
    Verifications(WholeList<'a>, &'a Filter),
    Mails(WholeSends<'a>),
    Audit { store: &'a Store, filter: &'a AuditFilter, position: Option<Position<AuditPlace>> },
}

impl Listed {
    /// What its file is named after.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Verifications(Filter { status: Some(status), .. }) => format!("verifications-{status}"),
            Self::Verifications(_) => "verifications".into(),
            Self::Mails(filter) => match filter.mail.only() {
                Some(state) => format!("mails-{state}"),
                None => "mails".into(),
            },
            Self::Audit(_) => "audit".into(),
        }
    }

    pub(super) fn columns(&self) -> Columns {
        match self {
            Self::Verifications(_) => Columns::VERIFICATIONS,
            Self::Mails(_) => Columns::MAILS,
            Self::Audit(_) => Columns::AUDIT,
        }
    }

    pub(super) async fn read<'a>(&'a self, store: &'a Store) -> Result<Reading<'a>, Error> {
        Ok(match self {
            Self::Verifications(filter) => {
                Reading::Verifications(store.whole_list(filter, Position::Newest).await?, filter)
            }
            Self::Mails(filter) => Reading::Mails(store.whole_sends(filter, Position::Newest).await?),
            Self::Audit(filter) => Reading::Audit { store, filter, position: Some(Position::Newest) },
        })
    }
}

impl Reading<'_> {
    /// The next rows, and how many they are; `None` where there are no more.
    pub(super) async fn next(&mut self, format: Format) -> Result<Option<(String, usize)>, Error> {
        Ok(match self {
            Self::Verifications(whole, filter) => {
                let Some(rows) = whole.next().await? else { return Ok(None) };
                let as_of = whole.as_of();
                let value = |row: &VerificationRow| {
                    json::row(row, as_of, &Cursor::sorted(row, filter.status, filter.order(), as_of))
                };
                Some(lines(format, Columns::VERIFICATIONS, &rows, value))
            }
            Self::Mails(whole) => {
                let rows: Option<Vec<SendRow>> = whole.next().await?;
                rows.map(|rows| lines(format, Columns::MAILS, &rows, json::send))
            }
            Self::Audit { store, filter, position } => {
                let Some(from) = *position else { return Ok(None) };
                let page = store.audit(filter, from, ENTRIES).await?;
                *position = page.rows.last().filter(|_| page.older).map(|last| Position::After(last.place()));
                Some(lines(format, Columns::AUDIT, &page.rows, json::audit_row as fn(&AuditRow) -> Value))
            }
        })
    }
}

fn lines<R>(format: Format, columns: Columns, rows: &[R], value: impl Fn(&R) -> Value) -> (String, usize) {
    (rows.iter().map(|row| format.row(columns, &value(row))).collect(), rows.len())
}
