//! How far the search of a list has come, where it takes long and someone looks.

use super::output;
use crate::domain::Time;

#[derive(Default)]
pub(super) struct Searching {
    is_told: bool,
}

impl Searching {
    pub(super) fn tell(&mut self, found: usize, at: Time) {
        if output::can_redraw() {
            self.is_told = true;
            output::redraw(&format!("{found} found, searched as far as {}…", at.format("%Y-%m-%d %H:%M UTC")));
        }
    }

    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_told) {
            output::redraw("");
        }
    }
}
