//! Templates whose loops, files and assignments are counted while they are rendered.
//!
//! Tera calls no one for them. So the sources get calls of functions of ours, which write nothing: one at the beginning
//! of each file, block, component and pass of a loop, and one behind each assignment. They fail when it is too much.

use std::cell::RefCell;
use std::time::Instant;

use tera::{Kwargs, State, Tera, TeraResult, Value};

use super::TIME_MAX;
use super::pieces::{Piece, assignment, pieces, words};

/// How often a part of a mail may begin a file, block or component, or go through a loop.
const PASSES_MAX: u64 = 200_000;

/// How much source that may be, taken together, and assigned text.
const WORK_MAX: u64 = 64 << 20;

/// Longest text that may be assigned, in bytes.
const VALUE_MAX: usize = 256 << 10;

/// How deep lists may stand in lists: they are looked through, and dropped, level by level.
const DEPTH_MAX: usize = 32;

/// The functions, by names that no one writes by accident. A template that calls them does not compile without them.
const PASS: &str = "verifydesk_pass";
const LOOK: &str = "verifydesk_look";

thread_local! {
    static STEPS: RefCell<Steps> = RefCell::new(Steps::new());
}

/// What has been done of a part of a mail.
struct Steps {
    started: Instant,
    passes: u64,
    work: u64,
    excess: Option<String>,
}

impl Steps {
    fn new() -> Self {
        Self { started: Instant::now(), passes: 0, work: 0, excess: None }
    }

    /// Fails where it is too much.
    fn judge(&mut self) -> TeraResult<()> {
        let excess = if self.passes > PASSES_MAX || self.work > WORK_MAX {
            format!("it repeats more than {PASSES_MAX} times, or more than {} MiB of its text", WORK_MAX >> 20)
        } else if self.started.elapsed() > TIME_MAX {
            super::too_long()
        } else {
            return Ok(());
        };
        self.refuse(excess)
    }

    fn refuse(&mut self, excess: String) -> TeraResult<()> {
        self.excess = Some(excess);
        Err(tera::Error::message("too much"))
    }
}

/// Compiled templates that are counted.
#[derive(Debug)]
pub struct Watched(Tera);

impl Default for Watched {
    fn default() -> Self {
        let mut tera = Tera::new();
        tera.register_function(PASS, pass);
        tera.register_function(LOOK, look);
        Self(tera)
    }
}

impl Watched {
    /// Compiles sources by the names they have for each other.
    ///
    /// # Errors
    /// What Tera says; places in it are those of the sources with the calls.
    pub fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> TeraResult<Self> {
        let mut watched = Self::default();
        watched.0.add_raw_templates(sources.into_iter().map(|(path, source)| (path, with_calls(source))))?;
        Ok(watched)
    }

    /// Adds one, and keeps the others where that fails.
    pub fn add(&mut self, path: &str, source: &str) -> TeraResult<()> {
        self.0.add_raw_template(path, &with_calls(source))
    }

    /// The templates, and from now on nothing done of them.
    pub(super) fn begin(&self) -> &Tera {
        STEPS.with_borrow_mut(|steps| *steps = Steps::new());
        &self.0
    }
}

/// What there was too much of since [`Watched::begin`], if there was.
pub(super) fn excess() -> Option<String> {
    STEPS.with_borrow_mut(|steps| steps.excess.take())
}

/// So much source follows.
#[expect(clippy::needless_pass_by_value, reason = "Tera's signature")]
fn pass(arguments: Kwargs, _: &State) -> TeraResult<String> {
    let bytes: u64 = arguments.must_get("n")?;
    STEPS.with_borrow_mut(|steps| {
        steps.passes += 1;
        steps.work += bytes;
        steps.judge()
    })?;
    Ok(String::new())
}

/// This was assigned.
#[expect(clippy::needless_pass_by_value, reason = "Tera's signature")]
fn look(arguments: Kwargs, _: &State) -> TeraResult<String> {
    let value: Value = arguments.must_get("v")?;
    let name: &str = arguments.must_get("name")?;
    let size = size_of(&value, DEPTH_MAX);
    STEPS.with_borrow_mut(|steps| match size {
        None => steps.refuse(format!("it assigns lists within lists, more than {DEPTH_MAX} deep, to `{name}`")),
        Some(size) if size > VALUE_MAX => {
            steps.refuse(format!("it assigns more than {} KiB to `{name}`", VALUE_MAX >> 10))
        }
        Some(size) => {
            steps.work += size as u64;
            steps.judge()
        }
    })?;
    Ok(String::new())
}

/// How many bytes a value takes, about; none where it is deeper than that.
fn size_of(value: &Value, depth: usize) -> Option<usize> {
    let (list, map) = (value.as_array(), value.as_map());
    if let Some(text) = value.as_str() {
        return Some(text.len());
    }
    let inner = list.into_iter().flatten().chain(map.into_iter().flat_map(|map| map.values()));
    let mut sum = 8_usize;
    for value in inner {
        sum = sum.saturating_add(size_of(value, depth.checked_sub(1)?)?);
    }
    Some(sum)
}

fn with_calls(source: &str) -> String {
    let mut calls: Vec<(usize, String)> = Vec::new();
    // What is open: the word that ends it, which call is in it or what it assigns to, and where it began.
    let mut open: Vec<(&str, Result<usize, &str>, usize)> = Vec::new();
    // Nothing but blocks may stand in what extends another.
    let first = pieces(source).next().map(|placed| placed.piece);
    if !matches!(first, Some(Piece::Tag(tag)) if words(tag).next() == Some("extends")) {
        calls.push((0, pass_over(source.len(), "")));
    }
    for placed in pieces(source) {
        let Piece::Tag(tag) = placed.piece else { continue };
        let word = words(tag).next().unwrap_or_default();
        // White space goes where the tag says so, as if the call were not there.
        let trim = if tag.ends_with('-') { "-" } else { "" };
        let end = match word {
            "for" => Some("endfor"),
            "block" => Some("endblock"),
            "component" => Some("endcomponent"),
            _ => None,
        };
        if let Some(end) = end {
            open.push((end, Ok(calls.len()), placed.end));
            calls.push((placed.end, trim.to_owned()));
        } else if let Some((name, value)) = assignment(tag) {
            if value.is_some() {
                calls.push((placed.end, look_at(name, trim)));
            } else {
                open.push(("endset", Err(name), placed.end));
            }
        } else if open.last().is_some_and(|(end, ..)| *end == word)
            && let Some((_, what, begin)) = open.pop()
        {
            match what {
                Ok(call) => calls[call].1 = pass_over(placed.begin - begin, &calls[call].1),
                Err(name) => calls.push((placed.end, look_at(name, trim))),
            }
        }
    }
    // What has no end Tera has refused.
    for (_, what, begin) in open {
        if let Ok(call) = what {
            calls[call].1 = pass_over(source.len() - begin, &calls[call].1);
        }
    }
    calls.sort_by_key(|(at, _)| *at);
    let mut out = String::with_capacity(source.len() + calls.len() * 40);
    let mut from = 0;
    for (at, call) in calls {
        out.push_str(&source[from..at]);
        out.push_str(&call);
        from = at;
    }
    out.push_str(&source[from..]);
    out
}

fn pass_over(bytes: usize, trim: &str) -> String {
    format!("{{{{ {PASS}(n={bytes}) {trim}}}}}")
}

fn look_at(name: &str, trim: &str) -> String {
    format!("{{{{ {LOOK}(name=\"{name}\", v={name}) {trim}}}}}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn calls_stand_where_something_begins() {
        let table = [
            ("", "{{ verifydesk_pass(n=0) }}"),
            ("a{{ b }}{# {% for #}", "{{ verifydesk_pass(n=20) }}a{{ b }}{# {% for #}"),
            (
                "{% for a in b -%} xy{%- endfor %}",
                "{{ verifydesk_pass(n=33) }}{% for a in b -%}{{ verifydesk_pass(n=3) -}} xy{%- endfor %}",
            ),
            (
                "{% extends \"a\" %}{% block b %}{% set c = \"%}\" -%}{% endblock %}",
                "{% extends \"a\" %}{% block b %}{{ verifydesk_pass(n=19) }}{% set c = \"%}\" -%}\
                 {{ verifydesk_look(name=\"c\", v=c) -}}{% endblock %}",
            ),
            (
                "{% raw %}{% for a in b %}{% endraw %}{% set a | upper %}b{% endset %}",
                "{{ verifydesk_pass(n=69) }}{% raw %}{% for a in b %}{% endraw %}{% set a | upper %}b{% endset %}\
                 {{ verifydesk_look(name=\"a\", v=a) }}",
            ),
        ];
        for (source, wanted) in table {
            assert_eq!(with_calls(source), wanted);
        }
    }

    proptest! {
        #[test]
        fn nothing_else_changes(source in "([{}%#~'\"a =\\\\\\PC]|\\{% (set a|set a = 'b'|endset|for a in b|endfor|raw|endraw|block x|endblock) -?%\\}){0,40}") {
            let mut rest = with_calls(&source);
            while let Some(begin) = rest.find("{{ verifydesk_") {
                let end = rest[begin..].find("}}").unwrap() + begin + 2;
                rest.replace_range(begin..end, "");
            }
            prop_assert_eq!(rest, source);
        }
    }
}
