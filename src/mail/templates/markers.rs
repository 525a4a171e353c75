//! The attributes `data-mail="…"`, which say to the checks what a part of a mail is for, in any language. They are taken
//! out of what is mailed.

/// What a part of a mail may be marked as.
pub const MARKERS: [&str; 4] = ["cta", "expiry", "not-you", "preheader"];

/// The HTML without the markers. Values cannot forge one: their quotation marks are escaped.
pub(super) fn strip(html: &str) -> String {
    const NAME: &str = "data-mail=\"";
    let mut stripped = String::with_capacity(html.len());
    let (mut in_tag, mut quote) = (false, None);
    let mut rest = html;
    while let Some(c) = rest.chars().next() {
        if in_tag && quote.is_none() && c.is_ascii_whitespace() {
            let attribute = rest.trim_start().strip_prefix(NAME);
            if let Some((_, behind)) = attribute.and_then(|attribute| attribute.split_once('"')) {
                rest = behind;
                continue;
            }
        }
        let behind = &rest[c.len_utf8()..];
        match (c, quote) {
            ('"' | '\'', None) if in_tag => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('>', None) => in_tag = false,
            ('<', None) if behind.starts_with(|c: char| c.is_ascii_alphabetic()) => in_tag = true,
            _ => {}
        }
        stripped.push(c);
        rest = behind;
    }
    stripped
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn only_markers_go() {
        let table = [
            ("<a data-mail=\"cta\" href=\"x\">y</a>", "<a href=\"x\">y</a>"),
            ("<td\n  data-mail=\"expiry\">z</td><p data-mail=\"not-you\">", "<td>z</td><p>"),
            ("<p>data-mail=\"cta\"</p>", "<p>data-mail=\"cta\"</p>"),
            ("<p data-mail=\"cta", "<p data-mail=\"cta"),
            ("<p title=\"a>b\" data-mail=\"cta\">", "<p title=\"a>b\">"),
            ("<p title=' data-mail=\"cta\"'>1 < 2", "<p title=' data-mail=\"cta\"'>1 < 2"),
            ("plain", "plain"),
        ];
        for (html, stripped) in table {
            assert_eq!(strip(html), stripped, "{html}");
        }
    }
}
