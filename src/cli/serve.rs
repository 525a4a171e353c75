//! `verifydesk serve`

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;

use super::{Failure, log, signals};
use crate::config::Settings;
use crate::desk::Desk;
use crate::web;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on [default: serve.listen of the settings, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    log::start();
    // Not checked here: the view starts while the database is away, and says so to whoever asks.
    let desk = Desk::open(settings)?;
    let address = args.listen.unwrap_or(settings.serve.listen);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!("cannot listen on {address}: {error}"), "choose another with --listen ADDR:PORT")
    })?;
    let shutdown = signals::shutdown()?;
    if let Err(error) = desk.store().check().await {
        tracing::warn!("{error}; {}", error.hint());
    }
    web::serve(listener, web::Context::new(desk, settings), shutdown)
        .await
        .map_err(|error| Failure::failed(format!("cannot serve: {error}"), "start it again"))?;
    Ok(ExitCode::SUCCESS)
}
