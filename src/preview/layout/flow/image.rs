//! Images: boxes of the right size with the alternative text.

use super::{COLUMN, Flow};
use crate::preview::layout::source::dom::Id;
use crate::preview::layout::style::value::{self, PX, Unit};
use crate::text::{plain, width};

/// How high an image is of which only the width is known.
const UNKNOWN: Unit = 16 * PX;

/// Stands before the alternative text of an image that is shown.
const SIGN: &str = "▣ ";

impl Flow<'_> {
    /// What is written in an image's box.
    pub(super) fn alternative(&self, image: Id) -> String {
        let text = self.dom.element(image).and_then(|element| element.attribute("alt")).unwrap_or("");
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = plain(&words.join(" ")).into_string();
        match (self.view.images, text.is_empty()) {
            (true, true) => SIGN.trim_end().to_owned(),
            (true, false) => format!("{SIGN}{text}"),
            (false, _) => text,
        }
    }

    /// The size in an image's attributes, from which it has its proportions.
    fn natural(&self, image: Id) -> Option<(Unit, Unit)> {
        let element = self.dom.element(image)?;
        let side = |name: &str| value::attribute(element.attribute(name)?).filter(|side| !side.is_relative());
        Some((side("width")?.fixed, side("height")?.fixed))
    }

    /// The width of an image's contents where its container leaves `available`, without its limits.
    pub(super) fn image_width(&self, image: Id, available: Unit) -> Unit {
        let style = self.style(image);
        let text = Unit::try_from(width(&self.alternative(image))).unwrap_or(0) * COLUMN;
        let specified = style.width.map(|width| width.of(available).max(0));
        let fixed = style.height.filter(|height| !height.is_relative()).map(|height| height.fixed);
        match (specified, fixed, self.natural(image)) {
            (Some(width), ..) | (None, None, Some((width, _))) => width,
            (None, Some(height), Some((width, high))) => scaled(height, (high, width)),
            // Its width is known from nothing but the text; next to a height of nothing it is a pixel.
            (None, Some(height), None) if height <= 2 * PX => height,
            (None, _, None) => text,
        }
    }

    /// The size of an image's contents where its container leaves `available`.
    pub(super) fn image_size(&self, image: Id, available: Unit) -> (Unit, Unit) {
        let style = self.style(image);
        let max = style.max_width.map_or(Unit::MAX, |max| max.of(available));
        let min = style.min_width.map_or(0, |min| min.of(available));
        let fixed = style.height.filter(|height| !height.is_relative()).map(|height| height.fixed);
        let natural = self.natural(image);
        let wide = self.image_width(image, available);
        let width = wide.min(max).max(min);
        let height = match (fixed, natural) {
            (Some(height), _) => height,
            (None, Some(natural)) => scaled(width, natural),
            (None, None) if wide <= 2 * PX => wide,
            (None, None) => UNKNOWN,
        };
        (width, height)
    }
}

/// A length in the proportion of two others.
fn scaled(length: Unit, (of, to): (Unit, Unit)) -> Unit {
    length * to / of.max(1)
}
