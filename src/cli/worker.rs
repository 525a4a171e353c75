//! `verifydesk worker`

use std::process::ExitCode;

use super::watched::{Watched, keep_on};
use super::{Failure, log, output, signals};
use crate::alerts::Watch;
use crate::config::{SettingError, Settings};
use crate::hooks::HookSender;
use crate::outbox::worker::{Mode, Tally, Worker};
use crate::poller::{AccountPoller, EventPoller, Until};
use crate::store::alerts::Teller;
use crate::store::{Purpose, Store};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when nothing is due any more; with exit code 1 if nothing can be sent, mails failed, or results were not recorded
    #[arg(long)]
    drain: bool,
    /// Send nothing; only take in SES's events from the queue that `ses.queue` names. Needs no secret and no mail server
    #[arg(long)]
    events_only: bool,
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    log::start();
    let store = Store::open_for(settings, Purpose::Work)?;
    let until = if args.drain { Until::Empty } else { Until::Ended };
    let events = EventPoller::from_settings(&store, settings)?;
    if args.events_only {
        return events_only(settings, &store, events.ok_or_else(no_queue)?, until).await;
    }
    let worker = Worker::from_settings(store.clone(), settings)?;
    let account = AccountPoller::from_settings(&store, settings)?.map(|account| account.woken_by(worker.acts()));
    let hooks = HookSender::from_settings(&store, settings)?;
    let watch = Watch::new(Teller::Worker, &store, settings)?;
    store.check().await?;
    let shutdown = signals::shutdown()?;
    let watched = Watched::start(settings, &store, Some(worker.pulse()), &shutdown).await?;
    tracing::info!(target_of_mail = %worker.target(), "worker started");
    let mode = if args.drain { Mode::Drain } else { Mode::Forever };
    let sending = async {
        let tally = worker.run(mode, shutdown.clone()).await;
        // One that stops by itself ends as a whole, so that what started it sees that.
        if until == Until::Ended {
            shutdown.cancel();
        }
        tally
    };
    let alerting = async {
        if until == Until::Ended {
            keep_on("watching for alerts", &shutdown, async || watch.run(&shutdown).await).await;
        }
    };
    let asking = async {
        if let Some(account) = &account {
            keep_on("asking about the SES account", &shutdown, async || account.run(until, &shutdown).await).await;
        }
    };
    let taking = async {
        if let Some(events) = &events {
            keep_on("taking events in", &shutdown, async || drop(events.run(until, &shutdown).await)).await;
        }
    };
    let telling = async {
        if let Some(hooks) = &hooks {
            keep_on("telling the site", &shutdown, async || hooks.run(until, &shutdown).await).await;
        }
    };
    let (tally, (), (), (), ()) = tokio::join!(sending, taking, asking, alerting, telling);
    // What became of the mails comes before what only makes screens later.
    let printed = tally.as_ref().map(|tally| {
        output::line(&format!(
            "sent {}, failed {}, deferred {}, cancelled {}, unknown {}",
            tally.sent, tally.failed, tally.deferred, tally.cancelled, tally.unknown
        ))
    });
    store.flush().await;
    watched.end().await;
    if let Ok(printed) = printed {
        printed?;
    }
    let tally = tally?;
    if tally.unrecorded > 0 {
        return Err(unrecorded(&tally));
    }
    match (tally.stopped_by, tally.failed_by) {
        (None, Some(reason)) if args.drain && tally.failed > 0 => {
            let mails = if tally.failed == 1 { "mail" } else { "mails" };
            Err(Failure::failed(
                format!("{} {mails} failed; the first: {reason}", tally.failed),
                "see `verifydesk sends --state failed`; resend what may work now",
            ))
        }
        (None, _) => Ok(ExitCode::SUCCESS),
        (Some(reason), _) => Err(Failure::failed(
            format!("the worker stopped: {reason}"),
            "fix it and start the worker again; what waits is still in the outbox",
        )),
    }
}

async fn events_only(
    settings: &Settings,
    store: &Store,
    events: EventPoller,
    until: Until,
) -> Result<ExitCode, Failure> {
    store.check().await?;
    let shutdown = signals::shutdown()?;
    let watched = Watched::start(settings, store, None, &shutdown).await?;
    let taken = events.run(until, &shutdown).await;
    store.flush().await;
    watched.end().await;
    output::line(&format!(
        "{} events taken in, {} about no mail that is known, {} messages left in the queue",
        taken.stored, taken.orphans, taken.left_alone
    ))?;
    match taken.failed_by {
        None => Ok(ExitCode::SUCCESS),
        Some(reason) => Err(Failure::failed(
            format!("the queue of events was not read to its end: {reason}"),
            "check the database, `ses.queue`, the credentials, and that they may call sqs:ReceiveMessage",
        )),
    }
}

fn no_queue() -> SettingError {
    SettingError::new(
        "no queue of events is set",
        "set VERIFYDESK_SES__QUEUE to the URL of the SQS queue that SES's events come by",
    )
}

/// The mail server has spoken, and the database has not taken it down.
fn unrecorded(tally: &Tally) -> Failure {
    let stopped = tally.stopped_by.as_ref().map(|reason| format!("; the worker stopped: {reason}")).unwrap_or_default();
    Failure::failed(
        format!("{} results of mails could not be recorded{stopped}", tally.unrecorded),
        "the log names them; they are unknown when their leases end, and tried once more after `worker.unknown_after`, \
         which may be a second mail (marked as such)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_recorded_is_reported_and_is_a_failure() {
        let tally = Tally { sent: 20, unrecorded: 18, stopped_by: Some("no disk".into()), ..Tally::default() };
        let failure = unrecorded(&tally);
        assert_eq!(failure.code(), 1);
        assert!(failure.to_string().contains("18 results of mails could not be recorded; the worker stopped: no disk"));
    }
}
