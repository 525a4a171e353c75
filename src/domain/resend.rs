//! Who may be mailed again, and by which link. This is the one place that decides it: for one user, whether an operator
//! asks or the user themselves on the page, and for the many of a job.
//!
//! | the user | one by one | in a job |
//! |---|---|---|
//! | is verified | refused | left out |
//! | has a mail that waits | it is brought forward | left out |
//! | has a mail that is being sent | refused | left out |
//! | bounced, complained, or is suppressed | an operator needs a reason; the page, which they hold the link of, none | left out |
//! | was mailed less than the cool-down ago | refused | left out |
//! | got the day's mails | refused | left out |
//! | has a key that works, or was never mailed | the same link, its life starts again | the same |
//! | has none | a new key; an expired one is revoked | the same |

use std::time::Duration;

use super::Time;
use super::id::{SendId, VerificationId};
use super::job::Skip;
use super::send::ResentHow;

/// What every resend keeps to, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResendPolicy {
    /// How long a key works after its mail.
    pub lifetime: Duration,
    /// How long to wait between two mails to one user.
    pub cool_down: Duration,
    /// How many mails one address gets in 24 hours at most.
    pub daily_cap: u32,
}

/// A verification that is neither verified nor revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenVerification {
    pub id: VerificationId,
    /// Whether it is past its time.
    pub is_expired: bool,
    /// Whether its key was ever mailed.
    pub is_mailed: bool,
}

impl OpenVerification {
    /// Whether the same link can be mailed again. A key that no one has seen yet cannot be too old: the worker starts
    /// its life when it mails it.
    fn works(&self) -> bool {
        !(self.is_expired && self.is_mailed)
    }
}

/// The mail of the open verification that waits or is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSend {
    pub id: SendId,
    /// Whether a worker is sending it.
    pub is_sending: bool,
}

/// Why an address takes no mail, as far as its last answered mail shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// SES has it on a suppression list.
    Suppressed,
    /// It refused a mail for good, or its owner reported one as spam.
    Bounced,
}

impl Block {
    /// What mailing it again does, for an operator.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Suppressed => "this address is on a suppression list of SES's: a mail to it bounces",
            Self::Bounced => "this address refused a mail for good, or called one spam: another counts against us",
        }
    }
}

/// How a user stands towards another mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub is_verified: bool,
    /// Whether any mail to them waits, is being sent, or is tried once more since its answer was lost.
    pub is_waiting: bool,
    /// Asked about for jobs and operators only.
    pub block: Option<Block>,
    /// Until when the cool-down holds the next mail back; `None` if it does not.
    pub cooling_until: Option<Time>,
    /// Until when the daily cap holds the next mail back; `None` if it does not.
    pub capped_until: Option<Time>,
    pub open: Option<OpenVerification>,
    /// Asked about for one user only.
    pub send: Option<OpenSend>,
}

/// What a resend does to the user's one open verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    BringForward(VerificationId, SendId),
    Renew(VerificationId),
    Replace(Option<VerificationId>),
}

impl Resend {
    /// The word for it.
    #[must_use]
    pub fn how(self) -> ResentHow {
        match self {
            Self::BringForward(..) => ResentHow::BroughtForward,
            Self::Renew(_) => ResentHow::SameLink,
            Self::Replace(_) => ResentHow::NewKey,
        }
    }
}

/// Why one user is not mailed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Verified,
    BeingSent,
    CoolDown(Time),
    DailyCap(Time),
    /// Without a reason.
    Blocked(Block),
}

impl Standing {
    /// What a resend to this one user does; what stands in its way where no reason is given.
    pub fn alone(&self, has_reason: bool) -> Result<Resend, Held> {
        if self.is_verified {
            return Err(Held::Verified);
        }
        if let Some(until) = self.cooling_until {
            return Err(Held::CoolDown(until));
        }
        match (self.open, self.send) {
            (Some(_), Some(send)) if send.is_sending => return Err(Held::BeingSent),
            // No second mail, so the daily cap does not matter.
            (Some(open), Some(send)) => return Ok(Resend::BringForward(open.id, send.id)),
            _ => {}
        }
        match (self.capped_until, self.block) {
            (Some(until), _) => Err(Held::DailyCap(until)),
            (None, Some(block)) if !has_reason => Err(Held::Blocked(block)),
            _ => Ok(self.link()),
        }
    }

    /// What a job does to this user, the first reason to leave them out that fits.
    pub fn in_job(&self) -> Result<Resend, Skip> {
        let skip = if self.is_verified {
            Skip::Verified
        } else if self.is_waiting {
            Skip::Waiting
        } else if let Some(block) = self.block {
            match block {
                Block::Suppressed => Skip::Suppressed,
                Block::Bounced => Skip::Bounced,
            }
        } else if self.cooling_until.is_some() {
            Skip::CoolDown
        } else if self.capped_until.is_some() {
            Skip::DailyCap
        } else {
            return Ok(self.link());
        };
        Err(skip)
    }

    /// The same in a job that is about mails. `has_later`: there is a newer one than that by which they were found.
    pub fn in_job_by_mail(&self, has_later: bool) -> Result<Resend, Skip> {
        match self.in_job() {
            Ok(_) | Err(Skip::CoolDown | Skip::DailyCap) if has_later => Err(Skip::Later),
            decided => decided,
        }
    }

    fn link(&self) -> Resend {
        match self.open {
            Some(open) if open.works() => Resend::Renew(open.id),
            open => Resend::Replace(open.map(|open| open.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    const OPEN: VerificationId = VerificationId(7);
    const LATER: Time = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    fn pending() -> Standing {
        let open = OpenVerification { id: OPEN, is_expired: false, is_mailed: true };
        Standing { open: Some(open), ..Standing::default() }
    }

    fn with_send(is_sending: bool) -> Standing {
        let send = OpenSend { id: SendId(Uuid::nil()), is_sending };
        Standing { is_waiting: true, send: Some(send), ..pending() }
    }

    fn open(is_expired: bool, is_mailed: bool) -> Standing {
        Standing { open: Some(OpenVerification { id: OPEN, is_expired, is_mailed }), ..Standing::default() }
    }

    #[test]
    fn each_standing_has_its_answer_alone_and_in_a_job() {
        let (renew, replace) = (Resend::Renew(OPEN), Resend::Replace(Some(OPEN)));
        let forward = Resend::BringForward(OPEN, SendId(Uuid::nil()));
        let cooling = |standing| Standing { cooling_until: Some(LATER), ..standing };
        let capped = |standing| Standing { capped_until: Some(LATER), ..standing };
        let blocked = |block, standing| Standing { block: Some(block), ..standing };
        let verified = |standing| Standing { is_verified: true, ..standing };
        for (name, standing, alone, in_job) in [
            ("pending", pending(), Ok(renew), Ok(renew)),
            ("expired", open(true, true), Ok(replace), Ok(replace)),
            ("expired, never mailed", open(true, false), Ok(renew), Ok(renew)),
            ("not mailed yet", open(false, false), Ok(renew), Ok(renew)),
            ("none open", Standing::default(), Ok(Resend::Replace(None)), Ok(Resend::Replace(None))),
            ("verified", verified(pending()), Err(Held::Verified), Err(Skip::Verified)),
            ("verified first", verified(cooling(with_send(true))), Err(Held::Verified), Err(Skip::Verified)),
            ("waiting", with_send(false), Ok(forward), Err(Skip::Waiting)),
            ("waiting and capped", capped(with_send(false)), Ok(forward), Err(Skip::Waiting)),
            ("sending", with_send(true), Err(Held::BeingSent), Err(Skip::Waiting)),
            ("lost", Standing { is_waiting: true, ..pending() }, Ok(renew), Err(Skip::Waiting)),
            ("cooling", cooling(pending()), Err(Held::CoolDown(LATER)), Err(Skip::CoolDown)),
            ("cooling and waiting", cooling(with_send(false)), Err(Held::CoolDown(LATER)), Err(Skip::Waiting)),
            ("capped", capped(pending()), Err(Held::DailyCap(LATER)), Err(Skip::DailyCap)),
            ("both", capped(cooling(pending())), Err(Held::CoolDown(LATER)), Err(Skip::CoolDown)),
            (
                "suppressed",
                blocked(Block::Suppressed, pending()),
                Err(Held::Blocked(Block::Suppressed)),
                Err(Skip::Suppressed),
            ),
            ("bounced and waiting", blocked(Block::Bounced, with_send(false)), Ok(forward), Err(Skip::Waiting)),
            ("bounced", blocked(Block::Bounced, capped(pending())), Err(Held::DailyCap(LATER)), Err(Skip::Bounced)),
        ] {
            assert_eq!((standing.alone(false), standing.in_job()), (alone, in_job), "{name}");
            // A reason does away with nothing but the block.
            let with_reason = if let Err(Held::Blocked(_)) = alone { Ok(renew) } else { alone };
            assert_eq!(standing.alone(true), with_reason, "{name}, with a reason");
        }
    }
}
