//! `verifydesk templates`: the workbench for the templates, and what scripts do with them; none of it needs a database.

mod check;
mod eject;
mod list;
mod new;
mod preview;
mod suggest_text;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::{Failure, console};
use crate::config::Settings;
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Hold every template, language and fixture to the rules; exit code 1 where one is broken
    Check(check::Args),
    /// List the templates: where their files come from, and their fixtures
    List(list::Args),
    /// Write the built-in templates, their schema and fixtures to a directory, to be changed
    Eject(eject::Args),
    /// Begin a new template in `templates.dir`: a mail in every language that passes all checks
    New(new::Args),
    /// Make a first text part from a template's HTML, to be polished
    SuggestText(suggest_text::Args),
    /// Show the templates in a browser, from a page that only this machine can reach
    Preview(preview::Args),
}

/// A path as a person may see it.
fn shown(path: &Path) -> String {
    plain(&path.display().to_string()).into_string()
}

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    match &args.act {
        None => Box::pin(console::templates(settings)).await,
        Some(Act::Check(args)) => check::run(settings, args).await,
        Some(Act::List(args)) => list::run(&settings, args),
        Some(Act::Eject(args)) => eject::run(&settings, args),
        Some(Act::New(args)) => new::run(&settings, args),
        Some(Act::SuggestText(args)) => suggest_text::run(&settings, args),
        Some(Act::Preview(args)) => preview::run(settings, args).await,
    }
}
