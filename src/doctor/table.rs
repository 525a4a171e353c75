//! All checks, in the order in which they are shown.

use std::time::Duration;

use super::check::{Check, Examine};
use super::{account, database, dns, events, region, rights, schema, serve, smtp, templates, workers};

/// What a check of the database may take: it waits for what is read for several.
const USUAL: Duration = Duration::from_secs(15);

/// The groups, by the first part of the names of their checks.
pub const GROUPS: [(&str, &str); 9] = [
    ("database", "Database"),
    ("schema", "Schema"),
    ("templates", "Templates"),
    ("workers", "Workers"),
    ("serve", "Verification view"),
    ("smtp", "Mail server"),
    ("account", "SES account, as workers were answered"),
    ("events", "Events of SES's"),
    ("dns", "The sender's domain in DNS"),
];

const fn row(name: &'static str, about: &'static str, examine: Examine) -> Check {
    Check { name, about, limit: USUAL, examine }
}

/// Every check.
pub static CHECKS: &[Check] = &[
    row("database.reachable", "whether PostgreSQL answers", database::reachable),
    row("database.version", "whether it is new enough", database::version),
    row("database.encoding", "whether it holds every script", database::encoding),
    row(
        "database.collation",
        "whether Korean is found by parts, and whether indexes fit the system's rules of sorting",
        database::collation,
    ),
    row("database.writes", "whether it takes writes: a standby takes none", database::writes),
    row("database.sessions", "whether a pooler shares sessions", database::sessions),
    row("database.clock", "how far this machine's clock is from the database's", database::clock),
    row("schema.version", "whether schema and program fit together", schema::version),
    row("schema.extension", "whether pg_trgm is there", schema::extension),
    row("schema.rights", "whether the login may do what this host is for", schema::rights),
    Check { limit: templates::LIMIT, ..row("templates.compile", "whether every mail can be made", templates::compile) },
    Check {
        limit: templates::LIMIT,
        ..row("templates.rules", "whether mails keep to the rules of `templates check`", templates::rules)
    },
    row("workers.alive", "whether a worker has been heard of", workers::alive_workers),
    row("workers.silent", "whether one fell silent without a word", workers::silent),
    row("workers.secrets", "whether their secrets fit together, and this host's with theirs", workers::secrets),
    row("workers.trouble", "what workers report", workers::trouble),
    row("workers.pace", "whether they wish for one pace", workers::pace),
    row("workers.brake", "whether sending is stopped", workers::brake),
    row("workers.outbox", "whether mails that are due go", workers::outbox),
    row("serve.alive", "whether a serve has been heard of", serve::alive),
    row("serve.versions", "whether workers, serves and this program are of one version", serve::versions_of_all),
    row("serve.public_url", "whether the public URL answers, and leads to a serve of this database", serve::public_url),
    Check { limit: smtp::LIMIT, ..row("smtp.greeting", "whether the mail server answers", smtp::greeting) },
    Check {
        limit: smtp::LIMIT,
        ..row("smtp.tls", "whether the connection is protected, and the certificate is the mail server's", smtp::tls)
    },
    Check { limit: smtp::LIMIT, ..row("smtp.sign_in", "whether it lets us in", smtp::sign_in) },
    Check {
        limit: smtp::LIMIT,
        ..row("smtp.sender", "whether it takes the sender; no recipient is named, and no mail goes", smtp::sender)
    },
    row("smtp.password", "whether the password has the form of SES's, not that from before 2019", smtp::password),
    row("account.region", "whether settings, endpoints, queue, topics and account mean one region", region::one),
    row("account.asked", "whether SES answers what workers ask of the account", account::asked),
    row("account.access", "sandbox or production", account::access),
    row("account.standing", "whether AWS lets it send, and what it thinks of it", account::standing_of),
    row("account.quota", "how much of the quota is used up", account::quota),
    row("account.sender", "whether the sender's identity is verified", account::sender),
    row("account.dkim", "whether mails are signed", account::dkim),
    row(
        "account.mail_from",
        "whether the envelope's domain is verified, where it is the sender's own",
        account::mail_from,
    ),
    row("account.configuration_set", "whether there is one, and it sends", account::configuration_set),
    row(
        "account.events",
        "whether all events that the desk needs are published, and none that rewrites links",
        account::events,
    ),
    row("account.may_get_account", "the right ses:GetAccount", rights::account),
    row("account.may_get_identity", "the right ses:GetEmailIdentity", rights::identity),
    row("account.may_list_identities", "the right ses:ListEmailIdentities", rights::identities),
    row("account.may_get_configuration_set", "the right ses:GetConfigurationSet", rights::configuration_set),
    row("account.may_get_destinations", "the right ses:GetConfigurationSetEventDestinations", rights::destinations),
    row("account.may_get_rates", "the right cloudwatch:GetMetricData", rights::rates),
    row("account.may_read_list", "the right ses:ListSuppressedDestinations", rights::list),
    row("account.may_look_up_suppressed", "the right ses:GetSuppressedDestination, by its last use", rights::look_up),
    row("account.may_take_off_list", "the right ses:DeleteSuppressedDestination, by its last use", rights::take_off),
    row("account.may_put_on_list", "the right ses:PutSuppressedDestination, by its last use", rights::put_on),
    row("account.may_add_identity", "the right ses:CreateEmailIdentity, by its last use", rights::add_identity),
    row(
        "account.may_read_queue",
        "the rights sqs:ReceiveMessage, DeleteMessage, GetQueueAttributes and their like",
        rights::queue,
    ),
    row("events.way", "whether events come in at all", events::way),
    row("events.queue", "whether the queue is read, and how much waits in it", events::queue),
    row("events.dead_letters", "whether something is in the dead-letter queue", events::dead_letters),
    row("events.topics", "whether a topic waits for approval, or its subscription has ended", events::topics),
    row("events.signatures", "whether what topics post to serve is signed by version 2", events::signatures),
    row("events.refused", "whether posts of SNS's were refused", events::refused),
    row("dns.spf", "whether the envelope's domain lets SES send", dns::spf),
    row("dns.dmarc", "whether the sender's domain has a DMARC record", dns::dmarc),
    row("dns.dkim", "whether the three records that SES asks for are there", dns::dkim),
    row(
        "dns.mail_from",
        "whether the envelope's domain has its MX record, where it is the sender's own",
        dns::mail_from,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_of_a_group() {
        let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        for check in CHECKS {
            assert!(GROUPS.iter().any(|(name, _)| *name == check.group()), "{}", check.name);
            assert!(check.short() != check.name && !check.about.is_empty(), "{}", check.name);
        }
        // A group's checks stand together.
        let mut groups: Vec<_> = CHECKS.iter().map(Check::group).collect();
        groups.dedup();
        assert_eq!(groups, GROUPS.map(|(name, _)| name));
    }

    #[test]
    fn the_manual_has_each_check() {
        let manual = include_str!("../../docs/doctor.md");
        let rows: Vec<&str> =
            manual.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
        assert_eq!(rows, CHECKS.iter().map(|check| check.name).collect::<Vec<_>>());
        for check in CHECKS {
            assert!(
                manual.contains(&format!("| `{}` | {} |", check.name, check.about)),
                "{}: {}",
                check.name,
                check.about
            );
        }
    }
}
