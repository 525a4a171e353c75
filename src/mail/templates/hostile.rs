//! What people who mean no good, or are merely unusual, type into a form. Tried with every variable that strangers
//! decide on.

use super::fixture::{Fixture, Kind, Origin, Schema, Value};

/// Identifier, title, value.
const VALUES: [(&str, &str, &str); 7] = [
    ("hostile-long", "60 characters without a gap", "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewiss"),
    ("hostile-markup", "Markup", "<b>Kim</b> & <script>alert(1)</script> {{ link }}"),
    ("hostile-quotes", "Quotation marks", "Robin \"Rob\" O'Park` \u{201c}로빈\u{201d}"),
    ("hostile-emoji", "Emoji", "\u{1f389} Mina \u{1f469}\u{200d}\u{1f4bb}\u{1f1f0}\u{1f1f7}"),
    ("hostile-line-breaks", "Line breaks that would begin a header", "Kim\r\nBcc: everybody@example.org"),
    ("hostile-empty", "Nothing", ""),
    (
        "hostile-mixed-scripts",
        "Mixed scripts, right to left",
        "김Robin\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{202e}Ωжя\u{645}\u{631}",
    ),
];

/// A fixture for each hostile value, put into all untrusted variables at once.
pub(super) fn fixtures(schema: &Schema) -> Vec<Fixture> {
    let untrusted = || schema.variables.iter().filter(|(_, v)| v.untrusted && v.kind == Kind::String);
    let fixture = |&(id, title, value): &(&str, &str, &str)| {
        let targets = untrusted().filter(|(_, variable)| !(variable.required && value.is_empty()));
        let values = targets.map(|(name, _)| (name.clone(), Value::Text(value.to_owned())));
        Fixture { id: id.to_owned(), title: title.to_owned(), origin: Origin::Hostile, values: values.collect() }
    };
    VALUES.iter().map(fixture).filter(|fixture| !fixture.values.is_empty()).collect()
}
