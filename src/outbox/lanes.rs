//! The lanes that are not busy: used again the last one first, so that few stay connected where few are needed.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::contain::{self, contained_async};
use crate::mail::transport::{Lane, Transport};

/// How long an idle lane keeps its connection: SES closes after about 10 s, and a lane uses none that is older.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Lanes between two mails.
#[derive(Debug)]
pub(super) struct Lanes {
    transport: Transport,
    idle: Vec<(Lane, Instant)>,
}

impl Lanes {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, idle: Vec::new() }
    }

    /// An idle lane, or a new one.
    pub(super) fn take(&mut self) -> Lane {
        self.idle.pop().map_or_else(|| self.transport.lane(), |(lane, _)| lane)
    }

    pub(super) fn give_back(&mut self, lane: Lane, now: Instant) {
        self.idle.push((lane, now));
    }

    /// When the next one has been idle for too long.
    pub(super) fn sweep_at(&self) -> Option<Instant> {
        self.idle.first().map(|(_, since)| *since + IDLE_MAX)
    }

    /// Closes those that have been idle for too long, without waiting for their servers.
    pub(super) fn sweep(&mut self, now: Instant) {
        let old = self.idle.partition_point(|(_, since)| *since + IDLE_MAX <= now);
        for (lane, _) in self.idle.drain(..old) {
            contain::spawn(lane.close());
        }
    }

    /// Takes leave of the servers.
    pub(super) async fn close(&mut self) {
        let mut leaving = JoinSet::new();
        for (lane, _) in self.idle.drain(..) {
            leaving.spawn(contained_async(lane.close()));
        }
        while leaving.join_next().await.is_some() {}
    }
}
