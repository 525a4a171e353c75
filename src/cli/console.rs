//! `verifydesk`: the console.

use std::process::ExitCode;

use super::{Failure, operator};
use crate::config::Settings;
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::tui::model::{Setup, Zone};
use crate::tui::run;

/// Opens the console. No look at the database before: the first frame does not wait for it.
pub async fn run(settings: Settings) -> Result<ExitCode, Failure> {
    run::require_terminal()?;
    let desk = Desk::open(&settings)?;
    let setup = Setup {
        site: settings.site.name.clone(),
        operator: operator(Origin::Console).name,
        zone: Zone::Local(*chrono::Local::now().offset()),
        sends: settings.console.send,
    };
    let ended = run::run(desk, settings, setup).await?;
    Ok(ExitCode::from(ended.exit_code()))
}
