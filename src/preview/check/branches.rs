//! Which branches of a template no fixture takes.
//!
//! The template is rendered once more with an invisible mark at the beginning of each branch: a character of a private
//! plane that counts them. What is not found in any mail is never taken.

use std::collections::BTreeSet;

use super::finding::place_in;
use super::mails::TemplateMails;
use crate::domain::locale::Locale;
use crate::mail::templates::Part;
use crate::mail::templates::growth::{self, Watched};

/// First of the characters that mark branches: plane 16, for private use.
const FIRST_MARK: u32 = 0x10_0000;

/// How many branches can be marked.
const MARKS_MAX: usize = 0xfffe;

/// A branch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// The language of its file.
    pub locale: Locale,
    /// The part of its file.
    pub part: Part,
    /// The line of its tag, from 1.
    pub line: usize,
    /// The column of its tag, from 1.
    pub column: usize,
    pub tag: String,
}

/// The branches in the template's own files that none of its mails takes. `None` if they cannot be found.
pub(super) fn untaken(mails: &TemplateMails<'_>) -> Vec<Branch> {
    let templates = mails.shared.templates;
    let mut branches = Vec::new();
    let mut sources: Vec<(String, String)> = Vec::new();
    for (path, source) in templates.sources() {
        let is_broken = templates.mistakes().iter().any(|mistake| mistake.file() == Some(&source.shown));
        if is_broken {
            continue;
        }
        let own = mails.locales.iter().flat_map(|locale| Part::ALL.map(|part| (*locale, part)));
        let owner = own.into_iter().find(|(locale, part)| part.path(*locale, mails.template) == path);
        let text = match owner {
            Some((locale, part)) => mark(&source.text, locale, part, &mut branches),
            None => source.text.clone(),
        };
        sources.push((path.to_owned(), text));
    }
    if branches.is_empty() {
        return Vec::new();
    }
    let sources = sources.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let Ok(watched) = Watched::new(sources) else { return Vec::new() };
    let mut taken = BTreeSet::new();
    for mail in mails.mails {
        // Whether the site has an address is for the settings to say, not for a template's fixtures.
        let addresses = [None, Some(""), Some("https://example.org")];
        for address in addresses.into_iter().take(if mail.is_usual() { 3 } else { 1 }) {
            let mut context = mail.context.clone();
            if let Some(address) = address {
                context.insert("site_url", address);
            }
            for part in Part::ALL {
                let path = part.path(mail.locale, mails.template);
                let rendered = growth::render(&watched, &path, &context).ok().and_then(Result::ok).unwrap_or_default();
                taken.extend(rendered.chars().filter_map(|c| u32::from(c).checked_sub(FIRST_MARK)));
            }
        }
    }
    let is_untaken = |number: usize| u32::try_from(number).is_ok_and(|number| !taken.contains(&number));
    branches.into_iter().enumerate().filter(|(number, _)| is_untaken(*number)).map(|(_, branch)| branch).collect()
}

/// The source with a mark behind each tag that begins a branch.
fn mark(source: &str, locale: Locale, part: Part, branches: &mut Vec<Branch>) -> String {
    let mut marked = String::with_capacity(source.len() + 64);
    let mut rest = source;
    let mut is_raw = false;
    while let Some(at) = ["{%", "{#"].iter().filter_map(|open| rest.find(open)).min() {
        let close = if rest[at..].starts_with("{#") { "#}" } else { "%}" };
        let Some(end) = rest[at..].find(close).map(|end| at + end + 2) else { break };
        let tag = rest[at + 2..end - 2].trim_matches('-').trim();
        marked.push_str(&rest[..end]);
        let word = tag.split_whitespace().next().unwrap_or_default();
        if close == "%}" {
            let begins = matches!(word, "if" | "elif" | "else") && !is_raw;
            let number = u32::try_from(branches.len()).unwrap_or(u32::MAX);
            if begins && branches.len() < MARKS_MAX {
                let (line, column) = place_in(source, source.len() - rest.len() + at);
                branches.push(Branch { locale, part, line, column, tag: tag.to_owned() });
                marked.extend(char::from_u32(FIRST_MARK + number));
            }
            is_raw = word == "raw" || (is_raw && word != "endraw");
        }
        rest = &rest[end..];
    }
    marked.push_str(rest);
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_marked_behind_their_tags() {
        let source =
            "a{% if x -%} b{# {% if no %} #}{%- elif y %}c\n{% else %}d{% endif %}{% raw %}{% if z %}{% endraw %}";
        let mut branches = Vec::new();
        let marked = mark(source, Locale::En, Part::Text, &mut branches);
        let m = |number| char::from_u32(FIRST_MARK + number).unwrap();
        let wanted = format!(
            "a{{% if x -%}}{} b{{# {{% if no %}} #}}{{%- elif y %}}{}c\n{{% else %}}{}d{{% endif %}}\
             {{% raw %}}{{% if z %}}{{% endraw %}}",
            m(0),
            m(1),
            m(2)
        );
        assert_eq!(marked, wanted);
        let places: Vec<_> = branches.iter().map(|branch| (branch.tag.as_str(), branch.line, branch.column)).collect();
        assert_eq!(places, [("if x", 1, 2), ("elif y", 1, 32), ("else", 2, 1)]);
        assert_eq!(mark("{% if", Locale::En, Part::Text, &mut Vec::new()), "{% if");
    }
}
