//! `verifydesk templates list`: which templates there are, and where their files come from.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::format::{json, table};
use crate::cli::{Failure, output};
use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::fixture::{Fixture, Origin};
use crate::mail::templates::{Part, Source, Templates};
use crate::text::plain;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON Lines, one object per template and language
    #[arg(long)]
    json: bool,
}

pub fn run(settings: &Settings, args: &Args) -> Result<ExitCode, Failure> {
    let templates = Templates::gather(settings);
    let names = templates.names();
    let rows = names.iter().flat_map(|name| Locale::ALL.map(|locale| (name.as_str(), locale)));
    if args.json {
        for (name, locale) in rows {
            output::line(&json::line(&row(&templates, name, locale)))?;
        }
    } else {
        let cells: Vec<Vec<String>> = rows.map(|(name, locale)| cells(&templates, name, locale)).collect();
        let headings = ["TEMPLATE", "LOCALE", "SUBJECT", "TEXT", "HTML", "FIXTURES"];
        for line in table::lines(&headings, &cells, output::columns()) {
            output::line(&line)?;
        }
    }
    match templates.mistakes().len() {
        0 => {}
        1 => output::remark("one file cannot be used: `verifydesk templates check` says which, and why"),
        many => {
            output::remark(&format!("{many} files cannot be used: `verifydesk templates check` says which, and why"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(templates: &Templates, name: &str, locale: Locale) -> Vec<String> {
    let mut cells = vec![plain(name).into_string(), locale.to_string()];
    cells.extend(Part::ALL.map(|part| match templates.source(name, locale, part) {
        None => "missing".to_owned(),
        Some(Source { file: None, .. }) => "built-in".to_owned(),
        Some(source) => source.shown.clone(),
    }));
    let (hostile, own): (Vec<&Fixture>, Vec<&Fixture>) =
        templates.fixtures(name).iter().partition(|fixture| fixture.origin == Origin::Hostile);
    let ids: Vec<&str> = own.iter().map(|fixture| fixture.id.as_str()).collect();
    cells.push(format!("{}, {} hostile", plain(&ids.join(", ")), hostile.len()));
    cells
}

fn row(templates: &Templates, name: &str, locale: Locale) -> Value {
    let files: serde_json::Map<String, Value> = Part::ALL
        .map(|part| {
            let source = templates.source(name, locale, part);
            let file = source.map(|source| json!({ "built_in": source.file.is_none(), "path": source.file }));
            (part.file().to_owned(), json!(file))
        })
        .into_iter()
        .collect();
    let variables: Vec<&String> =
        templates.schema(name).into_iter().flat_map(|schema| schema.variables.keys()).collect();
    json!({
        "template": name,
        "locale": locale,
        "files": files,
        "variables": variables,
        "fixtures": templates.fixtures(name).iter().map(fixture).collect::<Vec<_>>(),
    })
}

fn fixture(fixture: &Fixture) -> Value {
    let (origin, path) = match &fixture.origin {
        Origin::Example => ("example", None),
        Origin::BuiltIn => ("built-in", None),
        Origin::File(path) => ("file", Some(path)),
        Origin::Hostile => ("hostile", None),
    };
    json!({ "id": fixture.id, "title": fixture.title, "origin": origin, "path": path })
}
