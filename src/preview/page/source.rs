//! What the page shows.

use std::fmt;

use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::{Templates, fixture};
use crate::preview::proof::{self, TemplateIndex};
use crate::text::plain;

/// A mail in words.
pub struct Shown {
    pub subject: String,
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
}

/// Where mails to look at come from. Both may take their time: the page asks off the async threads, under a limit.
pub trait Source: Send + Sync + fmt::Debug {
    /// What there is.
    fn index(&self) -> TemplateIndex;

    /// One mail, or what is wrong with it, in words.
    ///
    /// # Errors
    /// Whatever is wrong with the template.
    fn render(&self, template: &str, locale: Locale, fixture: &str) -> Result<Shown, String>;
}

/// The templates as the settings say, read again each time, so that what is shown is what would be mailed.
#[derive(Debug)]
pub struct Files(Settings);

impl Files {
    /// Those of these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(settings)
    }
}

impl Source for Files {
    fn index(&self) -> TemplateIndex {
        proof::index(&Templates::gather(&self.0))
    }

    fn render(&self, template: &str, locale: Locale, fixture: &str) -> Result<Shown, String> {
        let templates = Templates::gather(&self.0);
        let own = templates.fixtures(template).iter().find(|known| known.id == fixture);
        let (Some(values), true) = (own, templates.names().iter().any(|name| name == template)) else {
            let mistakes: Vec<String> = templates.mistakes().iter().map(ToString::to_string).collect();
            let what = format!("there is no template {template} with a fixture {fixture}");
            let shown = if mistakes.is_empty() { what } else { mistakes.join("; ") };
            return Err(plain(&shown).into_string());
        };
        let context = templates.context(template, locale, values, &self.0, chrono::Utc::now());
        let words = templates.render(template, locale, &context);
        let words = words.map_err(|error| plain(&error.to_string()).into_string())?;
        Ok(Shown { subject: words.subject, text: words.text, html: words.html })
    }
}

/// The fixture that every template has.
pub(super) const EXAMPLE: &str = fixture::EXAMPLE;
