//! The command line: one file per subcommand, one per format.
//!
//! Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by a rule. Settings that are missing or wrong are usage,
//! as far as that shows without asking a server: a worker without a secret ends with 2, one whose password the mail
//! server refuses with 1. Errors go to stderr as `error: what happened`, then what to do next.

mod account;
mod actor;
mod as_sent;
mod audit;
mod bulk;
mod change_address;
mod console;
mod delete;
mod demo;
mod doctor;
mod events;
mod extend;
mod failure;
mod filter;
mod format;
mod jobs;
mod link;
mod list;
mod log;
mod migrate;
mod output;
mod progress;
mod prune;
mod queue;
#[cfg(test)]
mod reference;
mod render;
mod resend;
mod revoke;
mod searching;
mod sends;
mod serve;
mod ses;
mod show;
mod signals;
mod signup;
mod templates;
mod test_send;
mod time;
mod undo;
mod unverify;
mod verify;
mod watched;
mod webhooks;
mod worker;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Settings};
use crate::desk::{self, Desk};
use crate::text::plain_lines;

pub use actor::operator;
pub use failure::Failure;

/// E-mail verification through Amazon SES, and the desk from which people run it.
///
/// Without a command: the console.
#[derive(Debug, Parser)]
#[command(name = "verifydesk", version, propagate_version = true)]
pub struct Cli {
    /// Settings file [default: verifydesk/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change nothing and mail nothing: what would is refused
    #[arg(long, global = true)]
    read_only: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine with no set-up: PostgreSQL, demo data, mails, verification view, console
    Demo(demo::Args),
    /// Bring the database to this version
    Migrate(migrate::Args),
    /// Sign an address up: make a user and a verification, and queue the mail
    Signup(signup::Args),
    /// List verifications, newest first
    List(list::Args),
    /// Show one verification with its user, all of their verifications, mails and audit trail
    Show(show::Args),
    /// Mail links again: single ones by number, or many by filter
    Resend(resend::Args),
    /// Verify a user without the link
    Verify(verify::Args),
    /// Take back that a user is verified, and revoke the link that did it
    Unverify(unverify::Args),
    /// Change a user's address, revoke their links, and mail a new one to the new address
    ChangeAddress(change_address::Args),
    /// Delete a user with all that names them: held for ten seconds, then erased by a worker
    Delete(delete::Args),
    /// Revoke a link: it stops working, and its mail that waits is cancelled
    Revoke(revoke::Args),
    /// Let a link work for its whole lifetime again, from now on; mails nothing
    Extend(extend::Args),
    /// Make a new link for a user, show it once, and mail it to no one; needs the server secret
    Link(link::Args),
    /// Take back your last act, or the one that an entry of the audit log tells of
    Undo(undo::Args),
    /// Work the outbox: send the mails that are due
    Worker(worker::Args),
    /// Serve the verification view and the site's API
    Serve(serve::Args),
    /// List mails and what became of them, newest first
    Sends(sends::Args),
    /// List what SES reported, newest first; read reports from files
    Events(events::Args),
    /// List what the site was told by webhooks, newest first; show one, have it tried again, send a test
    Webhooks(webhooks::Args),
    /// Show the outbox: what waits, pace, brake, workers and bulk resends; pause, drain or resume it
    Queue(queue::Args),
    /// Show the SES account: quota, rate, standing, identities, configuration set; how mail is received; each with its age
    Account(account::Args),
    /// What there has to be at Amazon between here and mails with results
    Ses(ses::Args),
    /// List who did what to whom, when and why, newest first: the audit log
    Audit(audit::Args),
    /// Look whether all is well: database, templates, workers, view, mail server, SES account, events, DNS; each with what to do where it is not
    Doctor(doctor::Args),
    /// Erase users who were deleted, and remove mails and events that are older than the settings let them stay; workers do this too
    Prune(prune::Args),
    /// List bulk resends, newest first; show one and who was left out of it; pause, resume or cancel one
    Jobs(jobs::Args),
    /// Render a template with sample values
    Render(render::Args),
    /// Send a template with sample values to an address that may get tests, and show what the mail server says
    TestSend(test_send::Args),
    /// Preview, check and change the mail templates; needs no database
    Templates(templates::Args),
}

impl Command {
    /// Refuses what could do nothing else than change something, and is no act of the desk, which refuses those itself.
    fn may_read_only(&self) -> Result<(), Failure> {
        match self {
            Self::Demo(_) | Self::Migrate(_) | Self::Worker(_) | Self::Serve(_) => Err(desk::Refusal::ReadOnly),
            Self::Prune(args) if !args.dry_run => Err(desk::Refusal::ReadOnly),
            _ => Ok(()),
        }
        .map_err(|refusal| desk::Error::from(refusal).into())
    }
}

/// Runs the program: parses the arguments, does what they say, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = complain(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::failed(format!("cannot start: {error}"), "check the limits on threads and open files")
                .report();
        }
    };
    let done = runtime.block_on(run(cli));
    // Not by dropping it, which waits for blocking work: a template that renders forever would keep the program.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

/// Prints what clap says. An error quotes the arguments, which a script may have from anywhere.
fn complain(error: &clap::Error) -> io::Result<()> {
    if !error.use_stderr() {
        return error.print();
    }
    let mut err = io::stderr().lock();
    plain_lines(&error.render().to_string()).iter().try_for_each(|line| writeln!(err, "{line}"))
}

async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let mut settings = config::load(cli.config.as_deref(), environment())?;
    settings.read_only |= cli.read_only;
    if settings.read_only
        && let Some(command) = &cli.command
    {
        command.may_read_only()?;
    }
    match cli.command {
        None => Box::pin(console::run(settings)).await,
        Some(Command::Demo(args)) => Box::pin(demo::run(&settings, &args)).await,
        Some(Command::Migrate(args)) => migrate::run(&settings, &args).await,
        Some(Command::Signup(args)) => act(&settings, async |desk| signup::run(desk, &args).await).await,
        Some(Command::List(args)) => list::run(&desk(&settings).await?, &settings.filters, &args).await,
        Some(Command::Show(args)) => show::run(&desk(&settings).await?, &settings, &args).await,
        Some(Command::Resend(args)) => {
            act(&settings, async |desk| resend::run(desk, &settings.filters, &args).await).await
        }
        Some(Command::Verify(args)) => act(&settings, async |desk| verify::run(desk, &args).await).await,
        Some(Command::Unverify(args)) => act(&settings, async |desk| unverify::run(desk, &args).await).await,
        Some(Command::ChangeAddress(args)) => act(&settings, async |desk| change_address::run(desk, &args).await).await,
        Some(Command::Delete(args)) => act(&settings, async |desk| delete::run(desk, &args).await).await,
        Some(Command::Revoke(args)) => act(&settings, async |desk| revoke::run(desk, &args).await).await,
        Some(Command::Extend(args)) => act(&settings, async |desk| extend::run(desk, &args).await).await,
        Some(Command::Link(args)) => act(&settings, async |desk| link::run(desk, &settings, &args).await).await,
        Some(Command::Undo(args)) => act(&settings, async |desk| undo::run(desk, &args).await).await,
        Some(Command::Worker(args)) => Box::pin(worker::run(&settings, &args)).await,
        Some(Command::Serve(args)) => serve::run(&settings, &args).await,
        Some(Command::Queue(args)) => act(&settings, async |desk| queue::run(desk, &args).await).await,
        Some(Command::Account(args)) => account::run(&desk(&settings).await?, &args).await,
        Some(Command::Audit(args)) => audit::run(&desk(&settings).await?, &settings.filters, &args).await,
        Some(Command::Ses(args)) => Box::pin(ses::run(&settings, &args)).await,
        Some(Command::Doctor(args)) => Box::pin(doctor::run(settings, &args)).await,
        Some(Command::Prune(args)) => act(&settings, async |desk| prune::run(desk, &settings, &args).await).await,
        Some(Command::Jobs(args)) => act(&settings, async |desk| jobs::run(desk, &args).await).await,
        Some(Command::Render(args)) => render::run(&settings, &args),
        Some(Command::TestSend(args)) => test_send::run(&settings, &args).await,
        Some(Command::Templates(args)) => Box::pin(templates::run(settings, &args)).await,
        Some(Command::Sends(args)) => sends::run(&desk(&settings).await?, &settings.filters, &args).await,
        Some(Command::Events(args)) => act(&settings, async |desk| events::run(desk, &args).await).await,
        Some(Command::Webhooks(args)) => act(&settings, async |desk| webhooks::run(desk, &args).await).await,
    }
}

/// Acts, and does not end before the other processes were notified.
async fn act(
    settings: &Settings,
    act: impl AsyncFnOnce(&Desk) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    let desk = desk(settings).await?;
    let done = act(&desk).await;
    desk.store().flush().await;
    done
}

/// The environment, without what is not UTF-8: no setting of ours is.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The desk, after a look whether its database can be worked with.
async fn desk(settings: &Settings) -> Result<Desk, Failure> {
    let desk = Desk::open(settings)?;
    desk.store().check().await?;
    Ok(desk)
}

/// What a line of `list` or `sends` shows, for those that the console makes.
#[cfg(test)]
pub(crate) fn filter_of<'a>(words: impl Iterator<Item = &'a str>) -> Result<crate::domain::filter::Filter, String> {
    // Names that the settings give are not on the line any more.
    let saved = crate::domain::filter::Saved::default();
    let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
    match cli.command {
        Some(Command::List(args)) => args.filter.filter(&saved).map_err(|failure| failure.to_string()),
        Some(Command::Sends(args)) => args.filter.filter(&saved).map_err(|failure| failure.to_string()),
        _ => Err("neither list nor sends".into()),
    }
}

/// By which clock it reads moments.
#[cfg(test)]
pub(crate) fn filter_clock() -> crate::domain::filter::Clock {
    time::clock()
}
