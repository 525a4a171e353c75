//! `verifydesk doctor`

use std::process::ExitCode;

use serde_json::json;

use super::format::json as format;
use super::{Failure, output};
use crate::config::Settings;
use crate::doctor::{Check, Doctor, Finding, GROUPS, State};
use crate::text::pad;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON Lines: one object a check
    #[arg(long)]
    json: bool,
    /// Ask nothing but the database: not the mail server, the public URL or DNS
    #[arg(long)]
    offline: bool,
}

/// Columns of the longest state, and of the longest name of a check.
const STATE: usize = 7;
const NAME: usize = 25;

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    let found = Box::pin(Doctor::new(settings).offline(args.offline).examine()).await;
    let lines = if args.json { found.iter().map(row).collect() } else { report(&found) };
    for line in lines {
        output::line(&line)?;
    }
    let is_red = found.iter().any(|(_, finding)| finding.state == State::Red);
    Ok(if is_red { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row((check, finding): &(&Check, Finding)) -> String {
    format::line(&json!({
        "check": check.name,
        "group": check.group(),
        "state": finding.state.as_str(),
        "found": finding.found.as_str(),
        "next": finding.next.as_ref().map(super::super::text::Plain::as_str),
    }))
}

fn report(found: &[(&Check, Finding)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (group, title) in GROUPS {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(title.to_owned());
        for (check, finding) in found.iter().filter(|(check, _)| check.group() == group) {
            let name = check.short().replace('_', " ");
            let (state, name) = (pad(finding.state.as_str(), STATE, ""), pad(&name, NAME, ""));
            lines.push(format!("  {state}  {name}  {}", finding.found));
            if let Some(next) = &finding.next {
                lines.push(format!("  {}  {}  -> {next}", " ".repeat(STATE), " ".repeat(NAME)));
            }
        }
    }
    let counts: Vec<String> = State::ALL
        .into_iter()
        .map(|state| (state, found.iter().filter(|(_, finding)| finding.state == state).count()))
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    lines.extend([String::new(), counts.join(", ")]);
    lines
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::super::Cli;

    /// All that the checks say.
    const SAID: &str = concat!(
        include_str!("../doctor/account.rs"),
        include_str!("../doctor/check.rs"),
        include_str!("../doctor/database.rs"),
        include_str!("../doctor/dns.rs"),
        include_str!("../doctor/events.rs"),
        include_str!("../doctor/mod.rs"),
        include_str!("../doctor/region.rs"),
        include_str!("../doctor/rights.rs"),
        include_str!("../doctor/room.rs"),
        include_str!("../doctor/schema.rs"),
        include_str!("../doctor/serve.rs"),
        include_str!("../doctor/smtp.rs"),
        include_str!("../doctor/templates.rs"),
        include_str!("../doctor/workers.rs"),
    );

    /// What stands between backquotes in it, a text over several lines as one.
    fn named() -> Vec<String> {
        let whole = SAID.lines().fold(String::new(), |whole, line| match whole.strip_suffix('\\') {
            Some(before) => format!("{before}{}", line.trim_start()),
            None => format!("{whole}\n{line}"),
        });
        let strings = whole.lines().filter(|line| !line.trim_start().starts_with("//"));
        strings.flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    /// A command that is told of can be given as it is told.
    #[test]
    fn commands_that_hints_name_are_there() {
        let commands: Vec<String> = named().into_iter().filter(|name| name.starts_with("verifydesk ")).collect();
        assert!(commands.len() > 10, "{commands:?}");
        for command in commands {
            let Err(error) = Cli::command().try_get_matches_from(command.split(' ')) else { continue };
            // What stands for a value, such as NAME or {topic}, need not be one.
            let is_there = matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ValueValidation);
            assert!(is_there, "{command}: {error}");
        }
    }

    #[test]
    fn settings_that_hints_name_are_there() {
        let manual = include_str!("../../docs/settings.md");
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_setting =
            |name: &String| name.split_once('.').is_some_and(|(group, rest)| is_word(group) && is_word(rest));
        let settings: Vec<String> = named().into_iter().filter(is_setting).collect();
        assert!(settings.len() > 10, "{settings:?}");
        for name in settings {
            assert!(manual.contains(&format!("`{name}`")), "{name}");
        }
    }
}
