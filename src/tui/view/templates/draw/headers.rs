//! The mail's headers, and what is right or wrong about each.

use ratatui::text::{Line, Span};

use crate::preview::mime::Header;
use crate::preview::proof::Proof;
use crate::text::{pad, plain};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::wrap::wrap;

/// Columns of a header's name and its mark.
const NAME: usize = 26;

/// Headers that a mail must have once, and those that a mail of a machine should have.
const MUST: [&str; 5] = ["From", "To", "Subject", "Date", "Message-ID"];
const SHOULD: [(&str, &str); 2] = [
    ("MIME-Version", "without it the parts are not seen"),
    ("Auto-Submitted", "without it vacation notices come back (RFC 3834)"),
];

pub fn lines(proof: &Proof, encoded: bool, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let headers = &proof.mime.headers;
    let columns = usize::from(columns).max(1);
    let mut lines = Vec::new();
    for header in headers {
        let count = headers.iter().filter(|other| other.name.eq_ignore_ascii_case(&header.name)).count();
        let (tone, remark) = judge(header, count);
        let value = header.decoded.as_ref().filter(|_| !encoded).unwrap_or(&header.raw);
        lines.extend(one(&header.name, value, tone, &remark, theme, columns));
    }
    let has = |name: &str| headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    for name in MUST.into_iter().filter(|name| !has(name)) {
        lines.extend(one(name, "is missing", Tone::Bad, "every mail needs it (RFC 5322)", theme, columns));
    }
    for (name, why) in SHOULD.into_iter().filter(|(name, _)| !has(name)) {
        lines.extend(one(name, "is missing", Tone::Warn, why, theme, columns));
    }
    if !has("Reply-To") {
        let why = "replies go to the sender; `mail.reply_to` sends them elsewhere";
        lines.extend(one("Reply-To", "none", Tone::Quiet, why, theme, columns));
    }
    if headers.iter().any(|header| header.decoded.is_some()) {
        let (now, other) = if encoded { ("As they are sent", "decoded") } else { ("Decoded", "as they are sent") };
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled(now, theme.style(Tone::Strong)),
            Span::styled("   d", theme.style(Tone::Key)),
            Span::styled(format!(" {other}"), theme.style(Tone::Quiet)),
        ]));
    }
    lines
}

/// How a header is, and a word on it.
fn judge(header: &Header, count: usize) -> (Tone, String) {
    let is = |name: &str| header.name.eq_ignore_ascii_case(name);
    if count > 1 && !is("Received") {
        return (Tone::Bad, format!("stands there {count} times"));
    }
    if header.raw.len() > 998 {
        return (Tone::Bad, "is longer than 998 bytes".to_owned());
    }
    let (tone, remark) = match () {
        () if is("Date") || is("Message-ID") => (Tone::Good, "SES writes its own"),
        () if is("Auto-Submitted") => (Tone::Good, "no vacation notices in return"),
        () if is("X-SES-MESSAGE-TAGS") => (Tone::Good, "names the send in SES's events; SES takes it out"),
        () if is("X-SES-CONFIGURATION-SET") => (Tone::Good, "SES takes it out"),
        () if is("List-Unsubscribe") => (Tone::Warn, "a verification is no newsletter"),
        () => (Tone::Good, ""),
    };
    (tone, remark.to_owned())
}

fn one(name: &str, value: &str, tone: Tone, remark: &str, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let [good, bad, warn] = theme.glyphs().marks;
    let mark = match tone {
        Tone::Good => good,
        Tone::Bad => bad,
        Tone::Warn => warn,
        _ => theme.glyphs().none,
    };
    let (name, value) = (plain(name).into_string(), plain(value).into_string());
    let name_room = if columns >= NAME * 2 { NAME } else { columns };
    let mut lines = Vec::new();
    let lead = vec![
        Span::styled(format!("{mark} "), theme.style(tone)),
        Span::styled(pad(&name, name_room.saturating_sub(2), theme.glyphs().ellipsis), theme.style(Tone::Quiet)),
    ];
    let stacked = name_room == columns;
    let indent = if stacked { 2 } else { NAME };
    if stacked {
        lines.push(Line::from(lead.clone()));
    }
    let room = columns.saturating_sub(indent).max(1);
    for (n, part) in wrap(&value, room).into_iter().enumerate() {
        let value_tone = if matches!(tone, Tone::Good) { Tone::Text } else { tone };
        let mut spans = if n == 0 && !stacked { lead.clone() } else { vec![Span::raw(" ".repeat(indent))] };
        spans.push(Span::styled(part, theme.style(value_tone)));
        lines.push(Line::from(spans));
    }
    if !remark.is_empty() {
        for part in wrap(remark, room) {
            lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(part, theme.style(Tone::Quiet))]));
        }
    }
    lines
}
