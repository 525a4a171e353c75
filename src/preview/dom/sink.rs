//! scraper's tree, built with the line of each element and the mistakes that the parser met.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use ego_tree::NodeId;
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use scraper::{Html, HtmlTreeSink};

use super::Mistake;
use super::starts::{Start, Starts};

/// What a document was built into.
pub struct Built {
    pub html: Html,
    pub lines: HashMap<NodeId, usize>,
    pub starts: HashMap<NodeId, Start>,
    pub mistakes: Vec<Mistake>,
}

/// Builds, and writes down lines.
pub struct Sink {
    inner: HtmlTreeSink,
    /// The line of the present token: for a tag over several lines its last.
    line: Cell<usize>,
    lines: RefCell<HashMap<NodeId, usize>>,
    waiting: RefCell<Starts>,
    starts: RefCell<HashMap<NodeId, Start>>,
    mistakes: RefCell<Vec<Mistake>>,
    newest: Cell<Option<NodeId>>,
}

impl Sink {
    pub fn new(starts: Starts) -> Self {
        Self {
            inner: HtmlTreeSink::new(Html::new_document()),
            line: Cell::new(1),
            lines: RefCell::default(),
            waiting: RefCell::new(starts),
            starts: RefCell::default(),
            mistakes: RefCell::default(),
            newest: Cell::default(),
        }
    }

    /// Whether there are more elements than these, or the newest stands deeper.
    pub fn is_beyond(&self, elements: usize, depth: usize) -> bool {
        let html = self.inner.0.borrow();
        let newest = self.newest.get().and_then(|id| html.tree.get(id));
        self.lines.borrow().len() > elements || newest.is_some_and(|node| node.ancestors().nth(depth).is_some())
    }

    /// Writes a mistake down.
    pub fn complain(&self, message: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake { line: self.line.get(), message: message.into() });
    }
}

impl TreeSink for Sink {
    type Handle = NodeId;
    type Output = Built;
    type ElemName<'a> = <HtmlTreeSink as TreeSink>::ElemName<'a>;

    fn finish(self) -> Built {
        Built {
            html: self.inner.finish(),
            lines: self.lines.into_inner(),
            starts: self.starts.into_inner(),
            mistakes: self.mistakes.into_inner(),
        }
    }

    fn set_current_line(&self, line: u64) {
        self.line.set(usize::try_from(line).unwrap_or(usize::MAX));
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.complain(message);
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        // The parser calls an <image> an <img>, and writes some names of SVG with capitals.
        let written = name.local.to_ascii_lowercase();
        let start = self.waiting.borrow_mut().take(&written, self.line.get());
        let id = self.inner.create_element(name, attributes, flags);
        self.starts.borrow_mut().extend(start.map(|start| (id, start)));
        self.lines.borrow_mut().insert(id, self.line.get());
        self.newest.set(Some(id));
        id
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        let id = self.inner.create_comment(text);
        self.lines.borrow_mut().insert(id, self.line.get());
        id
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.inner.set_quirks_mode(mode);
    }

    fn get_document(&self) -> NodeId {
        self.inner.get_document()
    }

    fn same_node(&self, a: &NodeId, b: &NodeId) -> bool {
        self.inner.same_node(a, b)
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Self::ElemName<'a> {
        self.inner.elem_name(target)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.inner.create_pi(target, data)
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.inner.append_doctype_to_document(name, public, system);
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.inner.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.inner.append_based_on_parent_node(element, previous, child);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.inner.append_before_sibling(sibling, child);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.inner.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, parent: &NodeId) {
        self.inner.reparent_children(node, parent);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attributes: Vec<Attribute>) {
        self.inner.add_attrs_if_missing(target, attributes);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        self.inner.get_template_contents(target)
    }
}
