//! CSV as RFC 4180 has it, in UTF-8: what programs read, and what people open in a spreadsheet.
//!
//! A spreadsheet takes a cell that begins with `=` for a formula, which may fetch and send what it likes (CWE-1236).
//! Strangers choose names and addresses. So an apostrophe stands before whatever may be taken for one.

use serde_json::Value;

use crate::text::plain;

/// What a formula begins with; in the full-width forms too, which some spreadsheets take for the same.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A record, with its end.
pub fn record(cells: impl IntoIterator<Item = String>) -> String {
    let mut out = String::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\r', '\n', ';']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
    out
}

/// What stands in a cell: empty where there is nothing.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        // Its texts are within braces, and escaped.
        other => plain(&other.to_string()).into_string(),
    }
}

/// A text as a person may see it, that is no formula.
fn harmless(text: &str) -> String {
    let shown = plain(text).into_string();
    // What a spreadsheet may leave out before it looks.
    let is_led = text.starts_with(['\t', '\r', '\n']);
    let is_formula = shown.trim_start().starts_with(FORMULA);
    if is_led || is_formula { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A reader that knows the standard and nothing of this writer.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !quoted && chars.peek() == Some(&'\n') => {
                    chars.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                c => cell.push(c),
            }
        }
        assert!(!quoted && row.is_empty() && cell.is_empty(), "it ends within a record: {text:?}");
        rows
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let cells = ["a", "", "a,b", "say \"hi\"", "a\nb", "김미나", "a;b"].map(str::to_owned);
        assert_eq!(record(cells.clone()), "a,,\"a,b\",\"say \"\"hi\"\"\",\"a\nb\",김미나,\"a;b\"\r\n");
        assert_eq!(read(&record(cells.clone())), [cells.to_vec()]);
    }

    #[test]
    fn no_cell_is_a_formula() {
        let table = [
            ("=1+1", "'=1+1"),
            ("+82 2 123", "'+82 2 123"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1+1", "' =1+1"),
            ("\tx", "' x"),
            ("\r=1+1", "' ⏎ =1+1"),
            ("  =1+1", "'  =1+1"),
            ("＝1+1", "'＝1+1"),
            ("mina@example.com", "mina@example.com"),
            ("a=1", "a=1"),
            ("'=1", "'=1"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(cell(&json!(text)), expected, "{text:?}");
        }
        assert_eq!([json!(null), json!(-4), json!(true)].map(|value| cell(&value)), ["", "-4", "true"]);
        assert_eq!(cell(&json!({ "email": "=a@b.example" })), "{\"email\":\"=a@b.example\"}");
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_a_record_is_one_and_harmless(texts in proptest::collection::vec(any::<String>(), 1..6)) {
            let cells: Vec<String> = texts.iter().map(|text| cell(&json!(text))).collect();
            prop_assert_eq!(read(&record(cells.clone())), vec![cells.clone()]);
            for cell in cells {
                prop_assert!(!cell.chars().any(char::is_control), "{cell:?}");
                prop_assert!(!cell.trim_start().starts_with(FORMULA), "{cell:?}");
            }
        }
    }
}
