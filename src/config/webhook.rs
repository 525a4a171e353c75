//! Settings of webhooks: where the site's back end is told what became of its users. Alerts are posted to one as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;
use url::Url;

use super::{Secret, SettingError, file};
use crate::domain::hook::{NAME_MAX, is_name};
use crate::text::plain;

/// The endpoints, by their names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Webhooks(pub BTreeMap<String, Webhook>);

/// One of them. The address may hold what only its receiver is to know, so that it is not shown whole anywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Where messages are posted.
    pub url: Option<Secret>,
    /// What they are signed with: `whsec_` and 24 to 64 bytes in base64.
    pub secret: Option<Secret>,
    /// The secret before it, with which they are signed as well while the receiver still has it.
    pub secret_previous: Option<Secret>,
    /// Whether it may have an address of a private network, and be without TLS there.
    pub allow_private: bool,
    /// PEM file of certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether it is told of links that expired as well.
    pub expired: bool,
    /// How long it may take to answer.
    #[serde(with = "file::duration")]
    pub timeout: Duration,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            url: None,
            secret: None,
            secret_previous: None,
            allow_private: false,
            ca_file: None,
            expired: false,
            timeout: Duration::from_secs(15),
        }
    }
}

/// Where alerts are posted: what a [`Webhook`] has, but for what only a site is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertWebhook {
    pub url: Option<Secret>,
    /// What they are signed with; without one they are not.
    pub secret: Option<Secret>,
    pub secret_previous: Option<Secret>,
    pub allow_private: bool,
    pub ca_file: Option<PathBuf>,
    #[serde(with = "file::duration")]
    pub timeout: Duration,
}

impl Default for AlertWebhook {
    fn default() -> Self {
        Webhook::default().into()
    }
}

impl From<Webhook> for AlertWebhook {
    fn from(of: Webhook) -> Self {
        let Webhook { url, secret, secret_previous, allow_private, ca_file, timeout, expired: _ } = of;
        Self { url, secret, secret_previous, allow_private, ca_file, timeout }
    }
}

impl From<AlertWebhook> for Webhook {
    fn from(of: AlertWebhook) -> Self {
        let AlertWebhook { url, secret, secret_previous, allow_private, ca_file, timeout } = of;
        Self { url, secret, secret_previous, allow_private, ca_file, timeout, expired: false }
    }
}

/// What an endpoint needs, checked.
#[derive(Clone)]
pub struct Target {
    pub name: String,
    /// The table of its settings: `webhook.site`.
    pub table: String,
    pub url: Url,
    /// The keys that messages are signed with; none where they are not.
    pub keys: Vec<Vec<u8>>,
    pub allow_private: bool,
    pub ca_file: Option<PathBuf>,
    pub expired: bool,
    pub timeout: Duration,
}

/// What a secret begins with, and how many bytes it has.
const PREFIX: &str = "whsec_";
const KEY: std::ops::RangeInclusive<usize> = 24..=64;

/// How long a receiver may be given.
const TIMEOUT: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

impl Webhooks {
    /// The endpoints, or what is wrong with the first that is wrong.
    pub fn targets(&self) -> Result<Vec<Target>, SettingError> {
        self.0.iter().map(|(name, webhook)| webhook.target(name)).collect()
    }
}

impl Webhook {
    fn target(&self, name: &str) -> Result<Target, SettingError> {
        if !is_name(name) {
            return Err(SettingError::new(
                format!("\"{}\" is no name for a webhook", plain(name)),
                format!("1 to {NAME_MAX} of a to z, 0 to 9, - and _ make one, and a letter or digit begins it"),
            ));
        }
        if self.secret.is_none() && self.url.is_some() {
            let what = format!("`webhook.{name}.secret` is not set");
            return Err(SettingError::new(what, MAKE));
        }
        self.at(&format!("webhook.{name}"), name)
    }

    /// That of a table, which needs no secret.
    pub(super) fn at(&self, table: &str, name: &str) -> Result<Target, SettingError> {
        let key = |setting: &str| format!("{table}.{setting}");
        let missing = |setting: &str, hint: &str| SettingError::new(format!("`{}` is not set", key(setting)), hint);
        let url = self.url.as_ref().ok_or_else(|| missing("url", "set it to where messages are to be posted"))?;
        let secret = self.secret.as_ref().map(|secret| signing_key(&key("secret"), secret)).transpose()?;
        if secret.is_none() && self.secret_previous.is_some() {
            return Err(missing("secret", MAKE));
        }
        let mut keys: Vec<Vec<u8>> = secret.into_iter().collect();
        if let Some(previous) = &self.secret_previous {
            let previous = signing_key(&key("secret_previous"), previous)?;
            if keys.contains(&previous) {
                return Err(SettingError::new(
                    format!("`{}` is the same as `{}`", key("secret_previous"), key("secret")),
                    "set it to the secret that was used before, or leave it out",
                ));
            }
            keys.push(previous);
        }
        if !TIMEOUT.contains(&self.timeout) {
            return Err(SettingError::new(
                format!("`{}` must be between 100 milliseconds and 1 minute", key("timeout")),
                "set it to a duration such as \"15s\", or leave it out",
            ));
        }
        Ok(Target {
            name: name.to_owned(),
            table: table.to_owned(),
            url: self.address(&key("url"), url)?,
            keys,
            allow_private: self.allow_private,
            ca_file: self.ca_file.clone(),
            expired: self.expired,
            timeout: self.timeout,
        })
    }

    /// The address, which no error quotes.
    fn address(&self, key: &str, text: &Secret) -> Result<Url, SettingError> {
        let refuse = |what: &str| {
            SettingError::new(format!("`{key}` {what}"), "write it as https://example.org/hooks/verifydesk")
        };
        let url = Url::parse(text.expose()).map_err(|error| refuse(&format!("is not a URL ({error})")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(refuse("must be an https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(refuse("must have no user and no fragment"));
        }
        if url.scheme() == "http" && !self.allow_private {
            return Err(refuse("must be an https URL; http is for private networks only (`allow_private`)"));
        }
        Ok(url)
    }
}

/// How a secret is made.
const MAKE: &str = "make one with `echo whsec_$(openssl rand -base64 32)`, and give it to the receiver as well";

/// The bytes of a secret.
fn signing_key(setting: &str, secret: &Secret) -> Result<Vec<u8>, SettingError> {
    // With padding or without, as the libraries of receivers take it.
    let text = secret.expose().trim().strip_prefix(PREFIX).map(|text| text.trim_end_matches('='));
    let bytes = text.and_then(|text| STANDARD_NO_PAD.decode(text).ok());
    match bytes {
        Some(bytes) if KEY.contains(&bytes.len()) => Ok(bytes),
        _ => Err(SettingError::new(
            format!("`{setting}` is not `{PREFIX}` and {} to {} bytes in base64", KEY.start(), KEY.end()),
            MAKE,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::config::file::overlay;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn with(name: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let variable = |key: &str| format!("VERIFYDESK_WEBHOOK__{}__{}", name.to_uppercase(), key.to_uppercase());
        let settings =
            overlay(toml::Table::new(), variables.iter().map(|(key, value)| (variable(key), (*value).to_owned())))?;
        settings.check()?;
        Ok(settings)
    }

    #[test]
    fn one_endpoint_or_several_by_variables() {
        let settings =
            with("site", &[("url", "https://example.org/hooks?t=1"), ("secret", SECRET), ("secret_previous", OTHER)])
                .unwrap();
        let targets = settings.webhook.targets().unwrap();
        assert_eq!((targets[0].name.as_str(), targets[0].keys.len()), ("site", 2));
        assert_eq!(targets[0].timeout, Duration::from_secs(15));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("MfKQ") && !shown.contains("C2FV") && !shown.contains("t=1"), "{shown}");
        with("site", &[("url", "http://10.0.0.1/"), ("secret", SECRET), ("allow_private", "true")]).unwrap();
    }

    #[test]
    fn nonsense_is_named_and_not_quoted() {
        type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);
        const URL: (&str, &str) = ("url", "https://example.org/token");
        let table: [Row; 11] = [
            ("site", &[URL], "`webhook.site.secret` is not set"),
            ("site", &[("secret", SECRET)], "`webhook.site.url` is not set"),
            ("site", &[URL, ("secret", "short")], "`webhook.site.secret` is not `whsec_` and 24 to 64 bytes"),
            ("site", &[URL, ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI")], "24 to 64 bytes"),
            ("site", &[URL, ("secret", SECRET), ("secret_previous", SECRET)], "is the same as `webhook.site.secret`"),
            ("site", &[URL, ("secret", SECRET), ("timeout", "2min")], "`webhook.site.timeout` must be between"),
            ("site", &[("url", "http://example.org/token"), ("secret", SECRET)], "must be an https URL; http is for"),
            ("site", &[("url", "https://u:token@example.org/"), ("secret", SECRET)], "must have no user"),
            ("site", &[("url", "ftp://example.org/token"), ("secret", SECRET)], "must be an https URL"),
            ("site", &[URL, ("secret", SECRET), ("token", "x")], "unknown field `token`"),
            ("-a", &[URL, ("secret", SECRET)], "\"-a\" is no name for a webhook"),
        ];
        for (name, variables, message) in table {
            let error = with(name, variables).unwrap_err();
            assert!(error.what.contains(message), "{} does not say {message}", error.what);
            assert!(!error.what.contains("token") || message.contains("token"), "{}", error.what);
        }
    }
}
