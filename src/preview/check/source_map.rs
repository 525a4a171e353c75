//! From a place in a rendered mail to the place in a file where it is fixed.

use std::path::Path;

use super::finding::{At, File, Violation};
use super::mails::{CheckContext, RenderedMail};
use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Source, Templates};

/// What a violation is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub template: Option<&'a str>,
    /// The language.
    pub locale: Option<Locale>,
    /// The mail in which lines of rendered parts are counted.
    pub mail: Option<&'a RenderedMail<'a>>,
}

/// Where something is fixed.
pub(super) struct Location {
    pub part: Option<Part>,
    pub file: Option<File>,
    pub line: usize,
    pub column: usize,
}

/// Where a violation is fixed.
pub(super) fn of(shared: &CheckContext<'_>, about: About<'_>, violation: &Violation) -> Location {
    let templates = shared.templates;
    let locale = violation.locale.or(about.locale);
    let source = |part| templates.source(about.template?, locale?, part);
    match &violation.at {
        At::Source(part, line, column) => {
            Location { part: Some(*part), file: source(*part).map(file), line: *line, column: *column }
        }
        At::Rendered(part, line, column) => {
            let mapped = about.mail.and_then(|mail| mapped(mail, *part, *line, *column));
            let (found, line, column) = mapped.unwrap_or((source(*part), 1, 1));
            Location { part: Some(*part), file: found.map(file), line, column }
        }
        At::Shown(shown, line, column) => {
            let part = Part::ALL.into_iter().find(|part| shown.ends_with(&format!("/{}", part.file())));
            Location { part, file: Some(shown_file(templates, shown)), line: *line, column: *column }
        }
        At::Mail => Location { part: None, file: None, line: 1, column: 1 },
        At::Settings => {
            let file = File { shown: "settings".to_owned(), path: None };
            Location { part: None, file: Some(file), line: 1, column: 1 }
        }
    }
}

pub(super) fn file(source: &Source) -> File {
    File { shown: source.shown.clone(), path: source.file.clone() }
}

/// The file of a name as errors show it.
fn shown_file(templates: &Templates, shown: &str) -> File {
    if let Some((_, source)) = templates.sources().find(|(_, source)| source.shown == shown) {
        return file(source);
    }
    let path = Path::new(shown);
    File { shown: shown.to_owned(), path: path.is_file().then(|| path.to_owned()) }
}

fn mapped<'a>(
    mail: &RenderedMail<'a>,
    part: Part,
    line: usize,
    column: usize,
) -> Option<(Option<&'a Source>, usize, usize)> {
    let (path, source_line) = mail.line_map(part).place(line)?;
    let source = mail.shared.templates.source_at(path)?;
    let columns = mail.columns(part, line, || {
        let written = mail.shared.written_line(path, source_line);
        Columns::of(written, mail.rendered_line(part, line))
    });
    Some((Some(source), source_line, columns.written(column)))
}

/// How the columns of a line as it is rendered go with those of the line as it is written. Kept for each line: there
/// may be thousands of findings in a long one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// How many characters both begin with.
    before: usize,
    /// How many characters both end with.
    behind: usize,
    /// How many characters the written line has.
    long: usize,
    /// How many characters the rendered line has.
    length: usize,
    /// The column of the first value.
    first: usize,
}

impl Columns {
    pub(super) fn of(written: &str, rendered: &str) -> Self {
        let before = written.chars().zip(rendered.chars()).take_while(|(a, b)| a == b).count();
        let behind = written.chars().rev().zip(rendered.chars().rev()).take_while(|(a, b)| a == b).count();
        // A value may begin as its tag does.
        let tag = written.char_indices().take(before + 1).map(|(at, _)| at).last().unwrap_or(0);
        let tag = written[..tag].rfind('{').filter(|open| written[*open..].starts_with("{{")).unwrap_or(tag);
        let first = written[..tag].chars().count() + 1;
        Self { before, behind, long: written.chars().count(), length: rendered.chars().count(), first }
    }

    /// The column, from 1, in the line as it is written, of one in the line as it is rendered: exact before the first
    /// value and behind the last one; else that of the first value.
    fn written(self, column: usize) -> usize {
        let at = column.saturating_sub(1);
        if at < self.before {
            return column;
        }
        let from_end = self.length.saturating_sub(at);
        if from_end > 0 && from_end <= self.behind.min(self.long.saturating_sub(self.before)) {
            return self.long - from_end + 1;
        }
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column_in(written: &str, rendered: &str, column: usize) -> usize {
        Columns::of(written, rendered).written(column)
    }

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
