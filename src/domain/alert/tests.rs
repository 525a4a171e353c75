use chrono::TimeDelta;

use super::*;
use crate::domain::amazon::{Depth, EventQueue};
use crate::domain::brake::{Brake, BrakeCause};
use crate::domain::pace::PaceView;
use crate::domain::reputation::Reputation;

fn now() -> Time {
    Time::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Mails have been due for so many minutes.
fn due(minutes: i64) -> OutboxView {
    let due_since = Some(now() - TimeDelta::minutes(minutes));
    OutboxView { as_of: now(), queued: 3, due_since, ..OutboxView::default() }
}

fn braked(state: BrakeState, reason: &str) -> OutboxView {
    let brake = Brake {
        state,
        cause: BrakeCause::Quota,
        set_by: "worker@mail-1".into(),
        reason: reason.into(),
        set_at: now(),
        until: None,
        probe_at: None,
        as_of: now(),
    };
    OutboxView { brake: Some(brake), ..due(60) }
}

fn quota(used: i64) -> OutboxView {
    OutboxView { pace: PaceView { daily_quota: Some(200), used, ..PaceView::default() }, as_of: now(), ..due(0) }
}

fn rates(bounces: i64, complaints: i64, of: i64) -> OutboxView {
    let rate = |count, limit| Rate { count, of, limit };
    let reputation = Reputation {
        sends: of,
        window: 1_000,
        bounces: rate(bounces, 0.05),
        complaints: rate(complaints, 0.003),
        hours: Vec::new(),
    };
    OutboxView { reputation, as_of: now(), ..OutboxView::default() }
}

fn dead(dead_letters: DeadLetters) -> OutboxView {
    let depth = Depth { seen_at: now(), waiting: 0, in_flight: 0, dead_letters };
    let queue =
        EventQueue { url: "https://sqs/q".into(), depth: Some(depth), left_alone: 0, left_at: None, error: None };
    OutboxView { event_queues: vec![queue], as_of: now(), ..OutboxView::default() }
}

fn seen(outbox: &OutboxView, unsent_minutes: i64) -> Seen<'_> {
    Seen { outbox, unsent_for: TimeDelta::minutes(unsent_minutes), endpoints: &[], silent: &[], unopened: &[] }
}

/// What is wrong: kinds and subjects.
fn found(outbox: &OutboxView, unsent_minutes: i64, open: bool) -> Vec<(AlertKind, String)> {
    let troubles = judge(seen(outbox, unsent_minutes), |_, _| open);
    troubles.into_iter().map(|trouble| (trouble.kind, trouble.subject)).collect()
}

#[test]
fn each_begins_where_it_is_so_and_ends_a_little_later() {
    use AlertKind::{DeadLetters as Dead, NothingSent, OutboxPaused, QuotaNearlyUsed, RateNear};
    let one = |kind, subject: &str| vec![(kind, subject.to_owned())];
    let off = Vec::new;
    let table = [
        ("nothing is wrong", OutboxView { as_of: now(), ..OutboxView::default() }, 60, off(), off()),
        ("paused", braked(BrakeState::Paused, "used up"), 60, one(OutboxPaused, "quota"), one(OutboxPaused, "quota")),
        ("draining is meant so", braked(BrakeState::Draining, "soon"), 0, off(), off()),
        ("due and sent", due(60), 4, off(), off()),
        ("due for a short time", due(4), 60, off(), off()),
        ("due and not sent", due(5), 5, one(NothingSent, ""), one(NothingSent, "")),
        ("few mails used", quota(159), 0, off(), off()),
        ("many mails used", quota(160), 0, off(), one(QuotaNearlyUsed, "")),
        ("most mails used", quota(180), 0, one(QuotaNearlyUsed, ""), one(QuotaNearlyUsed, "")),
        ("some bounce", rates(24, 0, 1_000), 0, off(), off()),
        ("more bounce", rates(25, 0, 1_000), 0, off(), one(RateNear, "bounces")),
        ("many bounce", rates(30, 0, 1_000), 0, one(RateNear, "bounces"), one(RateNear, "bounces")),
        ("too few to say", rates(30, 0, 49), 0, off(), off()),
        ("one complains", rates(0, 1, 100), 0, off(), off()),
        ("two complain", rates(0, 2, 1_000), 0, one(RateNear, "complaints"), one(RateNear, "complaints")),
        ("dead letters", dead(DeadLetters::Count(1)), 0, one(Dead, "https://sqs/q"), one(Dead, "https://sqs/q")),
        ("no dead letter", dead(DeadLetters::Count(0)), 0, off(), off()),
        ("not to be asked", dead(DeadLetters::Unknown), 0, off(), off()),
    ];
    for (what, outbox, unsent, begins, goes_on) in table {
        assert_eq!(found(&outbox, unsent, false), begins, "{what}");
        assert_eq!(found(&outbox, unsent, true), goes_on, "{what}, where it was so before");
    }
}

/// The quota has an alert of its own.
#[test]
fn a_quota_that_is_used_up_is_no_other_trouble() {
    let outbox = OutboxView { queued: 3, due_since: due(60).due_since, ..quota(200) };
    assert_eq!(found(&outbox, 60, false), [(AlertKind::QuotaNearlyUsed, String::new())]);
}

#[test]
fn a_summary_is_one_short_line() {
    let outbox = braked(BrakeState::Paused, &format!("line\nbreak\u{1b}[31m {}", "long ".repeat(1_000)));
    let summary = judge(seen(&outbox, 0), |_, _| false).remove(0).summary;
    assert!(summary.starts_with("the outbox is paused by worker@mail-1: line"), "{summary}");
    assert!(!summary.contains(char::is_control) && summary.chars().count() == SUMMARY_MAX, "{summary}");
}

#[test]
fn a_domain_is_silent_where_that_is_no_chance() {
    let table = [
        ("many people, and others get theirs", [20, 40, 21], true),
        ("few people", [19, 40, 40], false),
        ("few mails to others", [500, 19, 19], false),
        ("half of the others' do not come either", [20, 40, 20], false),
    ];
    let outbox = OutboxView { as_of: now(), ..OutboxView::default() };
    for (what, [people, others, others_arrived], begins) in table {
        let of = SilentDomain { domain: "naver.com".into(), mails: people + 3, people, others, others_arrived };
        let seen = Seen { silent: &[of], ..seen(&outbox, 0) };
        assert_eq!(judge(seen, |_, _| false).len(), usize::from(begins), "{what}");
        assert_eq!(judge(seen, |_, _| true)[0].subject, "naver.com", "{what}, where it was so before");
    }
}

#[test]
fn no_link_is_opened_where_that_is_no_chance_and_mails_arrive() {
    let table = [
        ("many people, and others open theirs", [20, 60, 20], true),
        ("few people", [19, 40, 40], false),
        ("few links of others", [500, 19, 19], false),
        ("three in ten of the others are opened", [20, 100, 30], false),
    ];
    let outbox = OutboxView { as_of: now(), ..OutboxView::default() };
    let domain = || Untrusted::from("hanmail.net");
    for (what, [people, others, others_opened], begins) in table {
        let unopened = [UnopenedDomain { domain: domain(), people, links: people + 3, others, others_opened }];
        let seen = Seen { unopened: &unopened, ..seen(&outbox, 0) };
        assert_eq!(judge(seen, |_, _| false).len(), usize::from(begins), "{what}");
        assert_eq!(judge(seen, |_, _| true)[0].subject, "hanmail.net", "{what}, where it was so before");
        let silent = [SilentDomain { domain: domain(), mails: 40, people: 40, others: 90, others_arrived: 90 }];
        let kinds: Vec<_> = judge(Seen { silent: &silent, ..seen }, |_, _| false).iter().map(|of| of.kind).collect();
        assert_eq!(kinds, [AlertKind::NothingArrives], "{what}, where nothing arrives either");
    }
}

#[test]
fn what_the_site_was_not_told_is_said_of_each_endpoint() {
    let one = |name: &str, given_up_lately, error: Option<&str>| HookEndpoint {
        name: name.into(),
        place: "https://example.org".into(),
        since: now(),
        seen_at: now(),
        disabled_at: None,
        delivered_at: None,
        failing_since: None,
        error: error.map(Into::into),
        waiting: 7,
        oldest: None,
        // Also long ago.
        given_up: given_up_lately + 5,
        given_up_lately,
    };
    let endpoints = [
        one("new", 0, Some("it answered 500")),
        one("crm", 1, None),
        one("site", 3, Some("it answered 503\u{1b}[31m")),
    ];
    let outbox = OutboxView { as_of: now(), ..OutboxView::default() };
    let troubles = judge(Seen { endpoints: &endpoints, ..seen(&outbox, 0) }, |_, _| false);
    let said = troubles.iter().map(|one| (one.kind, one.subject.as_str(), one.summary.as_str())).collect::<Vec<_>>();
    let [first, second] = said[..] else { panic!("{said:?}") };
    assert_eq!(
        first,
        (AlertKind::WebhookGivenUp, "crm", "1 message was given up at crm, of which the site knows nothing")
    );
    assert_eq!((second.0, second.1), (AlertKind::WebhookGivenUp, "site"));
    let words = "3 messages were given up at site, of which the site knows nothing: it answered 503";
    assert!(second.2.starts_with(words) && !second.2.contains('\u{1b}'), "{said:?}");
}

#[test]
fn an_alert_in_a_line() {
    let alert = |kind: &str, subject: &str, is_told, error: Option<&str>| Alert {
        kind: kind.into(),
        subject: subject.into(),
        summary: "the outbox is paused by mina: maintenance".into(),
        began_at: now(),
        is_told,
        error: error.map(Into::into),
    };
    let table = [
        (alert("outbox_paused", "operator", true, None), "the outbox is paused (operator), since noon; told"),
        (alert("quota_nearly_used", "", false, None), "the quota is nearly used, since noon"),
        (
            alert("rate_near", "bounces", false, Some("exit 7")),
            "near where all mail stops (bounces), since noon; not told: exit 7",
        ),
        (
            alert("moon_full", "", true, Some("one way failed")),
            "moon full, since noon; told in one way, in the other not: one way failed",
        ),
    ];
    for (alert, words) in table {
        assert_eq!(alert.in_words(|_| "noon".into()), words);
    }
}

#[test]
fn each_kind_has_a_word_and_a_section_of_the_manual() {
    for kind in AlertKind::ALL {
        assert_eq!(kind.as_str().parse::<AlertKind>().unwrap(), kind);
        assert!(kind.docs().starts_with("docs/"), "{kind}");
    }
}
