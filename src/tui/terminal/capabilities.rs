//! What the environment says about the terminal: how many colours, which characters. The terminal itself is never
//! asked: its answer may come late over SSH and be taken for typing, or never.

use std::env;

use crate::config::Glyphs;
use crate::tui::theme::ColourDepth;

/// What the terminal can show, by its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalCapabilities {
    /// How many colours it has. More than 16 are used for previewed mails only.
    pub colour_depth: ColourDepth,
    /// Whether frames and marks may be drawn with characters beyond ASCII.
    pub is_unicode: bool,
}

impl TerminalCapabilities {
    /// Reads this process's environment; `glyphs` is the setting.
    #[must_use]
    pub fn detect(glyphs: Glyphs) -> Self {
        Self::of(glyphs, |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads any environment.
    pub fn of(glyphs: Glyphs, variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable is as good as none, by each of the conventions read here.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_unicode = match glyphs {
            Glyphs::Auto => is_unicode(&variable),
            Glyphs::Unicode => true,
            Glyphs::Ascii => false,
        };
        Self { colour_depth: colour_depth(&variable), is_unicode }
    }
}

/// By <https://no-color.org> and the custom of terminals. screen knows no true colour
/// and takes `COLORTERM` over from the terminal around it; tmux brings what it is given down to what that one has.
fn colour_depth(variable: &impl Fn(&str) -> Option<String>) -> ColourDepth {
    if variable("NO_COLOR").is_some() {
        return ColourDepth::None;
    }
    let term = variable("TERM").unwrap_or_default();
    let has_256 = term.contains("256color");
    let is_screen = term.starts_with("screen") && variable("TMUX").is_none();
    let has_all = variable("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
    match () {
        () if (has_all || term.ends_with("-direct")) && !is_screen => ColourDepth::True,
        () if has_256 => ColourDepth::TwoFiftySix,
        // There is no console where `TERM` is dumb or not set.
        () => ColourDepth::Sixteen,
    }
}

/// By the locale, first of the variables that is set, and the terminal.
fn is_unicode(variable: &impl Fn(&str) -> Option<String>) -> bool {
    if variable("TERM").as_deref() == Some("linux") {
        return false;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities(glyphs: Glyphs, variables: &str) -> TerminalCapabilities {
        TerminalCapabilities::of(glyphs, |name| {
            let mut pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        })
    }

    #[test]
    fn colour_depth_by_the_environment() {
        use ColourDepth::{None, Sixteen, True, TwoFiftySix};
        let table = [
            ("TERM=xterm", Sixteen),
            ("TERM=linux", Sixteen),
            ("TERM=xterm-256color", TwoFiftySix),
            ("TERM=xterm-256color COLORTERM=24bit", True),
            ("TERM=xterm-256color COLORTERM=yes", TwoFiftySix),
            ("TERM=tmux-256color COLORTERM=truecolor TMUX=/tmp/tmux", True),
            ("TERM=screen-256color COLORTERM=truecolor TMUX=/tmp/tmux", True),
            ("TERM=screen-256color COLORTERM=truecolor", TwoFiftySix),
            ("TERM=screen COLORTERM=truecolor", Sixteen),
            ("TERM=xterm-direct", True),
            ("TERM=xterm-256color NO_COLOR=1", None),
            ("TERM=xterm-256color NO_COLOR=0", None),
            ("TERM=xterm-256color NO_COLOR=", TwoFiftySix),
            ("TERM=xterm COLORTERM=truecolor NO_COLOR=1", None),
        ];
        for (variables, depth) in table {
            assert_eq!(capabilities(Glyphs::Auto, variables).colour_depth, depth, "{variables}");
        }
    }

    #[test]
    fn glyphs_by_setting_locale_and_terminal() {
        let table = [
            (Glyphs::Auto, "TERM=xterm LANG=ko_KR.UTF-8", true),
            (Glyphs::Auto, "TERM=xterm LANG=C.utf8", true),
            (Glyphs::Auto, "TERM=xterm LANG=ko_KR.UTF-8 LC_ALL=C", false),
            (Glyphs::Auto, "TERM=xterm LANG=C LC_CTYPE=en_US.UTF-8", true),
            (Glyphs::Auto, "TERM=xterm LANG=en_US.UTF-8 LC_ALL=", true),
            (Glyphs::Auto, "TERM=linux LANG=ko_KR.UTF-8", false),
            (Glyphs::Auto, "TERM=xterm", false),
            (Glyphs::Unicode, "TERM=linux LANG=C", true),
            (Glyphs::Ascii, "TERM=xterm LANG=ko_KR.UTF-8", false),
        ];
        for (glyphs, variables, is_unicode) in table {
            assert_eq!(capabilities(glyphs, variables).is_unicode, is_unicode, "{glyphs:?} {variables}");
        }
    }
}
