//! Where a mail uses which feature of HTML and CSS.

use scraper::{ElementRef, Selector};

use super::features::{FEATURES, Feature, Lack, Sign};
use crate::preview::dom::cascade::{Cascade, list, selector};
use crate::preview::dom::css::{Declaration, Rule};
use crate::preview::dom::{Dom, above};

/// A place where a feature is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// What is used.
    pub feature: &'static Feature,
    pub line: usize,
    /// What a program makes of this place that lacks it: what is within a condition, or has something to fall back on,
    /// only makes the mail plainer.
    pub lack: Lack,
    /// Whether a program that supports it in part does well here, as with padding on a table cell.
    pub part_is_enough: bool,
}

/// How many times a selector is tried on an element in one mail; what is beyond is taken as not matching.
const TRIES_MAX: usize = 1_000_000;

/// Every use of every feature, by line.
#[must_use]
pub fn uses(dom: &Dom, cascade: &Cascade) -> Vec<Use> {
    let mut uses = Vec::new();
    for element in dom.elements() {
        of_element(dom, element, &mut uses);
        of_block(&dom.inline(element).0, &[element], cascade, false, &mut uses);
    }
    let mut tries = TRIES_MAX;
    for sheet in dom.sheets() {
        for rule in &sheet.rules {
            let on = matched(dom, rule, &mut tries);
            of_block(&rule.declarations, &on, cascade, !rule.within.is_empty(), &mut uses);
            of_selector(rule, &mut uses);
        }
        for at_rule in &sheet.at_rules {
            for feature in FEATURES {
                let is_it = match feature.sign {
                    Sign::AtRule(name) => at_rule.name == name,
                    Sign::Media(condition) => at_rule.name == "media" && at_rule.prelude.contains(condition),
                    _ => false,
                };
                if is_it {
                    uses.push(Use { feature, line: at_rule.line, lack: feature.lack, part_is_enough: false });
                }
            }
        }
    }
    uses.sort_by_key(|one| one.line);
    uses
}

/// The elements that a rule is about; none where its selector has a state, such as `:hover`.
fn matched<'a>(dom: &'a Dom, rule: &Rule, tries: &mut usize) -> Vec<ElementRef<'a>> {
    if *tries == 0 {
        return Vec::new();
    }
    let selectors: Vec<Selector> = list(&rule.selector).into_iter().filter_map(selector).collect();
    let mut matches = |element: &ElementRef<'_>| {
        selectors.iter().any(|selector| {
            *tries = tries.saturating_sub(1);
            *tries > 0 && selector.matches(element)
        })
    };
    // Without a selector that can be tried nothing matches, however many elements there are.
    let elements = dom.elements().take(if selectors.is_empty() { 0 } else { usize::MAX });
    elements.filter(|element| matches(element)).take(50).collect()
}

fn of_element(dom: &Dom, element: ElementRef<'_>, uses: &mut Vec<Use>) {
    let name = element.value().name();
    let line = dom.line(element);
    for feature in FEATURES {
        let is_it = match feature.sign {
            Sign::Element(names) => names.contains(&name),
            Sign::Typed(wanted, kind) => {
                let usual = if name == "button" { "submit" } else { "text" };
                name == wanted && element.attr("type").unwrap_or(usual).eq_ignore_ascii_case(kind)
            }
            Sign::Attribute(attribute) => element.attr(attribute).is_some(),
            Sign::DataImage => name == "img" && element.attr("src").is_some_and(|src| src.starts_with("data:")),
            Sign::Image(ends) => name == "img" && element.attr("src").is_some_and(|src| ends_with(src, ends)),
            _ => false,
        };
        if is_it {
            uses.push(Use { feature, line, lack: feature.lack, part_is_enough: false });
        }
    }
}

fn ends_with(address: &str, ends: &[&str]) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    path.rsplit_once('.').is_some_and(|(_, end)| ends.contains(&end))
}

fn of_block(
    declared: &[Declaration],
    on: &[ElementRef<'_>],
    cascade: &Cascade,
    conditional: bool,
    uses: &mut Vec<Use>,
) {
    for (at, declaration) in declared.iter().enumerate() {
        for feature in FEATURES.iter().filter(|feature| shows(feature.sign, declaration)) {
            let earlier = declared[..at].iter().any(|old| old.name == declaration.name && !shows(feature.sign, old));
            let spared = conditional || earlier || falls_back(feature.slug, declared, on, cascade);
            uses.push(Use {
                feature,
                line: declaration.line,
                lack: if spared { Lack::Plainer } else { feature.lack },
                part_is_enough: part_is_enough(feature.slug, declaration, on),
            });
        }
    }
}

fn shows(sign: Sign, declaration: &Declaration) -> bool {
    let parts = &declaration.parts;
    match sign {
        Sign::Property(names) => names
            .iter()
            .any(|name| declaration.name == *name || (name.ends_with('-') && declaration.name.starts_with(name))),
        Sign::Value(name, value) => declaration.name == name && declaration.has(value),
        Sign::Function(names) => parts.functions.iter().any(|function| names.contains(&function.as_str())),
        Sign::Keyword(words) => words.iter().any(|word| declaration.has(word)),
        Sign::Unit(unit) => parts.lengths.iter().any(|(_, used)| used == unit),
        Sign::DataImage => parts.urls.iter().any(|url| url.starts_with("data:")),
        Sign::Image(ends) => parts.urls.iter().any(|url| ends_with(url, ends)),
        _ => false,
    }
}

/// Whether something else stands in where the feature is lacking.
fn falls_back(slug: &str, declared: &[Declaration], on: &[ElementRef<'_>], cascade: &Cascade) -> bool {
    let has = |name: &str, value: &str| declared.iter().any(|one| one.name == name && one.value.contains(value));
    match slug {
        // Hidden for programs that do not know `display: none`, too.
        "css-display-none" => has("mso-hide", "all") && has("overflow", "hidden") && has("max-height", "0"),
        // A background of one colour is below.
        "css-background-image"
        | "css-linear-gradient"
        | "css-radial-gradient"
        | "css-conic-gradient"
        | "html-background" => {
            has("background-color", "")
                || (!on.is_empty()
                    && on.iter().all(|one| {
                        one.attr("bgcolor").is_some() || cascade.style(*one).get("background-color").is_some()
                    }))
        }
        _ => false,
    }
}

/// Whether what programs support of the feature in part is all that is asked for.
fn part_is_enough(slug: &str, declaration: &Declaration, on: &[ElementRef<'_>]) -> bool {
    let only = |names: &[&str]| !on.is_empty() && on.iter().all(|one| names.contains(&one.value().name()));
    match slug {
        "css-padding" => only(&["td", "th"]) || declaration.pixels() == Some(0.0),
        "css-max-width" => only(&["table"]),
        "css-margin" => {
            let parts = &declaration.parts;
            let plain = !declaration.has("auto") && parts.lengths.iter().all(|(value, _)| *value >= 0.0);
            let zero = parts.lengths.iter().all(|(value, _)| *value == 0.0);
            plain && (zero || !on.iter().any(|one| matches!(one.value().name(), "span" | "body")))
        }
        // Tables within would be shown, and images.
        "css-display-none" => !on.iter().any(|one| {
            one.value().name() == "img"
                || one.descendent_elements().skip(1).any(|inner| inner.value().name() == "table")
        }),
        "css-selector-attribute" | "css-pseudo-class-hover" => true,
        _ => on.iter().any(|one| above(*one).any(|above| above.value().name() == "svg")),
    }
}

fn of_selector(rule: &Rule, uses: &mut Vec<Use>) {
    for feature in FEATURES {
        let is_it = match feature.sign {
            Sign::Nesting => rule.nested,
            Sign::AttributeSelector => rule.selector.contains('['),
            Sign::Pseudo(name) => has_pseudo(&rule.selector, name),
            _ => false,
        };
        if is_it {
            let lack = if rule.within.is_empty() { feature.lack } else { Lack::Plainer };
            uses.push(Use { feature, line: rule.line, lack, part_is_enough: false });
        }
    }
}

/// Whether a selector has a pseudo-class or pseudo-element of this name.
fn has_pseudo(selector: &str, name: &str) -> bool {
    selector.match_indices(':').any(|(at, _)| {
        let rest = selector[at..].trim_start_matches(':');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        rest[..end].eq_ignore_ascii_case(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview::view::View;

    fn found(html: &str) -> Vec<(&'static str, usize, Lack)> {
        let dom = Dom::parse(html);
        let cascade = dom.cascade(&View::default());
        uses(&dom, &cascade).iter().map(|one| (one.feature.slug, one.line, one.lack)).collect()
    }

    #[test]
    fn features_are_seen_where_they_are_used() {
        let table = [
            ("<p style='display: flex'>", "css-display-flex"),
            ("<style>p { DISPLAY: Inline-Flex }</style>", "css-display-flex"),
            ("<p style='width: calc(1px + 2px)'>", "css-unit-calc"),
            ("<p style='margin: 1rem'>", "css-unit-rem"),
            ("<p style='background: url(a.webp)'>", "image-webp"),
            ("<p style='color: var(--x)'>", "css-variables"),
            ("<p style='transition-delay: 1s'>", "css-transition"),
            ("<p style='border-radius: 4px'>", "css-border-radius"),
            ("<style>@import 'x.css';</style>", "css-at-import"),
            ("<style>@-webkit-keyframes x { from { top: 0 } }</style>", "css-at-keyframes"),
            (
                "<style>@media (prefers-color-scheme: dark) { p { color: red } }</style>",
                "css-at-media-prefers-color-scheme",
            ),
            ("<style>a:hover { color: red }</style>", "css-pseudo-class-hover"),
            ("<style>a::before { content: 'x' }</style>", "css-pseudo-element-before"),
            ("<style>a[href] { color: red }</style>", "css-selector-attribute"),
            ("<style>div { p { color: red } }</style>", "css-nesting"),
            ("<video src=x>", "html-video"),
            ("<input>", "html-input-text"),
            ("<input type=Radio>", "html-input-radio"),
            ("<button>x</button>", "html-button-submit"),
            ("<p hidden>", "html-hidden"),
            ("<img src='https://x/a.WEBP?v=1'>", "image-webp"),
            ("<img src='data:image/png;base64,x'>", "image-base64"),
        ];
        for (html, slug) in table {
            let found = found(&format!("\n\n{html}"));
            assert!(found.iter().any(|(seen, line, _)| *seen == slug && *line == 3), "{html}: {found:?}");
        }
        assert_eq!(found("<p style='color: red; content: \"display: flex 1rem\"'>display: flex</p>"), []);
    }

    #[test]
    fn what_falls_back_only_gets_plainer() {
        let table = [
            ("<p style='display: flex'>", "css-display-flex", Lack::Breaks),
            ("<p style='display: block; display: flex'>", "css-display-flex", Lack::Plainer),
            ("<style>@media (max-width: 1px) { p { display: flex } }</style>", "css-display-flex", Lack::Plainer),
            ("<p style='background: linear-gradient(red, blue)'>", "css-linear-gradient", Lack::Breaks),
            (
                "<td><table bgcolor=red style='background: linear-gradient(red, blue)'>",
                "css-linear-gradient",
                Lack::Plainer,
            ),
            ("<p style='display: none'>", "css-display-none", Lack::Breaks),
            (
                "<p style='display: none; max-height: 0; overflow: hidden; mso-hide: all'>",
                "css-display-none",
                Lack::Plainer,
            ),
        ];
        for (html, slug, lack) in table {
            assert!(found(html).contains(&(slug, 1, lack)), "{html}: {:?}", found(html));
        }
    }

    #[test]
    fn a_part_can_be_enough() {
        let table = [
            ("<table><tr><td style='padding: 4px'>", "css-padding", true),
            ("<p style='padding: 4px'>", "css-padding", false),
            ("<table style='max-width: 9px'>", "css-max-width", true),
            ("<div style='max-width: 9px'>", "css-max-width", false),
            ("<style>table.x { max-width: 9px }</style><table class=x>", "css-max-width", true),
            ("<body style='margin: 0'>", "css-margin", true),
            ("<p style='margin: 0 auto'>", "css-margin", false),
            ("<p style='margin: -4px'>", "css-margin", false),
        ];
        for (html, slug, enough) in table {
            let dom = Dom::parse(html);
            let cascade = dom.cascade(&View::default());
            let uses = uses(&dom, &cascade);
            let found = uses.iter().find(|one| one.feature.slug == slug).unwrap();
            assert_eq!(found.part_is_enough, enough, "{html}");
        }
    }
}
