//! From a mail's bytes to the tree that is laid out.
//!
//! ```text
//! outlook.rs  conditional comments, as Outlook reads them
//! sheet.rs    <style>: @media that match are unwrapped, all other at-rules dropped
//! media.rs    whether a media query matches
//! harmless.rs what may be parsed without budgets
//! dom.rs      the tree
//! ```

pub mod dom;
mod harmless;
pub(in crate::preview) mod media;
pub(in crate::preview) mod outlook;
pub(in crate::preview) mod sheet;

use css_inline::{CSSInliner, InlineOptions};

use crate::preview::cell_layout::Note;
use crate::preview::view::View;
use crate::text::plain;
use dom::Dom;
pub use harmless::is_harmless;

/// The tree of a mail with its styles inlined, and what went wrong with them; `None` where the mail is beyond the
/// budgets.
pub fn read(html: &str, view: View) -> Option<(Dom, Option<Note>)> {
    let html = if view.outlook { outlook::resolve(html) } else { html.to_owned() };
    let (html, styled) = sheet::unwrap(&html, view);
    if !styled {
        return Some((Dom::parse(&html)?, None));
    }
    // Inlining parses the mail without any budget: what may be a monster is parsed with one first.
    if !is_harmless(&html) {
        Dom::parse(&html)?;
    }
    match inliner().inline(&html) {
        Ok(inlined) => Some((Dom::parse(&inlined)?, None)),
        Err(error) => Some((Dom::parse(&html)?, Some(Note::Styles(plain(&error.to_string()).into_string())))),
    }
}

fn inliner() -> CSSInliner<'static> {
    let options =
        InlineOptions { load_remote_stylesheets: false, resolve_css_variables: true, ..InlineOptions::default() };
    CSSInliner::new(options)
}
