//! Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change.

use std::path::Path;

use serde_json::{Value, json};
use url::Url;

use crate::preview::check::{self, Finding, Report, Rule, Severity};

/// The published shape of such a log.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A log of one run.
pub fn log(report: &Report) -> Value {
    let rules: Vec<&Rule> = check::all().collect();
    let findings = report.findings.iter().chain(&report.suppressed);
    let results: Vec<Value> = findings.map(|finding| result(finding, &rules)).collect();
    let mut invocation = json!({ "executionSuccessful": !report.unfinished });
    if report.unfinished {
        let message = json!({ "text": "Time ran out before all mails were checked." });
        invocation["toolExecutionNotifications"] = json!([{ "level": "error", "message": message }]);
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

fn result(finding: &Finding, rules: &[&Rule]) -> Value {
    let fixtures = finding.fixtures_shown().map(|shown| format!(" ({shown})")).unwrap_or_default();
    let mut value = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rules.iter().position(|rule| rule.id == finding.rule.id),
        "level": level(finding.severity),
        "message": { "text": format!("{}{fixtures}", finding.message) },
        "locations": [location(finding)],
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

/// A place in a file, or what there is instead: a built-in template, a setting, a mail.
fn location(finding: &Finding) -> Value {
    match finding.file.as_ref().and_then(|file| file.path.as_deref()).and_then(address) {
        Some(uri) => json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri },
                "region": { "startLine": finding.line, "startColumn": finding.column },
            },
        }),
        None => json!({ "logicalLocations": [{ "fullyQualifiedName": finding.subject() }] }),
    }
}

/// A file's address: relative below the current directory, which code hosts take for the repository's root.
fn address(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let file = Url::from_file_path(&path).ok()?;
    match path.strip_prefix(&here) {
        Ok(_) => {
            let base = Url::from_directory_path(&here).ok()?;
            base.make_relative(&file)
        }
        Err(_) => Some(file.into()),
    }
}
