//! `verifydesk templates check`: the rules, for people and for continuous integration. Opens no connection.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

use crate::cli::format::{findings, json, sarif};
use crate::cli::{Failure, output};
use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::Templates;
use crate::preview::check::{self, Collector, Options, Report, Rule, Severity, clients};
use crate::preview::render_pool::{self, Missed};
use crate::text::plain;

/// How long a mail that was begun may take beyond the time for all of them: a template may render forever.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How findings are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Only this language: ko or en; may be given several times
    #[arg(long, value_name = "L")]
    locale: Vec<Locale>,
    /// Only this template; may be given several times
    #[arg(long, value_name = "NAME")]
    template: Vec<String>,
    /// Say what a rule asks for and why, and check nothing; `all` lists the rules
    #[arg(long, value_name = "RULE")]
    explain: Option<String>,
    /// Print remarks (severity info) as well; JSON and SARIF always have them
    #[arg(long)]
    all: bool,
    /// Fail on warnings too
    #[arg(long)]
    strict: bool,
    /// How long to take at most, in seconds
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Print findings that are suppressed as well, with the reason; SARIF always has them
    #[arg(long)]
    suppressed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Grouped by file: `file:line:column: severity RULE message`
    Text,
    /// JSON Lines, one finding per row
    Json,
    /// SARIF 2.1.0, which code hosts show next to the lines
    Sarif,
}

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    if let Some(id) = &args.explain {
        return explain(id);
    }
    let (settings, options) = (Arc::new(settings), Arc::new(options(args)));
    let templates = {
        let (settings, options) = (Arc::clone(&settings), Arc::clone(&options));
        in_time(options.budget, move || gathered(&settings, &options)).await?.ok_or_else(|| {
            Failure::failed("the templates could not be read in time", "see whether templates.dir is on a slow disk")
        })??
    };
    let collector = Arc::new(Collector::default());
    let work = {
        let (options, templates, collector) = (Arc::clone(&options), Arc::clone(&templates), Arc::clone(&collector));
        move || check::check_with(&templates, &settings, chrono::Utc::now(), &options, &collector)
    };
    let report = in_time(options.budget, work).await?;
    let is_stuck = report.is_none();
    let report = report.unwrap_or_else(|| Report { unfinished: true, ..collector.report(&templates, &options) });
    print(&report, &templates, args)?;
    if report.unfinished {
        let hint = if is_stuck {
            "look for an endless loop or a very large mail; --template checks one template at a time"
        } else {
            "check one template at a time with --template, or allow more time with --seconds"
        };
        let seconds = options.budget.as_secs();
        return Err(Failure::failed(format!("not all mails were checked within {seconds} seconds"), hint));
    }
    if report.mails == 0 {
        return Err(Failure::failed("no mail could be made, so none was checked", "fix the errors first"));
    }
    let fails = report.count(Severity::Error) > 0 || (args.strict && report.count(Severity::Warning) > 0);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The result of some work; `None` if it takes longer than its time and some grace.
async fn in_time<T: Send + 'static>(
    budget: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Failure> {
    let hint = "report it, with the templates that did it";
    match render_pool::in_time(budget + GRACE, work).await {
        Ok(done) => Ok(Some(done)),
        Err(Missed::Broke(broke)) => Err(Failure::failed(broke.to_string(), hint)),
        Err(Missed::Ended) => Err(Failure::failed("the checks crashed", hint)),
        Err(Missed::Late(_)) => Ok(None),
    }
}

fn options(args: &Args) -> Options {
    let mut options =
        Options { templates: args.template.clone(), budget: Duration::from_secs(args.seconds), ..Options::default() };
    if !args.locale.is_empty() {
        options.locales.retain(|locale| args.locale.contains(locale));
    }
    options
}

fn gathered(settings: &Settings, options: &Options) -> Result<Arc<Templates>, Failure> {
    clients::chosen(settings)?;
    let templates = Templates::gather(settings);
    let names = templates.names();
    if let Some(unknown) = options.templates.iter().find(|name| !names.contains(name)) {
        return Err(Failure::usage(
            format!("there is no template {}", plain(unknown)),
            format!("use one of {}", plain(&names.join(", "))),
        ));
    }
    Ok(Arc::new(templates))
}

fn print(report: &Report, templates: &Templates, args: &Args) -> io::Result<()> {
    match args.format {
        Format::Text => {
            for line in findings::text(report, args.all, args.suppressed) {
                output::line(&line)?;
            }
        }
        Format::Json => {
            let suppressed = report.suppressed.iter().filter(|_| args.suppressed);
            for finding in report.findings.iter().chain(suppressed) {
                output::line(&json::line(&findings::row(finding)))?;
            }
        }
        Format::Sarif => output::line(&json::line(&sarif::log(report, templates)))?,
    }
    Ok(())
}

fn explain(id: &str) -> Result<ExitCode, Failure> {
    if id == "all" {
        for rule in check::all() {
            output::line(&format!("{}  {:7}  {}", rule.id, rule.severity, rule.title))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Rule { id, severity, title, why, source } = check::find(id).ok_or_else(|| {
        Failure::usage(
            format!("there is no rule {}", plain(id)),
            "`verifydesk templates check --explain all` lists them",
        )
    })?;
    for line in [
        format!("{id} ({severity}): {title}"),
        String::new(),
        (*why).to_owned(),
        String::new(),
        format!("Source: {source}"),
    ] {
        output::line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}
