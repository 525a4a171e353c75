//! `verifydesk serve`

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::watched::{Watched, keep_on};
use super::{Failure, log, signals};
use crate::alerts::Watch;
use crate::config::Settings;
use crate::contain::{self, contained_async};
use crate::desk::Desk;
use crate::dial::Dialer;
use crate::ses::sns::Https;
use crate::store::Store;
use crate::store::alerts::Teller;
use crate::web;

/// How often the counts are rolled up.
const ROLL_UP_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on [default: serve.listen of the settings, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    log::start();
    // Not checked here: the view starts while the database is away, and says so to every caller.
    let desk = Desk::open_to_strangers(settings)?;
    let context = context(desk.clone(), settings)?;
    let watch = Watch::new(Teller::Serve, desk.store(), settings)?;
    let address = args.listen.unwrap_or(settings.serve.listen);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {address}: {error}"), "choose another with --listen ADDR:PORT")
    })?;
    let shutdown = signals::shutdown()?;
    let watched = Watched::start(settings, desk.store(), None, &shutdown).await?;
    if let Err(error) = desk.store().check().await {
        tracing::warn!("{error}; {}", error.hint());
    }
    let store = desk.store().clone();
    let housekeeping = contain::spawn(keep_counts(store.clone()));
    let alerting = async {
        keep_on("watching for alerts", &shutdown, async || watch.run(&shutdown).await).await;
        // Its end is not the end.
        std::future::pending().await
    };
    let served = tokio::select! {
        served = web::serve(listener, context, shutdown.clone()) => served,
        never = alerting => never,
    };
    housekeeping.abort();
    store.flush().await;
    watched.end().await;
    served.map_err(|error| Failure::failed(format!("cannot serve: {error}"), "start it again"))?;
    Ok(ExitCode::SUCCESS)
}

fn context(desk: Desk, settings: &Settings) -> Result<web::Context, Failure> {
    if !settings.ses.takes_posts() {
        return Ok(web::Context::new(desk, settings));
    }
    let https = Https::new(Dialer::default()).map_err(|error| {
        Failure::failed(
            format!("SNS's certificates cannot be fetched: {error}"),
            "report it; it is a fault of the program",
        )
    })?;
    Ok(web::Context::with_webhook(desk, settings, Arc::new(https)))
}

/// Where no worker runs for a while, sign-ups and clicks go on all the same.
async fn keep_counts(store: Store) {
    let mut rounds = tokio::time::interval(ROLL_UP_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        // Where it breaks, it is tried again in the next round.
        if let Ok(Err(error)) = contained_async(store.roll_up_counts()).await {
            tracing::debug!(%error, "the counts are rolled up later");
        }
    }
}
