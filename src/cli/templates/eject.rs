//! `verifydesk templates eject`: the built-in templates as files, to be changed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::files::{shown, write};
use crate::cli::{Failure, output};
use crate::config::Settings;
use crate::mail::templates::{BUILT_IN, BUILT_IN_FIXTURES};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write them; the directory is made where it is missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let built_in = BUILT_IN.into_iter().chain(BUILT_IN_FIXTURES);
    let files: Vec<(String, String)> = built_in.map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let paths = write(&args.dir, &files)?;
    for path in &paths {
        output::line(&shown(path))?;
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
