//! What SNS asks of the webhook: subscriptions to be confirmed, and posts that were refused.

use chrono::TimeDelta;

use super::Time;
use crate::text::Untrusted;

/// How long SNS waits for a subscription to be confirmed.
const ASKED_MAX: TimeDelta = TimeDelta::days(2);

/// How long the end of a subscription is an alarm.
const ENDED_MAX: TimeDelta = TimeDelta::days(7);

/// A topic that has asked for its subscription to be confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    pub topic: Untrusted,
    pub asked_at: Option<Time>,
    /// Whether the settings of `serve` name it.
    pub is_allowed: bool,
    pub approved_at: Option<Time>,
    pub refused_at: Option<Time>,
    /// Who approved or refused it.
    pub decided_by: Option<Untrusted>,
    /// Why SNS did not confirm it.
    pub error: Option<Untrusted>,
    pub confirmed_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// How its last post was signed: 1 is SHA-1, 2 is SHA-256; `None` where none has come.
    pub signature_version: Option<i16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It waits for an operator.
    Waiting,
    /// `serve` asks SNS to confirm it.
    Confirming,
    /// SNS waits no longer: it has to be made again.
    Expired,
    Confirmed,
    Refused,
    /// SNS says that it has ended: no events come by it any more.
    Ended,
}

impl SubscriptionState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Confirming => "confirming",
            Self::Expired => "expired",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }
}

impl Subscription {
    /// `now` by the database's clock.
    #[must_use]
    pub fn state(&self, now: Time) -> SubscriptionState {
        let is_open = self.asked_at > self.confirmed_at && self.asked_at > self.ended_at;
        if self.refused_at.is_some() && !self.is_allowed {
            SubscriptionState::Refused
        } else if self.ended_at > self.asked_at.max(self.confirmed_at) {
            SubscriptionState::Ended
        } else if !is_open {
            SubscriptionState::Confirmed
        } else if self.asked_at.is_some_and(|at| now - at > ASKED_MAX) {
            SubscriptionState::Expired
        } else if self.is_allowed || self.approved_at.is_some() {
            SubscriptionState::Confirming
        } else {
            SubscriptionState::Waiting
        }
    }

    /// Whether an operator has to look.
    #[must_use]
    pub fn is_trouble(&self, now: Time) -> bool {
        match self.state(now) {
            SubscriptionState::Waiting => true,
            SubscriptionState::Confirming => self.error.is_some(),
            SubscriptionState::Ended => self.ended_at.is_some_and(|at| now - at < ENDED_MAX),
            SubscriptionState::Expired | SubscriptionState::Confirmed | SubscriptionState::Refused => false,
        }
    }
}

/// How many posts were refused for one reason, in these days.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub reason: Untrusted,
    /// Today and yesterday.
    pub lately: i64,
    /// In the last 15 days.
    pub count: i64,
    pub last_at: Time,
}

/// The webhook, as operators see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebhookView {
    pub as_of: Time,
    pub subscriptions: Vec<Subscription>,
    /// The most frequent first.
    pub refused: Vec<Refused>,
}

impl WebhookView {
    /// Those that wait for an operator.
    pub fn waiting(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(|one| one.state(self.as_of) == SubscriptionState::Waiting)
    }

    /// It was approved or refused since this was read.
    pub fn decided(&mut self, topic: &str, is_approved: bool) {
        for one in self.subscriptions.iter_mut().filter(|one| one.topic.raw() == topic) {
            (one.approved_at, one.refused_at) =
                if is_approved { (Some(self.as_of), None) } else { (None, Some(self.as_of)) };
        }
    }

    /// What an operator has to know, in one line; `None` if there is nothing.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let of = |state| {
            self.subscriptions.iter().filter(move |one| one.is_trouble(self.as_of) && one.state(self.as_of) == state)
        };
        let mut words = Vec::new();
        match self.waiting().count() {
            0 => {}
            1 => words.push("a subscription waits for approval".to_owned()),
            count => words.push(format!("{count} subscriptions wait for approval")),
        }
        words.extend(
            of(SubscriptionState::Ended).map(|one| format!("{} has ended its subscription", one.topic.plain())),
        );
        words.extend(of(SubscriptionState::Confirming).map(|one| format!("{} cannot be confirmed", one.topic.plain())));
        let lately: i64 = self.refused.iter().map(|refused| refused.lately).sum();
        if lately > 0 {
            let most = self.refused.iter().max_by_key(|refused| refused.lately);
            let most = most.map(|most| format!(", most as {}", most.reason.plain())).unwrap_or_default();
            words.push(format!("{lately} posts refused since yesterday{most}"));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Whether more than refusals is to be seen.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        self.subscriptions.iter().any(|one| one.is_trouble(self.as_of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_happened_is_the_state() {
        use SubscriptionState::{Confirmed, Confirming, Ended, Expired, Refused, Waiting};
        let now = crate::domain::Time::default() + TimeDelta::days(100);
        let ago = |hours: i64| Some(now - TimeDelta::hours(hours));
        let none = Subscription {
            topic: "arn".into(),
            asked_at: ago(1),
            is_allowed: false,
            approved_at: None,
            refused_at: None,
            decided_by: None,
            error: None,
            confirmed_at: None,
            ended_at: None,
            signature_version: None,
        };
        let table = [
            (none.clone(), Waiting, true),
            (Subscription { asked_at: ago(49), ..none.clone() }, Expired, false),
            (Subscription { approved_at: ago(0), ..none.clone() }, Confirming, false),
            (Subscription { is_allowed: true, error: Some("no".into()), ..none.clone() }, Confirming, true),
            (Subscription { approved_at: ago(0), asked_at: ago(49), ..none.clone() }, Expired, false),
            (Subscription { confirmed_at: ago(0), ..none.clone() }, Confirmed, false),
            (Subscription { confirmed_at: ago(9), ..none.clone() }, Waiting, true),
            (Subscription { refused_at: ago(0), ..none.clone() }, Refused, false),
            (Subscription { refused_at: ago(0), is_allowed: true, ..none.clone() }, Confirming, false),
            (Subscription { confirmed_at: ago(2), ended_at: ago(0), ..none.clone() }, Ended, true),
            (Subscription { asked_at: None, ended_at: ago(0), ..none.clone() }, Ended, true),
            (Subscription { asked_at: None, ended_at: ago(24 * 8), ..none.clone() }, Ended, false),
            (Subscription { ended_at: ago(2), ..none }, Waiting, true),
        ];
        for (one, state, is_trouble) in table {
            assert_eq!((one.state(now), one.is_trouble(now)), (state, is_trouble), "{one:?}");
        }
    }
}
