//! `verifydesk doctor`: each check green where all is well, and not green where it is not, with what to do.

mod database;
mod demo;
mod dns;
mod serve;
mod shown;
mod smtp;
mod templates;

use verifydesk::config::Settings;
use verifydesk::doctor::{CHECKS, Doctor, Finding, State};
use verifydesk::domain::key::secret_fingerprint;
use verifydesk::store::program_version;

use crate::support::world::{SECRET, World};

async fn look(settings: &Settings, name: &str) -> Finding {
    Doctor::new(settings.clone()).examine_one(name).await.unwrap_or_else(|| panic!("there is no check {name}"))
}

/// A finding is of this state, says this, and says what to do if there is something to do.
fn expect(name: &str, finding: &Finding, state: State, words: &str) {
    assert_eq!(finding.state, state, "{name}: {finding:?}");
    assert!(finding.found.as_str().contains(words), "{name}: \"{words}\": {finding:?}");
    let has_next = finding.next.as_ref().is_some_and(|next| !next.as_str().is_empty());
    let needs_next = matches!(state, State::Yellow | State::Red);
    assert!(has_next || !needs_next, "{name}: {finding:?}");
    assert!(!has_next || needs_next || state == State::Skipped, "{name}: {finding:?}");
}

/// A site where all is well, as far as its database says: a worker, an account, a queue, a topic.
pub async fn make_well(world: &World) {
    let version = program_version();
    let fingerprint = secret_fingerprint(SECRET.as_bytes());
    world
        .execute(&format!(
            r#"delete from workers; delete from account_panels; delete from event_queues; delete from sns_subscriptions;
            delete from sns_refusals; delete from account_acts; delete from ses_account; delete from serves;
            update brake set state = 'off', cause = null, set_by = null, reason = null, set_at = null, until = null;
            update pace set rate = limit_rate;
            update sends set state = 'queued', due_at = now() + interval '1 hour', reason = null;
            insert into workers (id, host, pid, transport, target, secret_fingerprint, pace_rate, version, started_at)
            values ('00000000-0000-7000-8000-000000000001', 'mail-1', 4711, 'smtp', 'relay', '{fingerprint}', 14,
                '{version}', now() - interval '1 hour');
            insert into serves (id, host, pid, version)
            values ('00000000-0000-7000-8000-000000000002', 'web-1', 4712, '{version}');
            insert into ses_account (
                one, seen_at, region, is_sandbox, can_send, enforcement, rate_max, daily_max, sent, review
            )
            values (true, now(), 'eu-central-1', false, true, 'HEALTHY', 14, 50000, 12, 'GRANTED');
            insert into account_panels (kind, subject, answered_at, figures)
            values
                ('sender', 'no-reply@example.org', now(), '"absent"'),
                ('domain', 'example.org', now(), '{{"identity": {{
                    "is_verified": true, "verification": "SUCCESS", "verification_error": "", "dkim_signs": true,
                    "dkim": "SUCCESS", "dkim_tokens": ["aaa", "bbb", "ccc"], "mail_from": "bounce.example.org",
                    "mail_from_status": "SUCCESS", "configuration_set": ""}}}}'),
                ('identities', '', now(), '{{"identities": {{"listed": [], "has_more": false}}}}'),
                ('configuration_set', 'desk', now(), '{{"configuration_set": {{
                    "can_send": true, "tls": "REQUIRE", "has_reputation_metrics": true, "suppressed": null}}}}'),
                ('rates', '', now(), '{{"rates": {{"bounces": {{"part": 0.012, "at": "2026-11-01T10:00:00Z"}},
                    "complaints": null}}}}'),
                ('event_destinations', 'desk', now(), '{{"event_destinations": [{{
                    "name": "desk", "is_on": true, "topic": "arn:aws:sns:eu-central-1:1:events", "bus": "",
                    "events": ["SEND", "DELIVERY", "DELIVERY_DELAY", "BOUNCE", "COMPLAINT", "REJECT"]}}]}}');
            delete from suppression_list; delete from suppression_reading;
            insert into suppression_reading (reading, begun_at, part, whole_at, read_at) values (1, now(), 0, now(), now());
            insert into account_acts (kind, address, identity, listing, actor, origin, state, ended_at, outcome)
            values
                ('look_up', 'mina@example.com', null, null, 'mina', 'cli', 'done', now(), 'not_listed'),
                ('remove', 'mina@example.com', null, null, 'mina', 'cli', 'done', now(), 'done'),
                ('add', 'mina@example.com', null, 'BOUNCE', 'mina', 'cli', 'done', now(), 'done'),
                ('add_identity', 'shop.kr', 'shop.kr', null, 'mina', 'cli', 'done', now(), 'done');
            insert into event_queues (url, seen_at, waiting, in_flight, dead, has_dead_letter_queue)
            values ('https://sqs.eu-central-1.amazonaws.com/1/events', now(), 3, 1, 0, true);
            insert into sns_subscriptions (topic, asked_at, approved_at, confirmed_at, signature_version)
            values ('arn:aws:sns:eu-central-1:1:events', now() - interval '1 hour', now() - interval '1 hour', now(), 2);"#
        ))
        .await;
}

/// What is not well by a change in the database, and what is said of it.
const ILLS: &[(&str, &str, State, &str)] = &[
    (
        "workers.alive",
        "update workers set beat_at = now() - interval '1 minute'",
        State::Red,
        "no worker is running; the last one was on mail-1, process 4711",
    ),
    ("workers.alive", "delete from workers", State::Red, "no worker was heard of in the last day"),
    (
        "workers.silent",
        "update workers set beat_at = now() - interval '1 minute'",
        State::Yellow,
        "mail-1, process 4711",
    ),
    (
        "workers.secrets",
        "update workers set secret_fingerprint = 'deadbeef'",
        State::Red,
        "is not that of the worker on mail-1, process 4711 (deadbeef)",
    ),
    (
        "workers.secrets",
        "insert into workers (id, host, pid, transport, target, secret_fingerprint)
        values (gen_random_uuid(), 'mail-2', 1, 'smtp', 'relay', 'deadbeef')",
        State::Red,
        "different secrets",
    ),
    (
        "workers.secrets",
        "insert into workers (id, host, pid, transport, target, secret_fingerprint, waits_for)
        select gen_random_uuid(), 'mail-2', 1, 'smtp', 'relay', 'deadbeef', id from workers",
        State::Red,
        "The worker on mail-2, process 1, waits",
    ),
    (
        "workers.trouble",
        "update workers set last_error = '535 Authentication Credentials Invalid'",
        State::Yellow,
        "mail-1, process 4711: 535 Authentication",
    ),
    (
        "workers.pace",
        "insert into workers (id, host, pid, transport, target, secret_fingerprint, pace_rate)
        select gen_random_uuid(), 'mail-2', 1, 'smtp', 'relay', secret_fingerprint, 7 from workers",
        State::Yellow,
        "different paces",
    ),
    ("workers.pace", "update pace set rate = limit_rate / 2", State::Yellow, "the server asked for less"),
    (
        "workers.brake",
        "update brake set state = 'paused', cause = 'operator', set_by = 'mina', reason = 'lunch', \
        set_at = now()",
        State::Yellow,
        "paused by mina: lunch",
    ),
    (
        "workers.brake",
        "update brake set state = 'paused', cause = 'configuration', set_by = 'worker@mail-1', \
        reason = '554 not verified', set_at = now()",
        State::Red,
        "554 not verified",
    ),
    (
        "workers.outbox",
        "update sends set due_at = now() - interval '1 minute', queued_at = now() - interval '1 minute'",
        State::Red,
        "1 mail waits: no worker takes them",
    ),
    (
        "account.region",
        "update ses_account set region = 'us-east-1'",
        State::Red,
        "the account that workers asked: us-east-1, the queue that workers read: eu-central-1",
    ),
    (
        "account.asked",
        "update ses_account set error = 'no route to host', failed_at = now()",
        State::Red,
        "no route to host",
    ),
    (
        "account.asked",
        "update ses_account set seen_at = now() - interval '2 hours';
        update account_panels set answered_at = now() - interval '2 hours'",
        State::Yellow,
        "the newest answer is of",
    ),
    ("account.access", "update ses_account set is_sandbox = true", State::Yellow, "the sandbox"),
    ("account.standing", "update ses_account set enforcement = 'PROBATION'", State::Red, "on probation"),
    ("account.standing", "update ses_account set can_send = false", State::Red, "AWS has paused sending"),
    ("account.quota", "update ses_account set sent = 49000", State::Yellow, "49,000 of 50,000"),
    ("account.quota", "update ses_account set sent = 50000", State::Red, "50,000 of 50,000"),
    (
        "account.sender",
        "update account_panels set figures = '\"absent\"' where kind = 'domain'",
        State::Red,
        "SES knows neither no-reply@example.org nor its domain",
    ),
    (
        "account.sender",
        "update account_panels set figures = jsonb_set(jsonb_set(jsonb_set(figures,
        '{identity,is_verified}', 'false'), '{identity,verification}', '\"FAILED\"'), '{identity,verification_error}',
        '\"HOST_NOT_FOUND\"') where kind = 'domain'",
        State::Red,
        "example.org is not verified: failed, HOST_NOT_FOUND",
    ),
    (
        "account.dkim",
        "update account_panels set figures = jsonb_set(figures, '{identity,dkim}', '\"PENDING\"')
        where kind = 'domain'",
        State::Yellow,
        "mails of example.org are not signed: pending",
    ),
    (
        "account.mail_from",
        "update account_panels
        set figures = jsonb_set(figures, '{identity,mail_from_status}', '\"FAILED\"') where kind = 'domain'",
        State::Yellow,
        "bounce.example.org: failed",
    ),
    (
        "account.configuration_set",
        "update account_panels set figures = '\"absent\"' where kind = 'configuration_set'",
        State::Red,
        "SES knows no configuration set desk",
    ),
    (
        "account.configuration_set",
        "update account_panels set figures = jsonb_set(figures,
        '{configuration_set,can_send}', 'false') where kind = 'configuration_set'",
        State::Red,
        "switched off for desk",
    ),
    (
        "account.configuration_set",
        "delete from account_panels where kind = 'configuration_set'",
        State::Yellow,
        "`mail.configuration_set` is not set",
    ),
    (
        "account.events",
        "update account_panels set figures = jsonb_set(figures, '{event_destinations,0,events}',
        '[\"SEND\", \"DELIVERY\"]') where kind = 'event_destinations'",
        State::Red,
        "DELIVERY_DELAY, BOUNCE, COMPLAINT, REJECT",
    ),
    (
        "account.events",
        "update account_panels set figures = jsonb_insert(figures, '{event_destinations,0,events,0}',
        '\"CLICK\"') where kind = 'event_destinations'",
        State::Yellow,
        "CLICK have SES rewrite",
    ),
    (
        "account.may_get_account",
        "update ses_account set permission = 'ses:GetAccount', error = '403', failed_at = now()",
        State::Yellow,
        "workers were refused ses:GetAccount",
    ),
    (
        "account.may_get_identity",
        "update account_panels set trouble = '403', failed_at = now(),
        permission = 'ses:GetEmailIdentity' where kind = 'sender'",
        State::Yellow,
        "ses:GetEmailIdentity",
    ),
    (
        "account.may_list_identities",
        "update account_panels set trouble = '403', failed_at = now(),
        permission = 'ses:ListEmailIdentities' where kind = 'identities'",
        State::Yellow,
        "ses:ListEmailIdentities",
    ),
    (
        "account.may_get_configuration_set",
        "update account_panels set trouble = '403', failed_at = now(),
        permission = 'ses:GetConfigurationSet' where kind = 'configuration_set'",
        State::Yellow,
        "ses:GetConfigurationSet",
    ),
    (
        "account.may_get_destinations",
        "update account_panels set trouble = '403', failed_at = now(),
        permission = 'ses:GetConfigurationSetEventDestinations' where kind = 'event_destinations'",
        State::Yellow,
        "ses:GetConfigurationSetEventDestinations",
    ),
    (
        "account.may_get_rates",
        "update account_panels set trouble = '403', failed_at = now(), permission = 'cloudwatch:GetMetricData'
        where kind = 'rates'",
        State::Yellow,
        "workers were refused cloudwatch:GetMetricData",
    ),
    // Another failure says nothing of the right.
    (
        "account.may_get_rates",
        "update account_panels set trouble = 'no answer in time', failed_at = now() where kind = 'rates'",
        State::Skipped,
        "not answered",
    ),
    (
        "account.may_read_list",
        "update suppression_reading set trouble = '403', failed_at = now(), permission = 'ses:ListSuppressedDestinations'",
        State::Yellow,
        "workers were refused ses:ListSuppressedDestinations",
    ),
    (
        "account.may_read_list",
        "update suppression_reading set trouble = 'no answer in time', failed_at = now()",
        State::Skipped,
        "not answered",
    ),
    (
        "account.may_read_queue",
        "update event_queues set failed_at = now(),
        error = '403 AccessDenied not authorized to perform: sqs:receivemessage'",
        State::Red,
        "sqs:receivemessage",
    ),
    (
        "events.way",
        "delete from event_queues; delete from sns_subscriptions",
        State::Yellow,
        "bounces and complaints are not heard of",
    ),
    (
        "account.may_look_up_suppressed",
        "update account_acts set state = 'failed', permission = 'ses:GetSuppressedDestination' where kind = 'look_up'",
        State::Yellow,
        "refused ses:GetSuppressedDestination",
    ),
    (
        "account.may_take_off_list",
        "insert into account_acts (kind, address, actor, origin, state, ended_at, outcome, permission)
        values ('remove', 'a@example.com', 'mina', 'cli', 'failed', now() + interval '1 s', 'failed',
            'ses:DeleteSuppressedDestination')",
        State::Yellow,
        "refused ses:DeleteSuppressedDestination",
    ),
    // One that failed for another reason says nothing of the right.
    (
        "account.may_take_off_list",
        "insert into account_acts (kind, address, actor, origin, state, ended_at, outcome, error)
        values ('remove', 'a@example.com', 'mina', 'cli', 'failed', now() + interval '1 s', 'failed', 'no route')",
        State::Green,
        "granted: it was used",
    ),
    (
        "account.may_put_on_list",
        "update account_acts set state = 'failed', permission = 'ses:PutSuppressedDestination' where kind = 'add'",
        State::Yellow,
        "refused ses:PutSuppressedDestination",
    ),
    (
        "account.may_add_identity",
        "update account_acts set state = 'failed', permission = 'ses:CreateEmailIdentity' where kind = 'add_identity'",
        State::Yellow,
        "refused ses:CreateEmailIdentity",
    ),
    ("account.may_put_on_list", "delete from account_acts", State::Skipped, "nothing tells without one"),
    (
        "events.queue",
        "update event_queues set error = '400 QueueDoesNotExist', failed_at = now()",
        State::Red,
        "400 QueueDoesNotExist",
    ),
    ("events.queue", "update event_queues set waiting = 5000", State::Yellow, "5000 waiting"),
    ("events.dead_letters", "update event_queues set dead = 2", State::Yellow, "2 messages in the dead-letter queue"),
    (
        "events.dead_letters",
        "update event_queues set dead = null, has_dead_letter_queue = false",
        State::Yellow,
        "has no dead-letter queue",
    ),
    (
        "events.topics",
        "update sns_subscriptions set approved_at = null, confirmed_at = null",
        State::Yellow,
        "waits for approval",
    ),
    ("events.topics", "update sns_subscriptions set ended_at = now() + interval '1 second'", State::Red, "has ended"),
    (
        "events.signatures",
        "update sns_subscriptions set signature_version = 1",
        State::Yellow,
        "version 1, which is SHA-1",
    ),
    (
        "events.signatures",
        "update sns_subscriptions set signature_version = null",
        State::Skipped,
        "the next post tells",
    ),
    (
        "events.refused",
        "insert into sns_refusals values (current_date, 'signature', 7, now())",
        State::Yellow,
        "7 as signature",
    ),
];

/// The checks of which the other tests here and beside them see green and not green.
const SEEN_ELSEWHERE: [&str; 24] = [
    "database.reachable",
    "database.version",
    "database.encoding",
    "database.collation",
    "database.writes",
    "database.sessions",
    "database.clock",
    "schema.version",
    "schema.extension",
    "schema.rights",
    "templates.compile",
    "templates.rules",
    "serve.alive",
    "serve.versions",
    "serve.public_url",
    "smtp.greeting",
    "smtp.tls",
    "smtp.sign_in",
    "smtp.sender",
    "smtp.password",
    "dns.spf",
    "dns.dmarc",
    "dns.dkim",
    "dns.mail_from",
];

#[test]
fn each_check_is_seen_where_something_is_wrong() {
    for check in CHECKS {
        let is_seen = ILLS.iter().any(|(name, ..)| *name == check.name) || SEEN_ELSEWHERE.contains(&check.name);
        assert!(is_seen, "{} is seen nowhere", check.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_all_is_green_and_each_ill_is_told() {
    let world = World::with(|settings| settings.site.url = Some("https://books.example/".into())).await;
    world.sign_up("mina@example.com").await;
    make_well(&world).await;
    for (check, finding) in Doctor::new(world.settings.clone()).offline(true).examine().await {
        let may_be_skipped = ["smtp", "dns"].contains(&check.group()) || check.name == "serve.public_url";
        let least = if may_be_skipped { State::Skipped } else { State::Green };
        assert!((least..=State::Green).contains(&finding.state), "{}: {finding:?}", check.name);
    }
    for (name, statements, state, words) in ILLS {
        make_well(&world).await;
        world.execute(statements).await;
        expect(name, &look(&world.settings, name).await, *state, words);
    }
}

/// A console's host has no secret and no keys: nothing of it is missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_console_sees_the_same_without_any_key() {
    let world = World::new().await;
    world.sign_up("mina@example.com").await;
    make_well(&world).await;
    let settings = Settings { database_url: world.settings.database_url.clone(), ..Settings::default() };
    for (check, finding) in Doctor::new(settings).examine().await {
        assert!(finding.state <= State::Green, "{}: {finding:?}", check.name);
        assert!(finding.state == State::Green || check.group() != "account", "{}: {finding:?}", check.name);
    }
}
