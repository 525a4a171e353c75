//! Tags that do not fit together. A browser repairs them in silence, each mail program in its own way.

use std::cell::RefCell;

use html5ever::Attribute;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::Mistake;
use crate::text::plain;

/// How many mistakes are reported: the first is often the cause of the others.
const MISTAKES_MAX: usize = 20;

/// Elements that have no end tag.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements whose end tag may be left out in HTML; nothing moves elsewhere without it.
const OPTIONAL: [&str; 14] =
    ["p", "li", "dt", "dd", "option", "optgroup", "thead", "tbody", "tfoot", "colgroup", "html", "head", "body", "rp"];

/// What may stand in a table outside its cells.
const IN_TABLES: [&str; 13] =
    ["caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th", "style", "script", "template", "input"];

/// What is wrong with the tags of a mail: elements left open or closed twice, something in a table outside its cells,
/// attributes twice.
#[must_use]
pub fn mistakes(html: &str) -> Vec<Mistake> {
    let input = BufferQueue::default();
    input.push_back(html.into());
    let tokenizer = Tokenizer::new(Balance::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut found = tokenizer.sink.found.into_inner();
    found.truncate(MISTAKES_MAX);
    found.sort_by_key(|mistake| mistake.line);
    found
}

#[derive(Default)]
struct Balance {
    open: RefCell<Vec<(String, usize)>>,
    found: RefCell<Vec<Mistake>>,
}

impl Balance {
    fn say(&self, line: usize, message: String) {
        let mut found = self.found.borrow_mut();
        if found.len() < MISTAKES_MAX && !found.iter().any(|old| old.line == line && old.message == message) {
            found.push(Mistake { line, message });
        }
    }

    fn start(&self, tag: &Tag, line: usize) {
        let name = &*tag.name;
        let mut open = self.open.borrow_mut();
        let in_foreign = open.iter().rev().take(64).any(|(name, _)| name == "svg" || name == "math");
        if let Some((outer, _)) = open.last()
            && matches!(&**outer, "table" | "thead" | "tbody" | "tfoot" | "tr")
            && !IN_TABLES.contains(&name)
            && !is_hidden(&tag.attrs)
        {
            self.say(line, format!("<{}> stands in a <{outer}> outside its cells", plain(name)));
        }
        if VOID.contains(&name) || (in_foreign && tag.self_closing) {
            return;
        }
        if tag.self_closing {
            self.say(line, format!("<{}/> does not close itself: an end tag is needed", plain(name)));
        }
        open.push((name.to_owned(), line));
    }

    fn end_tag(&self, tag: &Tag, line: usize) {
        let name = &*tag.name;
        let mut open = self.open.borrow_mut();
        let Some(at) = open.iter().rposition(|(opened, _)| opened == name) else {
            if !matches!(name, "br" | "p") || VOID.contains(&name) {
                self.say(line, format!("</{}> closes nothing", plain(name)));
            }
            return;
        };
        // A cell's end does not close what is open around its table.
        let walls = |(opened, _): &(String, usize)| opened == "table" || opened == "td" || opened == "th";
        let cell_inside = matches!(name, "td" | "th" | "tr" | "tbody" | "thead" | "tfoot");
        if !cell_inside && name != "table" && !matches!(name, "body" | "html") && open[at + 1..].iter().any(walls) {
            self.say(line, format!("</{}> stands in a cell, and its element outside of it", plain(name)));
            return;
        }
        for (left, since) in open.drain(at..).skip(1) {
            if !OPTIONAL.contains(&&*left) {
                self.say(since, format!("<{}> is not closed before </{}>", plain(&left), plain(name)));
            }
        }
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| &*attribute.name.local == "type" && &*attribute.value == "hidden")
}

impl TokenSink for Balance {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        if self.found.borrow().len() == MISTAKES_MAX {
            // Looking through what is open takes its time, and no one reads more.
            return TokenSinkResult::Continue;
        }
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                self.start(&tag, line);
                match &*tag.name {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                        return TokenSinkResult::RawData(RawKind::Rawtext);
                    }
                    "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => {}
                }
            }
            Token::TagToken(tag) => self.end_tag(&tag, line),
            Token::ParseError(message) => match &*message {
                "Duplicate attribute" => self.say(line, "a tag has an attribute twice".to_owned()),
                message if message.contains("EOF") || message.contains("end of file") => {
                    self.say(line, "the mail ends within a tag or comment".to_owned());
                }
                _ => {}
            },
            Token::CharacterTokens(text) if !text.trim().is_empty() => {
                if let Some((outer, _)) = self.open.borrow().last()
                    && matches!(&**outer, "table" | "thead" | "tbody" | "tfoot" | "tr")
                {
                    self.say(line, format!("text stands in a <{outer}> outside its cells"));
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn end(&self) {
        for (name, line) in self.open.borrow_mut().drain(..) {
            if !OPTIONAL.contains(&&*name) {
                self.say(line, format!("<{}> is never closed", plain(&name)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_do_not_fit_are_reported_with_their_lines() {
        let table = [
            ("<table><tr><td>a</td></tr></table>", None),
            ("<p>a<p>b<ul><li>c<li>d</ul><br/><img src=x /><svg><path/></svg>", None),
            ("<style>a > b { } <td></style><title>a <b</title><!-- <td> -->", None),
            ("<table>\n<tr><td>a<tr><td>b</td></tr></table>", Some("2: <td> is not closed before </table>")),
            ("<table><tr><td>\n<b>a</td></tr></table>", Some("2: <b> is not closed before </td>")),
            ("a\n</td>", Some("2: </td> closes nothing")),
            ("<b><i>x</b></i>", Some("1: <i> is not closed before </b>")),
            ("<div><table><tr><td></div></td></tr></table></div>", Some("1: </div> stands in a cell")),
            ("<table><tr>\n<td>a", Some("2: <td> is never closed")),
            (
                "<table>\n<div>a</div><tr><td>b</td></tr></table>",
                Some("2: <div> stands in a <table> outside its cells"),
            ),
            ("<table><tr>a<td>b</td></tr></table>", Some("1: text stands in a <tr>")),
            ("<a href=x\nhref=y>a</a>", Some("2: a tag has an attribute twice")),
            ("<div/>a", Some("1: <div/> does not close itself")),
            ("<div>a</div><a href='", Some("1: the mail ends within a tag")),
        ];
        for (html, wanted) in table {
            let found: Vec<String> =
                mistakes(html).iter().map(|one| format!("{}: {}", one.line, one.message)).collect();
            match wanted {
                None => assert!(found.is_empty(), "{html}: {found:?}"),
                Some(wanted) => assert!(found.iter().any(|one| one.starts_with(wanted)), "{html}: {found:?}"),
            }
        }
    }

    #[test]
    fn any_input_ends() {
        for unit in ["<div>", "<table>", "</td>", "<a b b>", "<td", "<svg>"] {
            assert!(mistakes(&unit.repeat(50_000)).len() <= MISTAKES_MAX);
        }
    }
}
