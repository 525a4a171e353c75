//! `verifydesk demo`: everything on one machine, with no set-up.

use std::process::ExitCode;

use super::{Failure, console, output, signals};
use crate::config::{Glyphs, Settings};
use crate::demo::cluster::Options;
use crate::demo::env::{self, DATABASE, DemoEnv};
use crate::demo::walkthrough;
use crate::text::plain;
use crate::tui::model::Setup;
use crate::tui::run::{self, require_terminal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove the demo's data and start over
    #[arg(long)]
    reset: bool,
    /// Print the settings with which a second terminal joins the running demo
    #[arg(long, conflicts_with = "reset")]
    env: bool,
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let options = Options::demo().map_err(env::Error::from)?;
    if args.env {
        return env(&options);
    }
    if args.reset {
        env::reset(&options)?;
    }
    let is_interactive = require_terminal().is_ok();
    output::remark(&format!("starting a private PostgreSQL in {} …", plain(&options.directory.display().to_string())));
    let env = DemoEnv::start(options, settings).await?;
    if let Some(users) = env.made {
        output::remark(&format!("made {users} demo users"));
    }
    let setup = Setup { starts_worker: true, ..console::setup(&env.settings) };
    let result = if is_interactive {
        // What a console says goes on ends with the demo.
        let left = Box::pin(run::run(env.desk.clone(), env.settings.clone(), setup)).await;
        left.map(|left| ExitCode::from(left.ended.exit_code())).map_err(Failure::from)
    } else {
        let is_unicode = !matches!(env.settings.console.glyphs, Glyphs::Ascii);
        let walk = Box::pin(walkthrough::run(&env, setup, is_unicode, output::line));
        match signals::shutdown()?.run_until_cancelled(walk).await {
            Some(walk) => walk.map(|()| ExitCode::SUCCESS).map_err(|error| {
                let what = format!("the demo failed: {}", plain(&error.to_string()));
                Failure::failed(what, "`verifydesk demo --reset` starts over")
            }),
            None => Err(Failure::failed("the demo was stopped", "")),
        }
    };
    env.shutdown().await?;
    result
}

fn env(options: &Options) -> Result<ExitCode, Failure> {
    if !options.is_running() {
        return Err(Failure::failed("the demo is not running", "start it with `verifydesk demo` in another terminal"));
    }
    output::line(&format!("export DATABASE_URL='{}'", options.url(DATABASE)))?;
    Ok(ExitCode::SUCCESS)
}

impl From<env::Error> for Failure {
    fn from(error: env::Error) -> Self {
        match error {
            env::Error::Setting(error) => error.into(),
            env::Error::Store(error) => {
                Self::failed(error.to_string(), "`verifydesk demo --reset` makes the demo's data again")
            }
            env::Error::Cluster(error) => {
                Self::failed(error.to_string(), "`verifydesk demo --reset` starts over; `--env` joins a demo that runs")
            }
            error @ env::Error::Io { .. } => Self::failed(error.to_string(), "check the directory's rights and room"),
        }
    }
}
