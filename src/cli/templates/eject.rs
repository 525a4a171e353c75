//! `verifydesk templates eject`: the built-in templates as files, to be changed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::shown;
use crate::cli::{Failure, output};
use crate::config::Settings;
use crate::mail::templates::eject::eject;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write them; the directory is made where it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Only these, such as en/verification/body.html
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    for path in eject(&args.dir, &args.files)? {
        output::line(&shown(&path))?;
    }
    let dir = args.dir.canonicalize().unwrap_or_else(|_| args.dir.clone());
    let is_set = settings.templates.dir.as_ref().is_some_and(|set| set.canonicalize().is_ok_and(|set| set == dir));
    if !is_set {
        let dir = shown(&dir);
        output::remark(&format!(
            "to use them, set `templates.dir` in the settings file, or VERIFYDESK_TEMPLATES__DIR={dir}"
        ));
    }
    output::remark("a file that you delete there is the built-in one again; `verifydesk templates check` checks them");
    Ok(ExitCode::SUCCESS)
}
