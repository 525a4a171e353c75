//! `verifydesk templates`: the workbench for the templates, and what scripts do with them; none of it needs a database.

mod check;
mod preview;

use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, console};
use crate::config::Settings;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Hold every template, language and fixture to the rules; exit code 1 where one is broken
    Check(check::Args),
    /// Show the templates in a browser, from a page that only this machine can reach
    Preview(preview::Args),
}

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    match &args.act {
        None => console::templates(settings).await,
        Some(Act::Check(args)) => check::run(settings, args).await,
        Some(Act::Preview(args)) => preview::run(settings, args).await,
    }
}
