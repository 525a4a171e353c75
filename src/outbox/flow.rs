//! How hard this worker presses the mail server: pauses of its own, and over how many lanes. How many mails a second go
//! out is for all workers together, and the database's to say ([`crate::store::pace`]).

use std::time::Duration;

use tokio::time::Instant;

use super::retry;

/// After how many accepted mails a worker tries one lane more, once its server has counted too many connections.
const GROW_AFTER: u32 = 20;

/// How long a mail takes before one was sent: what Amazon SES takes on average.
const LATENCY: Duration = Duration::from_millis(600);

/// Lanes beyond what latency and pace ask for, as a factor: mails do not all take the average.
const SPARE: f64 = 1.3;

/// When the next mail may be sent, and over how many lanes.
#[derive(Debug)]
pub(super) struct Flow {
    resume_at: Instant,
    unreachable: u32,
    /// Most lanes by the settings, and by what the server bears.
    lanes_max: usize,
    lanes_borne: usize,
    /// Since the number of lanes borne last changed.
    accepted: u32,
    latency: f64,
    rate: f64,
}

impl Flow {
    /// At once, on as many of these lanes as `rate` mails a second need.
    pub(super) fn new(lanes: usize, rate: f64, now: Instant) -> Self {
        let latency = LATENCY.as_secs_f64();
        Self { resume_at: now, unreachable: 0, lanes_max: lanes, lanes_borne: lanes, accepted: 0, latency, rate }
    }

    /// How many lanes may be busy: latency times pace, and some to spare (Little's law).
    pub(super) fn lanes(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the next line")]
        let needed = (self.rate * self.latency * SPARE).ceil() as usize + 1;
        needed.clamp(1, self.lanes_borne)
    }

    /// The pace of all workers.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    /// Nothing is sent before.
    pub(super) fn resume_at(&self) -> Instant {
        self.resume_at
    }

    /// Sends nothing for this long at least; a longer pause stays.
    pub(super) fn pause(&mut self, now: Instant, wait: Duration) {
        self.resume_at = self.resume_at.max(now + wait);
    }

    /// The server took a mail, in this time.
    pub(super) fn accepted(&mut self, took: Duration) {
        self.latency += (took.as_secs_f64() - self.latency) / 16.0;
        self.accepted += 1;
        if self.accepted >= GROW_AFTER {
            self.accepted = 0;
            self.lanes_borne = (self.lanes_borne + 1).min(self.lanes_max);
        }
    }

    /// The server counts too many connections: a pause, and half of the lanes after it. Answers during a pause belong
    /// to what was in progress before it.
    pub(super) fn crowded(&mut self, now: Instant, wait: Duration) {
        if now >= self.resume_at {
            self.accepted = 0;
            self.lanes_borne = (self.lanes() / 2).max(1);
            self.pause(now, wait);
        }
    }

    /// The server answered.
    pub(super) fn reached(&mut self) {
        self.unreachable = 0;
    }

    /// The server could not be reached: pauses, longer each time in a row. What fails during a pause was in progress
    /// before it, and is the same failure. Returns how many there were in a row.
    pub(super) fn unreachable(&mut self, now: Instant) -> u32 {
        if now >= self.resume_at {
            self.unreachable += 1;
            self.pause(now, retry::unreachable(self.unreachable));
        }
        self.unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(lanes: usize) -> (Flow, Instant) {
        let now = Instant::now();
        (Flow::new(lanes, 1_000.0, now), now)
    }

    #[test]
    fn a_short_pause_does_not_end_a_long_one() {
        let (mut flow, now) = flow(8);
        flow.pause(now, Duration::from_mins(15));
        flow.pause(now, Duration::from_secs(1));
        flow.unreachable(now);
        flow.crowded(now, Duration::from_secs(1));
        assert_eq!(flow.resume_at(), now + Duration::from_mins(15));
    }

    #[test]
    fn lanes_that_fail_together_fail_once() {
        let (mut flow, now) = flow(8);
        for _ in 0..8 {
            assert_eq!(flow.unreachable(now), 1);
        }
        assert!(flow.resume_at() <= now + Duration::from_millis(1_200));
        assert_eq!(flow.unreachable(flow.resume_at()), 2);
        flow.reached();
        assert_eq!(flow.unreachable(flow.resume_at()), 1);
    }

    #[test]
    fn lanes_are_halved_once_a_pause_and_come_back_one_by_one() {
        let (mut flow, now) = flow(6);
        for _ in 0..6 {
            flow.crowded(now, Duration::from_secs(1));
        }
        assert_eq!((flow.lanes(), flow.resume_at()), (3, now + Duration::from_secs(1)));
        for lanes in [1, 1] {
            flow.crowded(flow.resume_at(), Duration::from_secs(1));
            assert_eq!(flow.lanes(), lanes);
        }
        for lanes in [2, 3, 4, 5, 6, 6] {
            for _ in 0..GROW_AFTER {
                assert!(flow.lanes() < lanes || lanes == 6);
                flow.accepted(LATENCY);
            }
            assert_eq!(flow.lanes(), lanes);
        }
    }

    #[test]
    fn there_are_as_many_lanes_as_latency_and_pace_need() {
        let now = Instant::now();
        let mut flow = Flow::new(150, 200.0, now);
        assert!((120..=150).contains(&flow.lanes()), "200 mails a second of 0.6 s each: {}", flow.lanes());
        flow.set_rate(1.0);
        assert!((1..=2).contains(&flow.lanes()));
        flow.set_rate(200.0);
        for _ in 0..200 {
            flow.accepted(Duration::from_millis(10));
        }
        assert!((3..=5).contains(&flow.lanes()), "a fast relay: {}", flow.lanes());
    }
}
