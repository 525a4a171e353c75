//! Whether a mail can be given to a parser without budgets, found out in one quick pass.
//!
//! HTML's rules for what is left open make parsers repeat elements, and look for them through all that is open: a mail
//! of many thousand tags can take quadratic time and room. A usual mail is far from that.

/// Most tags.
const TAGS_MAX: usize = 4_000;

/// Most elements that are open at once.
const DEPTH_MAX: usize = 300;

/// Most elements open at once of those that a parser repeats in each block that follows.
const REPEATED_MAX: usize = 40;

/// Elements that a parser repeats.
const REPEATED: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that have no end, or need not have one.
const FLAT: [&str; 22] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr", "p", "li", "dt", "dd",
    "td", "th", "tr", "tbody", "thead", "option",
];

/// Whether a mail has few tags, and leaves few of them open. Only says so where it is sure.
pub fn is_harmless(html: &str) -> bool {
    let (mut tags, mut depth) = (0, 0_usize);
    let mut repeated = [0_usize; REPEATED.len()];
    for part in html.split('<').skip(1) {
        let (ends, part) = part.strip_prefix('/').map_or((false, part), |part| (true, part));
        let name = &part[..part.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(part.len())];
        if name.is_empty() {
            continue;
        }
        let same = |other: &&str| name.eq_ignore_ascii_case(other);
        let index = REPEATED.iter().position(same);
        tags += 1;
        if ends {
            depth = depth.saturating_sub(1);
        } else if !FLAT.iter().any(same) {
            depth += 1;
        }
        if let Some(count) = index.and_then(|index| repeated.get_mut(index)) {
            *count = if ends { count.saturating_sub(1) } else { *count + 1 };
            if repeated.iter().sum::<usize>() > REPEATED_MAX {
                return false;
            }
        }
        if tags > TAGS_MAX || depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_mails_from_monsters() {
        assert!(is_harmless(include_str!("../../../../tests/mails/receipt.html")));
        let monsters = ["<div>".repeat(301), "<p>".repeat(4_001), "<B id=1>".repeat(41), "<b></i><font>".repeat(21)];
        for monster in monsters {
            assert!(!is_harmless(&monster), "{}", &monster[..20]);
        }
    }
}
