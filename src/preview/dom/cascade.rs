//! Which declarations win for an element, by the cascade of CSS: importance, then `style` over `<style>`, then
//! specificity, then order. Nothing is inherited here but what is asked for with [`Cascade::inherited`].

use std::collections::{BTreeMap, HashMap};

use cssparser::{ParseError, Parser, Token};
use ego_tree::NodeId;
use scraper::{ElementRef, Selector};

use super::css::{Declaration, Rule};
use super::{Dom, NO_STYLE, above};
use crate::preview::layout::source::media;
use crate::preview::view::View;

/// How many times a selector is tried on an element in one mail; what is beyond is taken as not matching.
const TRIES_MAX: usize = 4_000_000;

/// Most pseudo-classes with arguments in a selector.
const NESTED_MAX: usize = 32;

/// What holds for an element: declarations by their property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style(BTreeMap<String, Declaration>);

impl Style {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    #[must_use]
    pub fn get(&self, property: &str) -> Option<&Declaration> {
        self.0.get(property)
    }

    /// The value of a property in lower case; `None` where it is not declared.
    #[must_use]
    pub fn value(&self, property: &str) -> String {
        self.get(property).map(|declared| declared.value.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Whether a property is declared as one keyword or number.
    #[must_use]
    pub fn is(&self, property: &str, value: &str) -> bool {
        self.get(property).is_some_and(|declared| declared.value.eq_ignore_ascii_case(value))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Declaration> {
        self.0.values()
    }
}

/// The styles of all elements of a mail in one view.
pub struct Cascade {
    styles: HashMap<NodeId, Style>,
}

impl Cascade {
    pub(super) fn of(dom: &Dom, view: View) -> Self {
        let rules = if view.styles { matchers(dom, view) } else { Vec::new() };
        let mut styles = HashMap::new();
        let mut tries = 0;
        for element in dom.tree().root().descendants().filter_map(ElementRef::wrap) {
            // (important, inline, specificity) in the order of weight.
            let mut won: BTreeMap<String, ((bool, bool, u32), Declaration)> = BTreeMap::new();
            let mut offer = |declared: &Declaration, inline: bool, specificity: u32| {
                let weight = (declared.important, inline, specificity);
                let entry = won.entry(declared.name.clone());
                let entry = entry.or_insert_with(|| (weight, declared.clone()));
                if weight >= entry.0 {
                    *entry = (weight, declared.clone());
                }
            };
            for (selector, specificity, rule) in &rules {
                tries += 1;
                if tries < TRIES_MAX && selector.matches(&element) {
                    rule.declarations.iter().for_each(|declared| offer(declared, false, *specificity));
                }
            }
            dom.inline(element).0.iter().for_each(|declared| offer(declared, true, 0));
            if !won.is_empty() {
                styles.insert(
                    element.id(),
                    Style(won.into_iter().map(|(name, (_, declared))| (name, declared)).collect()),
                );
            }
        }
        Self { styles }
    }

    /// What holds for an element.
    #[must_use]
    pub fn style(&self, element: ElementRef<'_>) -> &Style {
        self.styles.get(&element.id()).unwrap_or(&NO_STYLE)
    }

    /// What holds for an element or, where nothing is declared for it, for the nearest around it.
    #[must_use]
    pub fn inherited(&self, element: ElementRef<'_>, property: &str) -> Option<&Declaration> {
        self.style(element).get(property).or_else(|| above(element).find_map(|above| self.style(above).get(property)))
    }

    /// Whether an element by itself is not shown.
    #[must_use]
    pub fn hides(&self, element: ElementRef<'_>) -> bool {
        let unseen = ["head", "style", "script", "title", "template", "noscript"];
        if unseen.contains(&element.value().name()) || element.attr("hidden").is_some() {
            return true;
        }
        let style = self.style(element);
        let flat = |property: &str| style.get(property).and_then(Declaration::pixels) == Some(0.0);
        style.is("display", "none")
            || style.is("visibility", "hidden")
            || (style.is("overflow", "hidden") && (flat("max-height") || flat("height")))
    }
}

/// The rules that hold in such a view, each selector of a list by itself: selector, specificity, rule.
fn matchers(dom: &Dom, view: View) -> Vec<(Selector, u32, &Rule)> {
    let holds = |rule: &&Rule| !rule.nested && rule.within.iter().all(|within| holds(within, view));
    let rules = dom.sheets().iter().flat_map(|sheet| &sheet.rules).filter(holds);
    rules
        .flat_map(|rule| {
            let one = |text: &str| Some((selector(text)?, specificity(text), rule));
            list(&rule.selector).into_iter().filter_map(one).collect::<Vec<_>>()
        })
        .collect()
}

/// A selector; none where it cannot be read, has a state, such as `:hover`, or nests too deep for the parser, which
/// takes a part of the stack for each level.
#[must_use]
pub fn selector(text: &str) -> Option<Selector> {
    let nested = text.bytes().filter(|byte| *byte == b'(').count();
    if nested > NESTED_MAX { None } else { Selector::parse(text).ok() }
}

#[must_use]
pub fn list(selectors: &str) -> Vec<&str> {
    let mut input = Parser::new(selectors);
    let mut parts = Vec::new();
    let mut begin = input.position();
    loop {
        // A block is passed over only with the token behind it, so that its end is known no sooner.
        let token = input.next_including_whitespace_and_comments().map(|token| *token == Token::Comma);
        let part = input.slice_from(begin);
        match token {
            Ok(true) => {
                parts.push(part.strip_suffix(',').unwrap_or(part));
                begin = input.position();
            }
            Ok(false) => {}
            Err(_) => {
                parts.push(part);
                return parts;
            }
        }
    }
}

/// How specific a selector is (Selectors 4, 17), in one number.
fn specificity(selector: &str) -> u32 {
    weight(&mut Parser::new(selector))
}

/// That of the weightiest selector of a list.
fn weight(input: &mut Parser<'_>) -> u32 {
    let (mut most, mut weight) = (0, 0_u32);
    let mut before = Token::Comma;
    while let Ok(token) = input.next_including_whitespace_and_comments().cloned() {
        let one = match (&before, &token) {
            (_, Token::IDHash(_) | Token::Hash(_)) => 10_000,
            (Token::Colon, Token::Function(name)) => within(&name.to_ascii_lowercase(), input),
            (Token::Delim('.') | Token::Colon, Token::Ident(_)) | (_, Token::SquareBracketBlock) => 100,
            (_, Token::Ident(_)) => 1,
            _ => 0,
        };
        weight = weight.saturating_add(one);
        most = most.max(weight);
        if token == Token::Comma {
            weight = 0;
        }
        before = token;
    }
    most
}

/// That of a pseudo-class with arguments: some count as the weightiest of these.
fn within(name: &str, input: &mut Parser<'_>) -> u32 {
    match name {
        "where" => 0,
        "not" | "is" | "has" => {
            input.parse_nested_block(|inner| Ok::<_, ParseError<()>>(weight(inner))).unwrap_or_default()
        }
        _ => 100,
    }
}

/// Whether a condition such as `media (max-width: 480px)` holds in such a view. What is not understood does not hold.
#[must_use]
pub fn holds(within: &str, view: View) -> bool {
    let Some(query) = within.strip_prefix("media") else { return within.starts_with("supports") || within == "layer" };
    media::matches(query, view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::view::{Scheme, Width};

    fn color(html: &str, view: View) -> String {
        let dom = Dom::parse(html);
        let cascade = dom.cascade(&view);
        let target = dom.named(&["p"]).next().unwrap();
        cascade.style(target).value("color")
    }

    #[test]
    fn the_strongest_declaration_wins() {
        let table = [
            ("<p style='color: blue'>", "blue"),
            ("<style>p { color: red }</style><p style='color: blue'>", "blue"),
            ("<style>p { color: red !important }</style><p style='color: blue'>", "red"),
            ("<style>p { color: red !important }</style><p style='color: blue !important'>", "blue"),
            ("<style>p.x { color: red } p { color: green }</style><p class=x>", "red"),
            ("<style>.x { color: red } .y { color: green }</style><p class='y x'>", "green"),
            ("<style>#i { color: red } .x.x { color: green }</style><p class=x id=i>", "red"),
            ("<style>div, body > p { color: red } p:hover { color: green }</style><p>", "red"),
            ("<style>p { color: red; color: green }</style><p>", "green"),
            ("<style>b { color: red }</style><p>", ""),
            ("<style>p[title] { color: red }</style><p title>", "red"),
            ("<style>[title] { color: red }</style><p title>", "red"),
            ("<style>p[title='a,b'] { color: red }</style><p title='a,b'>", "red"),
            ("<style>p[title=x] { color: red }</style><p title=y>", ""),
            ("<style>b[title], p[title], i { color: red }</style><p title>", "red"),
            ("<style>b, p:not(.x) { color: red }</style><p>", "red"),
            ("<style>p:not(.x), b { color: red }</style><p class=x>", ""),
            ("<style>p:not([title]) { color: red }</style><p>", "red"),
            ("<style>p:is(.x, #y) { color: red } .x.x { color: green }</style><p class=x>", "red"),
            ("<style>p:not(#z) { color: red } .x.x { color: green }</style><p class=x>", "red"),
            ("<style>p:where(#i) { color: red } p { color: green }</style><p id=i>", "green"),
            ("<style>p[title] { color: red } p { color: green }</style><p title>", "red"),
            ("<style>p[title] { color: red } .x { color: green }</style><p title class=x>", "red"),
            ("<style>p:nth-child(1) { color: red } p { color: green }</style><p>", "red"),
        ];
        for (html, won) in table {
            assert_eq!(color(html, View::default()), won, "{html}");
        }
    }

    #[test]
    fn a_list_is_taken_apart_whole() {
        let table: [(&str, &[&str]); 8] = [
            ("a", &["a"]),
            ("a[b]", &["a[b]"]),
            ("a:not(.b)", &["a:not(.b)"]),
            ("a[b],c", &["a[b]", "c"]),
            ("a:not(.b, .c) , d[e='f,g']", &["a:not(.b, .c) ", " d[e='f,g']"]),
            ("a, b:is(c[d]), e", &["a", " b:is(c[d])", " e"]),
            ("", &[""]),
            ("a[b", &["a[b"]),
        ];
        for (selectors, parts) in table {
            assert_eq!(list(selectors), parts, "{selectors:?}");
        }
        // Nested too deep for a stack, were it followed all the way.
        let deep = format!("p{}", ":not(".repeat(100_000));
        assert_eq!(list(&deep).len(), 1);
        assert_eq!(color(&format!("<style>{deep} {{ color: red }}</style><p>"), View::default()), "");
    }

    #[test]
    fn conditions_hold_in_their_views() {
        let dark = View { scheme: Scheme::Dark, ..View::default() };
        let phone = View { width: Width::Phone, ..View::default() };
        let bare = View { styles: false, ..View::default() };
        let wide = View::default();
        let table = [
            ("media (prefers-color-scheme: dark)", &dark, true),
            ("media (prefers-color-scheme: dark)", &wide, false),
            ("media (prefers-color-scheme:light)", &wide, true),
            ("media only screen and (max-width: 480px)", &phone, true),
            ("media only screen and (max-width: 480px)", &wide, false),
            ("media (min-width:600px), print", &wide, true),
            ("media print", &wide, false),
            ("media (hover)", &wide, false),
        ];
        for (within, view, expected) in table {
            assert_eq!(holds(within, *view), expected, "{within}");
        }
        let html = "<style>@media screen { p { color: red } }</style><p>";
        assert_eq!(color(html, wide), "red");
        assert_eq!(color(html, bare), "");
    }

    #[test]
    fn styles_are_inherited_when_asked_for() {
        let dom = Dom::parse("<div style='color: red'><p><b>x");
        let cascade = dom.cascade(&View::default());
        let bold = dom.named(&["b"]).next().unwrap();
        assert_eq!(cascade.inherited(bold, "color").map(|declared| &*declared.value), Some("red"));
        assert_eq!(cascade.style(bold).get("color"), None);
    }
}
