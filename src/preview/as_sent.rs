//! Whether a mail that is rendered now is the one that was sent. Mails are not kept: they hold the link.

use crate::domain::Time;
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::domain::send::{MadeOf, SendRow};

/// A mail that was sent, or waits to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    pub send: SendId,
    /// When it went out; `None` if it did not.
    pub at: Option<Time>,
    pub locale: Locale,
    /// What it was made of, where that was recorded.
    pub made_of: Option<MadeOf>,
}

impl From<&SendRow> for Sent {
    fn from(send: &SendRow) -> Self {
        Self { send: send.id, at: send.mailed_at(), locale: send.locale, made_of: send.made_of }
    }
}

/// How what is shown is to what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The same, but for the link.
    Same,
    /// Made of other templates, or with other settings, or both.
    Differs { templates: bool, settings: bool },
    /// What it was made of was not recorded.
    NotRecorded,
    /// It was in another language.
    InAnother(Locale),
    /// None has gone out.
    NotSent,
}

impl Likeness {
    /// Of a rendering in this language, made of this now.
    #[must_use]
    pub fn of(sent: Option<&Sent>, locale: Locale, now: MadeOf) -> Self {
        let Some(sent) = sent.filter(|sent| sent.at.is_some()) else { return Self::NotSent };
        if sent.locale != locale {
            return Self::InAnother(sent.locale);
        }
        let Some(then) = sent.made_of else { return Self::NotRecorded };
        let (templates, settings) = (then.templates != now.templates, then.settings != now.settings);
        if templates || settings { Self::Differs { templates, settings } } else { Self::Same }
    }

    /// As in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs { templates: true, settings: false } => "other_templates",
            Self::Differs { templates: false, .. } => "other_settings",
            Self::Differs { .. } => "other_templates_and_settings",
            Self::NotRecorded => "not_recorded",
            Self::InAnother(_) => "another_language",
            Self::NotSent => "not_sent",
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Same => "As it was sent, but for the link: templates and settings are the same.".into(),
            Self::Differs { templates: true, settings: false } => {
                "As the templates are now: they have changed since it was sent, or are others on this host.".into()
            }
            Self::Differs { templates: false, .. } => {
                "As the settings are now: name, sender, addresses or times have changed since it was sent, or are others on \
                 this host."
                    .into()
            }
            Self::Differs { .. } => {
                "As templates and settings are now: both have changed since it was sent, or are others on this host.".into()
            }
            Self::NotRecorded => {
                "As templates and settings are now: what it was made of was not recorded when it was sent.".into()
            }
            Self::InAnother(locale) => format!("They got it in another language ({locale})."),
            Self::NotSent => "It has not gone out: as it would be mailed now.".into(),
        }
    }

    /// The same where there is little room.
    #[must_use]
    pub fn in_short(self) -> String {
        match self {
            Self::Same => "as it was sent".into(),
            Self::Differs { templates: true, settings: false } => "templates changed since".into(),
            Self::Differs { templates: false, .. } => "settings changed since".into(),
            Self::Differs { .. } => "it has changed since".into(),
            Self::NotRecorded => "perhaps as it was sent".into(),
            Self::InAnother(locale) => format!("was sent in {locale}"),
            Self::NotSent => "not sent yet".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const MADE_OF: MadeOf = MadeOf { templates: 1, settings: 2 };

    #[test]
    fn says_what_is_other_and_what_is_not_known() {
        let sent =
            Sent { send: SendId(Uuid::nil()), at: Some(Time::UNIX_EPOCH), locale: Locale::Ko, made_of: Some(MADE_OF) };
        let now = |templates, settings| MadeOf { templates, settings };
        let table = [
            (Some(sent), Locale::Ko, MADE_OF, "same"),
            (Some(sent), Locale::Ko, now(3, 2), "other_templates"),
            (Some(sent), Locale::Ko, now(1, 3), "other_settings"),
            (Some(sent), Locale::Ko, now(3, 3), "other_templates_and_settings"),
            (Some(sent), Locale::En, MADE_OF, "another_language"),
            (Some(Sent { made_of: None, ..sent }), Locale::Ko, MADE_OF, "not_recorded"),
            (Some(Sent { at: None, ..sent }), Locale::Ko, MADE_OF, "not_sent"),
            (None, Locale::Ko, MADE_OF, "not_sent"),
        ];
        for (sent, locale, now, expected) in table {
            let likeness = Likeness::of(sent.as_ref(), locale, now);
            assert_eq!(likeness.as_str(), expected);
            assert_eq!(likeness == Likeness::Same, likeness.in_words().starts_with("As it was sent"), "{expected}");
            assert!(likeness.in_short().len() <= 23, "{expected}");
        }
    }
}
