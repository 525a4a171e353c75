//! `verifydesk migrate`

use std::process::ExitCode;

use super::{Failure, output};
use crate::config::Settings;
use crate::store::{Error, Store, roles};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also make the roles named after the database (`DATABASE_worker`, `DATABASE_serve`, …), and grant each the rights
    /// that its programs need; see docs/roles.md
    #[arg(long)]
    roles: bool,
    /// Only print the SQL of the roles, for a superuser to run with psql
    #[arg(long, requires = "roles")]
    print: bool,
}

pub async fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let store = Store::open(settings)?;
    if args.print {
        output::line(store.roles_sql().await?.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let done = store.apply_migrations().await?;
    // What a migration has made, only its owner may use so far.
    let has_roles = args.roles || store.has_roles().await?;
    if has_roles {
        store
            .make_roles()
            .await
            .map_err(|error| Failure::failed(format!("the roles were not made: {error}"), hint(&error)))?;
    }
    output::line(&match done.applied {
        0 => format!("the database is at version {} already", done.version),
        1 => format!("applied 1 migration; the database is at version {}", done.version),
        n => format!("applied {n} migrations; the database is at version {}", done.version),
    })?;
    if args.roles {
        output::line(&format!("the roles have their rights: {}", roles::GROUPS.join(", ")))?;
    }
    if has_roles && !store.has_site_role().await? {
        output::remark("the group for sites is not there: this login may make no roles; docs/roles.md says who may");
    }
    if !done.searches_korean {
        output::remark(
            "warning: this database's character type cannot search inside Korean names\n         \
             create it again with `createdb --template template0 --encoding UTF8 --locale C.UTF-8` to be able to",
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn hint(error: &Error) -> &'static str {
    match error {
        Error::Denied(_) | Error::ReadOnly(_) => {
            "have a superuser run in this database what `verifydesk migrate --roles --print` prints"
        }
        Error::Other(_) => "correct that and run it again; what was done before stays as it is",
        other => other.hint(),
    }
}
