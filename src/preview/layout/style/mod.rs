//! What each node looks like: CSS computed as far as it can be shown in cells.
//!
//! ```text
//! value.rs       lengths
//! colour.rs      colours
//! user_agent.rs  the style sheet that a browser has of its own, and HTML's presentational attributes
//! declare.rs     declarations of a style attribute
//! ```

pub mod colour;
mod declare;
mod user_agent;
pub mod value;

use crate::preview::cell_layout::Rgb;
use crate::preview::view::{Scheme, View};

use super::source::dom::{Data, Dom, Element, Id};
use colour::Rgba;
use value::{Length, PX, Unit};

/// The usual `font-weight`.
pub const NORMAL: u16 = 400;

/// How a box takes part in the flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// Not at all.
    None,
    /// Within a line.
    #[default]
    Inline,
    /// Within a line, as a block of its own.
    InlineBlock,
    /// Across its container.
    Block,
    /// A block with a marker.
    ListItem,
    Table,
    /// A table within a line.
    InlineTable,
    /// Rows of a table.
    RowGroup,
    /// A row of a table.
    Row,
    /// A cell of a table.
    Cell,
    /// What stands above a table.
    Caption,
    /// What specifies a table's columns.
    Column,
}

/// How lines, or blocks, stand in their container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// At the left.
    #[default]
    Start,
    /// In the middle.
    Centre,
    /// At the right.
    End,
}

/// `vertical-align`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerticalAlign {
    #[default]
    Baseline,
    Top,
    Middle,
    Bottom,
}

/// To which side a box floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Float {
    /// To none.
    #[default]
    None,
    Left,
    Right,
}

/// Where words may be broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordBreak {
    /// Where the language allows it: between syllables of Hangul.
    #[default]
    Normal,
    /// Nowhere but between words, in Hangul too.
    KeepAll,
    /// Anywhere.
    BreakAll,
}

/// What becomes of letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transform {
    /// Nothing.
    #[default]
    None,
    /// Capitals.
    Upper,
    /// Small letters.
    Lower,
    /// Words begin with capitals.
    Capital,
}

/// What stands before a list's item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marker {
    /// Nothing.
    None,
    /// •
    #[default]
    Disc,
    /// ◦
    Circle,
    /// ▪
    Square,
    /// 1.
    Decimal,
    /// a.
    Lower,
    /// A.
    Upper,
    /// i.
    LowerRoman,
    /// I.
    UpperRoman,
}

/// The properties that children inherit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Text {
    /// `color`.
    pub colour: Rgba,
    /// `opacity`, all of it from the root on.
    pub opacity: f32,
    /// `font-weight`.
    pub weight: u16,
    /// `font-style`.
    pub italic: bool,
    /// `text-decoration: underline`, here or on an ancestor.
    pub underline: bool,
    /// `text-decoration: line-through`, here or on an ancestor.
    pub strike: bool,
    /// `font-size`.
    pub size: Unit,
    /// `line-height`, where it is a length.
    pub line: Option<Unit>,
    /// `line-height`, where it is a number: 64 to 1.
    pub line_factor: Option<Unit>,
    /// `text-align`.
    pub align: Align,
    /// Whether that was specified, here or by an ancestor.
    pub aligned: bool,
    /// `direction: rtl`: reverses blocks within a line; text from right to left is not laid out.
    pub rtl: bool,
    /// `align` of an ancestor, which moves blocks as well.
    pub blocks: Align,
    /// `white-space`: whether blanks stay.
    pub keep_blanks: bool,
    /// `white-space`: whether line breaks stay.
    pub keep_breaks: bool,
    /// `white-space`: whether lines are broken.
    pub wraps: bool,
    /// `word-break`.
    pub word_break: WordBreak,
    /// `overflow-wrap`: whether a word that is too long is broken.
    pub breaks_words: bool,
    /// `overflow-wrap: anywhere` and `word-break: break-word`: whether that makes the min-content width smaller.
    pub breaks_anywhere: bool,
    /// `text-transform`.
    pub transform: Transform,
    /// `visibility`.
    pub visible: bool,
    /// `list-style-type`.
    pub marker: Marker,
    /// `list-style-position: inside`.
    pub marker_inside: bool,
    pub link: Option<u16>,
    /// `border-collapse: collapse`.
    pub collapse: bool,
    /// `border-spacing`, across and down.
    pub spacing: (Unit, Unit),
    /// `cellpadding` of the table around.
    pub cell_padding: Unit,
    /// `border` of the table around.
    pub cell_border: bool,
    /// How deep in lists.
    pub lists: u8,
}

/// One edge of a border.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Edge {
    /// How thick, if it is drawn.
    pub width: Unit,
    pub drawn: bool,
    /// Its colour, where it is not the text's.
    pub colour: Option<Rgba>,
}

impl Edge {
    /// How much space it takes: its width, if it is drawn.
    pub fn used_width(self) -> Unit {
        if self.drawn { self.width } else { 0 }
    }
}

/// Top, right, bottom, left.
pub type Sides<T> = [T; 4];

/// Where the top is in [`Sides`].
pub const TOP: usize = 0;
/// Where the right is in [`Sides`].
pub const RIGHT: usize = 1;
/// Where the bottom is in [`Sides`].
pub const BOTTOM: usize = 2;
/// Where the left is in [`Sides`].
pub const LEFT: usize = 3;

/// All that is known of how a node looks.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Style {
    /// The properties that children inherit.
    pub text: Text,
    /// `display`.
    pub display: Display,
    /// `float`.
    pub float: Float,
    /// `clear`.
    pub clear: bool,
    /// `position: absolute` or `fixed`.
    pub out_of_flow: bool,
    /// `background`.
    pub background: Option<Rgba>,
    /// `margin`; `auto` is none.
    pub margin: Sides<Option<Length>>,
    /// `padding`.
    pub padding: Sides<Length>,
    /// `border`.
    pub border: Sides<Edge>,
    /// `border-radius`: whether there is any.
    pub round: bool,
    /// `width`.
    pub width: Option<Length>,
    /// `min-width`.
    pub min_width: Option<Length>,
    /// `max-width`.
    pub max_width: Option<Length>,
    /// `height`.
    pub height: Option<Length>,
    /// `min-height`.
    pub min_height: Option<Length>,
    /// `max-height`.
    pub max_height: Option<Length>,
    /// `box-sizing: border-box`.
    pub border_box: bool,
    /// `overflow` other than `visible`.
    pub clips: bool,
    /// `table-layout: fixed`.
    pub fixed: bool,
    /// `vertical-align`.
    pub vertical_align: VerticalAlign,
    own_underline: bool,
    own_strike: bool,
    own_opacity: f32,
    hidden: bool,
}

impl Style {
    /// What the document itself looks like.
    fn root() -> Self {
        let text = Text {
            colour: Rgba::opaque(Rgb::BLACK),
            opacity: 1.0,
            weight: NORMAL,
            italic: false,
            underline: false,
            strike: false,
            size: 16 * PX,
            line: None,
            line_factor: None,
            align: Align::Start,
            aligned: false,
            rtl: false,
            blocks: Align::Start,
            keep_blanks: false,
            keep_breaks: false,
            wraps: true,
            word_break: WordBreak::Normal,
            breaks_words: false,
            breaks_anywhere: false,
            transform: Transform::None,
            visible: true,
            marker: Marker::Disc,
            marker_inside: false,
            link: None,
            collapse: false,
            spacing: (0, 0),
            cell_padding: PX,
            cell_border: false,
            lists: 0,
        };
        Self::within(&text)
    }

    /// A box of which nothing is known but what is around it.
    pub fn within(text: &Text) -> Self {
        Self {
            text: *text,
            display: Display::Inline,
            float: Float::None,
            clear: false,
            out_of_flow: false,
            background: None,
            margin: [Some(Length::ZERO); 4],
            padding: [Length::ZERO; 4],
            border: [Edge { width: 3 * PX, drawn: false, colour: None }; 4],
            round: false,
            width: None,
            min_width: None,
            max_width: None,
            height: None,
            min_height: None,
            max_height: None,
            border_box: false,
            clips: false,
            fixed: false,
            vertical_align: VerticalAlign::Baseline,
            own_underline: false,
            own_strike: false,
            own_opacity: 1.0,
            hidden: false,
        }
    }

    pub fn edge_colour(&self, side: usize) -> Rgba {
        self.border[side].colour.unwrap_or(self.text.colour)
    }
}

/// The styles of a tree's nodes.
pub struct Styles {
    root: Style,
    of: Vec<Option<Style>>,
    /// Where links lead, in order of appearance.
    pub links: Vec<String>,
    /// Whether the mail says that it knows dark screens.
    pub knows_dark: bool,
}

impl Styles {
    pub fn compute(dom: &Dom, view: View) -> Self {
        let mut styles: Vec<Option<Style>> = Vec::new();
        styles.resize_with(dom.len(), || None);
        let mut links = Vec::new();
        let knows_dark = view.scheme == Scheme::Dark && knows_dark(dom);
        let mut root = Style::root();
        if knows_dark {
            root.text.colour = Rgba::opaque(Rgb::WHITE);
        }
        let context = Context { view, quirks: dom.quirks, dark: knows_dark };
        styles[Dom::ROOT] = Some(root.clone());
        for id in dom.preorder() {
            let Some(parent) = dom.parent(id).and_then(|parent| styles[parent].as_ref()) else { continue };
            if let Data::Element(element) = dom.data(id)
                && parent.display != Display::None
            {
                styles[id] = Some(context.style(element, parent, &mut links));
            }
        }
        Self { root, of: styles, links, knows_dark }
    }

    /// An element's style, shown or not.
    pub fn get(&self, id: Id) -> &Style {
        self.of[id].as_ref().unwrap_or(&self.root)
    }

    /// An element's style; none where it, or what it stands in, is not shown.
    pub fn of(&self, id: Id) -> Option<&Style> {
        self.of[id].as_ref().filter(|style| style.display != Display::None)
    }
}

/// Whether `color-scheme` names dark, in a meta element or in the style of the root.
fn knows_dark(dom: &Dom) -> bool {
    dom.preorder().filter_map(|id| dom.element(id)).any(|element| match element.name() {
        "meta" => {
            element.attribute("name").is_some_and(|name| name.eq_ignore_ascii_case("color-scheme"))
                && element.attribute("content").is_some_and(|content| content.contains("dark"))
        }
        "html" => element.attribute("style").is_some_and(|style| {
            value::split(style, ';').into_iter().any(|declaration| {
                declaration
                    .split_once(':')
                    .is_some_and(|(name, value)| name.trim() == "color-scheme" && value.contains("dark"))
            })
        }),
        _ => false,
    })
}

/// What styles hang on besides the tree.
struct Context {
    view: View,
    quirks: bool,
    dark: bool,
}

impl Context {
    fn style(&self, element: &Element, parent: &Style, links: &mut Vec<String>) -> Style {
        let mut style = Style::within(&parent.text);
        let attribute = element.attribute("style").unwrap_or("");
        let declarations = declare::read(attribute);
        style.text.size = user_agent::size(element, parent.text.size);
        for declaration in &declarations {
            declare::size(&mut style, declaration, parent.text.size);
        }
        user_agent::element(&mut style, element, self, links);
        user_agent::attributes(&mut style, element);
        for declaration in &declarations {
            declare::apply(&mut style, declaration, parent, self.view);
        }
        self.finish(&mut style, element);
        style
    }

    fn finish(&self, style: &mut Style, element: &Element) {
        let nothing = |length: Option<Length>| length.is_some_and(|length| length == Length::ZERO);
        // Ways to hide a preheader. A box of no size that shows what does not fit is no such way.
        let squeezed =
            style.clips && (nothing(style.max_height) || nothing(style.height) && style.display != Display::Cell);
        if style.hidden || squeezed {
            style.display = Display::None;
            return;
        }
        if style.float != Float::None || style.out_of_flow {
            style.display = match style.display {
                Display::Inline | Display::InlineBlock => Display::Block,
                Display::InlineTable => Display::Table,
                other => other,
            };
        }
        style.text.opacity *= style.own_opacity;
        if matches!(style.display, Display::InlineBlock | Display::InlineTable) || style.float != Float::None {
            (style.text.underline, style.text.strike) = (false, false);
        }
        style.text.underline |= style.own_underline;
        style.text.strike |= style.own_strike;
        if element.name() == "body" && self.quirks {
            style.height = None;
        }
    }
}
