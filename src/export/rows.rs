//! Rows of each list in each format: the fields of JSON are the columns of CSV.

use serde_json::Value;

use super::{csv, json};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    JsonLines,
    Csv,
}

/// The columns of a list, by the fields of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns(&'static [&'static str]);

impl Columns {
    pub const VERIFICATIONS: Self = Self(&[
        "id",
        "user_id",
        "email",
        "name",
        "locale",
        "status",
        "created_at",
        "expires_at",
        "verified_at",
        "revoked_at",
        "opened_at",
        "delete_after",
        "key_fingerprint",
        "last_send.id",
        "last_send.state",
        "last_send.changed_at",
        "last_send.in_short",
    ]);
    pub const MAILS: Self = Self(&[
        "id",
        "verification_id",
        "user_id",
        "recipient",
        "locale",
        "state",
        "queued_at",
        "due_at",
        "changed_at",
        "attempts",
        "retry_at",
        "possible_double",
        "ses_id",
        "reply",
        "reason",
        "result",
        "test_of",
    ]);
    pub const AUDIT: Self = Self(&[
        "id",
        "at",
        "actor",
        "origin",
        "action",
        "outcome",
        "reason",
        "before",
        "after",
        "user_id",
        "email",
        "verification_id",
        "send_id",
        "undoes",
        "system_user",
        "ssh_address",
        "database_role",
        "database_client",
    ]);
}

impl Format {
    /// How names of its files end.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// What stands before all rows.
    pub(crate) fn head(self, columns: Columns) -> String {
        match self {
            Self::JsonLines => String::new(),
            Self::Csv => csv::record(columns.0.iter().map(|column| column.replace('.', "_"))),
        }
    }

    /// A row, with its end.
    pub(crate) fn row(self, columns: Columns, row: &Value) -> String {
        match self {
            Self::JsonLines => json::line(row) + "\n",
            Self::Csv => csv::record(columns.0.iter().map(|column| csv::cell(at(row, column)))),
        }
    }
}

/// The field of an object; after a dot, the field of that.
fn at<'a>(row: &'a Value, column: &str) -> &'a Value {
    column.split('.').fold(row, |value, part| value.get(part).unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_formats_say_the_same() {
        let row = json!({ "id": 7, "name": "Kim, \"Mina\"\u{1b}[2J", "last_send": { "state": "bounced" }, "extra": 1 });
        let columns = Columns(&["id", "name", "last_send.state", "last_send.none", "none"]);
        assert_eq!(Format::Csv.head(columns), "id,name,last_send_state,last_send_none,none\r\n");
        assert_eq!(Format::Csv.row(columns, &row), "7,\"Kim, \"\"Mina\"\"␛[2J\",bounced,,\r\n");
        let line = Format::JsonLines.row(columns, &row);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), row);
        assert!(line.ends_with("}\n") && Format::JsonLines.head(columns).is_empty());
    }
}
