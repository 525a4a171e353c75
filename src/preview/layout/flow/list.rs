//! Numbers and bullets of lists.

use std::collections::HashMap;

use crate::preview::layout::source::dom::{Dom, Id};
use crate::preview::layout::style::Marker;

/// The number of each item of a list.
pub fn ordinals(dom: &Dom) -> HashMap<Id, i64> {
    let mut next: HashMap<Id, i64> = HashMap::new();
    let mut ordinals = HashMap::new();
    for id in dom.preorder() {
        let Some(element) = dom.element(id).filter(|element| element.name() == "li") else { continue };
        let Some(parent) = dom.parent(id) else { continue };
        let start = || dom.element(parent).and_then(|list| list.attribute("start")?.trim().parse().ok()).unwrap_or(1);
        let next = next.entry(parent).or_insert_with(start);
        if let Some(value) = element.attribute("value").and_then(|value| value.trim().parse().ok()) {
            *next = value;
        }
        ordinals.insert(id, *next);
        *next = next.saturating_add(1);
    }
    ordinals
}

/// A marker, with the blank between it and the item.
pub fn marker(marker: Marker, ordinal: i64) -> String {
    match marker {
        Marker::None => String::new(),
        Marker::Disc => "• ".to_owned(),
        Marker::Circle => "◦ ".to_owned(),
        Marker::Square => "▪ ".to_owned(),
        Marker::Decimal => format!("{ordinal}. "),
        Marker::Lower => format!("{}. ", letters(ordinal)),
        Marker::Upper => format!("{}. ", letters(ordinal).to_ascii_uppercase()),
        Marker::LowerRoman => format!("{}. ", roman(ordinal)),
        Marker::UpperRoman => format!("{}. ", roman(ordinal).to_ascii_uppercase()),
    }
}

/// a … z, aa …
fn letters(ordinal: i64) -> String {
    if ordinal < 1 {
        return ordinal.to_string();
    }
    let mut letters = Vec::new();
    let mut rest = ordinal;
    while rest > 0 {
        rest -= 1;
        letters.push(u8::try_from(rest % 26).map_or('a', |letter| char::from(b'a' + letter)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

fn roman(ordinal: i64) -> String {
    const SIGNS: [(i64, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4000).contains(&ordinal) {
        return ordinal.to_string();
    }
    let mut out = String::new();
    let mut rest = ordinal;
    for (value, sign) in SIGNS {
        while rest >= value {
            out.push_str(sign);
            rest -= value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        let table = [
            (Marker::Decimal, 12, "12. "),
            (Marker::Decimal, -1, "-1. "),
            (Marker::Lower, 1, "a. "),
            (Marker::Lower, 27, "aa. "),
            (Marker::Upper, 26, "Z. "),
            (Marker::Lower, 0, "0. "),
            (Marker::LowerRoman, 1994, "mcmxciv. "),
            (Marker::UpperRoman, 4, "IV. "),
            (Marker::UpperRoman, 4000, "4000. "),
            (Marker::Disc, 3, "• "),
            (Marker::None, 3, ""),
        ];
        for (kind, ordinal, expected) in table {
            assert_eq!(marker(kind, ordinal), expected);
        }
    }
}
