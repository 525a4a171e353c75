//! A mail's HTML as the frame gets it: with what the toggles ask for written into it, since a browser has no switch for
//! another program's dark mode or for Outlook.

use crate::preview::layout::source::{outlook, sheet};
use crate::preview::view::{Scheme, View};

/// A mail in the frame may look, and nothing else; not even where the frame's own sandbox were lost.
pub(super) fn policy(view: View) -> &'static str {
    if view.images {
        "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'"
    } else {
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'"
    }
}

/// The mail for the frame.
pub(super) fn prepare(html: &str, view: View) -> String {
    let html = if view.outlook { outlook::resolve(html) } else { html.to_owned() };
    let html = if view.styles { html } else { sheet::unwrap(&html, view).0 };
    let is_dark = view.scheme == Scheme::Dark;
    // A mail that says nothing of colour schemes is shown on white by whatever program obeys it.
    let knows_dark = offers_dark(&html);
    // Last: what was taken out before may have stood within a word.
    let html = without_links(&with_schemes(&html, is_dark));
    let scheme = if is_dark && knows_dark { "dark" } else { "light" };
    // A link without a target of its own would lead away within the frame; to a new window the sandbox forbids it.
    let mut head = format!("<base target=\"_blank\"><style>:root{{color-scheme:{scheme}!important}}");
    if view.scheme == Scheme::Inverted {
        // The page turns the whole frame round; images are turned back.
        head.push_str("img,svg{filter:invert(1) hue-rotate(180deg)}");
    }
    head.push_str("</style>");
    let at = head_of(&html);
    format!("{}{head}{}", &html[..at], &html[at..])
}

/// Without links and frames: browsers connect ahead of what they name (`preconnect`, and any frame), which no policy
/// holds back, and whatever else they can do the policy forbids. Wherever the words stand, so that no cunning markup
/// hides them; an element of the same grammar that does nothing takes their place.
fn without_links(html: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("<link", "<basefont"),
        ("<frame", "<basefont"),
        ("<embed", "<basefont"),
        ("<iframe", "<noembed"),
        ("</iframe", "</noembed"),
        ("<object", "<x-object"),
        ("</object", "</x-object"),
    ];
    // As many bytes as the mail, since only ASCII letters change.
    let lower = html.to_ascii_lowercase();
    let mut found: Vec<_> = WORDS
        .iter()
        .flat_map(|(word, instead)| lower.match_indices(word).map(move |(at, _)| (at, word, instead)))
        .collect();
    found.sort_unstable();
    let mut out = String::with_capacity(html.len());
    let mut from = 0;
    for (at, word, instead) in found {
        let behind = &lower[at + word.len()..];
        let is_one = behind.starts_with(|c: char| c == '>' || c == '/' || c.is_ascii_whitespace());
        if is_one {
            out.push_str(&html[from..at]);
            out.push_str(instead);
            from = at + word.len();
        }
    }
    out.push_str(&html[from..]);
    out
}

/// Where the head's contents begin: behind `<head>`, else behind `<html>`, else behind the document type, which must stay
/// first.
fn head_of(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    let behind = |name: &str| {
        let mut from = 0;
        while let Some(found) = lower[from..].find(name) {
            let at = from + found;
            let after = &lower[at + name.len()..];
            if after.starts_with(|c: char| c == '>' || c.is_ascii_whitespace()) {
                return after.find('>').map(|end| at + name.len() + end + 1);
            }
            from = at + name.len();
        }
        None
    };
    behind("<head").or_else(|| behind("<html")).or_else(|| behind("<!doctype")).unwrap_or(0)
}

/// Whether the mail says that it has dark colours: `color-scheme` in a style or a `<meta>`.
fn offers_dark(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("color-scheme") {
        let before = &rest[..at];
        rest = &rest[at + "color-scheme".len()..];
        // A property or a `<meta>`; `prefers-color-scheme` is a question.
        if !before.ends_with("prefers-")
            && rest.split([';', '}', '>']).next().is_some_and(|value| value.contains("dark"))
        {
            return true;
        }
    }
    false
}

/// `prefers-color-scheme` in style sheets and media attributes as it would be answered, whatever the browser prefers.
fn with_schemes(html: &str, is_dark: bool) -> String {
    // As many bytes as the mail, since only ASCII letters change.
    let lower = html.to_ascii_lowercase();
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let is_style = rest.get(..6).is_some_and(|name| name.eq_ignore_ascii_case("<style"));
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + 3)
        } else if is_style {
            lower[html.len() - rest.len()..].find("</style")
        } else {
            rest.find('>').map(|end| end + 1)
        };
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        answer(piece, is_dark, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The same of one tag or style sheet.
fn answer(piece: &str, is_dark: bool, out: &mut String) {
    const QUESTION: &str = "prefers-color-scheme";
    let lower = piece.to_ascii_lowercase();
    let mut from = 0;
    while let Some(found) = lower[from..].find(QUESTION) {
        let at = from + found;
        let after = &lower[at + QUESTION.len()..];
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        let (holds, length) = match value {
            Some(value) if value.starts_with("dark") => (is_dark, "dark".len() + after.len() - value.len()),
            Some(value) if value.starts_with("light") => (!is_dark, "light".len() + after.len() - value.len()),
            // The question alone asks whether there is a preference at all.
            _ => (true, 0),
        };
        out.push_str(&piece[from..at]);
        out.push_str(if holds { "min-width:0px" } else { "max-width:0px" });
        from = at + QUESTION.len() + length;
    }
    out.push_str(&piece[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn view(scheme: Scheme) -> View {
        View { scheme, ..View::default() }
    }

    #[test]
    fn colour_schemes_are_answered_in_styles_and_attributes_only() {
        let table = [
            (
                "<style>@media (prefers-color-scheme: dark){a{b:c}}</style>",
                "<style>@media (min-width:0px){a{b:c}}</style>",
            ),
            ("<STYLE>@media (Prefers-Color-Scheme:LIGHT){}</STYLE>x", "<STYLE>@media (max-width:0px){}</STYLE>x"),
            ("<source media='(prefers-color-scheme : dark)'>", "<source media='(min-width:0px)'>"),
            ("<p>(prefers-color-scheme: dark)</p>", "<p>(prefers-color-scheme: dark)</p>"),
            ("<style>@media (prefers-color-scheme){}", "<style>@media (min-width:0px){}"),
            ("<!-- a > b --><p", "<!-- a > b --><p"),
            ("가<style>나", "가<style>나"),
        ];
        for (html, dark) in table {
            assert_eq!(with_schemes(html, true), dark, "{html}");
        }
        let light = with_schemes("<style>@media (prefers-color-scheme:dark){}</style>", false);
        assert_eq!(light, "<style>@media (max-width:0px){}</style>");
    }

    #[test]
    fn links_and_frames_go() {
        let table = [
            ("<link rel=preconnect href=//x>", "<basefont rel=preconnect href=//x>"),
            ("가<LINK/rel='DNS-prefetch' href=//x>나", "가<basefont/rel='DNS-prefetch' href=//x>나"),
            ("<!-- > --><link\nhref=x><LiNk>", "<!-- > --><basefont\nhref=x><basefont>"),
            ("<iFrame SRCDOC='&lt;link>'>x</IFRAME>", "<noembed SRCDOC='&lt;link>'>x</noembed>"),
            ("<frameset><frame src=//x></frameset>", "<frameset><basefont src=//x></frameset>"),
            ("<object data=//x>y</object><embed src=//x>", "<x-object data=//x>y</x-object><basefont src=//x>"),
            ("<linked>a link</linked>", "<linked>a link</linked>"),
        ];
        for (html, kept) in table {
            assert_eq!(without_links(html), kept);
        }
        let hidden = prepare("<li<!-- -->nk rel=preconnect>", View { styles: false, ..View::default() });
        assert!(hidden.contains("<basefont rel"), "{hidden}");
        let many = "<style></style><link>".repeat(40_000);
        assert!(!prepare(&many, View::default()).contains("<link"));
    }

    #[test]
    fn the_head_is_found() {
        let table = [
            ("<!doctype html><html><head><title>", "<!doctype html><html><head>"),
            ("<!DOCTYPE html><HTML lang=ko><BODY>", "<!DOCTYPE html><HTML lang=ko>"),
            ("<html><header>x", "<html>"),
            ("<!doctype html><p>", "<!doctype html>"),
            ("<p>", ""),
        ];
        for (html, before) in table {
            assert_eq!(&html[..head_of(html)], before, "{html}");
        }
    }

    #[test]
    fn only_a_mail_that_offers_it_gets_a_dark_canvas() {
        let table = [
            ("<meta name=\"color-scheme\" content=\"light dark\">", true),
            ("<style>:root{color-scheme: light dark}</style>", true),
            ("<style>@media (prefers-color-scheme: dark){a{color:red}}</style>", false),
            ("<style>:root{color-scheme:light}.dark{}</style>", false),
            ("<p>x", false),
        ];
        for (html, dark) in table {
            let canvas = format!("color-scheme:{}!important", if dark { "dark" } else { "light" });
            assert!(prepare(html, view(Scheme::Dark)).contains(&canvas), "{html}");
            assert!(prepare(html, view(Scheme::Inverted)).contains("color-scheme:light!important"), "{html}");
        }
    }

    #[test]
    fn views() {
        let html = "<style>p{color:red}</style><!--[if mso]><b>Outlook</b><![endif]--><p>x</p>";
        let bare = prepare(html, View { styles: false, ..View::default() });
        assert!(!bare.contains("color:red") && bare.contains("<p>x</p>"), "{bare}");
        let outlook = prepare(html, View { outlook: true, ..View::default() });
        assert!(outlook.contains("<b>Outlook</b>") && !outlook.contains("<!--"), "{outlook}");
        assert!(policy(View::default()).contains("img-src data:"));
        assert!(!policy(View { images: false, ..View::default() }).contains("img-src"));
    }

    proptest! {
        #[test]
        fn anything_can_be_prepared(
            html in "(<style>|</style>|<head>|<!--|-->|prefers-color-scheme|: dark|<|>|\\PC|가){0,40}",
            styles in any::<bool>(),
            outlook in any::<bool>(),
        ) {
            for scheme in Scheme::ALL {
                let made = prepare(&html, View { scheme, styles, outlook, ..View::default() });
                prop_assert!(made.contains("<base target"));
            }
        }
    }
}
