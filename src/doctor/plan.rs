//! What is missing at AWS between here and mails with results: what checks found, with the reason and the command for each.

use super::{Doctor, Finding, State};
use crate::domain::account::PanelKind;
use crate::ses::plan::{Names, aws_cli};

/// Something that has to be there.
pub struct Step {
    pub what: &'static str,
    pub why: &'static str,
    /// The checks that say whether it is: the worst of them counts.
    checks: &'static [&'static str],
    commands: fn(&Names) -> Vec<String>,
}

/// All steps, in an order in which each finds what it needs.
const STEPS: &[Step] = &[
    Step {
        what: "one region",
        why: "identities, quotas and events are of one region: what is elsewhere is not found",
        checks: &["account.region"],
        commands: |_| Vec::new(),
    },
    Step {
        what: "an identity that may send",
        why: "SES refuses mails from a domain that is not verified",
        checks: &["account.sender"],
        commands: aws_cli::identity,
    },
    Step {
        what: "DKIM",
        why: "large providers put unsigned mails aside, and DMARC rests on it",
        checks: &["account.dkim", "dns.dkim"],
        commands: aws_cli::dkim,
    },
    Step {
        what: "an envelope's domain of your own",
        why: "SPF then holds for DMARC as well, should DKIM break on the way",
        checks: &["account.mail_from", "dns.mail_from"],
        commands: aws_cli::mail_from,
    },
    Step {
        what: "a configuration set",
        why: "SES reports only of mails that name one",
        checks: &["account.configuration_set"],
        commands: aws_cli::configuration_set,
    },
    Step {
        what: "a topic and a queue, with a dead-letter queue",
        why: "by it events come to workers, also behind a firewall, and wait for them up to 14 days",
        checks: &["events.way", "events.queue", "events.dead_letters"],
        commands: aws_cli::queue,
    },
    Step {
        what: "an event destination",
        why: "bounces and complaints that no one hears of cost the account; OPEN and CLICK would rewrite the link",
        checks: &["account.events"],
        commands: aws_cli::destination,
    },
    Step {
        what: "the workers' rights",
        why: "no more than the program calls: a thief of the key can send as this sender, and nothing else in your name",
        checks: &[
            "account.may_get_account",
            "account.may_get_identity",
            "account.may_list_identities",
            "account.may_get_configuration_set",
            "account.may_get_destinations",
            "account.may_get_rates",
            "account.may_read_list",
            "account.may_read_queue",
        ],
        commands: aws_cli::rights,
    },
    Step {
        what: "production access",
        why: "in the sandbox only addresses that you have verified can be mailed",
        checks: &["account.access"],
        commands: aws_cli::production,
    },
];

/// A step, how it stands, and what makes it.
pub struct Planned {
    pub step: &'static Step,
    pub finding: Finding,
    /// Empty where it is there.
    pub commands: Vec<String>,
}

impl Doctor {
    /// How each step stands. Without a sender there are no commands.
    pub async fn plan(&self, names: Option<&Names>) -> Vec<Planned> {
        let wanted: Vec<&str> = STEPS.iter().flat_map(|step| step.checks.iter().copied()).collect();
        let found = self.examine_of(&wanted).await;
        let planned = STEPS.iter().map(|step| {
            let of_step = found.iter().filter(|(check, _)| step.checks.contains(&check.name));
            // Of those that are as bad, the first.
            let worst = of_step.rev().max_by_key(|(_, finding)| finding.state);
            let finding = worst.map_or_else(|| Finding::skipped("nothing looks at it"), |(_, finding)| finding.clone());
            let is_there = finding.state == State::Green;
            let commands = names.filter(|_| !is_there).map(|names| (step.commands)(names)).unwrap_or_default();
            Planned { step, finding, commands }
        });
        planned.collect()
    }

    /// The address that workers send from, where they have asked SES about it.
    pub async fn sender_of_workers(&self) -> Option<String> {
        let account = self.room.account().await.ok()?;
        let panel = account.panels.iter().find(|panel| panel.kind == PanelKind::Sender)?;
        Some(panel.subject.raw().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CHECKS;

    #[test]
    fn steps_rest_on_checks_that_there_are() {
        for step in STEPS {
            for name in step.checks {
                assert!(CHECKS.iter().any(|check| check.name == *name), "{name}");
            }
        }
    }
}
