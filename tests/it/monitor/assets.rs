//! The rules for Prometheus and the dashboard for Grafana, judged by Prometheus's own promtool, and held to the metrics
//! that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::metrics::{Listed, listed};

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(asset(name)).unwrap()
}

const RULES: &str = "prometheus/verifydesk.rules.yml";
const RULES_TESTED: &str = "prometheus/verifydesk.rules.test.yml";
const DASHBOARD: &str = "grafana/verifydesk.json";

fn promtool(arguments: &[&str], file: &Path) -> Result<String, String> {
    let output = Command::new("promtool").args(arguments).arg(file).output();
    let output = output.expect("promtool, of Debian's prometheus; scripts/install-test-tools.sh installs it");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// The values of these keys of an expression's object, wherever they are.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

fn dashboard() -> (Value, Vec<String>) {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert!(found.len() > 25, "{}", found.len());
    (dashboard, found)
}

/// What a text asks of metrics of ours: each name with the labels that are matched at it.
fn asked(text: &str) -> Vec<(&str, BTreeSet<&str>)> {
    let starts = text.match_indices("verifydesk_").map(|(at, _)| at);
    starts
        .map(|start| {
            let rest = &text[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let matched = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(labels, _)| labels);
            // A value may hold no comma here.
            let labels = matched.split(',').filter_map(|one| one.split(['=', '!']).next());
            (name, labels.map(str::trim).filter(|label| !label.is_empty()).collect())
        })
        .collect()
}

fn is_there(name: &str, labels: &BTreeSet<&str>) -> Result<(), String> {
    let listed = listed();
    let part = |end| name.strip_suffix(end).and_then(|of| listed.get(of)).filter(|of| of.kind == "histogram");
    let of_histogram = ["_bucket", "_count", "_sum"].into_iter().find_map(part);
    let Some(Listed { labels: own, .. }) = listed.get(name).filter(|of| of.kind != "histogram").or(of_histogram) else {
        return Err(format!("there is no metric {name}"));
    };
    let known = |label: &str| own.contains(label) || ["job", "instance", "le"].contains(&label);
    labels
        .iter()
        .copied()
        .find(|label| !known(label))
        .map_or(Ok(()), |label| Err(format!("{name} has no label {label}")))
}

#[test]
fn a_name_that_is_not_there_is_found() {
    let wrong = |text| asked(text).iter().find_map(|(name, labels)| is_there(name, labels).err());
    assert_eq!(wrong("sum(verifydesk_outbox_mails{state=\"queued\",job=~\"$job\"}) > 0"), None);
    assert_eq!(wrong("verifydesk_mail_accepted_seconds_bucket"), None);
    for text in ["verifydesk_outbox_mail", "verifydesk_mail_accepted_seconds", "verifydesk_outbox_mails_count"] {
        assert!(wrong(text).unwrap().starts_with("there is no metric"), "{text}");
    }
    assert_eq!(wrong("verifydesk_ready{state!=\"x\"}").unwrap(), "verifydesk_ready has no label state");
}

#[test]
fn rules_and_dashboard_name_metrics_that_are_there() {
    let (_, expressions) = dashboard();
    for text in [read(RULES), read(RULES_TESTED), expressions.join("\n")] {
        // The tests name the file of the rules as well.
        let text = text.replace("verifydesk.rules", "");
        let asked = asked(&text);
        assert!(asked.len() > 20, "{asked:?}");
        for (name, labels) in asked {
            is_there(name, &labels).unwrap();
        }
    }
}

#[test]
fn the_rules_are_right_and_each_begins_once() {
    let said = promtool(&["check", "rules"], &asset(RULES)).unwrap();
    let rules = read(RULES);
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(said.contains(&format!("{} rules found", alerts.len())), "{said}");
    promtool(&["test", "rules"], &asset(RULES_TESTED)).unwrap();
    let tests = read(RULES_TESTED);
    for alert in alerts {
        let begins = format!("- alertname: {alert}\n");
        let is_silent = format!("- {{ alertname: {alert}, ");
        assert!(tests.contains(&begins) && tests.contains(&is_silent), "{alert} is not tested");
    }
}

#[test]
fn the_rules_name_sections_of_the_manual() {
    let rules = read(RULES);
    for link in rules.lines().filter_map(|line| line.trim().strip_prefix("docs: ")) {
        let (page, anchor) = link.split_once('#').map_or((link, None), |(page, anchor)| (page, Some(anchor)));
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap();
        let anchor_of = |line: &str| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>().replace(' ', "-")
        };
        let mut titles = page.lines().filter(|line| line.starts_with('#')).map(anchor_of);
        assert!(anchor.is_none_or(|anchor| titles.any(|title| title == anchor)), "{link}");
    }
}

/// As rules, since promtool reads nothing else.
#[test]
fn the_dashboards_expressions_are_right() {
    let (dashboard, expressions) = dashboard();
    let rules = expressions.iter().enumerate().map(|(number, expression)| {
        let expression = expression.replace("$__rate_interval", "5m");
        format!("      - record: panel_{number}\n        expr: {}\n", serde_json::to_string(&expression).unwrap())
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.yml");
    fs::write(&file, format!("groups:\n  - name: dashboard\n    rules:\n{}", rules.collect::<String>())).unwrap();
    promtool(&["check", "rules"], &file).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}
