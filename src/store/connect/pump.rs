//! Passes bytes both ways until one side ends, the server says nothing to what it was asked, or the relay leaves the
//! server.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::startup::Wire;

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// When the server was last asked, and last said something, in milliseconds since the beginning; and one more, so that
/// 0 is never.
#[derive(Debug)]
struct Clock {
    since: Instant,
    asked: AtomicU64,
    answered: AtomicU64,
    news: Notify,
}

impl Clock {
    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Ends where the server has not said a word for so long since it was asked.
    async fn silence(&self, limit: Option<Duration>) {
        let Some(limit) = limit else { return std::future::pending().await };
        loop {
            self.news.notified().await;
            loop {
                let asked = self.asked.load(Ordering::Relaxed);
                if self.answered.load(Ordering::Relaxed) >= asked {
                    break;
                }
                sleep_until(self.since + Duration::from_millis(asked) + limit).await;
                if self.answered.load(Ordering::Relaxed) < asked {
                    return;
                }
            }
        }
    }
}

/// Passes on until something ends it.
pub(super) async fn pump(
    client: UnixStream,
    server: Box<dyn Wire>,
    silence: Option<Duration>,
    left: impl Future<Output = ()>,
) {
    let clock =
        Clock { since: Instant::now(), asked: AtomicU64::new(0), answered: AtomicU64::new(0), news: Notify::new() };
    let (client_in, client_out) = client.into_split();
    let (server_in, server_out) = tokio::io::split(server);
    let up = pass(client_in, server_out, || {
        clock.asked.store(clock.now(), Ordering::Relaxed);
        clock.news.notify_one();
    });
    let down = pass(server_in, client_out, || clock.answered.store(clock.now(), Ordering::Relaxed));
    tokio::select! {
        _ = up => {}
        _ = down => {}
        () = clock.silence(silence) => {
            tracing::warn!("the database has not answered a statement; its connection is given up");
        }
        () = left => {}
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, passed: impl Fn()) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        passed();
        to.write_all(&chunk[..length]).await?;
        to.flush().await?;
    }
}
