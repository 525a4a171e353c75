//! `verifydesk` without a command: the console.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::{Failure, operator, output, time};
use crate::config::Settings;
use crate::contain;
use crate::desk::Desk;
use crate::domain::audit::Origin;
use crate::outbox::worker::Worker;
use crate::tui::model::Setup;
use crate::tui::run;

/// Opens the console. No look at the database before: the first frame does not wait for it.
pub async fn run(settings: Settings) -> Result<ExitCode, Failure> {
    run::require_terminal()?;
    let desk = Desk::open(&settings)?;
    let shutdown = CancellationToken::new();
    let store = desk.store().clone();
    let mut setup = Setup { database: store.place(), ..setup(&settings) };
    let mut sending = None;
    if settings.console.send && !settings.read_only {
        let worker = Worker::from_settings(store.clone(), &settings)?;
        let asked = shutdown.clone();
        setup.sends = Some(worker.id());
        // Its errors show in its heartbeat, as those of any worker.
        sending = Some(contain::spawn(worker.run_on(asked)));
    }
    let left = Box::pin(run::run(desk, settings, setup)).await;
    shutdown.cancel();
    if let Some(sending) = sending {
        let _ = sending.await;
    }
    store.flush().await;
    let left = left?;
    left.goes_on.iter().for_each(|line| output::remark(line));
    Ok(ExitCode::from(left.ended.exit_code()))
}

/// What the console knows when it starts.
pub fn setup(settings: &Settings) -> Setup {
    Setup {
        site: settings.site.name.clone(),
        environment: settings.console.environment.clone().unwrap_or_default().trim().to_owned(),
        database: String::new(),
        is_read_only: settings.read_only,
        operator: operator(Origin::Console).name,
        zone: time::zone(),
        sends: None,
        starts_worker: false,
        tests: settings.test_send.allow.clone(),
        templates_dir: settings.templates.dir.clone(),
        saved: settings.filters.clone(),
        only_templates: false,
    }
}

/// Opens the templates' workbench alone: no database is needed.
pub async fn templates(settings: Settings) -> Result<ExitCode, Failure> {
    run::require_terminal()?;
    let setup = Setup { only_templates: true, ..setup(&settings) };
    Ok(ExitCode::from(Box::pin(run::run(None, settings, setup)).await?.ended.exit_code()))
}
