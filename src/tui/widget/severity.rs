//! How bad a finding is.

use crate::preview::check::Severity;
use crate::tui::theme::{Theme, Tone};

/// A severity's glyph and tone.
#[must_use]
pub fn mark(severity: Severity, theme: &Theme) -> (&'static str, Tone) {
    let [_, bad, warn] = theme.glyphs().marks;
    match severity {
        Severity::Error => (bad, Tone::Bad),
        Severity::Warning => (warn, Tone::Warn),
        Severity::Info => (theme.glyphs().dot, Tone::Quiet),
    }
}
