//! What is kept of an event. The mail's headers and opened links hold the link with its key; what servers say may quote
//! it. So of the mail only what names it stays, and no address of a page keeps what stands behind its `?`.

use serde_json::{Map, Value};

use super::FIELD_MAX;

/// Of the mail.
const OF_THE_MAIL: [&str; 6] = ["timestamp", "messageId", "source", "destination", "tags", "sendingAccountId"];

/// Of what happened to it, never.
const NEVER: [&str; 2] = ["link", "linkTags"];

/// Most values of one event, and how deep they may lie.
const VALUES_MAX: usize = 500;
const DEPTH_MAX: usize = 8;

/// What is kept: of the mail what names it, and what stands at `field`; of a kind that is not known, everything else.
pub(super) fn of(event: &Value, field: &str) -> Value {
    let mut left = VALUES_MAX;
    let mut kept = Map::new();
    for (name, value) in event.as_object().into_iter().flatten() {
        let value = match value {
            Value::Object(mail) if name == "mail" => {
                let named = mail.iter().filter(|(name, _)| OF_THE_MAIL.contains(&name.as_str()));
                &Value::Object(named.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            value if name == field || field.is_empty() || value.is_string() => value,
            _ => continue,
        };
        if let Some(value) = cleaned(value, DEPTH_MAX, &mut left) {
            kept.insert(text(name), value);
        }
    }
    Value::Object(kept)
}

fn cleaned(value: &Value, depth: usize, left: &mut usize) -> Option<Value> {
    if depth == 0 || *left == 0 {
        return None;
    }
    *left -= 1;
    Some(match value {
        Value::String(one) => Value::String(text(one)),
        Value::Array(items) => items.iter().filter_map(|item| cleaned(item, depth - 1, left)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !NEVER.contains(&name.as_str()));
            Value::Object(
                fields.filter_map(|(name, value)| Some((text(name), cleaned(value, depth - 1, left)?))).collect(),
            )
        }
        other => other.clone(),
    })
}

/// Length of a key in characters.
const KEY_LENGTH: usize = 43;

/// A text without queries of pages' addresses, nor anything else that could be a key, nor what PostgreSQL cannot store;
/// and not too long.
pub(super) fn text(text: &str) -> String {
    let mut kept = String::new();
    for word in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')) {
        let end = word.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')).len();
        let (word, separator) = word.split_at(end);
        match word.find(['?', '#']) {
            Some(at) if word.contains("://") || word[at..].contains('=') => {
                kept.push_str(&without_keys(&word[..at]));
                kept.push_str("?…");
            }
            _ => kept.push_str(&without_keys(word)),
        }
        kept.push_str(separator);
    }
    kept.chars().filter(|c| *c != '\0').take(FIELD_MAX).collect()
}

fn without_keys(word: &str) -> String {
    let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut kept = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(is_of_a_key) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|c| !is_of_a_key(c)).unwrap_or(run.len());
        kept.push_str(before);
        kept.push_str(if end == KEY_LENGTH { "…" } else { &run[..end] });
        rest = &run[end..];
    }
    kept.push_str(rest);
    kept
}
