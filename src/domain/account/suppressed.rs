//! A row of the suppression list, as an operator goes through it: what the list says of an address, whose it is, and what
//! was last asked for.

use super::act::{AccountAct, ActKind, ActState};
use super::suppression_list::SuppressionList;
use crate::domain::Time;
use crate::domain::amazon::Suppression;
use crate::domain::id::{UserId, VerificationId};
use crate::domain::page::Page;
use crate::text::Untrusted;

/// An address of the list, or one that someone has asked to be put on it.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressedRow {
    /// In lower case.
    pub address: Untrusted,
    /// Without a reason where it is not on the list: then there is an act.
    pub suppression: Suppression,
    /// What it is ordered by: since when it is on the list, or when that became known.
    pub placed_at: Time,
    /// Who has it, where a user does.
    pub user: Option<SuppressedUser>,
    /// The newest act about it that is news.
    pub act: Option<AccountAct>,
}

/// The user whose address is on the list.
#[derive(Clone, Debug, PartialEq)]
pub struct SuppressedUser {
    pub id: UserId,
    pub name: Untrusted,
    /// Their newest verification.
    pub verification: Option<VerificationId>,
    pub is_verified: bool,
    /// Whether they are being deleted.
    pub is_leaving: bool,
}

/// A place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressedPlace {
    pub at: Time,
    pub address: String,
}

/// A page of it, and how it was read: its addresses are not among these.
#[derive(Clone, Debug)]
pub struct SuppressedPage {
    pub page: Page<SuppressedRow>,
    /// `None` where no worker reads it.
    pub list: Option<SuppressionList>,
}

impl SuppressedRow {
    #[must_use]
    pub fn place(&self) -> SuppressedPlace {
        SuppressedPlace { at: self.placed_at, address: self.address.raw().to_owned() }
    }

    /// Why it is on the list, in a word; `None` where it is not.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        self.suppression.reason.as_ref().map(|reason| reason.plain().as_str().to_lowercase())
    }

    /// What was asked for last, and what it came to.
    #[must_use]
    pub fn act_in_words(&self) -> Option<String> {
        let act = self.act.as_ref()?;
        let words = act.in_words();
        let what = match act.kind {
            ActKind::Remove if act.mail_again.is_some() => "remove and mail again",
            ActKind::Remove => "remove",
            ActKind::Add => "add",
            ActKind::LookUp => "look up",
            ActKind::AddIdentity => "identity",
        };
        // What was done says itself what it was.
        let is_said = act.state == ActState::Done && act.permission.is_none();
        Some(if is_said { words } else { format!("{what}: {words}") })
    }

    /// Whose it is, in a word or two; `None` where no user has it.
    #[must_use]
    pub fn whose(&self) -> Option<String> {
        let user = self.user.as_ref()?;
        let name = user.name.plain();
        Some(if name.as_str().is_empty() { format!("user {}", user.id) } else { name.into_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::act::Came;
    use crate::domain::id::AccountActId;

    fn row(act: Option<AccountAct>) -> SuppressedRow {
        let suppression = Suppression { checked_at: Time::default(), reason: None, since: None, ses_id: None };
        let (address, placed_at) = ("mina@example.com".into(), Time::default());
        SuppressedRow { address, suppression, placed_at, user: None, act }
    }

    fn act(kind: ActKind, state: ActState, came: Option<Came>) -> AccountAct {
        AccountAct {
            id: AccountActId(7),
            kind,
            address: "mina@example.com".into(),
            identity: None,
            listing: None,
            mail_again: None,
            reason: None,
            actor: "mina".into(),
            origin: "console".into(),
            asked_at: Time::default(),
            state,
            attempts: 0,
            ended_at: None,
            came,
            error: None,
            permission: None,
            send_id: None,
            not_mailed: None,
        }
    }

    #[test]
    fn what_waits_or_failed_says_what_it_was() {
        let waiting = act(ActKind::Remove, ActState::Waiting, None);
        let again = AccountAct { mail_again: Some(VerificationId(7)), ..waiting.clone() };
        let failed = AccountAct {
            error: Some("400 Bad\u{1b}[2J".into()),
            ..act(ActKind::Add, ActState::Failed, Some(Came::Failed))
        };
        let done = act(ActKind::Add, ActState::Done, Some(Came::Done));
        for (act, words) in [
            (waiting, "remove: waits for a worker that has AWS's keys"),
            (again, "remove and mail again: waits for a worker that has AWS's keys"),
            (failed, "add: failed: 400 Bad\u{241b}[2J"),
            (done, "put on SES's suppression list"),
        ] {
            assert_eq!(row(Some(act)).act_in_words().as_deref(), Some(words));
        }
        assert_eq!(row(None).act_in_words(), None);
    }

    #[test]
    fn a_user_without_a_name_has_a_number() {
        let user = |name: &str| {
            let (id, name) = (UserId(7), name.into());
            Some(SuppressedUser { id, name, verification: None, is_verified: false, is_leaving: false })
        };
        let named = SuppressedRow { user: user("Mina"), ..row(None) };
        let nameless = SuppressedRow { user: user(""), ..row(None) };
        assert_eq!(named.whose().as_deref(), Some("Mina"));
        assert_eq!(nameless.whose().as_deref(), Some("user 7"));
        assert_eq!(row(None).whose(), None);
    }
}
