//! Findings as SARIF 2.1.0 (OASIS), which code hosts show next to the lines of a change.

use std::path::Path;

use serde_json::{Value, json};
use url::Url;

use super::findings;
use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Source, Templates};
use crate::preview::check::{self, File, Finding, Report, Rule, Severity};

/// The published shape of such a log.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Where the built-in templates are kept in this program's repository, and where those who eject them may well keep theirs.
const BUILT_IN_AT: &str = "templates";

/// A log of one run. Every result has a file, since code hosts refuse the whole log for one that has none: what is about
/// a setting or a mail as a whole stands at the file that such a mail begins with, with its own name next to it.
pub fn log(report: &Report, templates: &Templates) -> Value {
    let rules: Vec<&Rule> = check::all().collect();
    let findings = report.findings.iter().chain(&report.suppressed);
    let results: Vec<Value> = findings.map(|finding| result(finding, &rules, templates)).collect();
    let mut notes = Vec::new();
    let mut note = |level: &str, text: String| notes.push(json!({ "level": level, "message": { "text": text } }));
    if report.unfinished {
        note("error", "Time ran out before all mails were checked.".to_owned());
    }
    if report.mails == 0 {
        note("error", "No mail could be made, so none was checked.".to_owned());
    }
    if report.cut > 0 {
        note("warning", format!("{}.", findings::cut(report)));
    }
    let mut invocation = json!({ "executionSuccessful": !report.unfinished && report.mails > 0 });
    if !notes.is_empty() {
        invocation["toolExecutionNotifications"] = notes.into();
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "verifydesk",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| describe(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn describe(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": format!("{}.", rule.title) },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{} Source: {}.", rule.why, rule.source) },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(finding: &Finding, rules: &[&Rule], templates: &Templates) -> Value {
    let fixtures = finding.fixtures_shown().map(|shown| format!(" ({shown})")).unwrap_or_default();
    let mut value = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rules.iter().position(|rule| rule.id == finding.rule.id),
        "level": level(finding.severity),
        "message": { "text": format!("{}{fixtures}", finding.message) },
        "locations": [location(finding, templates)],
        "properties": {
            "template": finding.template,
            "locale": finding.locale,
            "fixtures": finding.fixtures,
        },
    });
    if let Some(reason) = &finding.suppressed {
        value["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    value
}

fn location(finding: &Finding, templates: &Templates) -> Value {
    let own = finding.file.as_ref().and_then(file_address);
    let region = json!({ "startLine": finding.line.max(1), "startColumn": finding.column.max(1) });
    let place = |uri: String, region: Value| json!({ "artifactLocation": { "uri": uri }, "region": region });
    match own {
        Some(uri) => json!({ "physicalLocation": place(uri, region) }),
        None => json!({
            "physicalLocation": place(stand_in(finding, templates), json!({ "startLine": 1, "startColumn": 1 })),
            "logicalLocations": [{ "fullyQualifiedName": finding.subject() }],
        }),
    }
}

/// The address of a finding's file; none where it is about no file.
fn file_address(file: &File) -> Option<String> {
    if let Some(path) = &file.path {
        return address(path);
    }
    if let Some(path) = file.shown.strip_prefix("built-in ") {
        return Some(format!("{BUILT_IN_AT}/{path}"));
    }
    // A file or directory that is not there, or cannot be read.
    (file.shown != "settings").then(|| address(Path::new(&file.shown))).flatten()
}

/// The subject of the mail that a finding is about, or of the first one.
fn stand_in(finding: &Finding, templates: &Templates) -> String {
    let names = templates.names();
    let template = finding.template.as_deref().or_else(|| names.first().map(String::as_str));
    let locales = finding.locale.map_or_else(|| Locale::ALL.to_vec(), |locale| vec![locale]);
    let sources = locales.into_iter().filter_map(|locale| templates.source(template?, locale, Part::Subject));
    let mut files = sources.map(place_in_files);
    files.find_map(|file| file_address(&file)).unwrap_or_else(|| BUILT_IN_AT.to_owned())
}

fn place_in_files(source: &Source) -> File {
    File { shown: source.shown.clone(), path: source.file.clone() }
}

/// A file's address: relative below the current directory, which code hosts take for the repository's root.
fn address(path: &Path) -> Option<String> {
    let path = path.canonicalize().or_else(|_| std::path::absolute(path)).ok()?;
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let file = Url::from_file_path(&path).ok()?;
    match path.strip_prefix(&here) {
        // The current directory itself has no name below itself.
        Ok(below) if below.as_os_str().is_empty() => Some(".".to_owned()),
        Ok(_) => {
            let base = Url::from_directory_path(&here).ok()?;
            base.make_relative(&file)
        }
        Err(_) => Some(file.into()),
    }
}
