//! From a place in a rendered mail to the place in a file where it is mended.

use std::path::Path;

use super::case::Case;
use super::finding::{At, File, Spot};
use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Source, Templates};

/// Whom a spot is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// The template.
    pub template: Option<&'a str>,
    /// The language.
    pub locale: Option<Locale>,
    /// The mail in which lines of rendered parts are counted.
    pub case: Option<&'a Case<'a>>,
}

/// Where something is mended.
pub(super) struct Placed {
    pub part: Option<Part>,
    pub file: Option<File>,
    pub line: usize,
    pub column: usize,
}

/// Where a spot is mended.
pub(super) fn of(templates: &Templates, about: About<'_>, spot: &Spot) -> Placed {
    let locale = spot.locale.or(about.locale);
    let source = |part| templates.source(about.template?, locale?, part);
    match &spot.at {
        At::Source(part, line, column) => {
            Placed { part: Some(*part), file: source(*part).map(file), line: *line, column: *column }
        }
        At::Rendered(part, line, column) => {
            let mapped = about.case.and_then(|case| mapped(templates, case, *part, *line, *column));
            let (found, line, column) = mapped.unwrap_or((source(*part), 1, 1));
            Placed { part: Some(*part), file: found.map(file), line, column }
        }
        At::Shown(shown, line, column) => {
            let part = Part::ALL.into_iter().find(|part| shown.ends_with(&format!("/{}", part.file())));
            Placed { part, file: Some(shown_file(templates, shown)), line: *line, column: *column }
        }
        At::Mail => Placed { part: None, file: None, line: 1, column: 1 },
        At::Settings => {
            let file = File { shown: "settings".to_owned(), path: None };
            Placed { part: None, file: Some(file), line: 1, column: 1 }
        }
    }
}

pub(super) fn file(source: &Source) -> File {
    File { shown: source.shown.clone(), path: source.file.clone() }
}

/// The file of a name as errors show it.
fn shown_file(templates: &Templates, shown: &str) -> File {
    match templates.sources().find(|(_, source)| source.shown == shown) {
        Some((_, source)) => file(source),
        None => {
            let path = Path::new(shown);
            File { shown: shown.to_owned(), path: path.is_absolute().then(|| path.to_owned()) }
        }
    }
}

fn mapped<'a>(
    templates: &'a Templates,
    case: &Case<'_>,
    part: Part,
    line: usize,
    column: usize,
) -> Option<(Option<&'a Source>, usize, usize)> {
    let (path, source_line) = case.line_map(part).place(line)?;
    let source = templates.source_at(path)?;
    let written = source.text.lines().nth(source_line.checked_sub(1)?).unwrap_or_default();
    let rendered = case.marked.part(part).lines().nth(line.checked_sub(1)?).unwrap_or_default();
    Some((Some(source), source_line, column_in(written, rendered, column)))
}

/// The column, from 1, in the line as it is written, of one in the line as it is rendered: exact before the first value
/// and behind the last one; else that of the first value.
fn column_in(written: &str, rendered: &str, column: usize) -> usize {
    let at = column.saturating_sub(1);
    let same = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let before = same(written, rendered);
    if at < before {
        return column;
    }
    let (long, length) = (written.chars().count(), rendered.chars().count());
    let behind = written.chars().rev().zip(rendered.chars().rev()).take_while(|(a, b)| a == b).count();
    let from_end = length.saturating_sub(at);
    if from_end > 0 && from_end <= behind.min(long - before.min(long)) {
        return long - from_end + 1;
    }
    // A value may begin as its tag does.
    let tag = written.char_indices().take(before + 1).map(|(at, _)| at).last().unwrap_or(0);
    let tag = written[..tag].rfind('{').filter(|open| written[*open..].starts_with("{{")).unwrap_or(tag);
    written[..tag].chars().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_around_values() {
        let written = "<p>Hello {{ name }}, <a href=\"{{ link }}\">가 go</a>";
        let rendered = "<p>Hello 하늘, <a href=\"https://example.org/\">가 go</a>";
        let column = |text: &str, part: &str| text[..text.find(part).unwrap()].chars().count() + 1;
        for (part, wanted) in
            [("<p>", "<p>"), ("Hello", "Hello"), ("하늘", "{{ name"), ("go</a>", "go</a>"), ("\">가", "\">가")]
        {
            assert_eq!(column_in(written, rendered, column(rendered, part)), column(written, wanted), "{part}");
        }
        // Between two values nothing is exact.
        assert_eq!(column_in(written, rendered, column(rendered, "<a")), column(written, "{{ name"));
        assert_eq!(column_in("", "abc", 2), 1);
        assert_eq!(column_in("abc", "", 2), 1);
        assert_eq!(column_in("가나", "가나", 9), 2);
    }
}
