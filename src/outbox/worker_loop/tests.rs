//! What a worker makes of answers that come late, or not at all.

use super::*;
use crate::config::{Secret, Settings, TransportKind};
use crate::domain::id::{SendId, VerificationId};
use crate::outbox::lane::{Answer, LaneResult};
use crate::outbox::lanes::InLane;
use crate::outbox::preparer::Batch;
use crate::outbox::queue::Backlog;
use crate::outbox::step::prepare::{self, Asked, Prepared};
use crate::outbox::step::report_refusals::Reported;
use crate::outbox::step::{put_back, record, report_refusals};
use crate::store::outbox::begin::Attempt;
use crate::store::outbox::record::Unrecorded;
use crate::store::outbox::result::{Outcome, SendResult};
use crate::store::outbox::standing::{Arrival, ServerRun};
use crate::text::plain;

const FIRST: Attempt = Attempt { counted: 1, begun: 1 };

/// A worker whose database no one asks.
fn worker(mode: Mode) -> (WorkerLoop, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings {
        database_url: Some(Secret::new("postgres://none@127.0.0.1:1/none")),
        public_url: Some("https://example.org".into()),
        secret: Some(Secret::new("a secret of the tests, 32 bytes and more")),
        ..Settings::default()
    };
    settings.mail.from = Some("no-reply@example.org".into());
    settings.mail.transport = TransportKind::Capture;
    settings.capture.dir = Some(dir.path().to_owned());
    let store = Store::open(&settings).unwrap();
    let mut worker = WorkerLoop::new(Worker::from_settings(store, &settings).unwrap(), mode);
    worker.on_arrival(Arrival { server: ServerRun(1), others_for: None }, Instant::now());
    (worker, dir)
}

/// Lets a step panic.
async fn break_step<T: Send + 'static>(
    worker: &mut WorkerLoop,
    step: Step,
    finish: impl FnOnce(&mut WorkerLoop, Result<T, Error>) + Send + 'static,
) {
    worker.steps.spawn(step, async { panic!("a test breaks a step") }, finish);
    let done = worker.steps.join_next().await.unwrap();
    assert!(done.is(step));
    worker.on_step(done);
}

/// A look at the outbox that found nothing at all.
fn look(worker: &mut WorkerLoop, asked_at: Instant) {
    let nothing = Prepared { batch: Batch::default(), backlog: Backlog::Empty, brake: None };
    prepare::finish(worker, Ok(nothing), PaceReport::default(), Asked { lanes: 0, at: asked_at });
}

#[tokio::test]
async fn a_look_from_before_a_mail_came_to_wait_again_does_not_end_a_drain() {
    let (mut worker, _dir) = worker(Mode::Drain);
    let asked_at = Instant::now();
    worker.queue.ask_jobs_at(asked_at + Duration::from_mins(1));
    let again = Outcome {
        id: SendId::new(),
        verification: VerificationId(1),
        attempt: FIRST,
        result: SendResult::Deferred { after: Duration::from_secs(1), counts: false, reason: "closed".into() },
        reply: None,
    };
    tokio::time::sleep_until(asked_at + Duration::from_nanos(1)).await;
    worker.in_progress.results.push(again);
    let _ = worker.in_progress.results.begin();
    record::recorded(&mut worker, Ok(Unrecorded::default()));
    // It saw the mail while it was being sent: nothing waited.
    look(&mut worker, asked_at);
    assert!(!worker.is_over());
    look(&mut worker, Instant::now());
    assert!(worker.is_over(), "nothing waits");
}

fn accepted() -> Outcome {
    let result = SendResult::Accepted { ses_id: None };
    Outcome { id: SendId::new(), verification: VerificationId(1), attempt: FIRST, result, reply: None }
}

#[tokio::test]
async fn a_lane_that_breaks_makes_the_worker_pause_and_its_mail_alone_fails() {
    let (mut worker, _dir) = worker(Mode::Drain);
    let lease = worker.lease.lease();
    let mail = InLane { id: SendId::new(), verification: VerificationId(1), attempt: FIRST, lease };
    let broke = mail.broke("it broke");
    worker.lanes.spawn(mail, async move { (None, broke) });
    let done = worker.lanes.join_next().await.unwrap();
    worker.on_lane(done);
    assert!(worker.flow.resume_at() > Instant::now());
    assert_eq!((worker.lanes.taken(), worker.shutdown.is_stopping(), worker.tally.failed), (0, false, 1));
    assert_eq!(worker.lanes.take_unanswered().len(), 0);
    assert!(matches!(worker.in_progress.results.take()[..], [Outcome { result: SendResult::Failed { .. }, .. }]));
    assert!(worker.worker.beat.last_error.as_ref().is_some_and(|reason| reason.contains("a lane broke")));
}

#[tokio::test]
async fn a_step_that_breaks_ends_nothing_but_itself() {
    let (mut worker, _dir) = worker(Mode::Forever);
    for step in STEPS {
        for other in STEPS {
            worker.steps.pretend(other, usize::from(other != step));
        }
        break_step(&mut worker, step, |_, result: Result<(), Error>| {
            assert!(result.is_err_and(|error| error.is_of_the_row() && error.is_a_fault()));
        })
        .await;
        for other in STEPS {
            assert_eq!(worker.steps.is_running(other), other != step, "{step:?}");
        }
        let trouble = worker.worker.beat.last_error.take().unwrap();
        assert!(trouble.contains(&format!("{step:?}")) && !worker.shutdown.is_stopping(), "{trouble}");
    }
    // What each makes of that.
    break_step(&mut worker, Step::PutBack, put_back::finish).await;
    assert!(worker.orphans.are_possible() && !worker.shutdown.is_stopping());
    worker.lanes.reserve(3);
    let asked = Asked { lanes: 3, at: Instant::now() };
    break_step(&mut worker, Step::Prepare, move |worker, result| {
        prepare::finish(worker, result, PaceReport::default(), asked);
    })
    .await;
    assert_eq!((worker.lanes.taken(), worker.orphans.are_possible(), worker.shutdown.is_stopping()), (0, true, false));
    assert!(worker.shutdown.take_failure().is_none());
}

#[tokio::test]
async fn steps_that_the_database_does_not_answer_are_due_again() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let now = Instant::now();
    worker.housekeeping.pace_is_set();
    worker.on_admission(None, now);
    // No database answers, so each that is started ends in an error, and is due again.
    step::start_due(&mut worker, Instant::now());
    let started = STEPS.into_iter().map(|step| worker.steps.count(step)).sum::<usize>();
    assert!(started >= 3, "{started}");
    for _ in 0..started {
        let done = worker.steps.join_next().await.unwrap();
        worker.on_step(done);
    }
    assert!(STEPS.into_iter().all(|step| !worker.steps.is_running(step)) && !worker.shutdown.is_stopping());
    assert!(step::next_due(&worker).is_some());
}

#[tokio::test]
async fn results_on_which_a_step_breaks_are_kept_but_for_the_one() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let [one, other] = [accepted(), accepted()];
    worker.in_progress.results.push(one.clone());
    worker.in_progress.results.push(other.clone());
    assert_eq!(worker.in_progress.results.begin().0.len(), 2);
    break_step(&mut worker, Step::Record, record::recorded).await;
    // One by one.
    assert_eq!(worker.in_progress.results.begin().0[..], *std::slice::from_ref(&other));
    break_step(&mut worker, Step::Record, record::recorded).await;
    assert_eq!(worker.in_progress.results.begin().0[..], [one]);
    record::recorded(&mut worker, Ok(Unrecorded::default()));
    assert!(worker.in_progress.has_abandoned(other.id) && worker.in_progress.results.is_empty());
    assert_eq!(worker.tally.unrecorded, 1);
}

#[tokio::test]
async fn a_record_that_hangs_when_the_worker_ends_may_still_come_through() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let [one, other] = [accepted(), accepted()];
    worker.in_progress.results.push(one.clone());
    worker.in_progress.results.push(other.clone());
    let _ = worker.in_progress.results.begin();
    worker.in_progress.results.give_up_waiting();
    let locked = vec![other.id];
    worker.steps.spawn(Step::Record, async move { Ok(Unrecorded { locked, elsewhere: vec![] }) }, record::finish);
    let done = worker.steps.join_next().await.unwrap();
    worker.on_step(done);
    assert_eq!(worker.in_progress.results.take(), [other]);
}

#[tokio::test]
async fn an_acceptance_ends_the_probe_whatever_its_row_says() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let outcome = accepted();
    worker.probing.begin(outcome.id);
    assert!(worker.is_probing());
    worker.in_progress.results.push(outcome.clone());
    worker.in_progress.results.begin();
    // An earlier try to record it came through, and its answer was lost.
    let left = Unrecorded { locked: vec![], elsewhere: vec![outcome.id] };
    record::recorded(&mut worker, Ok(left));
    assert!(worker.refusals.report_at().is_some(), "the database hears that a mail was taken");
    let rules = worker.worker.shared.settings.brake.clone();
    let report = worker.refusals.next(&rules, Instant::now()).unwrap();
    report_refusals::finish(&mut worker, Err(Error::Other(plain("broken"))), &report);
    assert!(worker.is_probing(), "it is reported again");
    let report = worker.refusals.next(&rules, Instant::now()).unwrap();
    report_refusals::finish(&mut worker, Ok(Reported::default()), &report);
    assert!(!worker.is_probing());
}

#[tokio::test]
async fn a_result_that_is_given_up_keeps_no_probe() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let outcome = accepted();
    worker.probing.begin(outcome.id);
    worker.in_progress.results.push(outcome);
    worker.in_progress.results.begin();
    break_step(&mut worker, Step::Record, record::recorded).await;
    assert!(!worker.is_probing());
}

#[tokio::test]
async fn nothing_is_put_back_while_something_is_being_begun_nor_begun_in_the_meantime() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let now = Instant::now();
    worker.housekeeping.pace_is_set();
    worker.on_admission(None, now);
    assert!(prepare::due(&worker).is_some());
    worker.orphans.expect();
    for (prepares, probes) in [(1, 0), (0, 1)] {
        worker.steps.pretend(Step::Prepare, prepares);
        worker.steps.pretend(Step::Probe, probes);
        assert_eq!(put_back::due(&worker), None);
        assert_eq!(prepare::due(&worker), None);
    }
    worker.steps.pretend(Step::Probe, 0);
    assert!(put_back::due(&worker).is_some());
    put_back::start(&mut worker, now);
    assert_eq!((put_back::due(&worker), prepare::due(&worker)), (None, None));
    worker.steps.give_up(Step::PutBack);
    put_back::finish(&mut worker, Err(Error::Other(plain("away"))));
    assert!(put_back::due(&worker).is_some_and(|at| at > now));
    put_back::start(&mut worker, now);
    worker.steps.give_up(Step::PutBack);
    put_back::finish(&mut worker, Ok(0));
    assert_eq!((put_back::due(&worker), prepare::due(&worker).is_some()), (None, true));

    // A commit whose answer was lost is looked for again, once nothing is being begun.
    worker.may_have_begun(now, now);
    put_back::start(&mut worker, now);
    worker.steps.give_up(Step::PutBack);
    put_back::finish(&mut worker, Ok(0));
    let late_at = put_back::due(&worker).unwrap();
    assert!(late_at > now);
    worker.steps.pretend(Step::Prepare, 1);
    put_back::start(&mut worker, late_at);
    assert!(!worker.steps.is_running(Step::PutBack));
    assert_eq!((put_back::due(&worker), prepare::due(&worker)), (None, None));
    worker.steps.pretend(Step::Prepare, 0);
    assert_eq!(put_back::due(&worker), Some(late_at));
}

#[tokio::test]
async fn an_answer_that_has_come_is_kept_when_lanes_are_cut() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let [come, waits] = [accepted(), accepted()];
    for outcome in [come.clone(), waits.clone()] {
        let Outcome { id, verification, attempt, .. } = outcome;
        let is_come = id == come.id;
        let lease = worker.lease.lease();
        let done =
            LaneResult { id, answer: Answer::Accepted, outcome: Some(outcome), refusal: None, took: Duration::ZERO };
        worker.in_progress.begin(id);
        worker.lanes.spawn(InLane { id, verification, attempt, lease }, async move {
            if !is_come {
                std::future::pending::<()>().await;
            }
            (None, done)
        });
    }
    tokio::task::yield_now().await;
    worker.cut_lanes().await;
    assert_eq!(worker.in_progress.results.take(), [come]);
    assert!(!worker.in_progress.has(waits.id) && worker.orphans.are_possible());
}

#[tokio::test]
async fn what_was_reported_to_the_pace_is_reported_once() {
    let (mut worker, _dir) = worker(Mode::Forever);
    let asked = Asked { lanes: 0, at: Instant::now() };
    // The step took out what was reported to the pace before it failed.
    prepare::finish(&mut worker, Err(Error::Other(plain("away"))), PaceReport::default(), asked);
    assert_eq!(worker.pace_report, PaceReport::default());
    let report = PaceReport { unused: 3, accepted: 2 };
    prepare::finish(&mut worker, Err(Error::Other(plain("away"))), report, asked);
    assert_eq!(worker.pace_report, report);
}

const STEPS: [Step; 14] = [
    Step::Record,
    Step::Renew,
    Step::ReportRefusals,
    Step::PutBack,
    Step::RecordAgain,
    Step::Prepare,
    Step::Probe,
    Step::Jobs,
    Step::Heartbeat,
    Step::Housekeeping,
    Step::Erase,
    Step::Prune,
    Step::Brake,
    Step::LowerPace,
];
