//! Tells systemd how a service stands (`Type=notify`): that it is ready, that it is ending, and, where the unit has a
//! `WatchdogSec`, that it lives. Elsewhere, without `NOTIFY_SOCKET`, it tells nothing.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::contain;
use crate::pulse::{Pulse, Stage};

/// How often it is looked whether the service has begun, and how often systemd hears of it where it does not say how often
/// it wants to.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often systemd hears of a service at least, of the time after which its watchdog acts.
const SHARE: u32 = 3;

/// What systemd is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Ready,
    Alive,
    Stopping,
}

/// Tells systemd of a service, until `over` is cancelled: after `shutdown`, what was begun is still finished. `pulse` is
/// that of its loop, if it has one.
pub async fn tell(pulse: Option<Pulse>, shutdown: CancellationToken, over: CancellationToken) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let watchdog = sd_notify::watchdog_enabled().filter(|watchdog| !watchdog.is_zero());
    tell_by(send, watchdog, pulse, shutdown, over).await;
}

async fn tell_by<F: Future<Output = ()>>(
    say: impl Fn(Said) -> F,
    watchdog: Option<Duration>,
    pulse: Option<Pulse>,
    shutdown: CancellationToken,
    over: CancellationToken,
) {
    let begun = async {
        let mut looks = interval(LOOK_EVERY);
        while pulse.as_ref().is_some_and(|pulse| pulse.stage() == Stage::Beginning) {
            looks.tick().await;
        }
    };
    if shutdown.run_until_cancelled(begun).await.is_some() {
        say(Said::Ready).await;
    }
    let Some(watchdog) = watchdog else {
        shutdown.cancelled().await;
        return say(Said::Stopping).await;
    };
    let mut beats = interval(watchdog / SHARE);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled(), if !is_ending => {
                is_ending = true;
                say(Said::Stopping).await;
            }
            () = over.cancelled() => return,
            // An ending has bounds of its own.
            _ = beats.tick() => if is_ending || !pulse.as_ref().is_some_and(Pulse::stands_still) {
                say(Said::Alive).await;
            }
        }
    }
}

/// On a thread that may block: systemd's socket may be full.
async fn send(said: Said) {
    let sending = contain::spawn_blocking(move || {
        sd_notify::notify(&[match said {
            Said::Ready => NotifyState::Ready,
            Said::Alive => NotifyState::Watchdog,
            Said::Stopping => NotifyState::Stopping,
        }])
    });
    let sent = match sending.await {
        Ok(Ok(sent)) => sent,
        _ => Err(io::Error::other("the program broke on it")),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd was not told that this is {said:?}");
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;

    const WATCHDOG: Duration = Duration::from_millis(30);
    const PATIENCE: Duration = Duration::from_secs(10);

    /// What is said, as it is said.
    fn told(watchdog: Option<Duration>, pulse: &Pulse, shutdown: &CancellationToken) -> mpsc::UnboundedReceiver<Said> {
        let (said, hears) = mpsc::unbounded_channel();
        let say = move |what| {
            let _ = said.send(what);
            std::future::ready(())
        };
        let over = CancellationToken::new();
        tokio::spawn(tell_by(say, watchdog, Some(pulse.clone()), shutdown.clone(), over));
        hears
    }

    async fn next(hears: &mut mpsc::UnboundedReceiver<Said>) -> Option<Said> {
        timeout(PATIENCE, hears.recv()).await.expect("it is said in time")
    }

    #[tokio::test]
    async fn a_loop_that_stands_still_is_silent_until_it_ends() {
        let (pulse, shutdown) = (Pulse::still_after(WATCHDOG), CancellationToken::new());
        let mut hears = told(Some(WATCHDOG), &pulse, &shutdown);
        assert!(hears.try_recv().is_err(), "it has not begun");
        pulse.turn(Stage::Working);
        assert_eq!([next(&mut hears).await, next(&mut hears).await], [Some(Said::Ready), Some(Said::Alive)]);
        while !pulse.stands_still() {
            tokio::task::yield_now().await;
        }
        while hears.try_recv().is_ok() {}
        assert!(timeout(WATCHDOG * 4, hears.recv()).await.is_err(), "it stands still");
        shutdown.cancel();
        assert_eq!([next(&mut hears).await, next(&mut hears).await], [Some(Said::Stopping), Some(Said::Alive)]);
    }

    #[tokio::test]
    async fn without_a_watchdog_it_says_how_it_begins_and_ends() {
        let (pulse, shutdown) = (Pulse::default(), CancellationToken::new());
        let mut hears = told(None, &pulse, &shutdown);
        pulse.turn(Stage::Waiting);
        assert_eq!(next(&mut hears).await, Some(Said::Ready));
        shutdown.cancel();
        assert_eq!([next(&mut hears).await, next(&mut hears).await], [Some(Said::Stopping), None]);
    }
}
