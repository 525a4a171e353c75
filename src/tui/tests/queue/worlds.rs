//! Outboxes in each state that an operator may meet.

use chrono::Duration;

use crate::domain::alert::Alert;
use crate::domain::amazon::{AccountStanding, DeadLetters, Depth, EventQueue, SesAccount};
use crate::domain::brake::{Brake, BrakeCause, BrakeState};
use crate::domain::filter::{Filter, Search};
use crate::domain::id::VerificationId;
use crate::domain::job::{JobScope, JobState, PlanProgress, Skipped};
use crate::domain::pace::PaceView;
use crate::domain::reputation::{Hour, Rate, Reputation};
use crate::domain::verification::Status;
use crate::domain::webhook::{Refused, Subscription, WebhookView};
use crate::domain::worker::WorkerRow;
use crate::tui::effect::{Load, Loaded};
use crate::tui::tests::fixture::{Console, DAY, World, ago, endpoint, job, now, worker};
use crate::tui::{Effect, Msg};

/// How a world is made.
pub type Make = fn() -> World;

pub const HOSTILE: &str = "\u{1b}[31mSES \u{202e}refuses\u{1b}]0;pwn\u{7} 김철수 👨\u{200d}👩\u{200d}👧\r\nevery mail: \
                       554 Message rejected: Email address is not verified. The following identities failed the check \
                       in region AP-NORTHEAST-2: Haru Books <no-reply@haru-books.example>, arn:aws:ses:ap-northeast-2:\
                       123456789012:identity/haru-books.example. Verify the sender's domain in SES, publish its three \
                       DKIM records, wait until AWS has seen them, and then let the outbox go again.";

pub fn brake(state: BrakeState, cause: BrakeCause, by: &str, reason: &str) -> Brake {
    Brake {
        state,
        cause,
        set_by: by.into(),
        reason: reason.into(),
        set_at: ago(750),
        until: None,
        probe_at: None,
        as_of: ago(0),
    }
}

pub fn pace(limit: f64, quota: i64, used: i64) -> PaceView {
    PaceView { limit, rate: limit, daily_quota: Some(quota), used, ..PaceView::default() }
}

pub fn second_worker() -> WorkerRow {
    let mut second = worker("smtp", "email-smtp.ap-northeast-2.amazonaws.com:587", ago(4), "5eb63bbb");
    second.id = uuid::Uuid::from_u128(8);
    second.host = "mail-2".into();
    second.pid = 991;
    (second.sent, second.failed, second.rate) = (12_204, 0, 1.4);
    second.last_error = Some("421 Service not available: too many connections from this address".into());
    second
}

pub fn idle() -> World {
    let mut world = World::default();
    (world.outbox.queued, world.outbox.sending, world.outbox.due_since) = (0, 0, None);
    world.outbox.workers[0].rate = 0.0;
    world
}

/// Nothing was ever done here.
pub fn bare() -> World {
    let mut world = idle();
    world.outbox.workers.clear();
    world
}

pub fn busy() -> World {
    let mut world = World::default();
    (world.outbox.queued, world.outbox.sending, world.outbox.unknown) = (1_234, 12, 2);
    world.outbox.pace = pace(14.0, 50_000, 31_200);
    let mut stopped = worker("smtp", "email-smtp.ap-northeast-2.amazonaws.com:587", ago(7_300), "5eb63bbb");
    stopped.id = uuid::Uuid::from_u128(9);
    stopped.host = "mail-3".into();
    stopped.stopped_at = Some(ago(7_300));
    let mut silent = stopped.clone();
    silent.id = uuid::Uuid::from_u128(10);
    silent.host = "mail-4".into();
    (silent.stopped_at, silent.beat_at) = (None, ago(340));
    world.outbox.workers = vec![world.outbox.workers[0].clone(), second_worker(), silent, stopped];
    let mut marked = job(2, JobState::Paused);
    marked.scope = JobScope::Marked((1..=12).map(VerificationId).collect());
    marked.created_by = "김민지@bastion-seoul-2".into();
    (marked.found, marked.looked_at, marked.queued, marked.open) = (Some(12), 3, 3, 3);
    marked.skipped = Skipped::default();
    let mut searched = job(3, JobState::Done);
    let filter = Filter { status: Some(Status::Pending), search: Search::parse("naver.com"), ..Filter::default() };
    searched.scope = JobScope::Filter(filter);
    (searched.found, searched.looked_at, searched.queued, searched.open) = (Some(318), 318, 300, 0);
    searched.created_at = ago(90_000);
    searched.ended_at = Some(ago(89_000));
    let mut cancelled = job(4, JobState::Cancelled);
    cancelled.reason = Some("cancelled by mina@bastion".into());
    (cancelled.open, cancelled.found) = (0, None);
    world.outbox.jobs = vec![job(1, JobState::Running), marked, searched, cancelled];
    world
}

fn event_queue() -> EventQueue {
    EventQueue {
        url: "https://sqs.ap-northeast-2.amazonaws.com/123456789012/ses-events".into(),
        depth: Some(Depth { seen_at: ago(12), waiting: 3, in_flight: 10, dead_letters: DeadLetters::Count(0) }),
        left_alone: 0,
        left_at: None,
        error: None,
    }
}

/// A topic asks, and posts were refused.
pub fn topic_asks() -> World {
    let mut world = busy();
    let asking = Subscription {
        topic: "arn:aws:sns:ap-northeast-2:123456789012:ses-events".into(),
        asked_at: Some(ago(14 * 60)),
        is_allowed: false,
        approved_at: None,
        refused_at: None,
        decided_by: None,
        error: None,
        confirmed_at: None,
        ended_at: None,
        signature_version: None,
    };
    let refused = Refused { reason: "signature".into(), lately: 312, count: 1_204, last_at: ago(3) };
    world.outbox.webhook = WebhookView { as_of: now(), subscriptions: vec![asking], refused: vec![refused] };
    world
}

/// The site was not told all.
pub fn hooks_given_up() -> World {
    let mut world = busy();
    let mut failing = endpoint("site", 12, 2);
    failing.failing_since = Some(ago(250));
    failing.error = Some("it answered 503 Service Unavailable".into());
    world.outbox.hooks = vec![endpoint("crm", 0, 0), failing];
    world
}

/// It was.
pub fn hooks_told() -> World {
    let mut world = busy();
    world.outbox.hooks = vec![endpoint("site", 0, 0)];
    world
}

/// Events come, and some were none.
pub fn dead_letters() -> World {
    let mut world = busy();
    let dead = Depth { dead_letters: DeadLetters::Count(4), ..event_queue().depth.unwrap() };
    let mut other = event_queue();
    other.depth = Some(dead);
    (other.left_alone, other.left_at) = (4, Some(ago(700)));
    world.outbox.event_queues = vec![event_queue(), other];
    world
}

fn account() -> AccountStanding {
    AccountStanding {
        seen_at: ago(30),
        region: "ap-northeast-2".into(),
        is_sandbox: false,
        can_send: true,
        enforcement: "HEALTHY".into(),
        rate_max: 14.0,
        daily_max: Some(50_000.0),
        sent: 31_245.0,
        sent_by_others: 4_100,
        review: "GRANTED".into(),
    }
}

/// Bounces come near to the limit at which nothing goes out any more.
pub fn bouncing() -> World {
    let mut world = busy();
    let rate = |count, limit| Rate { count, of: 1_000, limit };
    let hour = |n: i64| Hour { sent: n * n * 23 % 1_700, bounced: n / 18 * n, complained: n / 23, failed: n / 21 * 2 };
    world.outbox.reputation = Reputation {
        sends: 1_000,
        window: 1_000,
        bounces: rate(41, 0.05),
        complaints: rate(1, 0.003),
        hours: (0..24).map(hour).collect(),
    };
    world
}

/// What SES says of the account, when all is well.
pub fn account_healthy() -> World {
    let mut world = busy();
    world.outbox.account = Some(SesAccount { standing: Some(account()), error: None, permission: None });
    world
}

/// A new account.
pub fn account_sandbox() -> World {
    let mut world = idle();
    let standing = AccountStanding {
        is_sandbox: true,
        rate_max: 1.0,
        daily_max: Some(200.0),
        sent: 12.0,
        sent_by_others: 0,
        ..account()
    };
    world.outbox.account = Some(SesAccount { standing: Some(standing), error: None, permission: None });
    world
}

/// AWS has paused it, and no longer says anything.
pub fn account_paused() -> World {
    let mut world = idle();
    let standing = AccountStanding { can_send: false, enforcement: "SHUTDOWN".into(), daily_max: None, ..account() };
    let error = "403 AccessDeniedException User is not authorized to perform: ses:GetAccount \u{1b}[2J";
    world.outbox.account =
        Some(SesAccount { standing: Some(standing), error: Some((error.into(), ago(340))), permission: None });
    world
}

/// Much is wrong: one alert was told, one could not be, one is still to be.
pub fn alerted() -> World {
    let mut world = paused();
    let alert = |kind: &str, subject: &str, since, error: Option<&str>| Alert {
        kind: kind.into(),
        subject: subject.into(),
        summary: "not shown here".into(),
        began_at: ago(since),
        is_told: kind == "outbox_paused",
        error: error.map(Into::into),
    };
    let error = "alert.command ended with exit status: 7: curl: (6) Could not resolve host: \u{1b}[2Jchat.example.org";
    world.outbox.alerts = vec![
        alert("rate_near", "bounces", 3 * DAY, Some(error)),
        alert("outbox_paused", "operator", 700, None),
        alert("quota_nearly_used", "", 20, None),
    ];
    world
}

/// Events cannot be had.
pub fn deaf() -> World {
    let mut world = idle();
    let error = "403 AccessDenied User: arn:aws:iam::123456789012:user/desk is not authorized to perform: \
                 sqs:ReceiveMessage \u{1b}[2J because no identity-based policy allows it";
    let queue = EventQueue { depth: None, error: Some((error.into(), ago(340))), ..event_queue() };
    world.outbox.event_queues = vec![queue];
    world
}

pub fn paused() -> World {
    let mut world = busy();
    let reason = "SES maintenance in ap-northeast-2 until four";
    world.outbox.brake = Some(brake(BrakeState::Paused, BrakeCause::Operator, "mina@bastion", reason));
    world.outbox.workers.truncate(1);
    world.outbox.workers[0].rate = 0.0;
    world
}

pub fn restored() -> World {
    let mut world = paused();
    let reason = "this database was restored or copied: what is queued in it may have gone out before; cancel what must not \
                  go out again, then resume";
    world.outbox.brake = Some(brake(BrakeState::Paused, BrakeCause::Restored, "worker@mail-1", reason));
    world
}

pub fn draining() -> World {
    let mut world = busy();
    let reason = "the database moves at noon";
    world.outbox.brake = Some(brake(BrakeState::Draining, BrakeCause::Operator, "mina@bastion", reason));
    world
}

/// Paused by a machine, and everything that strangers write is hostile.
pub fn misconfigured() -> World {
    let mut world = busy();
    world.outbox.brake = Some(brake(BrakeState::Paused, BrakeCause::Configuration, "worker@\u{1b}[2Jmail-1", HOSTILE));
    world.outbox.jobs.truncate(1);
    world.outbox.jobs[0].created_by = HOSTILE.into();
    world.outbox.jobs[0].scope =
        JobScope::Filter(Filter { search: Search::parse("김\u{202e}\u{1b}[2J"), ..Filter::default() });
    world.outbox.workers.truncate(2);
    world.outbox.workers[1].host = HOSTILE.into();
    world.outbox.workers[1].last_error = Some(HOSTILE.into());
    world
}

pub fn quota_used_up() -> World {
    let mut world = World::default();
    world.outbox.queued = 41;
    world.outbox.sending = 0;
    world.outbox.pace = pace(1.0, 200, 200);
    world.outbox.pace.next_place_at = Some(now() + Duration::seconds(3 * 3_600 + 100));
    world.outbox.workers[0].rate = 0.0;
    world
}

pub fn lowered() -> World {
    let mut world = busy();
    world.outbox.pace.rate = 9.8;
    world.outbox.pace.lowered_at = Some(ago(200));
    world.outbox.pace.used = 48_100;
    world.outbox.workers[0].rate = 8.2;
    world.outbox.jobs.truncate(1);
    world.outbox.workers.truncate(2);
    world
}

pub fn grace() -> World {
    let mut world = idle();
    let mut job = job(1, JobState::Running);
    (job.created_at, job.cut_off) = (ago(2), ago(20));
    job.starts_at = now() + Duration::seconds(8);
    (job.looked_at, job.queued, job.open, job.skipped) = (0, 0, 0, Skipped::default());
    world.outbox.jobs = vec![job];
    world
}

pub fn skips() -> World {
    let mut world = busy();
    world.outbox.jobs.truncate(1);
    world.outbox.workers.truncate(1);
    world.outbox.jobs[0].skipped = Skipped {
        verified: 1_200,
        cool_down: 40,
        daily_cap: 3,
        waiting: 2,
        suppressed: 17,
        bounced: 140,
        later: 31,
        duplicate: 6,
    };
    world
}

/// The same, some way into the counting.
pub fn counted_partly(width: u16, height: u16) -> (Console, World) {
    let (mut console, world) = counting(width, height);
    let asked = console.take_asked();
    let generation = asked.iter().find_map(|effect| match effect {
        Effect::Load(Load::JobPlan { generation, .. }) => Some(*generation),
        _ => None,
    });
    let generation = generation.unwrap();
    let told = [(0, 0, 0.0), (640_211, 611_004, 0.457)];
    for (found, mails, part) in told {
        let progress = PlanProgress { about: 2_000_000, found, mails, part };
        console.send(Msg::Loaded(Loaded::JobPlanProgress { generation, progress }));
    }
    (console, world)
}

/// Opens the dialog of a bulk resend without an answer to its question.
pub fn counting(width: u16, height: u16) -> (Console, World) {
    let (mut console, world) = Console::loaded(width, height);
    console.run(&world, "3");
    console.press("B");
    (console, world)
}
