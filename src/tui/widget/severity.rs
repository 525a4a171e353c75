//! How bad a finding is.

use crate::preview::check::Severity;
use crate::tui::look::{Look, Tone};

/// A severity's glyph and tone.
#[must_use]
pub fn mark(severity: Severity, look: &Look) -> (&'static str, Tone) {
    let [_, bad, warn] = look.glyphs().marks;
    match severity {
        Severity::Error => (bad, Tone::Bad),
        Severity::Warning => (warn, Tone::Warn),
        Severity::Info => (look.glyphs().dot, Tone::Quiet),
    }
}
