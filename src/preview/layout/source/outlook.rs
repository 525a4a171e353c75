//! Conditional comments, as Outlook on Windows reads them. All other programs see comments in them, which a parser
//! drops by itself.

/// The version of the Outlook that is shown: 16 is what 2016 and all later ones call themselves.
const VERSION: f64 = 16.0;

/// Deepest parentheses that are read in a condition.
const DEPTH_MAX: usize = 16;

/// What Outlook makes of a mail: what stands in comments whose condition holds is markup, what stands between revealed
/// comments whose condition does not hold is gone.
pub fn resolve(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<!") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--[if ") {
            rest = hidden(after, &mut out);
        } else if let Some(after) = rest.strip_prefix("<![if ") {
            rest = revealed(after, &mut out);
        } else if let Some(after) = rest.strip_prefix("<!--") {
            // A comment like any other, the end of a revealed one among them.
            rest = after.find("-->").map_or("", |end| &after[end + 3..]);
        } else if let Some(after) = rest.strip_prefix("<![endif]>") {
            rest = after;
        } else {
            out.push_str("<!");
            rest = &rest[2..];
        }
    }
    out.push_str(rest);
    out
}

/// Behind `<!--[if `: hidden from other programs (`]>…<![endif]-->`) or revealed to them (`]><!-->…<!--<![endif]-->`).
fn hidden<'a>(after: &'a str, out: &mut String) -> &'a str {
    let Some((condition, body)) = after.split_once("]>") else { return "" };
    for opener in ["<!-->", "-->", "<!-- -->"] {
        if let Some(body) = body.strip_prefix(opener) {
            let (shown, rest) = split_first(body, &["<!--<![endif]-->", "<!-- <![endif]-->", "<![endif]-->"]);
            keep(condition, shown, out);
            return rest;
        }
    }
    let (shown, rest) = split_first(body, &["<![endif]-->"]);
    keep(condition, shown, out);
    rest
}

/// Behind `<![if `.
fn revealed<'a>(after: &'a str, out: &mut String) -> &'a str {
    let Some((condition, body)) = after.split_once("]>") else { return "" };
    let (shown, rest) = split_first(body, &["<![endif]>", "<![endif]-->"]);
    keep(condition, shown, out);
    rest
}

fn keep(condition: &str, shown: &str, out: &mut String) {
    if holds(condition) {
        out.push_str(shown);
    }
}

/// What stands before the first of the ends, and what stands behind it.
fn split_first<'a>(text: &'a str, ends: &[&str]) -> (&'a str, &'a str) {
    let first = ends.iter().filter_map(|end| text.find(end).map(|at| (at, end.len()))).min_by_key(|(at, _)| *at);
    first.map_or((text, ""), |(at, length)| (&text[..at], &text[at + length..]))
}

/// Whether a condition such as `(gte mso 9)|(IE)` holds. What cannot be read does not.
fn holds(condition: &str) -> bool {
    let words = words(condition);
    let mut reader = Reader { words: &words, at: 0 };
    reader.any(0).unwrap_or(false)
}

fn words(condition: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in condition.char_indices() {
        let word = c.is_alphanumeric() || c == '.';
        if word {
            start.get_or_insert(at);
            continue;
        }
        words.extend(start.take().map(|start| &condition[start..at]));
        if !c.is_whitespace() {
            words.push(&condition[at..at + c.len_utf8()]);
        }
    }
    words.extend(start.map(|start| &condition[start..]));
    words
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
}

impl Reader<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn any(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.all(depth)?;
        while self.next_is("|") {
            holds |= self.all(depth)?;
        }
        Some(holds)
    }

    fn all(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.one(depth)?;
        while self.next_is("&") {
            holds &= self.one(depth)?;
        }
        Some(holds)
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        let mut negated = false;
        while self.next_is("!") {
            negated = !negated;
        }
        if self.next_is("(") {
            if depth == DEPTH_MAX {
                return None;
            }
            let holds = self.any(depth + 1)?;
            return self.next_is(")").then_some(holds != negated);
        }
        Some(self.feature()? != negated)
    }

    fn feature(&mut self) -> Option<bool> {
        let compare = ["gte", "gt", "lte", "lt"].into_iter().find(|word| self.next_is(word));
        let name = *self.words.get(self.at)?;
        self.at += 1;
        if !name.eq_ignore_ascii_case("mso") {
            return Some(name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("vml"));
        }
        let Some(version) = self.words.get(self.at).and_then(|word| word.parse::<f64>().ok()) else {
            return Some(true);
        };
        self.at += 1;
        Some(match compare {
            Some("gte") => VERSION >= version,
            Some("gt") => VERSION > version,
            Some("lte") => VERSION <= version,
            Some(_) => VERSION < version,
            // `mso 9` means that version alone.
            None => (VERSION - version).abs() < 0.5,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions() {
        let table = [
            ("mso", true),
            ("!mso", false),
            ("gte mso 9", true),
            ("lt mso 12", false),
            ("(gte mso 9)|(IE)", true),
            ("mso | IE", true),
            ("IE", false),
            ("!(mso)", false),
            ("(gte mso 12)&(lte mso 15)", false),
            ("mso 16", true),
            ("mso 12", false),
            ("((((((((((((((((((((mso", false),
            ("", false),
        ];
        for (condition, expected) in table {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn comments() {
        let table = [
            ("a<!--[if mso]>b<![endif]-->c", "abc"),
            ("a<!--[if !mso]>b<![endif]-->c", "ac"),
            ("a<!--[if !mso]><!-->b<!--<![endif]-->c", "ac"),
            ("a<!--[if mso]><!-->b<!--<![endif]-->c", "abc"),
            ("a<![if !mso]>b<![endif]>c", "ac"),
            ("a<!-- b -->c<!DOCTYPE html>", "ac<!DOCTYPE html>"),
            ("a<!--[if mso]>b", "ab"),
            ("a<!--[if mso", "a"),
            ("a<!", "a<!"),
        ];
        for (html, expected) in table {
            assert_eq!(resolve(html), expected, "{html}");
        }
    }
}
