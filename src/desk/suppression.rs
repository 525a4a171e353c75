//! SES's suppression list: consoles and the command line hold no AWS keys, so they ask, and a worker does it.

use super::resend::{Asked, Target, no_verification};
use super::{Desk, Error, Refusal};
use crate::domain::Time;
use crate::domain::account::Identity;
use crate::domain::account::act::{AccountAct, Came, Listing};
use crate::domain::address::EmailAddress;
use crate::domain::audit::{Action, Actor, Origin};
use crate::domain::change::Change;
use crate::domain::id::{AccountActId, SendId, VerificationId};
use crate::domain::send::Priority;
use crate::store::account_acts::{self, Ended, ListChange, Queued};
use crate::store::{self, Transaction, suppression_list, suppressions, users, verifications};
use crate::text::plain;

/// What SES answered to an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SesAnswer {
    /// The address is on the list: why, since when, and the mail that was the cause.
    Listed {
        reason: String,
        since: Option<Time>,
        ses_id: Option<String>,
    },
    NotListed,
    /// It is on it no more.
    Removed {
        was_listed: bool,
    },
    Added(Listing),
    /// The identity was added, and this is what SES says of it; `None` where there was one already.
    IdentityAdded(Option<Box<Identity>>),
}

impl SesAnswer {
    pub(super) fn came(&self) -> Came {
        match self {
            Self::Listed { .. } => Came::Listed,
            Self::NotListed | Self::Removed { was_listed: false } => Came::NotListed,
            Self::Removed { was_listed: true } | Self::Added(_) | Self::IdentityAdded(Some(_)) => Came::Done,
            Self::IdentityAdded(None) => Came::Exists,
        }
    }
}

impl Desk {
    /// Has it looked up whether an address is on the suppression list.
    pub async fn look_up_suppression(&self, actor: &Actor, address: &EmailAddress) -> Result<AccountActId, Error> {
        self.changing()?;
        let id = self.store.queue_look_up(actor, address.as_str()).await?.ok_or(Refusal::ActsFull)?;
        self.store.notify(Change::Account).await;
        Ok(id)
    }

    /// Has an address taken off the suppression list, or put on it. Where a link is to be mailed again, what forbids that
    /// forbids the whole; it is asked again when the address is off the list.
    pub async fn change_suppression_list(
        &self,
        actor: &Actor,
        address: &EmailAddress,
        change: ListChange,
        reason: &str,
    ) -> Result<AccountActId, Error> {
        self.changing()?;
        let reason = super::reason(reason, "changing the suppression list")?;
        if let ListChange::Remove(Some(again)) = change {
            self.plan_resend(again).await?;
        }
        match self.store.queue_list_change(actor, address.as_str(), change, &reason).await? {
            Queued::Asked(id) => {
                self.store.notify(Change::Account).await;
                Ok(id)
            }
            Queued::Full => Err(Refusal::ActsFull.into()),
            Queued::NotTheirs => Err(Refusal::NotTheirs.into()),
        }
    }

    /// Has the address of a verification's user taken off the suppression list, and their link mailed again, but where they
    /// are verified.
    pub async fn unlist(&self, actor: &Actor, id: VerificationId, reason: &str) -> Result<AccountActId, Error> {
        let mut tx = self.store.begin().await?;
        let user = match verifications::user_of(&mut tx, id).await? {
            Some(user) => users::get(&mut tx, user).await?,
            None => None,
        };
        tx.rollback().await?;
        let user = user.ok_or_else(|| no_verification(id))?;
        let address =
            EmailAddress::parse(user.email.raw()).map_err(|error| Error::Invalid(plain(&error.to_string())))?;
        let again = user.verified_at.is_none().then_some(id);
        let act = self.change_suppression_list(actor, &address, ListChange::Remove(again), reason).await?;
        self.store.notify(Change::Verification(id)).await;
        Ok(act)
    }

    /// Ends an act that a worker has done, with what follows from it: what the desk knows of the address, and the mail that
    /// was asked for with it. False where another worker has ended it.
    pub async fn end_account_act(&self, act: &AccountAct, answer: &SesAnswer) -> Result<bool, Error> {
        if let SesAnswer::IdentityAdded(identity) = answer {
            return self.end_identity_act(act, answer.came(), identity.as_deref()).await;
        }
        let address = act.address.raw();
        let mut tx = self.store.begin().await?;
        if !matches!(answer, SesAnswer::Listed { .. } | SesAnswer::NotListed)
            && let Ok(address) = EmailAddress::parse(address)
        {
            users::lock_by_email(&mut tx, &address).await?;
        }
        let on_list = match answer {
            SesAnswer::Listed { reason, since, ses_id } => Some((reason.as_str(), *since, ses_id.as_deref())),
            SesAnswer::Added(listing) => Some((listing.as_str(), Some(store::now(&mut tx).await?), None)),
            SesAnswer::NotListed | SesAnswer::Removed { .. } | SesAnswer::IdentityAdded(_) => None,
        };
        let about = suppressions::note(&mut tx, address, on_list).await?;
        suppression_list::note(&mut tx, address, on_list.map(|(reason, since, _)| (reason, since))).await?;
        let mut ended = Ended::well(answer.came());
        let not_mailed;
        if matches!(answer, SesAnswer::Removed { .. }) {
            suppressions::clear_mark(&mut tx, address).await?;
            if let Some(again) = act.mail_again {
                match self.mail_again(&mut tx, act, again).await? {
                    Ok(send) => ended.send = Some(send),
                    Err(why) => {
                        not_mailed = why;
                        ended.not_mailed = Some(&not_mailed);
                    }
                }
            }
        }
        if !account_acts::end(&mut tx, act, &ended).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        for id in about {
            self.store.notify(Change::Verification(id)).await;
        }
        if ended.send.is_some() {
            self.store.notify(Change::Queued).await;
        }
        self.store.notify(Change::Account).await;
        Ok(true)
    }

    /// Ends an act that cannot be done. False where another worker has ended it.
    pub async fn fail_account_act(
        &self,
        act: &AccountAct,
        error: &str,
        permission: Option<&str>,
        in_short: &str,
    ) -> Result<bool, Error> {
        let ended = Ended { error: Some(error), permission, in_short: Some(in_short), ..Ended::well(Came::Failed) };
        let mut tx = self.store.begin().await?;
        let is_ended = account_acts::end(&mut tx, act, &ended).await?;
        tx.commit().await?;
        self.store.notify(Change::Account).await;
        Ok(is_ended)
    }

    /// Puts an act off, since AWS does not answer.
    pub async fn put_account_act_off(&self, act: &AccountAct, error: &str) -> Result<(), Error> {
        self.store.put_account_act_off(act, error).await?;
        self.store.notify(Change::Account).await;
        Ok(())
    }

    /// Mails the link again in the name of who asked for it, by the rules of every resend; why not, where they forbid it.
    async fn mail_again(
        &self,
        tx: &mut Transaction,
        act: &AccountAct,
        again: VerificationId,
    ) -> Result<Result<SendId, String>, Error> {
        let Some(user) = verifications::user_of(tx, again).await? else {
            return Ok(Err("there is no such user any more".into()));
        };
        match users::lock(tx, user).await? {
            Some(user) if user.email.raw().to_lowercase() == act.address.raw() => {}
            _ => return Ok(Err("this user has another address by now".into())),
        }
        let origin = Origin::ALL.into_iter().find(|origin| origin.as_str() == act.origin.raw());
        let actor = Actor::new(act.actor.raw(), origin.unwrap_or(Origin::Worker));
        let reason = act.reason.as_ref().map(|reason| reason.raw().to_owned());
        let asked = Asked::ByOperator { reason };
        let target = Target { user, action: Action::Resend, priority: Priority::Person, asked, hold: self.hold };
        match self.resend_locked(tx, &actor, target).await {
            Ok(resent) => Ok(Ok(resent.send_id)),
            Err(Error::Refused(refusal)) => Ok(Err(refusal.to_string())),
            Err(error) => Err(error),
        }
    }
}
