//! T: the files themselves compile, render with every fixture, escape what strangers wrote, and leave nothing behind.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::words::folded;
use crate::mail::templates::fixture::COMMON;
use crate::mail::templates::{FIXTURES, PARTIALS, Part, TemplateError, Templates};
use crate::mail::verification;
use crate::preview::check::branches;
use crate::preview::check::finding::{At, Violation, place_in};
use crate::preview::check::mails::{RenderedMail, TemplateMails};
use crate::preview::check::rule::{Check, Rule, Severity};
use crate::text::plain;

/// A file that is not read, does not compile or is not used.
pub(in crate::preview::check) const COMPILES: &str = "T001";
/// A mail that cannot be rendered.
pub(in crate::preview::check) const RENDERS: &str = "T002";
/// A variable that is nowhere declared, or nowhere used.
pub(in crate::preview::check) const DECLARED: &str = "T003";

pub(super) static CHECKS: [Check; 7] = [
    Check::all(
        Rule {
            id: COMPILES,
            severity: Severity::Error,
            title: "Every file is read, compiles and is used",
            why: "A template that does not compile keeps the worker from starting; one that nothing uses is believed \
                  to be mailed and is not.",
            source: "Tera 2: filters, tests, functions and includes are looked up when a template is added",
        },
        compiles,
    ),
    Check::runner(Rule {
        id: RENDERS,
        severity: Severity::Error,
        title: "Every fixture renders",
        why: "An undefined variable fails the mail of exactly those people whose data takes that branch.",
        source: "Tera 2: an undefined variable is an error",
    }),
    Check::template(
        Rule {
            id: DECLARED,
            severity: Severity::Warning,
            title: "The variables that are used and those of the schema are the same",
            why: "What is used and not declared fails as soon as its branch is taken; what is declared and not used \
                  misleads the author of fixtures.",
            source: "verifydesk: fixtures/<template>/schema.toml",
        },
        variables_are_declared,
    ),
    Check::template(
        Rule {
            id: "T004",
            severity: Severity::Warning,
            title: "Every branch is taken with some fixture",
            why: "What no fixture shows, no one has seen before it is mailed.",
            source: "verifydesk: fixtures/<template>/*.toml",
        },
        branches_are_taken,
    ),
    Check::all(
        Rule {
            id: "T005",
            severity: Severity::Error,
            title: "What strangers write is escaped",
            why: "Anyone can sign up with someone else's address and a name of markup: unescaped, the mail says what \
                  the stranger wants, in the site's name.",
            source: "Tera 2 escapes by a file's ending: .html is escaped, .html.tera is not; OWASP: HTML injection",
        },
        names_escape,
    ),
    Check::mail(
        Rule {
            id: "T006",
            severity: Severity::Error,
            title: "The subject holds no HTML entities",
            why: "A subject is text: &amp; is shown as five characters.",
            source: "RFC 5322; Tera 2 escapes blocks of .html files, so subjects have files of their own",
        },
        subject_has_no_entity,
    ),
    Check::mail(
        Rule {
            id: "T007",
            severity: Severity::Error,
            title: "No placeholder is left",
            why: "{{ name }}, [Product Name] or TODO in a mail shows everyone that no one looked.",
            source: "what gets mailed by mistake",
        },
        no_placeholder,
    ),
];

fn compiles(templates: &Templates, found: &mut Vec<Violation>) {
    let others = |mistake: &&TemplateError| !is_unescaped(mistake) && !is_of_incomplete(templates, mistake);
    found.extend(templates.mistakes().iter().filter(others).map(violation_of));
}

fn names_escape(templates: &Templates, found: &mut Vec<Violation>) {
    found.extend(templates.mistakes().iter().filter(|mistake| is_unescaped(mistake)).map(violation_of));
    for (path, source) in templates.sources().filter(|(path, _)| is_html_or_included(path)) {
        let template = path.split('/').nth(1).unwrap_or_default();
        for (at, expression) in unsafe_expressions(&source.text) {
            let (line, column) = place_in(&source.text, at);
            let schema = templates.schema(template);
            let is_known = |name: &str| schema.is_some_and(|schema| schema.variables.contains_key(name));
            let is_trusted = |name: &str| {
                schema.and_then(|schema| schema.variables.get(name)).is_some_and(|declared| !declared.untrusted)
            };
            let trusted = identifiers(expression).filter(|name| is_known(name) || COMMON.contains(name));
            let severity = if trusted.clone().count() > 0
                && trusted.clone().all(|name| is_trusted(name) || COMMON.contains(&name))
            {
                Severity::Warning
            } else {
                Severity::Error
            };
            let message = format!("{} is not escaped", plain(expression.trim()));
            found.push(Violation::new(At::Shown(source.shown.clone(), line, column), message).as_bad_as(severity));
        }
    }
}

/// Files that HTML is made from: an included .txt is escaped as what includes it.
fn is_html_or_included(path: &str) -> bool {
    path.ends_with(Part::Html.file()) || path.starts_with(PARTIALS)
}

/// The expressions and statements that take the escaping away, with where they begin.
fn unsafe_expressions(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = source[from..].find('{').map(|at| from + at) {
        let close = match source.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                from = open + 1;
                continue;
            }
        };
        let Some(end) = source[open + 2..].find(close).map(|at| open + 2 + at) else { break };
        let expression = source[open + 2..end].trim_matches('-');
        if close != "#}" && is_unsafe(expression) {
            found.push((open, expression));
        }
        from = end + 2;
    }
    found
}

/// Whether `safe` stands behind a bar, or in a `filter` statement, whatever is around it.
fn is_unsafe(expression: &str) -> bool {
    let is_safe = |rest: &str| {
        let rest = rest.trim_start().strip_prefix("safe");
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    expression.split('|').skip(1).any(is_safe) || expression.trim().strip_prefix("filter ").is_some_and(is_safe)
}

fn identifiers(expression: &str) -> impl Iterator<Item = &str> + Clone {
    expression.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn is_unescaped(mistake: &TemplateError) -> bool {
    mistake.file().is_some_and(|file| Path::new(file).extension().is_some_and(|extension| extension == "tera"))
}

/// Whether it says that a template lacks files, which L001 says of each.
fn is_of_incomplete(templates: &Templates, mistake: &TemplateError) -> bool {
    let is_of = |name: &String| mistake.message().starts_with(&format!("nothing uses this file: the template {name} "));
    templates.names().iter().any(is_of)
}

fn violation_of(mistake: &TemplateError) -> Violation {
    let (line, column) = mistake.place().unwrap_or((1, 1));
    let at = mistake.file().map_or(At::Mail, |file| At::Shown(file.to_owned(), line, column));
    Violation::new(at, mistake.message())
}

fn variables_are_declared(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    let templates = mails.shared.templates;
    let Some(schema) = templates.schema(mails.template) else { return };
    let mut used = Vec::new();
    for locale in mails.locales {
        for part in Part::ALL {
            for variable in templates.variables(mails.template, *locale, part) {
                if !schema.variables.contains_key(&variable) && !COMMON.contains(&variable.as_str()) {
                    let declared = schema.variables.keys().map(String::as_str);
                    let known: Vec<&str> = declared.chain(COMMON).collect::<BTreeSet<_>>().into_iter().collect();
                    let error = templates.undefined(&part.path(*locale, mails.template), &variable, &known);
                    let (line, column) = error.place().unwrap_or((1, 1));
                    let violation = Violation::new(At::Source(part, line, column), error.message());
                    found.push(violation.in_locale(*locale).as_bad_as(Severity::Error));
                }
                used.push(variable);
            }
        }
    }
    // The schema of a built-in template is not the author's.
    if !mails.is_whole || mails.template == verification::TEMPLATE {
        return;
    }
    let dir = mails.shared.settings.templates.dir.as_deref().unwrap_or(Path::new(""));
    let file = dir.join(FIXTURES).join(mails.template).join("schema.toml");
    for name in schema.variables.keys().filter(|name| !used.contains(name)) {
        let shown = plain(&file.display().to_string()).into_string();
        found.push(Violation::new(At::Shown(shown, 1, 1), format!("the template never uses {}", plain(name))));
    }
}

fn branches_are_taken(mails: &TemplateMails<'_>, found: &mut Vec<Violation>) {
    if !mails.is_whole {
        return;
    }
    for branch in branches::untaken(mails) {
        let message = format!("no fixture takes the branch {{% {} %}}", plain(&branch.tag));
        let at = At::Source(branch.part, branch.line, branch.column);
        found.push(Violation::new(at, message).in_locale(branch.locale));
    }
}

fn subject_has_no_entity(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    let subject = &mail.marked.subject;
    for (at, _) in subject.match_indices('&') {
        let rest = &subject[at + 1..];
        let Some((name, _)) = rest.split_once(';') else { continue };
        let is_name = (2..=8).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#');
        let entity = &subject[at..=at + 1 + name.len()];
        if is_name && !mail.is_said_by_a_value(entity) {
            let (line, column) = place_in(subject, at);
            found.push(Violation::rendered(Part::Subject, line, column, format!("the subject says {}", plain(entity))));
        }
    }
}

/// What stands for something that should have been written, with its case.
const PLACEHOLDERS: [&str; 12] =
    ["{{", "}}", "{%", "%}", "{#", "*|", "lorem ipsum", "Lorem ipsum", "TODO", "FIXME", "[object Object]", "undefined"];

fn no_placeholder(mail: &RenderedMail<'_>, found: &mut Vec<Violation>) {
    for part in Part::ALL {
        let text = &*without_styles(mail.marked.part(part), part);
        let said = PLACEHOLDERS.iter().filter_map(|word| Some((whole_word(text, word)?, (*word).to_owned())));
        for (at, word) in said.chain(bracketed(text)) {
            // Brackets of a template's around a value, such as a site's name, are no placeholder.
            if !mail.is_said_by_a_value(word.trim_matches(['[', ']'])) {
                let (line, column) = place_in(text, at);
                let message = format!("\u{201c}{}\u{201d} is left in the mail", plain(&folded(&word)));
                found.push(Violation::rendered(part, line, column, message));
            }
        }
    }
}

/// The text with blanks for what is in `<style>`: `}}` and `100%}` are CSS there.
fn without_styles(text: &str, part: Part) -> Cow<'_, str> {
    if part != Part::Html {
        return text.into();
    }
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    while let Some(open) = lower[out.len()..].find("<style").map(|at| out.len() + at) {
        let end = lower[open..].find("</style").map_or(text.len(), |at| open + at);
        out.push_str(&text[out.len()..open]);
        for c in text[open..end].chars() {
            if c == '\n' {
                out.push(c);
            } else {
                out.extend(std::iter::repeat_n(' ', c.len_utf8()));
            }
        }
    }
    out.push_str(&text[out.len()..]);
    out.into()
}

fn whole_word(text: &str, word: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric();
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let (before, behind) = (&text[..*at], &text[*at + word.len()..]);
        !(word.starts_with(is_word) && before.ends_with(is_word)
            || word.ends_with(is_word) && behind.starts_with(is_word))
    })
}

/// `[Product Name]` and the like.
fn bracketed(text: &str) -> Option<(usize, String)> {
    text.match_indices('[').find_map(|(at, _)| {
        let inner = text[at + 1..].split(']').next()?;
        let is_name = inner.len() <= 40
            && inner.len() >= 3
            && inner.starts_with(|c: char| c.is_ascii_uppercase())
            && inner.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '_'))
            && inner.split([' ', '_']).all(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
        (is_name && text[at + 1 + inner.len()..].starts_with(']')).then(|| (at, format!("[{inner}]")))
    })
}

#[cfg(test)]
mod tests {
    use crate::preview::check::rule::Severity;
    use crate::preview::check::testing::{Bench, HTML, SUBJECT, TEXT, try_each};

    #[test]
    fn files_compile_and_are_used() {
        try_each("T001", &[(TEXT, "{{ link }}", "{{ link", true), (HTML, "{{ link }}", "{{ link | trim }}", false)]);
        let table = [
            ("en/verfication/body.txt", "x", true),
            ("README.md", "x", false),
            ("fr/verification/body.txt", "x", true),
        ];
        for (path, text, wanted) in table {
            assert_eq!(!Bench::new().with(path, text).breaks("T001").is_empty(), wanted, "{path}");
        }
    }

    #[test]
    fn fixtures_render() {
        try_each(
            "T002",
            &[
                (TEXT, "{{ link }}", "{{ lonk }}{{ link }}", true),
                (TEXT, "{{ name }}", "{% if not name %}{{ name.first }}{% endif %}", true),
                (TEXT, "{{ name }}", "{% if name %}{{ name }}{% endif %}", false),
            ],
        );
    }

    fn welcome(text: &str) -> Bench {
        let schema = "[variables.first_name]\nuntrusted = true\nexample = \"Robin\"\n\
                      [variables.count]\ntype = \"integer\"\nexample = 3\n";
        let bench = Bench::new().with("fixtures/welcome/schema.toml", schema);
        ["en", "ko"].into_iter().fold(bench, |bench, locale| {
            let bench = bench.with(&format!("{locale}/welcome/subject.txt"), "{{ site_name }}");
            bench.with(&format!("{locale}/welcome/body.txt"), text).with(&format!("{locale}/welcome/body.html"), text)
        })
    }

    #[test]
    fn variables_and_schema_agree() {
        try_each("T003", &[(TEXT, "{{ name }}", "{% if locale == \"xx\" %}{{ coupon }}{% endif %}", true)]);
        assert_eq!(welcome("{{ first_name }} {{ count }}").breaks("T003"), []);
        let unused = welcome("{{ first_name }}").breaks("T003");
        let [finding] = unused.as_slice() else { panic!("{unused:#?}") };
        assert!(finding.message.contains("count") && finding.subject().ends_with("schema.toml"), "{finding:?}");
        assert_eq!(finding.severity, Severity::Warning);
        let undeclared =
            welcome("{{ first_name }} {{ count }}{% if count > 3 %}{{ last_name }}{% endif %}").breaks("T003");
        assert_eq!(undeclared.len(), 4, "{undeclared:#?}");
        assert!(undeclared.iter().all(|finding| finding.severity == Severity::Error));
    }

    #[test]
    fn branches_are_taken() {
        try_each(
            "T004",
            &[
                (TEXT, "Hello", "{% if site_name == \"x\" %}Hi{% else %}Hello{% endif %}", true),
                (TEXT, "Hello", "{% if name %}Hello{% else %}Hi{% endif %}", false),
                (SUBJECT, "Confirm", "{% if locale == \"ko\" %}A{% elif name %}Confirm{% else %}B{% endif %}", true),
            ],
        );
        let found = Bench::new().replace(TEXT, "Hello", "\n{% if site_name == \"x\" %}Hi{% endif %}").breaks("T004");
        assert_eq!((found[0].line, found[0].column, found[0].message.contains("site_name")), (2, 1, true));
    }

    #[test]
    fn strangers_are_escaped() {
        try_each(
            "T005",
            &[
                (HTML, "{{ name }}", "{{ name | safe }}", true),
                (HTML, "{{ name }}", "{{- name|upper|safe -}}", true),
                (HTML, "{{ name }}", "{{ name | upper }}", false),
                (TEXT, "{{ name }}", "{{ name | safe }}", false),
                (HTML, "{{ name }}", "{% set n = name | safe %}{{ n }}", true),
                (HTML, "{{ name }}", "{{ (name | safe) }}", true),
                (HTML, "{{ name }}", "{% filter safe %}{{ name }}{% endfilter %}", true),
                (HTML, "{{ name }}", "{# name | safe #}{{ name }}", false),
            ],
        );
        let partial = |text: &str| Bench::new().with("partials/hello.txt", text).breaks("T005").len();
        assert_eq!((partial("{{ name | safe }}"), partial("{{ name }}")), (1, 0));
        let severity = |from: &str, to: &str| Bench::new().replace(HTML, from, to).breaks("T005")[0].severity;
        assert_eq!(severity("{{ name }}", "{{ name | safe }}"), Severity::Error);
        assert_eq!(severity("{{ lifetime }}", "{{ lifetime | safe }}"), Severity::Warning);
        assert_eq!(severity("{{ lifetime }}", "{{ lifetime ~ (name | safe) }}"), Severity::Error);
        let found = Bench::new().with("en/verification/body.html.tera", "x").breaks("T005");
        assert!(found[0].subject().ends_with("body.html.tera"), "{found:#?}");
    }

    #[test]
    fn no_entities_in_subjects() {
        try_each(
            "T006",
            &[
                (SUBJECT, "Confirm", "Confirm &amp; go", true),
                (SUBJECT, "Confirm", "Confirm&#39;", true),
                (SUBJECT, "{{ site_name }}", "{{ site_name | escape_html }}", false),
                (SUBJECT, "Confirm", "Q&A; Confirm", false),
            ],
        );
        let mut bench = Bench::new().replace(SUBJECT, "{{ site_name }}", "{{ site_name | escape_html }}");
        bench.settings.site.name = "Kim & Co".to_owned();
        assert_eq!(bench.breaks("T006").len(), 1);
    }

    #[test]
    fn no_placeholders() {
        try_each(
            "T007",
            &[
                (TEXT, "Hello", "[Product Name]", true),
                (TEXT, "Hello", "[{{ site_name }}] Hello", false),
                (TEXT, "Hello", "{{ \"{{ name }}\" }}", true),
                (SUBJECT, "Confirm", "TODO: Confirm", true),
                (HTML, "Or paste", "Lorem ipsum", true),
                (HTML, "Or paste", "*|FNAME|*", true),
                (HTML, "</head>", "<style>@media print{.a{width:100%}}</style></head>", false),
                (HTML, "</head>", "<style>p{}</style></head>{{ \"}}\" }}", true),
                (TEXT, "Hello", "[1] TODOS are undefinedable [See below]", false),
                (HTML, "<p>Or", "<!--[if mso]><p>x</p><![endif]--><p>Or", false),
            ],
        );
    }
}
