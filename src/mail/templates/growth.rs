//! Bounds on what a template may make: how long a part of a mail may get, how long that may take, and no text that
//! doubles.
//!
//! Tera has none of these. What is written out passes `Bounded`, which fails when it is too much or too late. Text
//! that is only assigned passes nothing; so a template may not make assigned text from more than one that was assigned
//! before: 30 lines of `{% set a = a ~ a %}` are a gigabyte. With one such part at a time text grows by what the
//! template itself or the mail brings along. That, and what loops and files do without writing, [`Watched`] counts.

mod doubling;
mod pieces;
mod watched;

use std::io;
use std::time::{Duration, Instant};

use tera::{Context, Tera, TeraResult};

pub(super) use doubling::Known;
pub use watched::Watched;

/// Longest part of a mail, in bytes; Gmail clips a mail at a fortieth of it.
const PART_MAX: usize = 4 << 20;

/// How long a part may take to be worded.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Words a part of a mail, within the bounds. The outer error says what is too much.
pub fn render(watched: &Watched, path: &str, context: &Context) -> Result<TeraResult<String>, String> {
    let (rendered, excess) = try_to_render(watched.begin(), path, context);
    match excess.or_else(watched::excess) {
        Some(excess) => Err(excess),
        None => Ok(rendered),
    }
}

/// Renders it once more, where that has failed within the bounds, for the same error with the places of the sources as
/// they are.
pub(super) fn error_of(tera: &Tera, path: &str, context: &Context) -> Option<tera::Error> {
    try_to_render(tera, path, context).0.err()
}

fn try_to_render(tera: &Tera, path: &str, context: &Context) -> (TeraResult<String>, Option<String>) {
    let mut bounded = Bounded { text: Vec::new(), started: Instant::now() };
    let rendered = tera.render_to(path, context, &mut bounded);
    let excess = bounded.excess();
    (rendered.map(|()| String::from_utf8_lossy(&bounded.text).into_owned()), excess)
}

/// Takes a part of a mail in, up to a bound.
struct Bounded {
    text: Vec<u8>,
    started: Instant,
}

impl Bounded {
    /// What it is too much of, if it is.
    fn excess(&self) -> Option<String> {
        if self.text.len() > PART_MAX {
            Some(format!("it makes more than {} KiB of one part of a mail", PART_MAX >> 10))
        } else if self.started.elapsed() > TIME_MAX {
            Some(too_long())
        } else {
            None
        }
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(&bytes[..bytes.len().min(PART_MAX + 1)]);
        if self.excess().is_some() { Err(io::Error::other("too much")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long() -> String {
    format!("it takes longer than {} seconds", TIME_MAX.as_secs())
}
