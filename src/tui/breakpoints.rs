//! From which size of the screen on it is laid out otherwise.

/// From how many columns the detail stands beside the list.
pub const PANE_FROM: u16 = 110;

/// From how many rows on there is room for a banner of more than one line, and for all that the head of the queue says.
pub const TALL_FROM: u16 = 16;
