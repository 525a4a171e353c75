//! The tree: an arena that html5ever fills.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, LocalName, ParseOpts, QualName, ns, parse_document};

/// Most nodes of a mail that is laid out.
pub const NODES_MAX: usize = 20_000;

/// Deepest nesting of a mail that is laid out. Layout goes as deep as the mail: this takes less than half of a thread's
/// usual 2 MiB of stack, without any optimization.
pub const DEPTH_MAX: u16 = 160;

/// How many bytes are parsed before the budgets are looked at again.
const CHUNK: usize = 4_096;

/// A node's place in the arena.
pub type Id = usize;

/// A mail's tree.
pub struct Dom {
    nodes: Vec<Node>,
    /// Whether the mail has no proper document type, so that programs show it as of old.
    pub quirks: bool,
    /// Whether a line without text is only as high as what stands in it: so of old, and with transitional types.
    pub loose: bool,
}

struct Node {
    parent: Option<Id>,
    first: Option<Id>,
    last: Option<Id>,
    before: Option<Id>,
    after: Option<Id>,
    depth: u16,
    data: Data,
}

/// What a node is.
pub enum Data {
    Element(Element),
    Text(StrTendril),
    /// The document itself, comments and the like.
    Other,
}

/// An element's name and attributes.
pub struct Element {
    name: QualName,
    attributes: Vec<Attribute>,
}

impl Element {
    /// Its name in lower case.
    pub fn name(&self) -> &str {
        &self.name.local
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
    }

    /// All attributes' names and values.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|attribute| (&*attribute.name.local, &*attribute.value))
    }
}

impl Dom {
    /// The document itself.
    pub const ROOT: Id = 0;

    /// Parses a mail; `None` where it has more nodes or nests deeper than the budgets allow.
    pub fn parse(html: &str) -> Option<Self> {
        Self::parse_within(html, NODES_MAX, DEPTH_MAX)
    }

    /// The same with budgets of one's own.
    pub fn parse_within(html: &str, nodes: usize, depth: u16) -> Option<Self> {
        let sink = Sink::new();
        let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        let mut parser = parse_document(sink, ParseOpts { tree_builder, ..ParseOpts::default() });
        let mut rest = html;
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK.min(rest.len())));
            parser.process(StrTendril::from_slice(chunk));
            rest = after;
            let sink = &parser.tokenizer.sink.sink;
            if sink.depth.get() > depth || sink.nodes.borrow().len() > nodes {
                return None;
            }
        }
        let dom = parser.finish();
        (dom.nodes.len() <= nodes).then_some(dom)
    }

    /// What a node is.
    pub fn data(&self, id: Id) -> &Data {
        &self.nodes[id].data
    }

    /// A node as an element.
    pub fn element(&self, id: Id) -> Option<&Element> {
        match &self.nodes[id].data {
            Data::Element(element) => Some(element),
            _ => None,
        }
    }

    /// A node's children.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.nodes[id].first, |child| self.nodes[*child].after)
    }

    /// What holds a node.
    pub fn parent(&self, id: Id) -> Option<Id> {
        self.nodes[id].parent
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Every node but the document, parents before their children, siblings in order.
    pub fn preorder(&self) -> Preorder<'_> {
        Preorder { dom: self, next: self.nodes[Self::ROOT].first }
    }

    /// The first element of that name.
    pub fn find(&self, name: &str) -> Option<Id> {
        self.preorder().find(|id| self.element(*id).is_some_and(|element| element.name() == name))
    }
}

/// See [`Dom::preorder`].
pub struct Preorder<'a> {
    dom: &'a Dom,
    next: Option<Id>,
}

impl Iterator for Preorder<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        let here = self.next?;
        let node = &self.dom.nodes[here];
        self.next = node.first.or(node.after).or_else(|| {
            let above = std::iter::successors(node.parent, |id| self.dom.nodes[*id].parent);
            above.into_iter().find_map(|id| self.dom.nodes[id].after)
        });
        Some(here)
    }
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    depth: Cell<u16>,
    quirks: Cell<QuirksMode>,
}

impl Sink {
    fn new() -> Self {
        let sink = Self { nodes: RefCell::default(), depth: Cell::new(0), quirks: Cell::new(QuirksMode::NoQuirks) };
        sink.add(Data::Other);
        sink
    }

    fn add(&self, data: Data) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { parent: None, first: None, last: None, before: None, after: None, depth: 0, data });
        nodes.len() - 1
    }

    /// Puts a node under a parent, before a sibling or at the end.
    fn link(&self, child: Id, parent: Id, sibling: Option<Id>) {
        self.unlink(child);
        let nodes = &mut *self.nodes.borrow_mut();
        let before = sibling.map_or(nodes[parent].last, |sibling| nodes[sibling].before);
        let depth = nodes[parent].depth.saturating_add(1);
        self.depth.set(self.depth.get().max(depth));
        let node = &mut nodes[child];
        (node.parent, node.before, node.after, node.depth) = (Some(parent), before, sibling, depth);
        match before {
            Some(before) => nodes[before].after = Some(child),
            None => nodes[parent].first = Some(child),
        }
        match sibling {
            Some(sibling) => nodes[sibling].before = Some(child),
            None => nodes[parent].last = Some(child),
        }
    }

    fn unlink(&self, child: Id) {
        let nodes = &mut *self.nodes.borrow_mut();
        let node = &mut nodes[child];
        let (parent, before, after) = (node.parent.take(), node.before.take(), node.after.take());
        let Some(parent) = parent else { return };
        match before {
            Some(before) => nodes[before].after = after,
            None => nodes[parent].first = after,
        }
        match after {
            Some(after) => nodes[after].before = before,
            None => nodes[parent].last = before,
        }
    }

    fn put(&self, parent: Id, sibling: Option<Id>, child: NodeOrText<Id>) {
        match child {
            NodeOrText::AppendNode(child) => self.link(child, parent, sibling),
            NodeOrText::AppendText(text) => {
                let before = {
                    let nodes = self.nodes.borrow();
                    sibling.map_or(nodes[parent].last, |sibling| nodes[sibling].before)
                };
                if let Some(before) = before
                    && let Data::Text(there) = &mut self.nodes.borrow_mut()[before].data
                {
                    there.push_tendril(&text);
                    return;
                }
                let child = self.add(Data::Text(text));
                self.link(child, parent, sibling);
            }
        }
    }
}

impl TreeSink for Sink {
    type Handle = Id;
    type Output = Dom;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        let mode = self.quirks.get();
        Dom { nodes: self.nodes.into_inner(), quirks: mode == QuirksMode::Quirks, loose: mode != QuirksMode::NoQuirks }
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        Dom::ROOT
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Ref<'a, QualName> {
        static OTHER: std::sync::OnceLock<QualName> = std::sync::OnceLock::new();
        Ref::map(self.nodes.borrow(), |nodes| match &nodes[*target].data {
            Data::Element(element) => &element.name,
            _ => OTHER.get_or_init(|| QualName::new(None, ns!(), LocalName::from(""))),
        })
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _flags: ElementFlags) -> Id {
        self.add(Data::Element(Element { name, attributes }))
    }

    fn create_comment(&self, _text: StrTendril) -> Id {
        self.add(Data::Other)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Id {
        self.add(Data::Other)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        self.put(*parent, None, child);
    }

    fn append_based_on_parent_node(&self, element: &Id, before: &Id, child: NodeOrText<Id>) {
        let parent = self.nodes.borrow()[*element].parent;
        match parent {
            Some(parent) => self.put(parent, Some(*element), child),
            None => self.put(*before, None, child),
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.quirks.set(mode);
    }

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let parent = self.nodes.borrow()[*sibling].parent;
        if let Some(parent) = parent {
            self.put(parent, Some(*sibling), child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, attributes: Vec<Attribute>) {
        if let Data::Element(element) = &mut self.nodes.borrow_mut()[*target].data {
            for attribute in attributes {
                if element.attributes.iter().all(|there| there.name != attribute.name) {
                    element.attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.unlink(*target);
    }

    fn reparent_children(&self, node: &Id, parent: &Id) {
        let mut next = self.nodes.borrow()[*node].first;
        while let Some(child) = next {
            next = self.nodes.borrow()[child].after;
            self.link(child, *parent, None);
        }
    }
}
