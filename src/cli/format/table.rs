//! Tables for a person: aligned columns, cut to the terminal.

use crate::text::{fit, pad, width};

/// Lines of a table with a heading. The last column takes what room is left.
pub fn lines(headings: &[&str], rows: &[Vec<String>], columns: usize) -> Vec<String> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
    for row in rows {
        for (at, cell) in row.iter().enumerate().take(widths.len()) {
            widths[at] = widths[at].max(width(cell));
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push_str("  ");
            }
            out.push_str(&pad(cell, widths.get(at).copied().unwrap_or_default(), "…"));
        }
        fit(out.trim_end(), columns, "…")
    };
    let mut out = vec![line(&mut headings.iter().copied())];
    out.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_by_columns() {
        let rows = [vec!["1".into(), "김민준".into(), "x".into()], vec!["23".into(), "Mina".into(), "y".into()]];
        assert_eq!(lines(&["ID", "NAME", "S"], &rows, 80), ["ID  NAME    S", "1   김민준  x", "23  Mina    y"]);
        assert_eq!(lines(&["ID", "NAME", "S"], &rows, 8), ["ID  NAM…", "1   김…", "23  Min…"]);
    }
}
