//! Opens links: those that come at the same time, in one transaction.
//!
//! Most of what the first opening of a link costs is what a transaction costs: round trips, triggers, the commit. So,
//! as in PostgreSQL's own group commit, links that come while others are being opened wait for those, and then go
//! together. If no other is being opened, a link is opened at once and alone.
//!
//! - *No link waits because of another.* Links that go together wait for no row: one whose rows another transaction
//!   holds is left out. It goes alone then, and so does each link of a batch that fails, under the same rules
//!   (`open_links` in the database has them) and in one of the seats that all acts share.
//! - *Nothing is lost with a client.* A batch is a task of its own, which continues if a request is dropped. If it
//!   fails, each link goes alone.
//! - *A link is in a batch once.* Opened again while that runs, it is in the next, and found opened.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::error::is_of_statement;
use super::verifications::{LinkedVerification, Opened, outcome_of};
use super::{Error, Store};
use crate::contain::{self, contained_async};
use crate::domain::id::VerificationId;
use crate::domain::key::KeyDigest;
use crate::text::{Plain, plain};

/// Links that go together at most.
const BATCH_MAX: usize = 64;

/// Batches in progress at the same time: while one is being committed, or hangs on a connection that has just died, the
/// other continues.
const LANES: usize = 2;

/// Links that wait at most: as many as `serve` has connections.
const WAITING_MAX: usize = 2_000;

/// How long an opening may take: longer than the server allows its statement in `serve`, shorter than a request may
/// take. To a socket of this machine nothing else bounds it.
const SILENCE_MAX: Duration = Duration::from_secs(8);

const SILENT: &str = "no answer within 8 seconds";

/// What becomes of a link; without an answer it is to be opened alone.
type Answer = oneshot::Sender<Result<Option<Opened>, Error>>;

/// Links to be opened together, and who waits for each.
type Batch = HashMap<KeyDigest, Answer>;

/// Links that wait to be opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Approvals(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    /// In the order in which they came.
    waiting: VecDeque<(KeyDigest, Answer)>,
    /// How many tasks work it off.
    lanes: usize,
    /// Whether a link is being opened that came when no other was.
    has_lone: bool,
}

/// A link that came when no other was being opened. What comes before it is done does not wait for it.
struct Lone<'a>(&'a Approvals);

impl Drop for Lone<'_> {
    fn drop(&mut self) {
        self.0.queue().has_lone = false;
    }
}

impl Approvals {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no link is being opened, so that one may go alone: as long as this is held, others go together.
    fn lone(&self) -> Option<Lone<'_>> {
        let mut queue = self.queue();
        if queue.lanes > 0 || queue.has_lone {
            return None;
        }
        queue.has_lone = true;
        Some(Lone(self))
    }

    /// Adds a link. True if the caller is to start a lane.
    fn add(&self, digest: KeyDigest, answer: Answer) -> Result<bool, Error> {
        let mut queue = self.queue();
        if queue.waiting.len() >= WAITING_MAX {
            return Err(Error::Contended(plain("too many links wait to be opened")));
        }
        queue.waiting.push_back((digest, answer));
        let is_free = queue.lanes < LANES;
        queue.lanes += usize::from(is_free);
        Ok(is_free)
    }

    /// The links that go together next; `None` ends the lane.
    fn next(&self) -> Option<Batch> {
        let mut queue = self.queue();
        let mut batch = Batch::new();
        let mut again = Vec::new();
        while batch.len() < BATCH_MAX
            && let Some((digest, answer)) = queue.waiting.pop_front()
        {
            // The request is over.
            if answer.is_closed() {
                continue;
            }
            match batch.entry(digest) {
                Entry::Vacant(free) => _ = free.insert(answer),
                Entry::Occupied(_) => again.push((digest, answer)),
            }
        }
        for one in again.into_iter().rev() {
            queue.waiting.push_front(one);
        }
        if batch.is_empty() {
            queue.lanes -= 1;
            return None;
        }
        Some(batch)
    }

    /// Works the queue off, until nothing waits.
    async fn work<F: Future>(&self, mut open: impl FnMut(Batch) -> F) {
        while let Some(batch) = self.next() {
            // Where it breaks, the answers are dropped, and each link goes alone.
            let _ = contained_async(open(batch)).await;
        }
    }
}

impl Store {
    /// Opens a link: the database checks the rules, changes what is to be changed and writes the audit entry. `None`
    /// for a key that no one was mailed.
    pub async fn approve(&self, digest: &KeyDigest) -> Result<Option<Opened>, Error> {
        if let Some(_lone) = self.approvals.lone() {
            return self.approve_alone(digest).await;
        }
        let (answer, answered) = oneshot::channel();
        if self.approvals.add(*digest, answer)? {
            let store = self.clone();
            contain::spawn(async move { store.approvals.work(|batch| store.approve_together(batch)).await });
        }
        match answered.await {
            Ok(opened) => opened,
            Err(_) => self.approve_alone(digest).await,
        }
    }

    /// Opens these links in one statement, as far as their rows are free.
    async fn approve_together(&self, mut batch: Batch) {
        let links: Vec<Vec<u8>> = batch.keys().map(|digest| digest.0.to_vec()).collect();
        let opening = sqlx::query!(
            r#"select
                link as "link!", verification_id as "verification_id!", locale as "locale!", outcome,
                is_first as "is_first!"
            from open_links($1, false)"#,
            &links
        )
        .fetch_all(self.pool());
        let rows = match timeout(SILENCE_MAX, opening).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => {
                let is_of_statement = is_of_statement(&error);
                match Error::from(error) {
                    Error::Away(why) if !is_of_statement => all_away(batch, &why),
                    error => {
                        let links = links.len();
                        tracing::warn!(%error, links, "links could not be opened together; each is opened alone");
                    }
                }
                return;
            }
            Err(_) => return all_away(batch, &plain(SILENT)),
        };
        for row in rows {
            let answer = row.link.try_into().ok().and_then(|digest| batch.remove(&KeyDigest(digest)));
            // Left out, it is dropped unanswered.
            if let (Some(answer), Some(outcome)) = (answer, row.outcome) {
                let _ = answer.send(opened(row.verification_id, &row.locale, &outcome, row.is_first).map(Some));
            }
        }
        for answer in batch.into_values() {
            let _ = answer.send(Ok(None));
        }
    }

    /// Opens one link, and waits for its rows where another transaction holds them.
    async fn approve_alone(&self, digest: &KeyDigest) -> Result<Option<Opened>, Error> {
        let _seat = self.seat().await?;
        let opening = sqlx::query!(
            r#"select verification_id, locale, outcome, is_first as "is_first!" from approve($1)"#,
            digest.0.as_slice()
        )
        .fetch_one(self.pool());
        let row = timeout(SILENCE_MAX, opening).await.map_err(|_| Error::Away(plain(SILENT)))??;
        let Some((id, outcome)) = row.verification_id.zip(row.outcome) else { return Ok(None) };
        opened(id, &row.locale.unwrap_or_default(), &outcome, row.is_first).map(Some)
    }
}

fn opened(id: i64, locale: &str, outcome: &str, is_first: bool) -> Result<Opened, Error> {
    let locale = locale.parse().unwrap_or_default();
    let link = LinkedVerification { id: VerificationId(id), locale, outcome: outcome_of(outcome)? };
    Ok(Opened { link, is_first })
}

/// Alone it would be no other: the database is away.
fn all_away(batch: Batch, why: &Plain) {
    for answer in batch.into_values() {
        let _ = answer.send(Err(Error::Away(why.clone())));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::Receiver;

    use super::*;

    fn digest(number: usize) -> KeyDigest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        KeyDigest(digest)
    }

    type Answered = Receiver<Result<Option<Opened>, Error>>;

    /// Adds links of these numbers; each with whether it starts a lane.
    fn add(approvals: &Approvals, numbers: impl IntoIterator<Item = usize>) -> Vec<(bool, Answered)> {
        let add = |number| {
            let (answer, answered) = oneshot::channel();
            (approvals.add(digest(number), answer).unwrap(), answered)
        };
        numbers.into_iter().map(add).collect()
    }

    fn numbers(batch: &Batch) -> Vec<usize> {
        let number = |digest: &KeyDigest| usize::from_be_bytes(*digest.0.first_chunk().unwrap());
        let mut numbers: Vec<usize> = batch.keys().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn goes_in_order_each_link_once_and_never_more_than_a_batch() {
        let approvals = Approvals::default();
        let mut waiting = add(&approvals, [1, 2, 1, 3, 2, 1]);
        assert_eq!(
            waiting.iter().map(|(starts, _)| *starts).collect::<Vec<_>>(),
            [true, true, false, false, false, false]
        );
        // Its request is over.
        waiting.remove(3);
        let mut batches = Vec::new();
        while let Some(batch) = approvals.next() {
            batches.push(numbers(&batch));
        }
        assert_eq!(batches, [vec![1, 2], vec![1, 2], vec![1]]);

        let _waiting = add(&approvals, 0..=BATCH_MAX);
        let sizes = [approvals.next(), approvals.next()].map(|batch| batch.map(|batch| batch.len()));
        assert_eq!(sizes, [Some(BATCH_MAX), Some(1)]);
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let approvals = Approvals::default();
        let waiting = add(&approvals, 0..WAITING_MAX);
        assert_eq!(waiting.iter().filter(|(starts, _)| *starts).count(), LANES);
        let error = approvals.add(digest(0), oneshot::channel().0).unwrap_err();
        assert!(matches!(error, Error::Contended(_)), "{error}");
    }

    #[test]
    fn one_goes_alone_where_nothing_is_under_way() {
        let approvals = Approvals::default();
        let lone = approvals.lone();
        assert!(lone.is_some());
        // The next one does not wait for it.
        assert!(approvals.lone().is_none());
        let waiting = add(&approvals, [1]);
        assert!(waiting[0].0);
        drop(lone);
        assert!(approvals.lone().is_none(), "a lane works");
        assert!(approvals.next().is_some() && approvals.next().is_none());
        assert!(approvals.lone().is_some());
    }

    #[tokio::test]
    async fn what_breaks_answers_all_and_stops_no_other() {
        let approvals = Approvals::default();
        let mut waiting = add(&approvals, [1, 2, 1]);
        let mut batches = 0;
        approvals
            .work(|batch| {
                batches += 1;
                async {
                    assert!(batch.len() < 2, "a row that breaks a step");
                    all_away(batch, &plain("why"));
                }
            })
            .await;
        assert_eq!(batches, 2);
        let mut answer = || waiting.remove(0).1.try_recv();
        assert!(answer().is_err() && answer().is_err());
        assert!(matches!(answer(), Ok(Err(Error::Away(_)))));
        // The lane has ended, and another may begin.
        assert!(add(&approvals, [1])[0].0);
    }
}
