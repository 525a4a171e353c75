//! A template's source in pieces: the tags and expressions in it, without comments and what is raw.

/// A piece of a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// `{{ … }}`
    Expression(&'a str),
    /// `{% … %}`
    Tag(&'a str),
}

/// A piece, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed<'a> {
    /// Where it begins, in bytes.
    pub begin: usize,
    /// Where what is behind it begins.
    pub end: usize,
    pub piece: Piece<'a>,
}

/// The tags and expressions of a source, in order.
pub(super) fn pieces(source: &str) -> impl Iterator<Item = Placed<'_>> {
    let mut at = 0;
    let mut is_raw = false;
    std::iter::from_fn(move || {
        loop {
            let begin = at + source[at..].find('{')?;
            let rest = &source[begin..];
            let close = match rest.as_bytes().get(1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => "#}",
                _ => {
                    at = begin + 1;
                    continue;
                }
            };
            let inside = &rest[2..];
            let is_tag = close == "%}";
            let end = if close == "#}" || is_raw { inside.find(close) } else { end_of_code(inside, close) };
            let end = end.unwrap_or(inside.len());
            let code = &inside[..end];
            if is_raw && !(is_tag && words(code).eq(["endraw"])) {
                at = begin + 1;
                continue;
            }
            at = (begin + 2 + end + 2).min(source.len());
            let placed = |piece| Placed { begin, end: at, piece };
            match close {
                "}}" => return Some(placed(Piece::Expression(code))),
                "%}" if is_raw => is_raw = false,
                "%}" if words(code).eq(["raw"]) => is_raw = true,
                "%}" => return Some(placed(Piece::Tag(code))),
                _ => {}
            }
        }
    })
}

/// Where code ends: its strings may have in them what closes it.
fn end_of_code(code: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in code.char_indices() {
        match quote {
            None if code[at..].starts_with(close) => return Some(at),
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            None | Some(_) => {}
        }
    }
    None
}

/// The words of some code.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The code with its strings empty.
pub(super) fn without_strings(code: &str) -> String {
    let mut quote = None;
    let mut is_escaped = false;
    let keep = |c: &char| match (quote, *c) {
        (None, '"' | '\'' | '`') => {
            quote = Some(*c);
            true
        }
        (None, _) => true,
        (Some(_), _) if is_escaped => {
            is_escaped = false;
            false
        }
        (Some(_), '\\') => {
            is_escaped = true;
            false
        }
        (Some(open), c) => {
            if c == open {
                quote = None;
            }
            c == open
        }
    };
    code.chars().filter(keep).collect()
}

/// What stands in the strings of some code.
pub(super) fn strings(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        let begin = rest.find(['"', '\'', '`'])?;
        let quote = rest[begin..].chars().next()?;
        let behind = &rest[begin + 1..];
        let end = behind.find(quote).unwrap_or(behind.len());
        rest = behind.get(end + 1..).unwrap_or_default();
        Some(&behind[..end])
    })
}

/// The name that a tag assigns to, and the value; none where a block follows that is it.
pub(super) fn assignment(tag: &str) -> Option<(&str, Option<&str>)> {
    let tag = tag.trim_matches(|c: char| c == '-' || c.is_whitespace());
    let rest = tag.strip_prefix("set_global").or_else(|| tag.strip_prefix("set"))?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let value = rest.trim_start().strip_prefix('=');
    (!name.is_empty()).then_some((name, value))
}
