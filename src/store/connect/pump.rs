//! Passes bytes both ways until one side ends, the server does not answer what it was asked, the server reports that it
//! is not the wanted one any more, or the relay leaves it.
//!
//! What is outstanding is counted by the messages themselves, not by times: a transaction asks again within the same
//! millisecond in which it was answered, and a server may stop in the middle of an answer.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::startup::{Reported, Wire};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// The part of the limit that is waited for once more when it has passed: a process that stood still reads first what
/// came in the meantime.
const ONCE_MORE: u32 = 16;

/// Longest message of a server about one of its parameters that is read.
const STATUS_MAX: usize = 1024;

/// What the server was asked and has not answered to the end, and what it has reported of itself.
#[derive(Debug, Default)]
struct Watch {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    reported: Reported,
    /// Whether it has reported something new.
    is_news: bool,
    /// Whether it has answered anything since it was last ready.
    is_done: bool,
    asking: Messages,
    answering: Messages,
    /// What the server ends with *ready for query*.
    asked: u64,
    answered: u64,
    /// When a byte last went either way.
    passed_at: Option<Instant>,
}

impl Watch {
    fn asked(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A simple query, the end of an extended one, a call of a function.
        let State { asking, asked, .. } = &mut *state;
        asking.read(bytes, |kind, _| *asked += u64::from(matches!(kind, b'Q' | b'S' | b'F')));
        state.passed_at = Some(Instant::now());
        self.news.notify_one();
    }

    /// Returns what the server reports of itself, if it has reported something and is in no transaction; and whether it
    /// has done anything that the client must hear of.
    fn answered(&self, bytes: &[u8]) -> Option<(Reported, bool)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { reported, is_news, is_done, answering, answered, .. } = &mut *state;
        let mut is_idle = false;
        answering.read(bytes, |kind, body| match kind {
            b'S' => {
                let before = *reported;
                reported.hear(body);
                *is_news |= *reported != before;
            }
            b'Z' => {
                *answered += 1;
                is_idle = body == b"I";
            }
            // A remark; the answer to a statement in which there is nothing, by which is asked whether it is still
            // there.
            b'N' | b'I' => {}
            _ => *is_done = true,
        });
        state.passed_at = Some(Instant::now());
        let is_done = if is_idle { std::mem::take(&mut state.is_done) } else { state.is_done };
        (is_idle && std::mem::take(&mut state.is_news)).then_some((state.reported, is_done))
    }

    /// Since when the server has owed an answer in silence; `None` where it owes none.
    fn owed_since(&self) -> Option<Instant> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.passed_at.filter(|_| state.asked > state.answered)
    }

    /// Ends where the server has owed an answer and not said a word for so long.
    async fn silence(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            let Some(since) = self.owed_since() else {
                self.news.notified().await;
                continue;
            };
            sleep_until(since + limit).await;
            if self.owed_since() == Some(since) {
                sleep(limit / ONCE_MORE).await;
                if self.owed_since() == Some(since) {
                    return;
                }
            }
        }
    }
}

/// Where one direction is in its messages, each of which begins with its kind and its length.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
#[derive(Debug, Default)]
struct Messages {
    head: [u8; 5],
    known: usize,
    rest: usize,
    /// What has come of the body, where it is one to be read.
    body: Vec<u8>,
}

impl Messages {
    /// Calls back for each message that ends with these bytes: with its kind and, if it reports states, its body.
    fn read(&mut self, mut bytes: &[u8], mut ended: impl FnMut(u8, &[u8])) {
        loop {
            let missing = self.head.len() - self.known;
            if missing > 0 {
                let (head, behind) = bytes.split_at(missing.min(bytes.len()));
                self.head[self.known..][..head.len()].copy_from_slice(head);
                self.known += head.len();
                bytes = behind;
                if self.known < self.head.len() {
                    return;
                }
                let [_, length @ ..] = self.head;
                self.rest = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX).saturating_sub(4);
            }
            let (body, behind) = bytes.split_at(self.rest.min(bytes.len()));
            if matches!(self.head[0], b'S' | b'Z') && self.body.len() + self.rest <= STATUS_MAX {
                self.body.extend_from_slice(body);
            }
            bytes = behind;
            self.rest -= body.len();
            if self.rest > 0 {
                return;
            }
            self.known = 0;
            ended(self.head[0], &self.body);
            self.body.clear();
        }
    }
}

/// What becomes of bytes that have come.
enum Pass {
    /// They are passed on.
    On,
    Last,
    /// They are not passed on, and nothing is any more.
    Not,
}

/// Passes on until something ends it. What the server reports of itself may be a reason: after it has answered, or
/// before it has done anything, so that one who only asked whether it is there uses it no more.
pub(super) async fn pump(
    client: UnixStream,
    server: Box<dyn Wire>,
    silence: Option<Duration>,
    reported: Reported,
    is_right: impl Fn(Reported) -> bool,
    left: impl Future<Output = ()>,
) {
    let watch = Watch { state: Mutex::new(State { reported, ..State::default() }), ..Watch::default() };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = tokio::io::split(server);
    let up = pass(client_in, server_out, |bytes| {
        watch.asked(bytes);
        Pass::On
    });
    let down = pass(server_in, client_out, |bytes| match watch.answered(bytes) {
        Some((reported, is_done)) if !is_right(reported) => {
            if is_done {
                Pass::Last
            } else {
                Pass::Not
            }
        }
        _ => Pass::On,
    });
    tokio::select! {
        _ = up => {}
        _ = down => {}
        () = watch.silence(silence) => {
            tracing::warn!("the database has not answered a statement; its connection is given up");
        }
        () = left => {}
    }
}

/// Passes on for as long as `passes` says so.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passes: impl Fn(&[u8]) -> Pass,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        let pass = passes(&chunk[..length]);
        if matches!(pass, Pass::Not) {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
        to.flush().await?;
        if matches!(pass, Pass::Last) {
            return to.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";
    const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x011";
    const READY: &[u8] = b"Z\0\0\0\x05T";
    const LIMIT: Duration = Duration::from_millis(50);
    const FOREVER: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_statement_right_behind_an_answer_is_watched_too() {
        let watch = Watch::default();
        // All in one moment, as within a transaction.
        for _ in 0..3 {
            watch.asked(QUERY);
            watch.answered(READY);
        }
        watch.asked(QUERY);
        timeout(FOREVER, watch.silence(Some(LIMIT))).await.expect("it is silent");
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        let watch = Watch::default();
        watch.asked(QUERY);
        watch.answered(ROW);
        timeout(FOREVER, watch.silence(Some(LIMIT))).await.expect("it is silent");
    }

    #[tokio::test]
    async fn one_of_two_answers_is_not_enough() {
        let watch = Watch::default();
        watch.asked(&[QUERY, QUERY].concat());
        watch.answered(READY);
        timeout(FOREVER, watch.silence(Some(LIMIT))).await.expect("it is silent");
    }

    #[tokio::test]
    async fn what_owes_nothing_may_be_silent() {
        let (client, ours) = UnixStream::pair().unwrap();
        let (theirs, mut server) = tokio::io::duplex(1024);
        let pumps = tokio::spawn(pump(
            ours,
            Box::new(theirs),
            Some(LIMIT),
            Reported::default(),
            |_| true,
            std::future::pending(),
        ));
        let (mut client_in, mut client_out) = client.into_split();
        let mut heard = vec![0; 2 * QUERY.len()];
        client_out.write_all(&[QUERY, QUERY].concat()).await.unwrap();
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, [QUERY, QUERY].concat());
        // However the answers are cut.
        for byte in [ROW, READY, ROW, READY].concat() {
            server.write_all(&[byte]).await.unwrap();
            assert_eq!(client_in.read_u8().await.unwrap(), byte);
        }
        assert!(timeout(10 * LIMIT, client_in.read_u8()).await.is_err(), "it goes on");
        drop(server);
        timeout(FOREVER, pumps).await.expect("and ends with the server").unwrap();
    }
}
