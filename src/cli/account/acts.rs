//! Waiting for an act that a worker with AWS's keys does.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cli::{Failure, output};
use crate::desk::Desk;
use crate::domain::account::act::{AccountAct, ActState};
use crate::domain::id::AccountActId;

/// How often it is looked whether what is waited for is there.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(200);

/// After how long it is said what is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Waiting {
    /// How many seconds to wait for a worker; what was asked for stays asked for
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=600))]
    pub(super) wait: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

impl Waiting {
    /// What an act came to: code 1 where it failed or still waits, 4 where a rule kept the mail back.
    pub(super) fn code(&self, act: &AccountAct) -> ExitCode {
        ExitCode::from(match act.state {
            ActState::Waiting => u8::from(self.wait > 0),
            ActState::Failed => 1,
            ActState::Done if act.not_mailed.is_some() => 4,
            ActState::Done => 0,
        })
    }
}

/// Waits until an act has ended, but not for ever, and says meanwhile what is waited for.
pub(super) async fn ended(desk: &Desk, id: AccountActId, waiting: &Waiting) -> Result<AccountAct, Failure> {
    // Who does it hears of it by then, whatever becomes of this process.
    desk.store().flush().await;
    let start = Instant::now();
    let mut last = String::new();
    loop {
        let Some(act) = desk.store().account_act(id).await? else {
            return Err(Failure::not_found("the user was erased meanwhile", "nothing is left to do"));
        };
        if act.state != ActState::Waiting || start.elapsed() >= Duration::from_secs(waiting.wait) {
            return Ok(act);
        }
        if start.elapsed() >= PATIENCE {
            let waits = waits_for(desk, &act).await?;
            if waits != last {
                output::remark(&waits);
                last = waits;
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Why an act has not ended yet.
async fn waits_for(desk: &Desk, act: &AccountAct) -> Result<String, Failure> {
    Ok(if act.error.is_some() {
        act.in_words()
    } else if desk.store().has_account_worker().await? {
        "waiting for a worker: SES takes one call a second".into()
    } else {
        "no worker that has AWS's keys is at work: start one (docs/sending.md says which rights it needs)".into()
    })
}
