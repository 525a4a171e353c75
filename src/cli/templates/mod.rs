//! `verifydesk templates`: the workbench for the templates, without a database.

use std::process::ExitCode;

use super::{Failure, console};
use crate::config::Settings;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(settings: Settings, _args: &Args) -> Result<ExitCode, Failure> {
    console::templates(settings).await
}
