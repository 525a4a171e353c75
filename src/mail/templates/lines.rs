//! Which line of a source a rendered line comes from, through conditions, loops and includes.
//!
//! The template is rendered once more with an invisible mark before each line of its sources: a character of a private
//! plane that counts the lines. Then both texts are walked together.

use std::collections::BTreeMap;

/// First of the characters that mark lines: plane 15, for private use.
const FIRST_MARK: u32 = 0xf_0000;

/// How many lines can be marked.
const MARKS_MAX: usize = 0xfffe;

/// Where each rendered line comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineMap {
    places: Vec<(String, usize)>,
}

impl LineMap {
    /// The source's path and line, from 1, of a rendered line, from 1; none where nothing is known.
    #[must_use]
    pub fn place(&self, rendered_line: usize) -> Option<(&str, usize)> {
        let place = self.places.get(rendered_line.checked_sub(1)?)?;
        Some((&place.0, place.1))
    }

    /// The line, from 1, in whichever source; 1 where nothing is known.
    #[must_use]
    pub fn source_line(&self, rendered_line: usize) -> usize {
        self.place(rendered_line).map_or(1, |(_, line)| line)
    }
}

/// The lines that are marked.
#[derive(Default)]
pub(super) struct Marks {
    places: Vec<(String, usize)>,
}

impl Marks {
    /// The source with its lines marked, but for those that begin within a tag.
    pub(super) fn mark(&mut self, path: &str, source: &str) -> String {
        let mut marked = String::with_capacity(source.len() + source.len() / 8);
        let mut open: Option<&str> = None;
        for (number, line) in (1..).zip(source.split_inclusive('\n')) {
            // Before `{% extends %}` there may be nothing but white space.
            let is_text = open.is_none() && !line.trim_start().starts_with("{% extends");
            if is_text && self.places.len() < MARKS_MAX {
                let mark = u32::try_from(self.places.len()).ok().and_then(|n| char::from_u32(FIRST_MARK + n));
                marked.extend(mark);
                self.places.push((path.to_owned(), number));
            }
            open = end_state(line, open);
            marked.push_str(line);
        }
        marked
    }

    /// Where the lines of `rendered` come from, by the same text rendered from marked sources.
    pub(super) fn map(&self, rendered: &str, marked: &str) -> LineMap {
        let mut marked = marked.chars().filter(|c| !c.is_whitespace());
        let mut current = None;
        let mut places = Vec::new();
        for line in rendered.lines() {
            let mut first = None;
            for _ in line.chars().filter(|c| !c.is_whitespace()) {
                for c in marked.by_ref() {
                    match self.of(c) {
                        Some(place) => current = Some(place),
                        None => break,
                    }
                }
                first = first.or(current);
            }
            places.push(first.or(current).cloned().unwrap_or_else(|| (String::new(), 1)));
        }
        LineMap { places }
    }

    fn of(&self, c: char) -> Option<&(String, usize)> {
        self.places.get(usize::try_from(u32::from(c).checked_sub(FIRST_MARK)?).ok()?)
    }
}

/// Within which tag the line ends, by the tag's closing characters.
fn end_state<'a>(line: &str, mut open: Option<&'a str>) -> Option<&'a str> {
    let mut rest = line;
    loop {
        if let Some(close) = open {
            let Some(at) = rest.find(close) else { return open };
            rest = &rest[at + close.len()..];
            open = None;
        } else {
            let starts = BTreeMap::from([("{{", "}}"), ("{%", "%}"), ("{#", "#}")]);
            let first = starts.iter().filter_map(|(start, close)| Some((rest.find(start)?, *close))).min();
            let (at, close) = first?;
            rest = &rest[at + 2..];
            open = Some(close);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tera::{Context, Tera};

    #[test]
    fn through_conditions_loops_and_tags_over_lines() {
        let source = "one\n{% if true -%}\n  two\n{%- endif %}\n{# a\ncomment #}three {{\n 1 }}\n\
                      {% for n in [1, 2] %}\nfour {{ n }}\n{% endfor %}five";
        let mut marks = Marks::default();
        let marked = marks.mark("x", source);
        let render = |source: &str| {
            let mut tera = Tera::new();
            tera.add_raw_template("x", source).unwrap();
            tera.render("x", &Context::new()).unwrap()
        };
        let rendered = render(source);
        let map = marks.map(&rendered, &render(&marked));
        let found: Vec<_> = rendered
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(n, line)| (line.trim().to_owned(), map.source_line(n + 1)))
            .collect();
        let found: Vec<_> = found.iter().map(|(line, number)| (line.as_str(), *number)).collect();
        assert_eq!(found, [("one", 1), ("two", 3), ("three 1", 5), ("four 1", 9), ("four 2", 9), ("five", 10)]);
    }
}
