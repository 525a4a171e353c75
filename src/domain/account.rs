//! What SES's API says of the account besides what it may, in panels: one answer each, with its age.

pub mod act;
pub mod dns_records;
pub mod facts;
pub mod flow;
pub mod identity_name;
pub mod rates;
pub mod suppressed;
pub mod suppression_list;
pub mod view;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use self::rates::AwsRates;
use super::Time;
use crate::text::Untrusted;

/// Most identities that are kept, and most of everything else that comes in lists.
pub const IDENTITIES_MAX: usize = 100;
pub const LISTED_MAX: usize = 20;

/// Longest text that is kept of an answer, in characters; and longest word of SES's own. A hundred identities in the
/// longest characters there are have to fit into `account_panels`.
pub const TEXT_MAX: usize = 320;
pub const WORD_MAX: usize = 40;

/// What a panel is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum PanelKind {
    /// The address that mails come from.
    Sender,
    /// Its domain.
    Domain,
    /// All identities.
    Identities,
    ConfigurationSet,
    /// Where the configuration set publishes events.
    EventDestinations,
    /// Bounces and complaints by AWS's own count.
    Rates,
}

impl PanelKind {
    /// Its word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The right that its call needs.
    #[must_use]
    pub fn permission(self) -> &'static str {
        match self {
            Self::Sender | Self::Domain => "ses:GetEmailIdentity",
            Self::Identities => "ses:ListEmailIdentities",
            Self::ConfigurationSet => "ses:GetConfigurationSet",
            Self::EventDestinations => "ses:GetConfigurationSetEventDestinations",
            Self::Rates => "cloudwatch:GetMetricData",
        }
    }
}

/// A panel: the last answer to its call, and why there is no newer one.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    pub kind: PanelKind,
    /// The identity or the configuration set; empty where there can be only one.
    pub subject: Untrusted,
    pub asked_at: Time,
    /// The last answer, and when it came; `None` before the first.
    pub answer: Option<(Time, Figures)>,
    pub trouble: Option<CallTrouble>,
}

impl Panel {
    /// Whether a right is missing: then nothing is known any more.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.permission.is_some())
    }
}

/// Why a call is not answered, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct CallTrouble {
    pub text: Untrusted,
    pub since: Time,
    /// The right that is missing, where that is why.
    pub permission: Option<Untrusted>,
}

/// An identity that is not verified yet: what SES said of it last.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityDetail {
    pub name: Untrusted,
    /// `None` where SES has not answered, or knows no such identity.
    pub answer: Option<(Time, Identity)>,
    pub trouble: Option<CallTrouble>,
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figures {
    /// There is no such thing.
    Absent,
    Identity(Identity),
    Identities(Identities),
    ConfigurationSet(ConfigurationSet),
    EventDestinations(Vec<EventDestination>),
    Rates(AwsRates),
}

/// An identity: an address or a domain that may send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whether it may send.
    pub is_verified: bool,
    /// `SUCCESS`, `PENDING`, `FAILED`, `TEMPORARY_FAILURE`, `NOT_STARTED`.
    pub verification: Untrusted,
    /// Why it is not verified, such as `HOST_NOT_FOUND`; empty where SES says none.
    pub verification_error: Untrusted,
    pub dkim_signs: bool,
    /// The same words as of the verification.
    pub dkim: Untrusted,
    /// For a domain, the names of its three CNAME records.
    pub dkim_tokens: Vec<Untrusted>,
    /// The zone that those lead to; empty where SES says none, or a version that did not ask wrote this.
    #[serde(default)]
    pub dkim_zone: Untrusted,
    /// The domain of the envelope's sender; empty where it is SES's own.
    pub mail_from: Untrusted,
    /// `SUCCESS`, `PENDING`, `FAILED`, `TEMPORARY_FAILURE`.
    pub mail_from_status: Untrusted,
    /// The configuration set of mails that name none.
    pub configuration_set: Untrusted,
}

/// The identities of the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identities {
    pub listed: Vec<ListedIdentity>,
    /// Whether there are more than are listed.
    pub has_more: bool,
}

impl ListedIdentity {
    /// Whether it is a domain whose records are not in DNS yet.
    #[must_use]
    pub fn is_waiting_domain(&self) -> bool {
        self.kind.raw() == "DOMAIN" && self.verification.raw() != "SUCCESS"
    }
}

/// An identity in the list of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListedIdentity {
    pub name: Untrusted,
    /// `EMAIL_ADDRESS`, `DOMAIN`, `MANAGED_DOMAIN`.
    pub kind: Untrusted,
    pub can_send: bool,
    pub verification: Untrusted,
}

/// A configuration set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationSet {
    pub can_send: bool,
    /// `REQUIRE`, `OPTIONAL`; empty where SES says none.
    pub tls: Untrusted,
    /// Whether `CloudWatch` gets its rates.
    pub has_reputation_metrics: bool,
    /// Its own reasons for SES's suppression list: `BOUNCE`, `COMPLAINT`; `None` for those of the account.
    pub suppressed: Option<Vec<Untrusted>>,
}

/// A place that events are published to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventDestination {
    pub name: Untrusted,
    pub is_on: bool,
    /// `SEND`, `DELIVERY`, …
    pub events: Vec<Untrusted>,
    /// The topic's ARN, where it is one of SNS's.
    pub topic: Untrusted,
    /// The bus's ARN, where it is one of `EventBridge`'s.
    pub bus: Untrusted,
}

/// What the desk needs to know of each mail.
pub const NEEDED: [&str; 6] = ["SEND", "DELIVERY", "DELIVERY_DELAY", "BOUNCE", "COMPLAINT", "REJECT"];

/// What makes SES rewrite the link in the mail.
pub const REWRITING: [&str; 2] = ["OPEN", "CLICK"];

impl EventDestination {
    /// Whether it can lead to the desk.
    #[must_use]
    pub fn may_reach_the_desk(&self) -> bool {
        self.is_on && !(self.topic.is_empty() && self.bus.is_empty())
    }

    fn publishes(&self, event: &str) -> bool {
        self.events.iter().any(|one| one.raw() == event)
    }
}

/// The events that the desk needs and no destination publishes to where it could hear of them.
#[must_use]
pub fn not_published(destinations: &[EventDestination]) -> Vec<&'static str> {
    let reach: Vec<_> = destinations.iter().filter(|one| one.may_reach_the_desk()).collect();
    NEEDED.into_iter().filter(|event| !reach.iter().any(|one| one.publishes(event))).collect()
}

/// The events that have SES rewrite the link, of whatever destination.
#[must_use]
pub fn rewriting(destinations: &[EventDestination]) -> Vec<&'static str> {
    let on = |event: &&str| destinations.iter().any(|one| one.is_on && one.publishes(event));
    REWRITING.into_iter().filter(on).collect()
}

/// Text of an answer, as it may be kept: without control characters, which PostgreSQL cannot store or JSON makes six of,
/// and not too long.
#[must_use]
pub fn kept(text: &str) -> Untrusted {
    within(text, TEXT_MAX)
}

/// The same for a word of SES's own, such as `SUCCESS`.
#[must_use]
pub fn kept_word(text: &str) -> Untrusted {
    within(text, WORD_MAX)
}

fn within(text: &str, most: usize) -> Untrusted {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().filter(|c| *c != '\0').take(most).map(visible).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(topic: &str, is_on: bool, events: &[&str]) -> EventDestination {
        EventDestination {
            name: "desk".into(),
            is_on,
            events: events.iter().copied().map(Untrusted::from).collect(),
            topic: topic.into(),
            bus: "".into(),
        }
    }

    #[test]
    fn what_the_desk_needs_is_missed_where_it_goes_elsewhere() {
        let all = to("arn:aws:sns:eu-central-1:1:events", true, &NEEDED);
        let none: [&str; 0] = [];
        assert_eq!(not_published(std::slice::from_ref(&all)), none);
        assert_eq!(not_published(&[to("", true, &NEEDED)]), NEEDED, "CloudWatch tells the desk nothing");
        assert_eq!(not_published(&[EventDestination { is_on: false, ..all.clone() }]), NEEDED, "switched off");
        // Two may share the work.
        let halves = [to("arn:a", true, &["SEND", "DELIVERY", "BOUNCE"]), to("arn:b", true, &["COMPLAINT", "REJECT"])];
        assert_eq!(not_published(&halves), ["DELIVERY_DELAY"]);
        assert_eq!(rewriting(&halves), none);
        assert_eq!(rewriting(&[to("", true, &["CLICK"])]), ["CLICK"]);
    }

    #[test]
    fn texts_are_kept_short_and_as_postgresql_takes_them() {
        assert_eq!(kept("a\0b\u{1b}").raw(), "ab\u{fffd}");
        assert_eq!(kept_word(&"x".repeat(10_000)).raw().len(), WORD_MAX);
        assert_eq!(kept(&"x".repeat(10_000)).raw().len(), TEXT_MAX);
    }
}
