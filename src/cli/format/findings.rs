//! What `templates check` found, for people and as JSON.

use serde_json::{Value, json};

use crate::mail::templates::Part;
use crate::preview::check::{Finding, Report, Severity};

/// Lines grouped by file, then a summary. What is only worth a thought is counted where it is not asked for.
pub fn text(report: &Report, with_infos: bool, with_suppressed: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last: Option<String> = None;
    let shown = report.findings.iter().filter(|finding| with_infos || finding.severity != Severity::Info);
    for finding in shown {
        group(&mut lines, &mut last, finding);
        lines.push(line(finding));
    }
    if with_suppressed && !report.suppressed.is_empty() {
        last = None;
        for finding in &report.suppressed {
            group(&mut lines, &mut last, finding);
            let reason = finding.suppressed.as_deref().unwrap_or_default();
            lines.push(format!("{} [suppressed: {reason}]", line(finding)));
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    if report.cut > 0 {
        lines.push(cut(report));
    }
    let infos = report.count(Severity::Info);
    if infos > 0 && !with_infos {
        lines.push(format!("{infos} more worth a thought: --all shows them"));
    }
    lines.push(summary(report));
    lines
}

/// That findings were left out, and of which kind.
pub fn cut(report: &Report) -> String {
    format!("{} more like these were left out: fix some, and check again", report.cut)
}

fn group(lines: &mut Vec<String>, last: &mut Option<String>, finding: &Finding) {
    let subject = finding.subject();
    if !lines.is_empty() && last.as_ref() != Some(&subject) {
        lines.push(String::new());
    }
    *last = Some(subject);
}

/// `file:line:column: severity RULE message`, as editors read it.
fn line(finding: &Finding) -> String {
    let place = match &finding.file {
        Some(file) if file.shown == "settings" => file.shown.clone(),
        Some(file) => format!("{}:{}:{}", file.shown, finding.line, finding.column),
        None => finding.subject(),
    };
    let fixtures = finding.fixtures_shown().map(|shown| format!(", {shown}")).unwrap_or_default();
    format!("{place}: {} {} {}{fixtures}", finding.severity, finding.rule.id, finding.message)
}

fn summary(report: &Report) -> String {
    let counts = Severity::ALL.map(|severity| match (report.count(severity), severity) {
        (1, severity) => format!("1 {severity}"),
        (count, Severity::Info) => format!("{count} info"),
        (count, severity) => format!("{count} {severity}s"),
    });
    let mails = if report.mails == 1 { "1 mail".to_owned() } else { format!("{} mails", report.mails) };
    let suppressed = match report.suppressed.len() {
        0 => String::new(),
        count => format!("; {count} suppressed"),
    };
    format!("{} in {mails}{suppressed}", counts.join(", "))
}

/// A finding as JSON.
pub fn row(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.id,
        "severity": finding.severity.as_str(),
        "title": finding.rule.title,
        "message": finding.message,
        "template": finding.template,
        "locale": finding.locale,
        "fixtures": finding.fixtures,
        "fixtures_tried": finding.tried,
        "part": finding.part.map(Part::file),
        "file": finding.file.as_ref().map(|file| &file.shown),
        "path": finding.file.as_ref().and_then(|file| file.path.as_deref()).map(|path| path.to_string_lossy()),
        "line": finding.line,
        "column": finding.column,
        "suppressed": finding.suppressed,
    })
}
