//! The languages that mails and pages are written in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A user's language. Korean is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

/// A language that verifydesk has no templates and pages for.
#[derive(Debug, thiserror::Error)]
#[error("unknown locale; there are ko and en")]
pub struct UnknownLocale;

impl Locale {
    /// Every locale.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The BCP 47 tag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// The first locale that an `Accept-Language` header (RFC 9110, 12.5.4) prefers, by its quality values.
    #[must_use]
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',').take(20) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let language = tag.split('-').next().unwrap_or_default();
            let Ok(locale) = language.to_ascii_lowercase().parse::<Self>() else { continue };
            let quality = parts.find_map(|p| p.trim().strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
            let quality = (f64::clamp(quality, 0.0, 1.0) * 1000.0) as u16;
            if quality > 0 && best.is_none_or(|(q, _)| quality > q) {
                best = Some((quality, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Locale {
    type Err = UnknownLocale;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|l| l.as_str() == text).ok_or(UnknownLocale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_language() {
        let table = [
            ("ko-KR,ko;q=0.9,en-US;q=0.8", Some(Locale::Ko)),
            ("en-US,en;q=0.9,ko;q=0.8", Some(Locale::En)),
            ("fr, en;q=0.5, ko;q=0.7", Some(Locale::Ko)),
            ("en;q=0, ko;q=0.1", Some(Locale::Ko)),
            ("EN", Some(Locale::En)),
            ("fr", None),
            ("", None),
            ("en;q=NaN", None),
            (";;;,,,q=1", None),
        ];
        for (header, locale) in table {
            assert_eq!(Locale::from_accept_language(header), locale, "{header}");
        }
    }
}
