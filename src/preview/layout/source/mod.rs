//! From a mail's bytes to the tree that is laid out.
//!
//! ```text
//! outlook.rs  conditional comments, as Outlook reads them
//! sheet.rs    <style>: @media that match are unwrapped, all other at-rules dropped
//! media.rs    whether a media query matches
//! dom.rs      the tree
//! ```

pub mod dom;
mod media;
pub(in crate::preview) mod outlook;
pub(in crate::preview) mod sheet;

use css_inline::{CSSInliner, InlineOptions};

use crate::preview::laid::Note;
use crate::preview::view::View;
use crate::text::plain;
use dom::Dom;

/// The tree of a mail with its styles inlined, and what went wrong with them; nothing where the mail is beyond the
/// budgets.
pub fn read(html: &str, view: &View) -> Option<(Dom, Option<Note>)> {
    let html = if view.outlook { outlook::resolve(html) } else { html.to_owned() };
    let (html, styled) = sheet::unwrap(&html, view);
    if !styled {
        return Some((Dom::parse(&html)?, None));
    }
    // Inlining parses the mail without any budget: what is harmless is known only once it has been parsed with one.
    let bare = Dom::parse(&html)?;
    match inliner().inline(&html) {
        Ok(inlined) => Some((Dom::parse(&inlined)?, None)),
        Err(error) => Some((bare, Some(Note::Styles(plain(&error.to_string()).into_string())))),
    }
}

fn inliner() -> CSSInliner<'static> {
    let options =
        InlineOptions { load_remote_stylesheets: false, resolve_css_variables: true, ..InlineOptions::default() };
    CSSInliner::new(options)
}
