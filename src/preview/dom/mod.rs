//! A rendered mail as a tree, with the line of each element, the styles that hold for it, and what is wrong with it:
//! what the checks look at.
//!
//! ```text
//! sink.rs     the tree, with lines and the parser's complaints
//! starts.rs   where tags begin
//! css.rs      CSS as it is written
//! tags.rs     tags that do not fit together
//! cascade.rs  which declarations win for an element
//! ```

pub mod cascade;
pub mod css;
mod sink;
mod starts;
pub mod tags;

use std::collections::HashMap;

use ego_tree::NodeId;
use html5ever::tendril::TendrilSink as _;
use scraper::{ElementRef, Html, Node};

use cascade::{Cascade, Style};
use css::Sheet;
use starts::{Start, Starts};

use super::view::View;

/// Longest HTML that is looked into, in bytes; a mail beyond it is wrong anyway (Gmail cuts at 102 KB).
pub const HTML_MAX: usize = 512 * 1024;

/// How deep elements may stand in each other, and how far up a question about an element is asked. html5ever's time
/// grows with the square of the depth.
const DEPTH_MAX: usize = 256;

/// How many elements are looked into.
pub const ELEMENTS_MAX: usize = 20_000;

/// How many bytes are read between two looks at these bounds.
const PIECE: usize = 512;

/// Something that is wrong in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong, plain.
    pub message: String,
}

/// A rendered mail as a tree.
pub struct Dom {
    html: Html,
    lines: HashMap<NodeId, usize>,
    starts: HashMap<NodeId, Start>,
    mistakes: Vec<Mistake>,
    sheets: Vec<Sheet>,
}

impl Dom {
    /// Reads HTML. What is beyond [`HTML_MAX`], or beyond 20,000 elements or 256 of them in each other, is not read,
    /// and is a mistake.
    #[must_use]
    pub fn parse(html: &str) -> Self {
        let built = build(html);
        let sink::Built { html, lines, starts, mistakes } = built;
        let mut dom = Self { html, lines, starts, mistakes, sheets: Vec::new() };
        // What is in it begins where its tag ends.
        let end = |style: ElementRef<'_>| dom.lines.get(&style.id()).copied().unwrap_or(1);
        dom.sheets =
            dom.named(&["style"]).map(|style| css::sheet(&style.text().collect::<String>(), end(style))).collect();
        dom
    }

    /// Every element in order.
    pub fn elements(&self) -> impl Iterator<Item = ElementRef<'_>> {
        self.html.tree.root().descendants().filter_map(ElementRef::wrap)
    }

    /// The elements of these names, in order.
    pub fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = ElementRef<'a>> {
        self.elements().filter(|element| names.contains(&element.value().name()))
    }

    /// The elements that have this attribute, with its value, in order.
    pub fn with<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = (ElementRef<'a>, &'a str)> {
        self.elements().filter_map(move |element| Some((element, element.attr(attribute)?)))
    }

    /// The comments with their lines, in order.
    pub fn comments(&self) -> impl Iterator<Item = (&str, usize)> {
        self.html.tree.root().descendants().filter_map(|node| {
            let comment = node.value().as_comment()?;
            Some((&**comment, self.lines.get(&node.id()).copied().unwrap_or(1)))
        })
    }

    /// The line at which an element's tag begins, from 1; where it has none of its own, that of the tag that made it
    /// necessary.
    #[must_use]
    pub fn line(&self, element: ElementRef<'_>) -> usize {
        let start = self.starts.get(&element.id()).map(|start| start.line);
        start.or_else(|| self.lines.get(&element.id()).copied()).unwrap_or(1)
    }

    /// The column at which an element's tag begins, in characters from 1; none where it has none of its own.
    #[must_use]
    pub fn column(&self, element: ElementRef<'_>) -> Option<usize> {
        self.starts.get(&element.id()).map(|start| start.column)
    }

    /// What the parser complained of.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The `<style>` elements' rules.
    #[must_use]
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// The declarations in an element's `style`, and what could not be read of it.
    #[must_use]
    pub fn inline(&self, element: ElementRef<'_>) -> (Vec<css::Declaration>, Vec<Mistake>) {
        let line = || self.starts.get(&element.id()).map_or_else(|| self.line(element), |start| start.style);
        element.attr("style").map_or_else(Default::default, |style| css::declarations(style, line()))
    }

    /// The styles that hold for its elements in such a view.
    #[must_use]
    pub fn cascade(&self, view: &View) -> Cascade {
        Cascade::of(self, *view)
    }

    /// The text that a reader of this element sees: blanks folded, hidden parts and alternatives left out.
    #[must_use]
    pub fn visible_text(&self, element: ElementRef<'_>, cascade: &Cascade) -> String {
        let mut text = String::new();
        for node in element.descendants() {
            let Some(piece) = node.value().as_text() else { continue };
            let above = node.ancestors().take(DEPTH_MAX).take_while(|above| above.id() != element.id());
            if above.filter_map(ElementRef::wrap).all(|above| !cascade.hides(above)) && !cascade.hides(element) {
                text.push_str(piece);
            }
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its HTML without what is hidden, its styles included.
    #[must_use]
    pub fn visible_html(&self, cascade: &Cascade) -> String {
        let mut html = self.html.clone();
        for element in self.elements().filter(|element| cascade.hides(*element)) {
            if let Some(mut node) = html.tree.get_mut(element.id()) {
                node.detach();
            }
        }
        html.html()
    }

    /// Whether the element or one around it is hidden.
    #[must_use]
    pub fn is_hidden(&self, element: ElementRef<'_>, cascade: &Cascade) -> bool {
        cascade.hides(element) || above(element).any(|above| cascade.hides(above))
    }

    fn tree(&self) -> &ego_tree::Tree<Node> {
        &self.html.tree
    }
}

fn build(html: &str) -> sink::Built {
    let mut parser = html5ever::parse_document(sink::Sink::new(Starts::of(html)), html5ever::ParseOpts::default());
    let mut rest = html;
    while !rest.is_empty() {
        let sink = &parser.tokenizer.sink.sink;
        if html.len() - rest.len() >= HTML_MAX || sink.is_beyond(ELEMENTS_MAX, DEPTH_MAX) {
            sink.complain("the mail is too large or too deep to be looked into from here on");
            break;
        }
        let piece = rest.floor_char_boundary(PIECE);
        parser.process(rest[..piece].into());
        rest = &rest[piece..];
    }
    parser.finish()
}

/// The elements around an element, the nearest first; not more than some hundreds.
pub fn above(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    element.ancestors().take(DEPTH_MAX).filter_map(ElementRef::wrap)
}

/// What a style says where it says nothing.
pub static NO_STYLE: Style = Style::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_know_their_lines() {
        let dom = Dom::parse(
            "<!doctype html>\n<html>\n<body>\n<p>a</p><b\n class=x>\nc</b>\n<!-- note -->\n<table>\n<tr><td>1</table>",
        );
        let lines: Vec<(&str, usize)> =
            dom.elements().map(|element| (element.value().name(), dom.line(element))).collect();
        let expected = [
            ("html", 2),
            ("head", 3),
            ("body", 3),
            ("p", 4),
            ("b", 4),
            ("table", 8),
            ("tbody", 9),
            ("tr", 9),
            ("td", 9),
        ];
        assert_eq!(lines, expected);
        assert_eq!(dom.comments().collect::<Vec<_>>(), [(" note ", 7)]);
        let dom = Dom::parse(
            "\n<p\n class=x\n style='\n  margin: 0;\n  x'\n\n>a<b>b</b> <b>c</b>\n<style\n>\np { color: red }",
        );
        let p = dom.named(&["p"]).next().unwrap();
        let (declared, mistakes) = dom.inline(p);
        assert_eq!((dom.line(p), dom.column(p), declared[0].line, mistakes[0].line), (2, Some(1), 5, 6));
        assert_eq!(dom.named(&["b"]).map(|b| dom.column(b)).collect::<Vec<_>>(), [Some(3), Some(12)]);
        assert_eq!(dom.sheets()[0].rules[0].line, 11);
    }

    #[test]
    fn style_elements_are_read_with_their_lines() {
        let dom = Dom::parse("<style>\na { color: red }</style>\n<body style='margin:0; x'>");
        assert_eq!(dom.sheets()[0].rules[0].line, 2);
        let body = dom.named(&["body"]).next().unwrap();
        let (declared, mistakes) = dom.inline(body);
        assert_eq!((declared.len(), mistakes.len(), mistakes[0].line), (1, 1, 3));
    }

    #[test]
    fn only_visible_text_is_returned() {
        let dom = Dom::parse(
            "<style>.gone{display:none}</style><body><p>a <b>b</b>\n c<span class=gone>d<i>e</i></span></p><div hidden>f</div>",
        );
        let cascade = dom.cascade(&View::default());
        let body = dom.named(&["body"]).next().unwrap();
        assert_eq!(dom.visible_text(body, &cascade), "a b c");
        let hidden: Vec<&str> =
            dom.elements().filter(|one| dom.is_hidden(*one, &cascade)).map(|one| one.value().name()).collect();
        assert_eq!(hidden, ["head", "style", "span", "i", "div"]);
    }

    #[test]
    fn any_input_ends() {
        for (unit, closed) in
            [("<div>", ""), ("<table>", ""), ("<b>", ""), ("<style>a{", ""), ("<a style='color:red", "'>")]
        {
            let html = format!("{}{closed}", unit.repeat(HTML_MAX / unit.len() + 10));
            let dom = Dom::parse(&html);
            let cascade = dom.cascade(&View::default());
            if let Some(body) = dom.named(&["body"]).next() {
                let _ = dom.visible_text(body, &cascade);
            }
        }
    }
}
