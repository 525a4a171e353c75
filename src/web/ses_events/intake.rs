//! Events on their way to the database: those that come while others are being stored wait for these, and then go
//! together, in one transaction. If nothing is being stored, an event goes at once and alone.

use tokio::sync::{Mutex, mpsc, oneshot};

use super::Fault;
use crate::contain::contained_async;
use crate::desk::{self, Desk};
use crate::ses::event::Event;
use crate::store::events::Source;

/// Events of one transaction.
const BATCH_MAX: usize = 100;

/// Transactions at the same time: few, so that they leave connections to visitors.
const LANES: usize = 2;

/// Events that wait; those that find no room wait before it, where their bodies' budget bounds them.
const WAITING_MAX: usize = 1_000;

struct Waiting {
    event: Event,
    stored: oneshot::Sender<()>,
}

pub(super) struct Intake {
    sender: mpsc::Sender<Waiting>,
    receiver: Mutex<mpsc::Receiver<Waiting>>,
}

impl Default for Intake {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        Self { sender, receiver: Mutex::new(receiver) }
    }
}

impl Intake {
    /// Returns once the event is stored, now or before.
    pub(super) async fn store(&self, event: Event) -> Result<(), Fault> {
        let (stored, answer) = oneshot::channel();
        self.sender.send(Waiting { event, stored }).await.map_err(|_| Fault::Away)?;
        answer.await.map_err(|_| Fault::Away)
    }

    /// Stores what comes, for as long as it is polled.
    pub(super) async fn work(&self, desk: &Desk) {
        let lanes = (0..LANES).map(|_| async {
            let mut batch = Vec::new();
            loop {
                if self.receiver.lock().await.recv_many(&mut batch, BATCH_MAX).await == 0 {
                    return;
                }
                // Where it breaks, the answers are dropped with the batch.
                let _ = contained_async(store(desk, std::mem::take(&mut batch))).await;
            }
        });
        futures_util::future::join_all(lanes).await;
    }
}

async fn store(desk: &Desk, batch: Vec<Waiting>) {
    let (events, answers): (Vec<Event>, Vec<_>) = batch.into_iter().map(|one| (one.event, one.stored)).unzip();
    match desk.take_events(&events, Source::Sns).await {
        Ok(_) => {
            for answer in answers {
                let _ = answer.send(());
            }
        }
        Err(desk::Error::Store(error)) if error.is_away() => failed(&error.into(), events.len()),
        // One may keep the others out, or a lock all of them.
        Err(_) => {
            for (event, answer) in events.iter().zip(answers) {
                match desk.take_events(std::slice::from_ref(event), Source::Sns).await {
                    Ok(_) => _ = answer.send(()),
                    Err(error) => failed(&error, 1),
                }
            }
        }
    }
}

fn failed(error: &desk::Error, events: usize) {
    tracing::error!(%error, hint = error.hint(), events, "events could not be stored; SNS posts them again");
}
