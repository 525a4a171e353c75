//! Settings of alerts: who is told that something is wrong.

use std::time::Duration;

use serde::Deserialize;

use super::{AlertWebhook, SettingError, Target, Webhook, file};

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alert {
    /// A program and its arguments; it gets the alert as further arguments and as JSON. No shell.
    pub command: Vec<String>,
    /// How long it may take to tell someone.
    #[serde(with = "file::duration")]
    pub timeout: Duration,
    /// Where it is posted, in the same JSON.
    pub webhook: AlertWebhook,
}

impl Default for Alert {
    fn default() -> Self {
        Self { command: Vec::new(), timeout: Duration::from_secs(20), webhook: AlertWebhook::default() }
    }
}

impl Alert {
    pub(super) fn check(&self) -> Result<(), SettingError> {
        // Services have a directory of their own, or none.
        match self.command.first() {
            Some(program) if !program.starts_with('/') => Err(SettingError::new(
                "`alert.command` does not begin with the whole path of a program",
                "write it like [\"/usr/local/bin/tell\", \"--team\", \"mail\"]",
            )),
            _ => self.target().map(drop),
        }
    }

    /// Where it is posted, if anywhere.
    pub fn target(&self) -> Result<Option<Target>, SettingError> {
        let AlertWebhook { url, secret, secret_previous, .. } = &self.webhook;
        if url.is_none() && secret.is_none() && secret_previous.is_none() {
            return Ok(None);
        }
        Webhook::from(self.webhook.clone()).at("alert.webhook", "alert").map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::file::overlay;
    use crate::config::{SettingError, Target};

    fn target(variables: &[(&str, &str)]) -> Result<Option<Target>, SettingError> {
        let variable = |key: &str| format!("VERIFYDESK_ALERT__WEBHOOK__{key}");
        let set = variables.iter().map(|(key, value)| (variable(key), (*value).to_owned()));
        let settings = overlay(toml::Table::new(), set)?;
        settings.check()?;
        settings.alert.target()
    }

    #[test]
    fn a_webhook_needs_no_secret_and_no_half_of_one() {
        const URL: (&str, &str) = ("URL", "https://example.org/token");
        const SECRET: (&str, &str) = ("SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert!(target(&[]).unwrap().is_none());
        assert_eq!(target(&[URL]).unwrap().unwrap().keys.len(), 0);
        assert_eq!(target(&[URL, SECRET]).unwrap().unwrap().keys.len(), 1);
        for (variables, message) in [
            (&[SECRET][..], "`alert.webhook.url` is not set"),
            (&[URL, ("SECRET_PREVIOUS", SECRET.1)], "`alert.webhook.secret` is not set"),
            (&[URL, ("SECRET", "short")], "`alert.webhook.secret` is not `whsec_`"),
            (&[("URL", "http://example.org/token")], "`alert.webhook.url` must be an https URL"),
            (&[URL, ("TIMEOUT", "2min")], "`alert.webhook.timeout` must be between"),
        ] {
            let error = target(variables).err().unwrap();
            assert!(error.what.contains(message) && !error.what.contains("token"), "{}", error.what);
        }
    }
}
