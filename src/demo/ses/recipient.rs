//! What becomes of a mail, by its recipient: some local parts do what they say (with a label, too, as `bounce+2@…`), and
//! so do the mailboxes of SES's own simulator. All others are people: most get their mails after a moment, some after a
//! while, few not at all; the same ones each time.

use chrono::TimeDelta;
use fastrand::Rng;
use sha2::{Digest as _, Sha256};

/// Something that SES reports of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// How long after it accepted the mail.
    pub(super) after: TimeDelta,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Send,
    Delivery,
    /// `delayType`, and what the server said.
    Delay(&'static str, &'static str),
    /// `bounceType`, `bounceSubType`, and what the server said.
    Bounce(&'static str, &'static str, &'static str),
    /// `complaintFeedbackType`
    Complaint(&'static str),
    /// `reason`
    Reject(&'static str),
}

const NO_MAILBOX: Kind = Kind::Bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown");
const NO_DOMAIN: Kind = Kind::Bounce("Permanent", "NoEmail", "smtp; 550 5.1.2 bad destination mailbox address");
const FORWARDED_IN_VAIN: Kind =
    Kind::Bounce("Permanent", "General", "smtp; 550 5.1.1 forwarded, and refused there: user unknown");
const GREYLISTED: Kind =
    Kind::Delay("TransientCommunicationFailure", "smtp; 451 4.7.1 greylisted, try again in 20 seconds");
const FULL: Kind = Kind::Delay("MailboxFull", "smtp; 452 4.2.2 the mailbox is full");
const STAYED_FULL: Kind = Kind::Bounce("Transient", "MailboxFull", "smtp; 552 5.2.2 the mailbox is over quota");
const AWAY: Kind = Kind::Bounce("Transient", "General", "smtp; 250 out of the office until Monday");
const SUPPRESSED: Kind = Kind::Bounce(
    "Permanent",
    "OnAccountSuppressionList",
    "Amazon SES did not send the message to this address because it is on the suppression list for your account",
);
const SUPPRESSED_BY_SES: Kind =
    Kind::Bounce("Permanent", "Suppressed", "Amazon SES has suppressed sending to this address: it bounced recently");

/// What becomes of a mail to this address, in lower case; in the order of time.
pub(super) fn fates(address: &str) -> Vec<Fate> {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let name = local.split('+').next().unwrap_or_default();
    let mut fates = vec![(300, Kind::Send)];
    match name {
        "bounce" => fates.push((1_500, NO_MAILBOX)),
        "complaint" => fates.extend([(1_000, Kind::Delivery), (15_000, Kind::Complaint("abuse"))]),
        "slow" => fates.extend([(1_500, GREYLISTED), (30_000, Kind::Delivery)]),
        "full" => fates.extend([(1_500, FULL), (20_000, FULL), (60_000, STAYED_FULL)]),
        "suppressed" => fates.push((800, SUPPRESSED)),
        "suppressionlist" => fates.push((800, SUPPRESSED_BY_SES)),
        "ooto" => fates.extend([(1_000, Kind::Delivery), (4_000, AWAY)]),
        "virus" => fates.push((800, Kind::Reject("Bad content"))),
        _ => fates.extend(of_a_person(name, domain)),
    }
    let fate = |(after, kind)| Fate { after: TimeDelta::milliseconds(after), kind };
    fates.into_iter().map(fate).collect()
}

/// Fewer of them bounce than the brake lets pass.
fn of_a_person(name: &str, domain: &str) -> Vec<(i64, Kind)> {
    let digest = Sha256::digest(format!("{name}@{domain}"));
    let mut rng = Rng::with_seed(digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)));
    let soon = rng.i64(700..2_500);
    let later = soon + rng.i64(15_000..90_000);
    match rng.u32(0..1_000) {
        0..8 => vec![(soon, NO_DOMAIN)],
        8..16 => vec![(soon, Kind::Delivery), (later, FORWARDED_IN_VAIN)],
        16..26 => vec![(soon, FULL), (later, STAYED_FULL)],
        26..60 => vec![(soon, FULL), (later, Kind::Delivery)],
        60..110 => vec![(soon, GREYLISTED), (later, Kind::Delivery)],
        _ => vec![(soon, Kind::Delivery)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(address: &str) -> Vec<Kind> {
        fates(address).into_iter().map(|fate| fate.kind).collect()
    }

    #[test]
    fn a_mailbox_does_what_its_name_says() {
        let delivery = Kind::Delivery;
        let table = [
            ("bounce@example.com", vec![NO_MAILBOX]),
            ("bounce+2@example.net", vec![NO_MAILBOX]),
            ("bounce@simulator.amazonses.com", vec![NO_MAILBOX]),
            ("complaint@example.com", vec![delivery, Kind::Complaint("abuse")]),
            ("complaint+a@simulator.amazonses.com", vec![delivery, Kind::Complaint("abuse")]),
            ("slow@example.com", vec![GREYLISTED, delivery]),
            ("full@example.com", vec![FULL, FULL, STAYED_FULL]),
            ("suppressed@example.com", vec![SUPPRESSED]),
            ("suppressionlist@simulator.amazonses.com", vec![SUPPRESSED_BY_SES]),
            ("ooto@simulator.amazonses.com", vec![delivery, AWAY]),
            ("virus@example.com", vec![Kind::Reject("Bad content")]),
            ("success@simulator.amazonses.com", vec![delivery]),
            // The people of README and of the walkthrough.
            ("mina@example.com", vec![delivery]),
            ("robin+101112131@example.com", vec![delivery]),
        ];
        for (address, expected) in table {
            let [Kind::Send, rest @ ..] = &kinds(address)[..] else { panic!("{address} was not sent to") };
            assert_eq!(rest, expected, "{address}");
        }
    }

    #[test]
    fn people_are_mostly_well_and_each_the_same_every_time() {
        let addresses: Vec<String> = (0..10_000).map(|number| format!("someone{number}@example.com")).collect();
        let (mut at_once, mut bounced) = (0, 0);
        for address in &addresses {
            assert_eq!(fates(address), fates(address));
            let fates = fates(address);
            assert!(fates.windows(2).all(|pair| pair[0].after < pair[1].after), "{address}: {fates:?}");
            at_once += u32::from(matches!(fates[..], [_, Fate { kind: Kind::Delivery, .. }]));
            bounced += u32::from(matches!(fates.last(), Some(Fate { kind: Kind::Bounce("Permanent", ..), .. })));
        }
        assert!((8_700..9_100).contains(&at_once), "{at_once} of 10,000 get it at once");
        assert!((100..250).contains(&bounced), "{bounced} of 10,000 bounce for good: the brake is set at 5 %");
    }
}
