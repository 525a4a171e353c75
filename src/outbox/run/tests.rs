//! What a run makes of answers that come late, or not at all.

use super::*;
use crate::config::{Secret, Settings, TransportKind};
use crate::domain::id::VerificationId;
use crate::outbox::prepare::Batch;
use crate::store::outbox::batch::{Fate, Outcome, Unrecorded};

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
        fate: Fate::Again { after: Duration::from_secs(1), counts: false, reason: "closed".into() },
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

#[tokio::test]
async fn a_lane_that_breaks_makes_the_worker_pause() {
    let (mut run, _dir) = run(Mode::Forever);
    let id = SendId::new();
    let task = run.in_lanes.spawn(async { panic!("a test breaks a lane") });
    run.in_lane.insert(task.id(), id);
    run.lanes_kept += 1;
    let done = run.in_lanes.join_next_with_id().await.unwrap();
    run.take_back(done);
    assert!(run.flow.resume_at() > Instant::now());
    assert_eq!((run.lanes_kept, run.abandoned.contains(&id)), (0, true));
    assert!(run.worker.beat.last_error.as_ref().is_some_and(|reason| reason.contains("a lane broke")));
}
