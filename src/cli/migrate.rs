//! `verifydesk migrate`

use std::process::ExitCode;

use super::{Failure, output};
use crate::config::Settings;
use crate::store::Store;

pub async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let done = Store::open(settings)?.migrate().await?;
    output::line(&match done.applied {
        0 => format!("the database is at version {} already", done.version),
        1 => format!("applied 1 migration; the database is at version {}", done.version),
        n => format!("applied {n} migrations; the database is at version {}", done.version),
    })?;
    if !done.searches_korean {
        output::remark(
            "warning: this database's character type cannot search inside Korean names\n         \
             make it anew with `createdb --template template0 --encoding UTF8 --locale C.UTF-8` to be able to",
        );
    }
    Ok(ExitCode::SUCCESS)
}
