//! What of HTML and CSS the rules look for in a mail, by caniemail's names, and what a program that lacks it makes of
//! the mail. `scripts/clients.sh` keeps the data of exactly the features that stand here.

/// How a feature shows in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// One of these properties is declared, or a longhand of one (`name-…`) where it ends in `-`.
    Property(&'static [&'static str]),
    /// This property is declared with this keyword in its value.
    Value(&'static str, &'static str),
    /// One of these functions stands in a value.
    Function(&'static [&'static str]),
    /// One of these keywords stands in the value of any property.
    Keyword(&'static [&'static str]),
    /// A number with this unit stands in a value.
    Unit(&'static str),
    /// An at-rule of this name.
    AtRule(&'static str),
    /// `@media` whose condition asks for this.
    Media(&'static str),
    /// A rule within a rule.
    Nesting,
    /// A pseudo-class or pseudo-element in a selector.
    Pseudo(&'static str),
    AttributeSelector,
    /// One of these elements.
    Element(&'static [&'static str]),
    /// An `<input>` or `<button>` of this type.
    Typed(&'static str, &'static str),
    /// This attribute, on any element.
    Attribute(&'static str),
    /// An image whose address ends like this.
    Image(&'static [&'static str]),
    /// An image in a `data:` address.
    DataImage,
}

/// What a program makes of a mail with a feature that it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Something that people need is gone, or looks wrong.
    Breaks,
    /// It looks plainer, and reads as well.
    Plainer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What caniemail calls it.
    pub slug: &'static str,
    /// How it shows in a mail.
    pub sign: Sign,
    /// What a program makes of a mail with a feature that it lacks.
    pub lack: Lack,
}

const fn breaks(slug: &'static str, sign: Sign) -> Feature {
    Feature { slug, sign, lack: Lack::Breaks }
}

const fn plainer(slug: &'static str, sign: Sign) -> Feature {
    Feature { slug, sign, lack: Lack::Plainer }
}

use Sign::{
    AtRule, Attribute, AttributeSelector, DataImage, Element, Function, Image, Keyword, Media, Nesting, Property,
    Pseudo, Typed, Unit, Value,
};

/// Every feature that is looked for. Classes and other plain selectors are not: what a mail is without them, the view
/// without `<style>` shows.
pub const FEATURES: &[Feature] = &[
    breaks("css-display-flex", Value("display", "flex")),
    breaks("css-display-flex", Value("display", "inline-flex")),
    breaks("css-display-grid", Value("display", "grid")),
    breaks("css-display-grid", Value("display", "inline-grid")),
    breaks("css-display-none", Value("display", "none")),
    breaks("css-align-items", Property(&["align-items"])),
    breaks("css-justify-content", Property(&["justify-content"])),
    breaks("css-flex-direction", Property(&["flex-direction"])),
    breaks("css-flex-wrap", Property(&["flex-wrap"])),
    breaks("css-gap", Property(&["gap", "row-gap"])),
    breaks("css-grid-template", Property(&["grid-template", "grid-template-"])),
    breaks("css-column-count", Property(&["column-count", "columns"])),
    breaks("css-position", Property(&["position"])),
    breaks("css-left-right-top-bottom", Property(&["left", "right", "top", "bottom"])),
    breaks("css-inset", Property(&["inset"])),
    breaks("css-float", Property(&["float"])),
    breaks("css-z-index", Property(&["z-index"])),
    breaks("css-aspect-ratio", Property(&["aspect-ratio"])),
    breaks("css-object-fit", Property(&["object-fit"])),
    breaks("css-transform", Property(&["transform"])),
    breaks("css-writing-mode", Property(&["writing-mode"])),
    plainer("css-box-sizing", Property(&["box-sizing"])),
    breaks("css-max-width", Property(&["max-width"])),
    plainer("css-max-height", Property(&["max-height"])),
    plainer("css-min-width", Property(&["min-width"])),
    plainer("css-min-height", Property(&["min-height"])),
    breaks("css-margin", Property(&["margin", "margin-top", "margin-right", "margin-bottom", "margin-left"])),
    breaks("css-padding", Property(&["padding", "padding-top", "padding-right", "padding-bottom", "padding-left"])),
    plainer("css-overflow", Property(&["overflow", "overflow-x", "overflow-y"])),
    breaks("css-visibility", Property(&["visibility"])),
    breaks("css-intrinsic-size", Keyword(&["fit-content", "min-content", "max-content"])),
    breaks("css-table-layout", Property(&["table-layout"])),
    plainer("css-border-spacing", Property(&["border-spacing"])),
    breaks("css-block-inline-size", Property(&["block-size", "inline-size"])),
    breaks("css-max-inline-size", Property(&["max-inline-size"])),
    breaks("css-min-inline-size", Property(&["min-inline-size"])),
    breaks("css-max-block-size", Property(&["max-block-size"])),
    breaks("css-min-block-size", Property(&["min-block-size"])),
    breaks("css-margin-inline-block", Property(&["margin-inline", "margin-block"])),
    breaks("css-margin-inline-start-end", Property(&["margin-inline-start", "margin-inline-end"])),
    breaks("css-margin-block-start-end", Property(&["margin-block-start", "margin-block-end"])),
    breaks("css-padding-inline-block", Property(&["padding-inline", "padding-block"])),
    breaks("css-padding-inline-start-end", Property(&["padding-inline-start", "padding-inline-end"])),
    breaks("css-padding-block-start-end", Property(&["padding-block-start", "padding-block-end"])),
    plainer("css-border-inline-block", Property(&["border-inline", "border-block", "border-inline-", "border-block-"])),
    plainer(
        "css-border-radius-logical",
        Property(&[
            "border-start-start-radius",
            "border-start-end-radius",
            "border-end-start-radius",
            "border-end-end-radius",
        ]),
    ),
    breaks("css-background-image", Property(&["background-image"])),
    plainer("css-background-size", Property(&["background-size"])),
    plainer("css-background-position", Property(&["background-position"])),
    plainer("css-background-repeat", Property(&["background-repeat"])),
    plainer("css-background-clip", Property(&["background-clip"])),
    breaks("css-linear-gradient", Function(&["linear-gradient", "repeating-linear-gradient"])),
    breaks("css-radial-gradient", Function(&["radial-gradient", "repeating-radial-gradient"])),
    breaks("css-conic-gradient", Function(&["conic-gradient", "repeating-conic-gradient"])),
    plainer("css-background-blend-mode", Property(&["background-blend-mode"])),
    breaks("css-mix-blend-mode", Property(&["mix-blend-mode"])),
    breaks("css-modern-color", Function(&["lch", "oklch", "lab", "oklab"])),
    breaks("css-rgb", Function(&["rgb"])),
    breaks("css-rgba", Function(&["rgba"])),
    breaks("css-function-light-dark", Function(&["light-dark"])),
    plainer("css-color-scheme", Property(&["color-scheme"])),
    breaks("css-opacity", Property(&["opacity"])),
    breaks("css-filter", Property(&["filter"])),
    plainer("css-backdrop-filter", Property(&["backdrop-filter"])),
    breaks("css-clip-path", Property(&["clip-path"])),
    breaks("css-mask-image", Property(&["mask-image", "mask"])),
    plainer("css-accent-color", Property(&["accent-color"])),
    plainer(
        "css-border-radius",
        Property(&[
            "border-radius",
            "border-top-left-radius",
            "border-top-right-radius",
            "border-bottom-left-radius",
            "border-bottom-right-radius",
        ]),
    ),
    plainer("css-box-shadow", Property(&["box-shadow"])),
    plainer("css-border-image", Property(&["border-image", "border-image-"])),
    plainer("css-outline", Property(&["outline", "outline-width", "outline-style", "outline-color"])),
    plainer("css-outline-offset", Property(&["outline-offset"])),
    plainer("css-text-shadow", Property(&["text-shadow"])),
    plainer("css-letter-spacing", Property(&["letter-spacing"])),
    plainer("css-word-spacing", Property(&["word-spacing"])),
    plainer("css-word-break", Property(&["word-break"])),
    plainer("css-overflow-wrap", Property(&["overflow-wrap"])),
    plainer("css-word-wrap", Property(&["word-wrap"])),
    plainer("css-hyphens", Property(&["hyphens"])),
    plainer("css-text-overflow", Property(&["text-overflow"])),
    plainer("css-text-wrap", Property(&["text-wrap"])),
    plainer("css-white-space", Property(&["white-space"])),
    plainer("css-text-transform", Property(&["text-transform"])),
    plainer("css-text-indent", Property(&["text-indent"])),
    plainer("css-text-decoration-color", Property(&["text-decoration-color"])),
    plainer("css-text-decoration-style", Property(&["text-decoration-style"])),
    plainer("css-text-decoration-thickness", Property(&["text-decoration-thickness"])),
    plainer("css-text-underline-offset", Property(&["text-underline-offset"])),
    plainer("css-text-align-last", Property(&["text-align-last"])),
    plainer("css-font-kerning", Property(&["font-kerning"])),
    plainer("css-font-stretch", Property(&["font-stretch"])),
    plainer("css-at-font-face", AtRule("font-face")),
    plainer("css-sytem-ui", Keyword(&["system-ui", "ui-serif", "ui-sans-serif", "ui-rounded", "ui-monospace"])),
    plainer("css-list-style-image", Property(&["list-style-image"])),
    plainer("css-list-style-position", Property(&["list-style-position"])),
    breaks("css-variables", Function(&["var"])),
    breaks("css-unit-calc", Function(&["calc"])),
    breaks("css-function-min", Function(&["min"])),
    breaks("css-function-max", Function(&["max"])),
    breaks("css-function-clamp", Function(&["clamp"])),
    breaks("css-unit-rem", Unit("rem")),
    breaks("css-unit-vw", Unit("vw")),
    breaks("css-unit-vh", Unit("vh")),
    breaks("css-unit-vmin", Unit("vmin")),
    breaks("css-unit-vmax", Unit("vmax")),
    breaks("css-unit-ch", Unit("ch")),
    plainer("css-unit-initial", Keyword(&["initial"])),
    plainer("css-animation", Property(&["animation", "animation-"])),
    plainer("css-at-keyframes", AtRule("keyframes")),
    plainer("css-transition", Property(&["transition", "transition-"])),
    plainer("css-cursor", Property(&["cursor"])),
    breaks("css-at-import", AtRule("import")),
    plainer("css-at-supports", AtRule("supports")),
    plainer("css-at-media", AtRule("media")),
    plainer("css-at-media-prefers-color-scheme", Media("prefers-color-scheme")),
    plainer("css-at-media-prefers-reduced-motion", Media("prefers-reduced-motion")),
    plainer("css-at-media-hover", Media("hover")),
    plainer("css-at-media-orientation", Media("orientation")),
    breaks("css-nesting", Nesting),
    plainer("css-selector-attribute", AttributeSelector),
    plainer("css-pseudo-class-hover", Pseudo("hover")),
    plainer("css-pseudo-class-active", Pseudo("active")),
    plainer("css-pseudo-class-focus", Pseudo("focus")),
    plainer("css-pseudo-class-visited", Pseudo("visited")),
    plainer("css-pseudo-class-link", Pseudo("link")),
    breaks("css-pseudo-class-checked", Pseudo("checked")),
    plainer("css-pseudo-class-first-child", Pseudo("first-child")),
    plainer("css-pseudo-class-last-child", Pseudo("last-child")),
    plainer("css-pseudo-class-nth-child", Pseudo("nth-child")),
    plainer("css-pseudo-class-not", Pseudo("not")),
    plainer("css-pseudo-class-has", Pseudo("has")),
    plainer("css-pseudo-class-lang", Pseudo("lang")),
    breaks("css-pseudo-element-before", Pseudo("before")),
    breaks("css-pseudo-element-after", Pseudo("after")),
    plainer("css-pseudo-element-first-letter", Pseudo("first-letter")),
    plainer("css-pseudo-element-first-line", Pseudo("first-line")),
    breaks("html-link", Element(&["link"])),
    breaks("html-form", Element(&["form"])),
    breaks("html-input-text", Typed("input", "text")),
    breaks("html-input-checkbox", Typed("input", "checkbox")),
    breaks("html-input-radio", Typed("input", "radio")),
    breaks("html-input-submit", Typed("input", "submit")),
    breaks("html-button-submit", Typed("button", "submit")),
    breaks("html-button-reset", Typed("button", "reset")),
    breaks("html-select", Element(&["select"])),
    breaks("html-textarea", Element(&["textarea"])),
    breaks("html-video", Element(&["video"])),
    breaks("html-audio", Element(&["audio"])),
    breaks("html-object", Element(&["object"])),
    breaks("html-svg", Element(&["svg"])),
    breaks("html-picture", Element(&["picture"])),
    plainer("html-srcset", Attribute("srcset")),
    breaks("html-dialog", Element(&["dialog"])),
    breaks("html-meter", Element(&["meter"])),
    breaks("html-progress", Element(&["progress"])),
    breaks("html-marquee", Element(&["marquee"])),
    breaks("html-base", Element(&["base"])),
    breaks("html-ruby", Element(&["ruby"])),
    plainer("html-bdi", Element(&["bdi"])),
    plainer("html-abbr", Element(&["abbr"])),
    plainer(
        "html-semantics",
        Element(&[
            "article",
            "aside",
            "details",
            "figcaption",
            "figure",
            "footer",
            "header",
            "main",
            "mark",
            "nav",
            "section",
            "summary",
            "time",
        ]),
    ),
    breaks("html-hidden", Attribute("hidden")),
    breaks("html-popover", Attribute("popover")),
    plainer("html-loading-attribute", Attribute("loading")),
    breaks("html-background", Attribute("background")),
    plainer("html-aria-labelledby", Attribute("aria-labelledby")),
    plainer("html-aria-describedby", Attribute("aria-describedby")),
    breaks("image-base64", DataImage),
    breaks("image-svg", Image(&["svg"])),
    breaks("image-webp", Image(&["webp"])),
    breaks("image-avif", Image(&["avif"])),
    breaks("image-apng", Image(&["apng"])),
    breaks("image-bmp", Image(&["bmp"])),
    breaks("image-gif", Image(&["gif"])),
    breaks("image-heif", Image(&["heic", "heif"])),
    breaks("image-tiff", Image(&["tif", "tiff"])),
    breaks("image-mp4", Image(&["mp4"])),
    breaks("image-ico", Image(&["ico"])),
];
