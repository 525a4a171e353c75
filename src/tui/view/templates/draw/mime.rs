//! The bytes that are sent: their tree, how near the HTML is to being clipped, then they themselves.

use ratatui::text::{Line, Span};

use crate::preview::mime::{CLIPPED_FROM, Part, Tree};
use crate::preview::proof::Proof;
use crate::text::{pad, plain_lines, width};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::gauge::gauge;
use crate::tui::widget::number::thousands;
use crate::tui::widget::wrap::wrap;

/// Most lines of bytes: no one reads more.
const LINES_MAX: usize = 3_000;

pub fn lines(proof: &Proof, encoded: bool, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let tree = &proof.mime;
    let mut lines = parts(tree, theme, columns);
    lines.push(clip_meter(tree, theme, columns));
    lines.push(Line::default());
    let quiet = theme.style(Tone::Quiet);
    let (now, other) = if encoded { ("As it is sent", "decoded") } else { ("Decoded", "as it is sent") };
    lines.push(Line::from(vec![
        Span::styled(now, theme.style(Tone::Strong)),
        Span::styled("   d", theme.style(Tone::Key)),
        Span::styled(format!(" {other}"), quiet),
    ]));
    lines.push(Line::default());
    let columns = usize::from(columns).max(1);
    let mut more = 0_i64;
    let mut add = |text: &str, tone| {
        for line in plain_lines(text) {
            if lines.len() >= LINES_MAX {
                more += 1;
                continue;
            }
            let parts = wrap(line.as_str(), columns).into_iter();
            lines.extend(parts.map(|part| Line::styled(part, theme.style(tone))));
        }
    };
    if encoded {
        add(&tree.encoded, Tone::Text);
    } else {
        for header in &tree.headers {
            let value = header.decoded.as_ref().unwrap_or(&header.raw);
            add(&format!("{}: {value}", header.name), Tone::Quiet);
        }
        for part in tree.parts.iter().filter(|part| part.text.is_some()) {
            add(&format!(" \n{}\n ", part.kind), Tone::Here);
            add(part.text.as_deref().unwrap_or_default(), Tone::Text);
        }
    }
    lines.truncate(LINES_MAX);
    if more > 0 {
        let more = thousands(more);
        let [_, down, ..] = theme.glyphs().arrows;
        lines.push(Line::styled(format!("{down} {more} more lines are sent, and not shown here"), quiet));
    }
    lines
}

/// A line a part.
fn parts(tree: &Tree, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let kind = usize::from(columns).saturating_sub(44).clamp(16, 40);
    for (n, part) in tree.parts.iter().enumerate() {
        let is_last = tree.parts[n + 1..].iter().take_while(|p| p.depth >= part.depth).all(|p| p.depth > part.depth);
        let branch = match (part.depth, theme.is_unicode(), is_last) {
            (0, ..) => "",
            (_, true, true) => "└ ",
            (_, true, false) => "├ ",
            (_, false, _) => "+ ",
        };
        let indent = "  ".repeat(part.depth.saturating_sub(1));
        let room = kind.saturating_sub(width(&indent) + width(branch));
        lines.push(Line::from(vec![
            Span::styled(format!("{indent}{branch}"), theme.style(Tone::Rule)),
            Span::styled(
                pad(crate::text::plain(&part.kind).as_str(), room, theme.glyphs().ellipsis),
                theme.style(Tone::Text),
            ),
            Span::styled(format!("  {:<17}", part.encoding), theme.style(Tone::Quiet)),
            Span::styled(sizes(part, n == 0, tree.size), theme.style(Tone::Text)),
        ]));
    }
    lines
}

fn sizes(part: &Part, whole: bool, size: usize) -> String {
    if whole {
        return format!("{:>9} in all", bytes(size));
    }
    if part.text.is_none() || part.sent == part.decoded {
        return format!("{:>9}", bytes(part.sent));
    }
    format!("{:>9} sent, {} decoded", bytes(part.sent), bytes(part.decoded))
}

/// "604 B", "10.9 KB".
pub fn bytes(count: usize) -> String {
    if count < 1_024 {
        return format!("{count} B");
    }
    let tenths = i64::try_from(count.saturating_mul(10) / 1_024).unwrap_or(i64::MAX);
    format!("{}.{} KB", thousands(tenths / 10), tenths % 10)
}

fn clip_meter(tree: &Tree, theme: &Theme, columns: u16) -> Line<'static> {
    #[expect(clippy::cast_precision_loss, reason = "a share to be drawn")]
    let part = tree.html as f64 / CLIPPED_FROM as f64;
    let tone = match part {
        part if part >= 1.0 => Tone::Bad,
        part if part >= 0.8 => Tone::Warn,
        _ => Tone::Good,
    };
    let room = columns.saturating_sub(44).clamp(6, 30);
    let mut spans = vec![Span::styled("Gmail clips at 102 KB  ", theme.style(Tone::Quiet))];
    spans.extend(gauge(theme, part, room, tone));
    spans.push(Span::styled(format!("  {} of HTML", bytes(tree.html)), theme.style(tone)));
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_in_units() {
        let table =
            [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KB"), (104_448, "102.0 KB"), (2_000_000, "1,953.1 KB")];
        for (count, text) in table {
            assert_eq!(bytes(count), text);
        }
    }
}
