//! All that the desk knows of the account.

use chrono::TimeDelta;

use super::act::AccountAct;
use super::flow::{Day, DomainFunnel, Funnel};
use super::rates::AwsRates;
use super::suppression_list::SuppressionList;
use super::{Figures, Identity, IdentityDetail, Panel, PanelKind};
use crate::domain::Time;
use crate::domain::amazon::SesAccount;
use crate::domain::pace::PaceView;
use crate::domain::reputation::{HOURS, Hour, Reputation};
use crate::text::Untrusted;

/// All that the desk knows of the account, at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountView {
    pub as_of: Time,
    /// `None` where no worker asks AWS.
    pub account: Option<SesAccount>,
    pub panels: Vec<Panel>,
    /// Domains that are not verified yet.
    pub waiting: Vec<IdentityDetail>,
    /// The identities that someone asked for lately, the newest first.
    pub added: Vec<AccountAct>,
    /// SES's suppression list, as far as it was read; `None` where no worker reads it.
    pub list: Option<SuppressionList>,
    pub pace: PaceView,
    /// With the last 24 hours.
    pub reputation: Reputation,
    /// The oldest first, the present one last.
    pub days: Vec<Day>,
    pub funnel: Funnel,
    /// Of the domains with the most links.
    pub domains: Vec<DomainFunnel>,
}

impl AccountView {
    /// Whether workers ask AWS.
    #[must_use]
    pub fn has_aws(&self) -> bool {
        self.account.is_some()
    }

    /// What SES says of an identity, if it knows it.
    #[must_use]
    pub fn identity(&self, kind: PanelKind) -> Option<&Identity> {
        self.panels.iter().filter(|panel| panel.kind == kind).find_map(|panel| match &panel.answer {
            Some((_, Figures::Identity(identity))) => Some(identity),
            _ => None,
        })
    }

    /// How mail is received by AWS's own count, if it has answered and may be asked.
    #[must_use]
    pub fn rates(&self) -> Option<&AwsRates> {
        let panel = self.panels.iter().find(|panel| panel.kind == PanelKind::Rates)?;
        match &panel.answer {
            Some((_, Figures::Rates(rates))) if !panel.is_refused() => Some(rates),
            _ => None,
        }
    }

    /// The region that the account is in; empty where SES has not said.
    #[must_use]
    pub fn region(&self) -> Untrusted {
        let standing = self.account.as_ref().and_then(|account| account.standing.as_ref());
        standing.map(|standing| standing.region.clone()).unwrap_or_default()
    }

    /// What SES says of a domain in particular, be it the sender's or one that is not verified yet.
    #[must_use]
    pub fn domain(&self, name: &Untrusted) -> Option<&Identity> {
        let is_it = |other: &Untrusted| other.raw().eq_ignore_ascii_case(name.raw());
        let waiting = self.waiting.iter().find(|one| is_it(&one.name));
        if let Some((_, identity)) = waiting.and_then(|one| one.answer.as_ref()) {
            return Some(identity);
        }
        let sender = self.panels.iter().find(|panel| panel.kind == PanelKind::Domain && is_it(&panel.subject));
        sender.and_then(|panel| self.identity(panel.kind))
    }

    /// The identity that `mail.from` sends with: the address's own where there is one, else its domain's.
    #[must_use]
    pub fn used(&self) -> Option<&Panel> {
        let is_there = |kind| self.identity(kind).is_some_and(|identity| identity.is_verified);
        let kind = [PanelKind::Sender, PanelKind::Domain].into_iter().find(|kind| is_there(*kind))?;
        self.panels.iter().find(|panel| panel.kind == kind)
    }

    /// When the account's quota is used up if mails go on as in the last hour; `None` if that is not within a day.
    #[must_use]
    pub fn full_at(&self) -> Option<Time> {
        let standing = self.account.as_ref()?.standing.as_ref()?;
        let minutes = minutes_to_full(&self.reputation.hours, standing.sent, standing.daily_max?)?;
        Some(self.as_of + TimeDelta::minutes(minutes))
    }
}

const MINUTES: i64 = 60;

/// In how many minutes a quota of so many mails in 24 hours is used up. What was sent a day ago makes room again, and the
/// last of the hours goes on.
fn minutes_to_full(hours: &[Hour], sent: f64, most: f64) -> Option<i64> {
    #[expect(clippy::cast_precision_loss, reason = "mails of an hour")]
    let of = |hour: &Hour| hour.sent as f64 / 60.0;
    let going = hours.last().map(of)?;
    let mut sent = sent;
    if sent >= most {
        return Some(0);
    }
    for (hour, leaving) in hours.iter().map(of).enumerate().take(HOURS) {
        for minute in 1..=MINUTES {
            sent += going - leaving;
            if sent >= most {
                return Some(i64::try_from(hour).unwrap_or(i64::MAX) * MINUTES + minute);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_fills_as_mails_go_and_empties_as_they_came() {
        let hours = |first: i64, last: i64| {
            let mut hours = vec![Hour::default(); HOURS];
            (hours[0].sent, hours[HOURS - 1].sent) = (first, last);
            hours
        };
        let table = [
            // Six an hour, 12 are left: two hours.
            (hours(0, 6), 188.0, 200.0, Some(120)),
            // In the first of them as many make room as go.
            (hours(6, 6), 188.0, 200.0, Some(180)),
            (hours(0, 6), 0.0, 200.0, None),
            (hours(0, 0), 199.0, 200.0, None),
            (hours(0, 0), 200.0, 200.0, Some(0)),
            (Vec::new(), 10.0, 200.0, None),
        ];
        for (hours, sent, most, minutes) in table {
            let near = minutes_to_full(&hours, sent, most).map(|found| found - minutes.unwrap_or_default());
            assert!(near.map_or(minutes.is_none(), |off| off.abs() <= 1), "{sent} of {most}: {minutes:?}");
        }
    }
}
