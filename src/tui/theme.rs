//! The theme: styles named by what they mean, and the glyphs.
//!
//! Colours are the 16 that every terminal's owner has chosen, on the terminal's own background; a previewed mail alone
//! has its own ([`ColourDepth`]). Without colour (`NO_COLOR`) modifiers alone carry the meaning; and no meaning is carried by
//! style alone: each has a glyph and a word besides.

pub mod colour_depth;

use ratatui::style::{Color, Modifier, Style};

use crate::domain::job::JobState;
use crate::domain::send::SendState;
use crate::domain::verification::Status;
use crate::preview::source::Token;
pub use colour_depth::ColourDepth;

/// What a piece of screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    Text,
    /// What the eye should meet first.
    Strong,
    /// Labels, hints, what matters less.
    Quiet,
    Rule,
    /// Where the operator is: the chosen view or tab, the focused pane.
    Here,
    /// A key to press.
    Key,
    /// It went well.
    Good,
    /// It is on its way.
    Waiting,
    /// It went wrong.
    Bad,
    /// Attention is needed.
    Warn,
    /// It is over.
    Past,
    /// It has just come by itself.
    Came,
    /// This is production: a slip of a key is felt by real people.
    Production,
}

/// The characters that lines and marks are drawn with.
#[derive(Debug)]
pub struct Glyphs {
    /// Before the selected row, two columns.
    pub selected: &'static str,
    /// A horizontal rule.
    pub rule: &'static str,
    /// A horizontal rule that stands out.
    pub heavy: &'static str,
    /// A vertical rule.
    pub vertical: &'static str,
    /// Where a vertical rule hangs from a horizontal one.
    pub tee: &'static str,
    /// A box's corners: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    /// Something was cut here.
    pub ellipsis: &'static str,
    /// Between things on one line.
    pub dot: &'static str,
    /// Nothing to say here.
    pub none: &'static str,
    /// A worker is at work.
    pub on: &'static str,
    /// None is.
    pub off: &'static str,
    /// More to the left, more to the right.
    pub more: [&'static str; 2],
    pub quotes: [&'static str; 2],
    /// More above, more below.
    pub beyond: [&'static str; 2],
    pub marked: &'static str,
    /// The part of a gauge that is full, and the rest.
    pub gauge: [&'static str; 2],
    /// Something went well, went wrong, needs attention.
    pub marks: [&'static str; 3],
    /// The arrow keys: up, down, left, right.
    pub arrows: [&'static str; 4],
}

static UNICODE: Glyphs = Glyphs {
    selected: "> ",
    rule: "─",
    heavy: "━",
    vertical: "│",
    tee: "┬",
    corners: ["┌", "┐", "└", "┘"],
    ellipsis: "…",
    dot: "·",
    none: "–",
    on: "●",
    off: "○",
    more: ["‹", "›"],
    quotes: ["“", "”"],
    beyond: ["↑", "↓"],
    marked: "◆",
    gauge: ["━", "─"],
    marks: ["✓", "✗", "!"],
    arrows: ["↑", "↓", "←", "→"],
};

static ASCII: Glyphs = Glyphs {
    selected: "> ",
    rule: "-",
    heavy: "=",
    vertical: "|",
    tee: "+",
    corners: ["+", "+", "+", "+"],
    ellipsis: "...",
    dot: "-",
    none: "-",
    on: "*",
    off: "o",
    more: ["<", ">"],
    quotes: ["\"", "\""],
    beyond: ["^", "v"],
    marked: "*",
    gauge: ["=", "-"],
    marks: ["+", "x", "!"],
    arrows: ["Up", "Down", "Left", "Right"],
};

/// Colours and glyphs of this terminal.
#[derive(Clone, Debug)]
pub struct Theme {
    colour_depth: ColourDepth,
    unicode: bool,
}

impl Theme {
    /// The theme of a terminal with so many colours, and with or without Unicode.
    #[must_use]
    pub fn new(colour_depth: ColourDepth, unicode: bool) -> Self {
        Self { colour_depth, unicode }
    }

    /// Without colours: for what is measured and not shown.
    #[must_use]
    pub fn plain() -> Self {
        Self::new(ColourDepth::None, true)
    }

    /// How many colours there are for a mail; the console's own are 16 at most.
    #[must_use]
    pub fn colour_depth(&self) -> ColourDepth {
        self.colour_depth
    }

    /// Whether glyphs beyond ASCII may be drawn.
    #[must_use]
    pub fn is_unicode(&self) -> bool {
        self.unicode
    }

    #[must_use]
    pub fn glyphs(&self) -> &'static Glyphs {
        if self.unicode { &UNICODE } else { &ASCII }
    }

    /// What a meaning looks like.
    #[must_use]
    pub fn style(&self, tone: Tone) -> Style {
        let style = match tone {
            Tone::Text => Style::new(),
            Tone::Strong | Tone::Key => Style::new().add_modifier(Modifier::BOLD),
            Tone::Quiet | Tone::Rule => Style::new().add_modifier(Modifier::DIM),
            Tone::Here => Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD),
            Tone::Good => Style::new().fg(Color::Green),
            Tone::Waiting => Style::new().fg(Color::Yellow),
            Tone::Bad => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Warn => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
            Tone::Past => Style::new().fg(Color::Magenta),
            Tone::Came => Style::new().fg(Color::Cyan),
            Tone::Production => Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
        };
        match tone {
            _ if self.colour_depth > ColourDepth::None => style,
            Tone::Here => Style { fg: None, ..style }.add_modifier(Modifier::UNDERLINED),
            Tone::Came => Style::new().add_modifier(Modifier::BOLD),
            Tone::Production => Style { fg: None, bg: None, ..style }.add_modifier(Modifier::REVERSED),
            _ => Style { fg: None, ..style },
        }
    }

    /// A piece of a template's source.
    #[must_use]
    pub fn token(&self, token: Token) -> Style {
        let style = match token {
            Token::Text | Token::Attribute => Style::new(),
            Token::Tag => Style::new().fg(Color::Cyan),
            Token::Value => Style::new().fg(Color::Green),
            Token::Comment => Style::new().add_modifier(Modifier::DIM),
            Token::Expression => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
            Token::Statement => Style::new().fg(Color::Magenta).add_modifier(Modifier::BOLD),
        };
        if self.colour_depth > ColourDepth::None { style } else { Style { fg: None, ..style } }
    }

    /// A status: its glyph and its tone. The word is [`Status::as_str`].
    #[must_use]
    pub fn status(&self, status: Status) -> (&'static str, Tone) {
        let (unicode, ascii, tone) = match status {
            Status::Pending => ("○", "o", Tone::Waiting),
            Status::Verified => ("✓", "+", Tone::Good),
            Status::Expired => ("†", ".", Tone::Past),
            Status::Revoked => ("⊘", "x", Tone::Quiet),
        };
        (if self.unicode { unicode } else { ascii }, tone)
    }

    /// A job's state: its glyph and its tone. The word is [`JobState::as_str`].
    #[must_use]
    pub fn job(&self, state: JobState) -> (&'static str, Tone) {
        let (unicode, ascii, tone) = match state {
            JobState::Running => ("»", ">", Tone::Good),
            JobState::Paused => ("‖", "!", Tone::Warn),
            JobState::Done => ("✓", "+", Tone::Quiet),
            JobState::Cancelled => ("⊘", "-", Tone::Quiet),
        };
        (if self.unicode { unicode } else { ascii }, tone)
    }

    /// A send's state: its glyph and its tone. The word is [`SendState::as_str`].
    #[must_use]
    pub fn send(&self, state: SendState) -> (&'static str, Tone) {
        let (unicode, ascii, tone) = match state {
            SendState::Queued => ("═", "=", Tone::Waiting),
            SendState::Sending => ("»", ">", Tone::Waiting),
            SendState::Accepted => ("›", ">", Tone::Text),
            SendState::Delivered => ("✓", "+", Tone::Good),
            SendState::Delayed => ("~", "~", Tone::Warn),
            SendState::Bounced | SendState::Rejected | SendState::Failed => ("✗", "x", Tone::Bad),
            SendState::Complained => ("!", "!", Tone::Bad),
            SendState::Cancelled => ("⊘", "-", Tone::Quiet),
            SendState::Unknown => ("?", "?", Tone::Warn),
        };
        (if self.unicode { unicode } else { ascii }, tone)
    }
}
