//! What there has to be at AWS between here and mails with results, for those who have the rights to make it: this program
//! gets no key that could.

pub mod aws_cli;
pub mod calls;
pub mod cloudformation;

use crate::config::{SettingError, Settings};
use crate::mail::sender::Sender;
use crate::text::plain;

/// The event types that the desk needs, as SES's API names them; `OPEN` and `CLICK` would rewrite links.
pub use crate::domain::account::NEEDED;

/// How things are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Where all of it is, if that is known.
    pub region: Option<String>,
    /// The address that mails come from, and its domain.
    pub address: String,
    pub domain: String,
    pub configuration_set: String,
    pub topic: String,
    pub queue: String,
    /// What links begin with: AWS asks for it.
    pub website: String,
}

impl Names {
    /// As the settings name them, and by default where they name none. `sender` is the one that workers have, where these
    /// settings name none.
    pub fn from_settings(settings: &Settings, sender: Option<&str>) -> Result<Self, SettingError> {
        let from = match (&settings.mail.from, sender) {
            (Some(from), _) => from.as_str(),
            (None, Some(sender)) => sender,
            (None, None) => settings.require_from()?,
        };
        let sender = Sender::from_setting("mail.from", from)?;
        let set = settings.mail.configuration_set.as_deref().unwrap_or("verifydesk");
        let queue = settings.ses.queue.as_deref().and_then(|url| url.trim_end_matches('/').rsplit('/').next());
        let topic = settings.ses.topics.first().and_then(|arn| arn.rsplit(':').next());
        let website = settings.site.url.as_deref().or(settings.public_url.as_deref());
        let domain = sender.address().domain().to_owned();
        Ok(Self {
            region: super::endpoint::region(&settings.ses)?,
            address: sender.address().as_str().to_owned(),
            website: website.map_or_else(|| format!("https://{domain}/"), str::to_owned),
            domain,
            configuration_set: name("mail.configuration_set", set)?,
            topic: name("ses.topics", topic.unwrap_or("ses-events"))?,
            queue: name("ses.queue", queue.unwrap_or("ses-events"))?,
        })
    }

    /// The envelope's domain.
    #[must_use]
    pub fn mail_from(&self) -> String {
        format!("bounce.{}", self.domain)
    }

    /// The queue of what could not be taken in.
    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}-dead", self.queue)
    }
}

/// A name that AWS takes: it goes into commands.
fn name(setting: &str, text: &str) -> Result<String, SettingError> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if fits {
        return Ok(text.to_owned());
    }
    Err(SettingError::new(
        format!("`{setting}` names what AWS has no such name for: {}", plain(text)),
        "use up to 64 letters, digits, - and _",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_settings() {
        let mut settings = Settings::default();
        assert!(Names::from_settings(&settings, None).is_err());
        let names = Names::from_settings(&settings, Some("no-reply@shop.kr")).unwrap();
        assert_eq!((names.domain.as_str(), names.configuration_set.as_str()), ("shop.kr", "verifydesk"));
        assert_eq!((names.queue.as_str(), names.dead_letters().as_str()), ("ses-events", "ses-events-dead"));
        assert_eq!((names.region, names.website.as_str()), (None, "https://shop.kr/"));
        settings.mail.from = Some("Shop <hello@shop.kr>".into());
        settings.mail.configuration_set = Some("desk".into());
        settings.ses.queue = Some("https://sqs.eu-central-1.amazonaws.com/1/mails".into());
        settings.ses.topics = vec!["arn:aws:sns:eu-central-1:123456789012:said".into()];
        settings.ses.region = Some("eu-central-1".into());
        let names = Names::from_settings(&settings, None).unwrap();
        assert_eq!((names.address.as_str(), names.configuration_set.as_str()), ("hello@shop.kr", "desk"));
        assert_eq!((names.queue.as_str(), names.topic.as_str()), ("mails", "said"));
        settings.mail.configuration_set = Some("a'; rm -rf ~".into());
        assert!(Names::from_settings(&settings, None).unwrap_err().what.contains("`mail.configuration_set`"));
    }
}
