//! Keeps `docs/cli.md` in step with the commands: it is what `--help` says, one section per command.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::Cli;

/// Set, this writes the page instead of comparing it. `make docs` does so.
const WRITE: &str = "VERIFYDESK_WRITE_DOCS";

const HEAD: &str = "# The command line\n\n\
    Each command with its options, as `verifydesk help COMMAND` shows them. This page is made from the program:\n\
    `make docs` writes it, and a test fails where the two differ.\n\n\
    `--json` prints JSON Lines, one object per row, with stable field names; times are RFC 3339 in UTC. Errors go to\n\
    stderr as `error: what happened`, then what to do next.\n\n\
    | exit code | |\n|---|---|\n\
    | 0 | done |\n\
    | 1 | it was tried and failed |\n\
    | 2 | usage: a wrong argument, or a setting that is missing or wrong |\n\
    | 3 | not found |\n\
    | 4 | refused by a rule (cool-down, already verified, read-only …) |\n\n\
    For examples see [operations.md](operations.md), [templates.md](templates.md) and [setup.md](setup.md).\n";

fn reference() -> String {
    let mut command = Cli::command().term_width(100);
    // Fills in the names of subcommands and the options that all of them have.
    command.build();
    let mut page = HEAD.to_owned();
    section(&mut command, "verifydesk", &mut page);
    page
}

fn section(command: &mut Command, name: &str, page: &mut String) {
    let help = command.render_long_help().to_string();
    write!(page, "\n## `{name}`\n\n```text\n").unwrap();
    for line in help.trim_end().lines() {
        writeln!(page, "{}", line.trim_end()).unwrap();
    }
    page.push_str("```\n");
    for inner in command.get_subcommands_mut().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        let name = format!("{name} {}", inner.get_name());
        section(inner, &name, page);
    }
}

#[test]
fn the_page_is_what_help_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let page = reference();
    assert!(page.contains("## `verifydesk queue pause`"), "{page}");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let end = std::iter::once("(the end)");
    let both = page.lines().chain(end.clone()).zip(written.lines().chain(end));
    let first = both.into_iter().find(|(now, then)| now != then);
    assert!(
        page == written,
        "docs/cli.md differs from what the commands say; `make docs` writes it again.\n\
         The first difference (the program, the page): {first:?}"
    );
}
