//! Settings: defaults < file < environment < flags, in one struct; unknown keys are refused with file, line and key.
//!
//! Each program needs only some of them: a console needs no secret, `serve` no SMTP password. What a program needs it
//! asks for by a method here (`require_…`), whose error says what to set and where.

mod access_key_file;
mod alert;
mod bounds;
mod file;
mod outbox;
#[cfg(test)]
mod reference;
mod secret;
mod test_send;
mod webhook;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use serde::Deserialize;
use url::Url;

use crate::domain::filter::Saved;
use crate::domain::locale::Locale;
use crate::domain::resend::ResendPolicy;
use crate::ses::sns::TopicArn;
use crate::text::plain;

pub use alert::Alert;
pub use file::{config_path, load};
pub use outbox::{Brake, Jobs, Pace, Retention, Worker};
pub use secret::Secret;
pub use test_send::TestSend;
pub use webhook::{AlertWebhook, Target, Webhook, Webhooks};

/// A setting that is missing or makes no sense. The message says which, why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SettingError {
    /// What is wrong, with the setting's name.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl SettingError {
    /// An error about a setting.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// All settings. [`load`] makes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where PostgreSQL is, as a URL; may hold a password. Environment: `DATABASE_URL`.
    pub database_url: Option<Secret>,
    /// Where changes are heard, if `database_url` leads through a pooler that shares sessions.
    pub database_listen_url: Option<Secret>,
    /// Whether nothing may be changed: by the console, by a command.
    pub read_only: bool,
    /// What links begin with, such as `https://example.org`; `/verify/?key=…` is appended.
    pub public_url: Option<String>,
    /// The server secret that keys are derived from, at least 32 bytes. Only workers need it.
    pub secret: Option<Secret>,
    /// The server secret before it, while links made with that are still to work when they are mailed again.
    pub secret_previous: Option<Secret>,
    /// The site that people sign up to.
    pub site: Site,
    pub mail: Mail,
    /// The SMTP relay, Amazon SES by default.
    pub smtp: Smtp,
    /// The SES account.
    pub ses: Ses,
    /// The capture transport.
    pub capture: Capture,
    pub templates: Templates,
    pub verification: Verification,
    pub worker: Worker,
    /// How fast mails go out, of all workers together.
    pub pace: Pace,
    /// When the outbox stops by itself.
    pub brake: Brake,
    /// Bulk resends.
    pub jobs: Jobs,
    /// How long what is over stays.
    pub retention: Retention,
    /// Test mails.
    pub test_send: TestSend,
    /// Where the site's back end is told what became of its users, by names.
    pub webhook: Webhooks,
    /// The verification view and the site's API.
    pub serve: Serve,
    /// What services show to those who watch over them.
    pub metrics: Metrics,
    /// Who is told that something is wrong.
    pub alert: Alert,
    pub console: Console,
    /// Filters that have a name: `@name` in a line stands for them.
    pub filters: Saved,
}

/// The site that people sign up to.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Its name, as mails and pages say it.
    pub name: String,
    /// Where the success page links back to.
    pub url: Option<String>,
    /// The zone in which its readers see until when a link works.
    pub zone: Zones,
}

/// The time zone of the readers of each language, by its name in the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Zones {
    /// Of those who read Korean.
    pub ko: Tz,
    /// Of those who read English.
    pub en: Tz,
}

impl Zones {
    /// The zone of those who read in this language.
    #[must_use]
    pub fn of(self, locale: Locale) -> Tz {
        match locale {
            Locale::Ko => self.ko,
            Locale::En => self.en,
        }
    }
}

impl Default for Zones {
    fn default() -> Self {
        Self { ko: Tz::Asia__Seoul, en: Tz::UTC }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self { name: "verifydesk".into(), url: None, zone: Zones::default() }
    }
}

/// How mail leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportKind {
    /// SMTP, to Amazon SES or another relay.
    #[default]
    Smtp,
    /// Amazon SES's API.
    Ses,
    /// Files in a directory.
    Capture,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// How mail leaves.
    pub transport: TransportKind,
    /// The sender: `Name <address>` or an address.
    pub from: Option<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// SES configuration set, sent as `X-SES-CONFIGURATION-SET`.
    pub configuration_set: Option<String>,
}

/// How the connection to the relay is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Plain greeting, then STARTTLS, which must succeed.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; loopback hosts only.
    None,
}

/// The SMTP relay.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// Its host; by default SES's endpoint of `ses.region`.
    pub host: Option<String>,
    /// Its port; by default 587 with STARTTLS, 465 with TLS, 25 without.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: Tls,
    /// The SMTP user; for SES's own hosts by default `ses.access_key_id`.
    pub username: Option<String>,
    /// The SMTP password; for SES's own hosts by default derived from `ses.secret_access_key`.
    pub password: Option<Secret>,
    /// PEM file of certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// How long the relay may take to answer one command.
    #[serde(with = "file::duration")]
    pub timeout: Duration,
    /// How long it may take to take a whole mail in and answer it.
    #[serde(with = "file::duration")]
    pub data_timeout: Duration,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: Tls::default(),
            username: None,
            password: None,
            ca_file: None,
            timeout: Duration::from_secs(20),
            data_timeout: Duration::from_mins(1),
        }
    }
}

/// The SES account, under the names that a Django site already has as well.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ses {
    /// IAM access key id, `AKIA…`.
    pub access_key_id: Option<String>,
    /// IAM secret access key.
    pub secret_access_key: Option<Secret>,
    /// Both of them in the file that AWS offers for download, `accessKeys.csv`.
    pub access_key_file: Option<PathBuf>,
    /// Region, such as `ap-northeast-2`.
    pub region: Option<String>,
    /// API host, such as `email.ap-northeast-2.amazonaws.com`; names the region if `region` is not set.
    pub endpoint: Option<String>,
    /// How long SES's API may take to answer one request, the connection not counted.
    #[serde(with = "file::duration")]
    pub timeout: Duration,
    /// The SQS queue that its events come by, as a URL.
    pub queue: Option<String>,
    /// Topics of SNS whose posts are taken without an operator's approval.
    pub topics: Vec<String>,
    /// Whether `serve` takes posts of SNS at all; where a topic is named, it does.
    pub webhook: bool,
}

impl Ses {
    /// Takes the key out of its file, if one is named.
    fn read_key_file(&mut self) -> Result<(), SettingError> {
        let Some(path) = &self.access_key_file else { return Ok(()) };
        if self.access_key_id.is_some() || self.secret_access_key.is_some() {
            return Err(SettingError::new(
                "ses.access_key_file is set beside an access key (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
                "leave one of the two out",
            ));
        }
        let (id, secret) = access_key_file::read(path)?;
        (self.access_key_id, self.secret_access_key) = (Some(id), Some(secret));
        Ok(())
    }

    /// Whether `serve` has `POST /ses/events`.
    #[must_use]
    pub fn takes_posts(&self) -> bool {
        self.webhook || !self.topics.is_empty()
    }
}

impl Default for Ses {
    fn default() -> Self {
        Self {
            access_key_id: None,
            secret_access_key: None,
            access_key_file: None,
            region: None,
            endpoint: None,
            timeout: Duration::from_secs(30),
            queue: None,
            topics: Vec::new(),
            webhook: false,
        }
    }
}

/// The capture transport.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capture {
    /// Where it writes `.eml` files.
    pub dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Templates {
    /// A directory whose files replace the built-in ones.
    pub dir: Option<PathBuf>,
    /// The mail programs that templates are checked for: `gmail`, or `gmail.ios`.
    pub clients: Vec<String>,
}

impl Default for Templates {
    fn default() -> Self {
        let clients = ["gmail", "apple-mail", "outlook", "samsung-email", "yahoo", "naver", "daum", "kakao"];
        Self { dir: None, clients: clients.map(str::to_owned).to_vec() }
    }
}

/// What a GET of the link does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// It verifies.
    #[default]
    Get,
    /// It shows a button that does; for recipients whose mail scanners open links.
    Button,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// How long a key works after its mail was sent.
    #[serde(with = "file::duration")]
    pub lifetime: Duration,
    /// How long to wait between two mails to one user.
    #[serde(with = "file::duration")]
    pub cool_down: Duration,
    /// How many mails one address gets in 24 hours at most.
    pub daily_cap: u32,
    /// What a GET of the link does.
    pub confirm: Confirm,
}

impl Verification {
    /// What every resend keeps to.
    #[must_use]
    pub fn resend_policy(&self) -> ResendPolicy {
        ResendPolicy { lifetime: self.lifetime, cool_down: self.cool_down, daily_cap: self.daily_cap }
    }
}

impl Default for Verification {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_hours(3 * 24),
            cool_down: Duration::from_mins(1),
            daily_cap: 5,
            confirm: Confirm::default(),
        }
    }
}

/// The verification view and the site's API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The site's bearer token; without one the API is off.
    pub token: Option<Secret>,
    /// Signs what a verified user carries back to the site; without one they carry nothing.
    pub greeting_secret: Option<Secret>,
}

impl Default for Serve {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), token: None, greeting_secret: None }
    }
}

/// What services show to those who watch over them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Address and port to listen on; without one there is nothing to ask.
    pub listen: Option<SocketAddr>,
}

/// Characters that frames and marks are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Glyphs {
    /// By the locale and the terminal.
    #[default]
    Auto,
    /// Line-drawing characters.
    Unicode,
    /// `+-|`.
    Ascii,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Whether the console sends mail itself, as a worker would.
    pub send: bool,
    /// Characters that frames and marks are drawn with.
    pub glyphs: Glyphs,
    /// What this database is for: `production`, which is shown in a colour of its own, `staging`, …
    pub environment: Option<String>,
}

/// How long a secret that the site shares is, in characters. HS256 needs 32 (RFC 7518, 3.2).
const SHARED: std::ops::RangeInclusive<usize> = 32..=1024;
/// Longest word for what a database is for, in characters: it stands in the header.
const ENVIRONMENT_MAX: usize = 20;
/// Longest name of a site, in characters: it stands in a subject.
const SITE_NAME_MAX: usize = 100;

impl Settings {
    /// Checks what can be checked without knowing what the program needs.
    pub fn check(&self) -> Result<(), SettingError> {
        secret::check(self.secret.as_ref(), self.secret_previous.as_ref())?;
        if let Some(url) = &self.public_url {
            web_url("public_url", url)?;
        }
        if let Some(url) = &self.site.url {
            web_url("site.url", url)?;
        }
        check_site_name(&self.site.name)?;
        if let Some(word) = &self.console.environment
            && !(1..=ENVIRONMENT_MAX).contains(&word.trim().chars().count())
        {
            return Err(SettingError::new(
                format!("`console.environment` has {} characters", word.trim().chars().count()),
                format!("it must have between 1 and {ENVIRONMENT_MAX}, such as \"production\""),
            ));
        }
        if self.smtp.tls == Tls::None && !self.smtp.host.as_deref().is_some_and(is_loopback) {
            return Err(SettingError::new(
                "`smtp.tls` is \"none\", but the host is not a loopback address",
                "use \"starttls\" or \"tls\"; passwords and links do not go over the network in clear text",
            ));
        }
        check_shared("serve.token", self.serve.token.as_ref())?;
        check_shared("serve.greeting_secret", self.serve.greeting_secret.as_ref())?;
        check_topics(&self.ses.topics)?;
        bounds::check(self)?;
        self.brake.check()?;
        self.alert.check()?;
        self.test_send.check()?;
        self.webhook.targets()?;
        Ok(())
    }

    /// Where PostgreSQL is.
    pub fn require_database_url(&self) -> Result<&Secret, SettingError> {
        self.database_url.as_ref().ok_or_else(|| {
            SettingError::new(
                "no database is set",
                "set DATABASE_URL=postgres://user@host/database, or `database_url` in the settings file; \
                 `verifydesk demo` needs none",
            )
        })
    }

    /// The server secret.
    pub fn require_secret(&self) -> Result<&Secret, SettingError> {
        self.secret.as_ref().ok_or_else(|| {
            SettingError::new(
                "no server secret is set, so no verification key can be made",
                "set VERIFYDESK_SECRET to the same 32 or more bytes on every worker (`openssl rand -base64 32`)",
            )
        })
    }

    /// What links begin with.
    pub fn require_public_url(&self) -> Result<Url, SettingError> {
        let url = self.public_url.as_deref().ok_or_else(|| {
            SettingError::new(
                "no public URL is set, so no link can be made",
                "set VERIFYDESK_PUBLIC_URL to where `verifydesk serve` is reached, such as https://example.org",
            )
        })?;
        web_url("public_url", url)
    }

    /// The sender.
    pub fn require_from(&self) -> Result<&str, SettingError> {
        self.mail.from.as_deref().ok_or_else(|| {
            SettingError::new(
                "no sender is set",
                "set VERIFYDESK_MAIL__FROM, such as 'Example <no-reply@example.org>', to an identity that SES has verified",
            )
        })
    }

    pub fn require_capture_dir(&self) -> Result<&Path, SettingError> {
        self.capture.dir.as_deref().ok_or_else(|| {
            SettingError::new(
                "the capture transport has no directory",
                "set VERIFYDESK_CAPTURE__DIR to a directory that the worker may write",
            )
        })
    }
}

/// What the site's back end knows as well, and no one can guess. A blank one is none: what needs it is off.
fn check_shared(key: &str, secret: Option<&Secret>) -> Result<(), SettingError> {
    let length = secret.map_or(0, |secret| secret.expose().trim().chars().count());
    if length == 0 || SHARED.contains(&length) {
        return Ok(());
    }
    Err(SettingError::new(
        format!("`{key}` has {length} characters; it must have between {} and {}", SHARED.start(), SHARED.end()),
        format!(
            "make one with `openssl rand -base64 32`, and set it as {} and in the site's back end",
            file::own_variable(key)
        ),
    ))
}

/// Topics as SNS names them: one that is misspelt would be refused without a word, and its events lost.
fn check_topics(topics: &[String]) -> Result<(), SettingError> {
    let Some(wrong) = topics.iter().find(|topic| TopicArn::parse(topic).is_none()) else { return Ok(()) };
    Err(SettingError::new(
        format!("`ses.topics` names what is no topic of SNS: {}", plain(wrong)),
        "write each as AWS shows it, such as arn:aws:sns:eu-west-1:123456789012:ses-events",
    ))
}

/// A name that may stand in a subject, which is one line; a wrong one would fail every mail.
fn check_site_name(name: &str) -> Result<(), SettingError> {
    let wrong = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.chars().any(char::is_control) {
        "holds a line break or another control character".to_owned()
    } else if name.chars().count() > SITE_NAME_MAX {
        format!("is longer than {SITE_NAME_MAX} characters")
    } else {
        return Ok(());
    };
    Err(SettingError::new(
        format!("`site.name` {wrong}"),
        "set VERIFYDESK_SITE__NAME to the name by which people know the site, on one line",
    ))
}

/// A URL of a web page: http or https, with a host, no user, query or fragment.
fn web_url(name: &str, text: &str) -> Result<Url, SettingError> {
    let hint = "write it as https://example.org or https://example.org/path";
    let url = Url::parse(text)
        .map_err(|error| SettingError::new(format!("`{name}` is not a URL ({error}): {}", plain(text)), hint))?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if is_web && is_bare {
        Ok(url)
    } else {
        Err(SettingError::new(format!("`{name}` must be an http or https URL without user, query or fragment"), hint))
    }
}

/// Whether a host name or address is this machine's own.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
