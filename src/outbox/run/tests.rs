//! What a run makes of answers that come late, or not at all.

use super::*;
use crate::config::{Secret, Settings, TransportKind};
use crate::domain::id::VerificationId;
use crate::outbox::lane::Answer;
use crate::outbox::prepare::Batch;
use crate::store::outbox::batch::{Outcome, SendResult, Unrecorded};
use crate::text::plain;

/// A run whose database nobody asks.
fn run(mode: Mode) -> (Run, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings {
        database_url: Some(Secret::new("postgres://nobody@127.0.0.1:1/none")),
        public_url: Some("https://example.org".into()),
        secret: Some(Secret::new("a secret of the tests, 32 bytes and more")),
        ..Settings::default()
    };
    settings.mail.from = Some("no-reply@example.org".into());
    settings.mail.transport = TransportKind::Capture;
    settings.capture.dir = Some(dir.path().to_owned());
    let store = Store::open(&settings).unwrap();
    (Run::new(Worker::from_settings(store, &settings).unwrap(), mode), dir)
}

#[tokio::test]
async fn a_look_from_before_a_mail_came_to_wait_again_does_not_end_a_drain() {
    let (mut run, _dir) = run(Mode::Drain);
    run.jobs_at = None;
    let asked_at = Instant::now();
    let again = Outcome {
        id: SendId::new(),
        verification: VerificationId(1),
        attempt: 1,
        result: SendResult::Deferred { after: Duration::from_secs(1), counts: false, reason: "closed".into() },
        reply: None,
    };
    tokio::time::sleep_until(asked_at + Duration::from_nanos(1)).await;
    run.results.push(again);
    let _ = run.results.begin();
    run.recorded_in(Ok(Unrecorded::default()), Instant::now());
    // It saw the mail while it was being sent: nothing waited.
    run.prepared_in(Ok((Batch::default(), Rest::Nothing, None)), ToTell::default(), asked_at).unwrap();
    assert!(!run.is_over());
    run.prepared_in(Ok((Batch::default(), Rest::Nothing, None)), ToTell::default(), Instant::now()).unwrap();
    assert!(run.is_over(), "nothing waits");
}

fn accepted() -> Outcome {
    let result = SendResult::Accepted { ses_id: None };
    Outcome { id: SendId::new(), verification: VerificationId(1), attempt: 1, result, reply: None }
}

#[tokio::test]
async fn a_lane_that_breaks_makes_the_worker_pause_and_its_mail_alone_fails() {
    let (mut run, _dir) = run(Mode::Drain);
    let lease = Lease::new(run.lease_end.subscribe());
    let id = SendId::new();
    let broke = LaneResult::broke(id, VerificationId(1), 1, &lease, "it broke");
    let task = run.in_lanes.spawn(async move { (None, broke) });
    run.in_lane.insert(task.id(), InLane { id, verification: VerificationId(1), attempt: 1, lease });
    run.lanes_kept += 1;
    let done = run.in_lanes.join_next_with_id().await.unwrap();
    run.take_back(done);
    assert!(run.flow.resume_at() > Instant::now());
    assert_eq!((run.lanes_kept, run.stopping, run.tally.failed, run.in_lane.len()), (0, false, 1, 0));
    assert!(matches!(run.results.take()[..], [Outcome { result: SendResult::Failed { .. }, .. }]));
    assert!(run.worker.beat.last_error.as_ref().is_some_and(|reason| reason.contains("a lane broke")));
}

#[tokio::test]
async fn a_step_that_breaks_ends_nothing_but_itself() {
    let (mut run, _dir) = run(Mode::Forever);
    let now = Instant::now();
    for kind in [
        Kind::Jobs,
        Kind::Renew,
        Kind::Beat,
        Kind::Keep,
        Kind::Brake,
        Kind::Lower,
        Kind::Record,
        Kind::Judge,
        Kind::PutBack,
        Kind::Again,
        Kind::Probe { asked_at: now },
    ] {
        run.under_way = UnderWay {
            jobs: true,
            prepares: 1,
            records: true,
            renews: true,
            beats: true,
            keeps: true,
            brakes: true,
            judges: true,
            probes: true,
            puts_back: true,
            agains: true,
        };
        run.step(kind, async { panic!("a test breaks a step") });
        let step = run.steps.join_next().await.unwrap();
        run.take_in(step).unwrap();
        let ended = match kind {
            Kind::Jobs => !run.under_way.jobs,
            Kind::Prepare { .. } => run.under_way.prepares == 0,
            Kind::Record => !run.under_way.records,
            Kind::Renew => !run.under_way.renews,
            Kind::Beat => !run.under_way.beats,
            Kind::Keep => !run.under_way.keeps,
            Kind::Judge => !run.under_way.judges,
            Kind::PutBack => !run.under_way.puts_back,
            Kind::Probe { .. } => !run.under_way.probes,
            Kind::Again => !run.under_way.agains,
            Kind::Brake => !run.under_way.brakes,
            Kind::Lower => true,
        };
        assert!(ended && !run.stopping, "{kind:?}");
    }
    run.lanes_kept = 3;
    run.step(Kind::Prepare { kept: 3, told: ToTell::default(), asked_at: now }, async { panic!("and another") });
    let step = run.steps.join_next().await.unwrap();
    run.take_in(step).unwrap();
    assert_eq!((run.under_way.prepares, run.lanes_kept, run.astray.is_any, run.stopping), (0, 0, true, false));
}

#[tokio::test]
async fn results_on_which_a_step_breaks_are_kept_but_for_the_one() {
    let (mut run, _dir) = run(Mode::Forever);
    let [one, other] = [accepted(), accepted()];
    run.results.push(one.clone());
    run.results.push(other.clone());
    assert_eq!(run.results.begin().0.len(), 2);
    run.take_in(Ok(Step::Broke(Kind::Record))).unwrap();
    // One by one.
    assert_eq!(run.results.begin().0[..], *std::slice::from_ref(&other));
    run.take_in(Ok(Step::Broke(Kind::Record))).unwrap();
    assert_eq!(run.results.begin().0[..], [one]);
    run.take_in(Ok(Step::Recorded(Ok(Unrecorded::default())))).unwrap();
    assert_eq!((run.abandoned.contains(&other.id), run.tally.unrecorded, run.results.is_empty()), (true, 1, true));
}

#[tokio::test]
async fn an_acceptance_ends_the_probe_whatever_its_row_says() {
    let (mut run, _dir) = run(Mode::Forever);
    let outcome = accepted();
    run.refusals.start_probe(outcome.id);
    assert!(run.is_probing());
    run.results.push(outcome.clone());
    run.results.begin();
    // An earlier try to record it came through, and its answer was lost.
    let left = Unrecorded { locked: vec![], elsewhere: vec![outcome.id] };
    run.recorded_in(Ok(left), Instant::now());
    assert!(run.refusals.tell_at.is_some(), "the database hears that a mail was taken");
    run.judge(Instant::now());
    run.judged_in(Err(Error::Other(plain("broken"))), Instant::now());
    assert!(run.is_probing(), "it is told again");
    run.judge(Instant::now());
    run.judged_in(Ok(refused::Judged::default()), Instant::now());
    assert!(!run.is_probing());
}

#[tokio::test]
async fn a_result_that_is_given_up_keeps_no_probe() {
    let (mut run, _dir) = run(Mode::Forever);
    let outcome = accepted();
    run.refusals.start_probe(outcome.id);
    run.results.push(outcome);
    run.results.begin();
    run.take_in(Ok(Step::Broke(Kind::Record))).unwrap();
    assert!(!run.is_probing());
}

#[tokio::test]
async fn nothing_is_put_back_while_something_is_being_begun_nor_begun_meanwhile() {
    let (mut run, _dir) = run(Mode::Forever);
    let now = Instant::now();
    run.is_pace_set = true;
    run.admitted_in(None, now);
    assert!(Due::Prepare.at(&run).is_some());
    run.is_unbegun();
    for (prepares, probes) in [(1, false), (0, true)] {
        (run.under_way.prepares, run.under_way.probes) = (prepares, probes);
        assert_eq!(Due::PutBack.at(&run), None);
        assert_eq!(Due::Prepare.at(&run), None);
    }
    (run.under_way.prepares, run.under_way.probes) = (0, false);
    assert!(Due::PutBack.at(&run).is_some());
    run.start_put_back(now);
    assert_eq!((Due::PutBack.at(&run), Due::Prepare.at(&run)), (None, None));
    run.put_back_in(Err(Error::Other(plain("away"))), now);
    assert!(Due::PutBack.at(&run).is_some_and(|at| at > now));
    run.start_put_back(now);
    run.put_back_in(Ok(0), now);
    assert_eq!((Due::PutBack.at(&run), Due::Prepare.at(&run).is_some()), (None, true));

    // A commit whose answer was lost is looked for again, once nothing is being begun.
    run.may_have_begun(now, now);
    run.start_put_back(now);
    run.put_back_in(Ok(0), now);
    let late_at = Due::PutBack.at(&run).unwrap();
    assert!(late_at > now);
    run.under_way.prepares = 1;
    run.start_put_back(late_at);
    assert!(!run.under_way.puts_back);
    assert_eq!((Due::PutBack.at(&run), Due::Prepare.at(&run)), (None, None));
    run.under_way.prepares = 0;
    assert_eq!(Due::PutBack.at(&run), Some(late_at));
}

#[tokio::test]
async fn an_answer_that_has_come_is_kept_when_lanes_are_cut() {
    let (mut run, _dir) = run(Mode::Forever);
    let [come, waits] = [accepted(), accepted()];
    for outcome in [come.clone(), waits.clone()] {
        let lease = Lease::new(run.lease_end.subscribe());
        let is_come = outcome.id == come.id;
        let (id, verification) = (outcome.id, outcome.verification);
        let handled =
            LaneResult { id, answer: Answer::Accepted, outcome: Some(outcome), refusal: None, took: Duration::ZERO };
        let task = run.in_lanes.spawn(async move {
            if !is_come {
                std::future::pending::<()>().await;
            }
            (None, handled)
        });
        run.in_lane.insert(task.id(), InLane { id, verification, attempt: 1, lease });
        run.busy.insert(id);
        run.lanes_kept += 1;
    }
    tokio::task::yield_now().await;
    run.cut_lanes().await;
    assert_eq!(run.results.take(), [come]);
    assert!(!run.busy.contains(&waits.id) && run.astray.is_any);
}

#[tokio::test]
async fn what_the_pace_was_told_is_told_once() {
    let (mut run, _dir) = run(Mode::Forever);
    // The step took out what the pace was told before it failed.
    run.prepared_in(Err(Error::Other(plain("away"))), ToTell::default(), Instant::now()).unwrap();
    assert_eq!(run.to_tell, ToTell::default());
    let told = ToTell { unused: 3, accepted: 2 };
    run.prepared_in(Err(Error::Other(plain("away"))), told, Instant::now()).unwrap();
    assert_eq!(run.to_tell, told);
}
