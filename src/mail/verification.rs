//! The mail that asks a person to verify their address: what it says, before a template words it.

use std::time::Duration;

use tera::Context;
use url::Url;

use super::link::Link;
use super::words;
use crate::config::{Settings, Site};
use crate::domain::Time;
use crate::domain::address::EmailAddress;
use crate::domain::locale::Locale;
use crate::domain::name;
use crate::text::Untrusted;

/// The template that words it.
pub const TEMPLATE: &str = "verification";

/// Every variable that the template may use.
pub const VARIABLES: [&str; 7] = ["expires", "lifetime", "link", "locale", "name", "site_name", "site_url"];

/// One verification mail.
#[derive(Clone, Debug)]
pub struct VerificationMail {
    pub recipient: EmailAddress,
    /// What they call themselves, as they typed it; only a mailable name is mailed.
    pub name: Untrusted,
    /// The recipient's language.
    pub locale: Locale,
    /// The link that verifies them.
    pub link: Link,
    /// Until when the link works.
    pub expires_at: Time,
    /// For how long it works, from now.
    pub lifetime: Duration,
}

impl VerificationMail {
    /// What the template's variables say.
    #[must_use]
    pub fn context(&self, site: &Site) -> Context {
        let mut context = Context::new();
        context.insert("link", &self.link.expose());
        context.insert("name", self.mailable_name().unwrap_or_default());
        context.insert("site_name", &site.name);
        context.insert("site_url", site.url.as_deref().unwrap_or_default());
        context.insert("expires", &words::moment(self.expires_at, self.locale, site.zone.of(self.locale)));
        context.insert("lifetime", &words::span(self.lifetime, self.locale));
        context.insert("locale", self.locale.as_str());
        context
    }

    /// The name that may stand in the mail.
    #[must_use]
    pub fn mailable_name(&self) -> Option<&str> {
        name::mailable(self.name.raw())
    }

    /// A mail to no one, for previews and checks. Its link looks like one and verifies no one.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the URL and the address are constants, tried by a test"
    )]
    pub fn sample(locale: Locale, settings: &Settings, now: Time) -> Self {
        let public_url = settings
            .require_public_url()
            .unwrap_or_else(|_| Url::parse("https://example.org").expect("the sample's URL is one"));
        let name = match locale {
            Locale::Ko => "김하늘",
            Locale::En => "Robin Park",
        };
        let lifetime = settings.verification.lifetime;
        Self {
            recipient: EmailAddress::parse("robin@example.com").expect("the sample's address is one"),
            name: name.into(),
            locale,
            link: Link::sample(&public_url),
            expires_at: now + lifetime,
            lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn now() -> Time {
        "2026-11-22T05:30:00Z".parse().unwrap()
    }

    #[test]
    fn the_context_has_every_variable_and_no_other() {
        for locale in Locale::ALL {
            let settings = Settings::default();
            let context = VerificationMail::sample(locale, &settings, now()).context(&settings.site);
            for variable in VARIABLES {
                assert!(context.contains_key(variable), "{variable}");
            }
            assert_eq!(BTreeSet::from(VARIABLES).len(), VARIABLES.len());
            assert_eq!(context.get("site_url").and_then(|url| url.as_str()), Some(""));
        }
    }

    #[test]
    fn only_a_mailable_name_is_said() {
        let settings = Settings::default();
        let mut mail = VerificationMail::sample(Locale::En, &settings, now());
        for (name, said) in [("Mina", "Mina"), ("Buy at evil.com", ""), ("Kim\r\nBcc: x", ""), ("", "")] {
            mail.name = name.into();
            let context = mail.context(&settings.site);
            assert_eq!(context.get("name").and_then(|name| name.as_str()), Some(said), "{name:?}");
        }
    }

    #[test]
    fn debug_keeps_the_key() {
        let mail = VerificationMail::sample(Locale::Ko, &Settings::default(), now());
        assert!(!format!("{mail:?}").contains("sample-key"));
    }
}
