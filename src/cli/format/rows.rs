//! Rows of a list on standard output: as a table, as JSON Lines or as CSV.

use std::io;

use serde_json::Value;

use super::table;
use crate::cli::output;
use crate::export::{Columns, Format};

/// How rows are written.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Written {
    /// Print JSON Lines, one object per row
    #[arg(long)]
    json: bool,
    /// Print CSV: RFC 4180, UTF-8, with a line of headings. An apostrophe stands before what a spreadsheet would take
    /// for a formula
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Writes the rows of one list, some at a time.
pub struct Printer {
    format: Option<Format>,
    columns: Columns,
    headings: &'static [&'static str],
    is_begun: bool,
}

impl Written {
    /// Whether they are for a person to look at.
    pub fn is_table(self) -> bool {
        self.format().is_none()
    }

    /// Whether each row has its cursor.
    pub fn is_json(self) -> bool {
        self.json
    }

    fn format(self) -> Option<Format> {
        match (self.json, self.csv) {
            (true, _) => Some(Format::JsonLines),
            (_, true) => Some(Format::Csv),
            _ => None,
        }
    }

    pub fn printer(self, columns: Columns, headings: &'static [&'static str]) -> Printer {
        Printer { format: self.format(), columns, headings, is_begun: false }
    }
}

impl Printer {
    /// The next rows: as `value` has their fields, or as `cells` shows them in a table.
    pub fn print<R>(
        &mut self,
        rows: &[R],
        value: impl Fn(&R) -> Value,
        cells: impl Fn(&R) -> Vec<String>,
    ) -> io::Result<()> {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let mut text = String::new();
        match self.format {
            Some(format) => {
                if is_first {
                    text.push_str(&format.head(self.columns));
                }
                text.extend(rows.iter().map(|row| format.row(self.columns, &value(row))));
            }
            None if rows.is_empty() => self.is_begun = !is_first,
            None => {
                let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
                let lines = table::lines(self.headings, &cells, output::columns());
                text.extend(lines.iter().skip(usize::from(!is_first)).flat_map(|line| [line, "\n"]));
            }
        }
        output::text(&text)
    }
}
