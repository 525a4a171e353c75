//! Acts at AWS that operators ask for: done by a worker, one call each, in its turn.

use super::AccountPoller;
use crate::desk::{Error, SesAnswer};
use crate::domain::account::act::{AccountAct, ActKind};
use crate::ses::aws::Failure;

/// How much longer than its call an act is this worker's: what it came to is to be recorded as well.
const RECORDED_WITHIN: f64 = 15.0;

/// What to do where the account has no room for another identity.
const MAKE_ROOM: &str = "delete an identity that is not used any more, or ask AWS for a higher limit";

/// Whether there was an act to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acted {
    Nothing,
    /// Another worker calls at this moment, or has called less than a second ago.
    Waits,
    Something,
}

impl AccountPoller {
    /// Does an act, if there is one and it is this worker's turn.
    pub(super) async fn act(&self) -> Acted {
        self.try_to_act().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "acts at AWS wait for the database");
            Acted::Nothing
        })
    }

    async fn try_to_act(&self) -> Result<Acted, Error> {
        let store = &self.store;
        if !store.has_due_account_act().await? {
            return Ok(Acted::Nothing);
        }
        let longest = self.api.longest().as_secs_f64();
        let Some(turn) = store.take_account_turn(None, longest).await? else { return Ok(Acted::Waits) };
        let Some(act) = store.claim_account_act(longest + RECORDED_WITHIN).await? else {
            store.end_account_turn(turn).await?;
            return Ok(Acted::Nothing);
        };
        let answer = self.call(&act).await;
        // What came of it is recorded whatever becomes of the turn, which ends by itself.
        let ended = store.end_account_turn(turn).await;
        match answer {
            Ok(answer) => {
                self.desk.end_account_act(&act, &answer).await?;
            }
            Err(failure) => self.failed(&act, &failure).await?,
        }
        ended?;
        Ok(Acted::Something)
    }

    async fn call(&self, act: &AccountAct) -> Result<SesAnswer, Failure> {
        let address = act.address.raw();
        Ok(match (act.kind, act.listing) {
            (ActKind::Remove, _) => SesAnswer::Removed { was_listed: self.api.take_off_list(address).await? },
            (ActKind::Add, Some(listing)) => {
                self.api.put_on_list(address, listing).await?;
                SesAnswer::Added(listing)
            }
            (ActKind::AddIdentity, _) => {
                let name = act.identity.as_ref().map_or(address, |name| name.raw());
                SesAnswer::IdentityAdded(self.api.add_identity(name).await?.map(Box::new))
            }
            // The database takes no addition without what it is listed as.
            (ActKind::LookUp | ActKind::Add, _) => match self.api.suppression(address).await? {
                Some(found) => SesAnswer::Listed { reason: found.reason, since: found.since, ses_id: found.ses_id },
                None => SesAnswer::NotListed,
            },
        })
    }

    /// What would be refused again is over; anything else is tried again, for a while.
    async fn failed(&self, act: &AccountAct, failure: &Failure) -> Result<(), Error> {
        let (id, right) = (act.id, act.kind.permission());
        // To wait helps no one: identities stay until someone deletes them.
        if act.kind == ActKind::AddIdentity && failure.is_full() {
            tracing::warn!("act {id} at AWS has failed: {right}: {}", failure.in_short());
            let error = format!("{failure}; {MAKE_ROOM}");
            self.desk.fail_account_act(act, &error, None, &failure.in_short()).await?;
        } else if failure.is_for_good() {
            tracing::warn!("act {id} at AWS has failed: {right}: {}", failure.in_short());
            let lacking = failure.is_missing_right().then_some(right);
            self.desk.fail_account_act(act, &failure.to_string(), lacking, &failure.in_short()).await?;
        } else {
            tracing::warn!("act {id} at AWS is tried again: {right}: {}", failure.in_short());
            self.desk.put_account_act_off(act, &failure.to_string()).await?;
        }
        Ok(())
    }
}
