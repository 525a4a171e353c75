//! Keeps `docs/settings.md` in step with the struct: keys, variables, defaults and bounds.

use std::collections::BTreeMap;

use toml::Table;

use super::file::{FOREIGN, overlay, own_variable};
use super::{ENVIRONMENT_MAX, SHARED, SITE_NAME_MAX, Settings, bounds};
use crate::domain::key::SECRET_MIN;

/// A row of the page's tables.
struct Row {
    key: &'static str,
    variables: Vec<&'static str>,
    default: &'static str,
    bounds: &'static str,
}

fn rows() -> Vec<Row> {
    let page = include_str!("../../docs/settings.md");
    let cells = |line: &'static str| -> Vec<&'static str> { line.split('|').map(str::trim).collect() };
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells).filter(|cells| cells.len() == 7);
    rows.map(|cells| Row {
        key: cells[1].trim_matches('`'),
        variables: cells[2].split('`').skip(1).step_by(2).collect(),
        default: cells[3],
        bounds: cells[4],
    })
    .collect()
}

/// The keys below a table, as the struct itself names them where it is asked for one that is not there.
fn keys_below(table: &str) -> Vec<String> {
    let asked = if table.is_empty() { "zzz = 1".to_owned() } else { format!("[{table}]\nzzz = 1") };
    let refused = toml::from_str::<Settings>(&asked).unwrap_err();
    let Some((_, expected)) = refused.message().split_once("unknown field `zzz`, expected") else {
        return vec![table.to_owned()];
    };
    let names = expected.split('`').skip(1).step_by(2);
    let below = |name: &str| if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
    names.flat_map(|name| keys_below(&below(name))).collect()
}

#[test]
fn the_page_has_each_setting() {
    let mut written: Vec<&str> = rows().iter().map(|row| row.key).collect();
    let mut known = keys_below("");
    assert!(known.len() > 40 && known.contains(&"site.zone.ko".to_owned()), "{known:#?}");
    known.sort();
    written.sort_unstable();
    assert_eq!(written, known, "left: docs/settings.md; right: the struct");
}

#[test]
fn the_page_has_each_variable() {
    for row in rows() {
        // The strongest first.
        let foreign = FOREIGN.iter().rev().filter(|(_, path)| path.join(".") == row.key);
        let mut variables: Vec<String> = foreign.map(|(name, _)| (*name).to_owned()).collect();
        if variables.is_empty() {
            variables.push(own_variable(row.key));
        }
        assert_eq!(row.variables, variables, "{}: left: docs/settings.md; right: the program", row.key);
    }
}

/// A default in code marks is a value: set by its variable it must change nothing. Others are in words.
#[test]
fn the_page_has_each_default() {
    let usual = format!("{:?}", Settings::default());
    let mut values = 0;
    for row in rows() {
        let value = row.default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        // Such a default is another key.
        let Some(value) = value.filter(|value| !value.contains('`')) else { continue };
        let set = BTreeMap::from([(own_variable(row.key), value.to_owned())]);
        let settings = overlay(Table::new(), set).unwrap_or_else(|error| panic!("{}: {}", row.key, error.what));
        assert_eq!(format!("{settings:?}"), usual, "{}: the default is not {value}", row.key);
        values += 1;
    }
    assert!(values > 25, "only {values} defaults are values");
}

#[test]
fn the_page_has_all_bounds() {
    let mut bounds: BTreeMap<&str, String> =
        bounds::in_words().into_iter().map(|(key, [from, to])| (key, format!("{from} to {to}"))).collect();
    bounds.insert("secret", format!("at least {SECRET_MIN} bytes"));
    bounds.insert("secret_previous", format!("at least {SECRET_MIN} bytes"));
    bounds.insert("site.name", format!("1 to {SITE_NAME_MAX} characters"));
    bounds.insert("console.environment", format!("1 to {ENVIRONMENT_MAX} characters"));
    for key in ["serve.token", "serve.greeting_secret"] {
        bounds.insert(key, format!("{} to {} characters", SHARED.start(), SHARED.end()));
    }
    bounds.insert("alert.webhook.timeout", "100 milliseconds to 1 minute".to_owned());
    for row in rows() {
        let known = bounds.remove(row.key).unwrap_or_default();
        assert_eq!(row.bounds, known, "{}: left: docs/settings.md; right: the program", row.key);
    }
    assert!(bounds.is_empty(), "docs/settings.md lacks {bounds:?}");
}
