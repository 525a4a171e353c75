//! Signals that ask a service to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::contain;

/// Cancelled at the first SIGTERM, SIGINT or SIGHUP. A second one ends the process at once.
pub fn shutdown() -> Result<CancellationToken, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}"), "try again"))
    };
    let (mut term, mut int, mut hup) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    let token = CancellationToken::new();
    let asked = token.clone();
    contain::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = term.recv() => 143,
                _ = int.recv() => 130,
                _ = hup.recv() => 129,
            };
            if asked.is_cancelled() {
                std::process::exit(code);
            }
            tracing::info!("ending; what is in progress is finished first, a second signal ends at once");
            asked.cancel();
        }
    });
    Ok(token)
}
