//! Amazon's API: where it is, who signs in, and how a request fails. What is asked stands in the files of those who ask.
//!
//! The SDK tries nothing again by itself: within one call it would mail up to three times.

mod failure;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sesv2::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::{
    ConfigBag, Credentials, Intercept, RuntimeComponents, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_sesv2::error::BoxError;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::{credentials, endpoint};
use crate::config::{SettingError, Settings, is_loopback};
use crate::text::plain;

pub use failure::Failure;

/// Longest wait for a connection, where answers may take longer; its TLS handshake is part of it.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next request: one that the server has closed by then costs a lost answer.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// Amazon's API as the settings and the machine say. Clones share connections and credentials.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    region: Option<String>,
    /// SES's, as set; others are derived by the SDK.
    endpoint: Option<Url>,
    /// Those that are set; without them the SDK looks for some.
    keys: Option<Credentials>,
    timeout: Duration,
    config: OnceCell<SdkConfig>,
    ses: OnceCell<aws_sdk_sesv2::Client>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aws({})", self.target())
    }
}

impl Aws {
    /// Takes what the settings say, and checks it; asks no one.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let ses = &settings.ses;
        let region = endpoint::region(ses)?;
        let endpoint = ses.endpoint.as_deref().map(api_url).transpose()?;
        // Temporary keys are worth nothing without their token, which only the SDK reads.
        let keys = match (&ses.access_key_id, &ses.secret_access_key) {
            (Some(id), Some(secret)) if !credentials::is_temporary(id) => {
                Some(Credentials::new(id, secret.expose(), None, None, "settings"))
            }
            _ => None,
        };
        Ok(Self(Arc::new(Inner {
            region,
            endpoint,
            keys,
            timeout: ses.timeout,
            config: OnceCell::new(),
            ses: OnceCell::new(),
        })))
    }

    /// Where requests go, to be shown.
    #[must_use]
    pub fn target(&self) -> String {
        match (&self.0.endpoint, &self.0.region) {
            (Some(url), _) => plain(url.as_str().trim_end_matches('/')).into_string(),
            (None, Some(region)) => format!("email.{region}.amazonaws.com"),
            (None, None) => "the region of this machine's AWS profile".to_owned(),
        }
    }

    /// The longest that a request may take, reaching the server included.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.connecting() + self.0.timeout
    }

    fn connecting(&self) -> Duration {
        self.0.timeout.min(CONNECT_MAX)
    }

    /// The client for SES.
    pub async fn ses(&self) -> &aws_sdk_sesv2::Client {
        self.0.ses.get_or_init(|| self.make_ses()).await
    }

    async fn make_ses(&self) -> aws_sdk_sesv2::Client {
        let shared = self.config().await;
        let mut config = aws_sdk_sesv2::config::Builder::from(shared).interceptor(EncryptedOnly);
        if let Some(url) = &self.0.endpoint {
            config = config.endpoint_url(url.as_str());
        }
        aws_sdk_sesv2::Client::from_conf(config.build())
    }

    /// A client for the queue at this address, whose answers may take as long as it was asked to wait.
    pub async fn sqs(&self, queue: &Url, waiting: Duration) -> aws_sdk_sqs::Client {
        let shared = self.config().await;
        let limit = self.longest() + waiting;
        let times = TimeoutConfig::builder().connect_timeout(self.connecting()).operation_timeout(limit).build();
        let mut config = aws_sdk_sqs::config::Builder::from(shared).timeout_config(times).interceptor(EncryptedOnly);
        // AWS's own hosts the SDK knows, and others may have been set for them (`AWS_ENDPOINT_URL_SQS`).
        match queue.host_str().and_then(endpoint::sqs_region) {
            Some(region) => config = config.region(Region::new(region.to_owned())),
            None => config = config.endpoint_url(queue.origin().ascii_serialization()),
        }
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// A client for `CloudWatch`.
    pub async fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        let shared = self.config().await;
        let mut config = aws_sdk_cloudwatch::config::Builder::from(shared).interceptor(EncryptedOnly);
        // What plays SES on this machine plays all of AWS. Elsewhere the SDK knows the host by the region, or it was set
        // (`AWS_ENDPOINT_URL_CLOUDWATCH`).
        if let Some(url) = self.0.endpoint.as_ref().filter(|url| is_here(url)) {
            config = config.endpoint_url(url.as_str());
        }
        aws_sdk_cloudwatch::Client::from_conf(config.build())
    }

    async fn config(&self) -> &SdkConfig {
        self.0.config.get_or_init(|| self.load()).await
    }

    async fn load(&self) -> SdkConfig {
        let times =
            TimeoutConfig::builder().connect_timeout(self.connecting()).operation_timeout(self.longest()).build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(RetryConfig::disabled())
            .timeout_config(times)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client());
        if let Some(region) = &self.0.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(keys) = &self.0.keys {
            loader = loader.credentials_provider(keys.clone());
        }
        // The SDK's futures are of many kilobytes.
        Box::pin(loader.load()).await
    }
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_idle_timeout(IDLE_MAX)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// The API's address: a host as Django's settings have it, or a URL.
fn api_url(text: &str) -> Result<Url, SettingError> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let wrong = |what: &str| {
        SettingError::new(
            format!("`ses.endpoint` {what}: {}", plain(text)),
            "write it as email.ap-northeast-2.amazonaws.com, or leave it out and set AWS_SES_REGION_NAME",
        )
    };
    let url = Url::parse(&whole).map_err(|_| wrong("is no host"))?;
    if !is_encrypted(&url) {
        return Err(wrong("is not encrypted (https), and is not this machine"));
    }
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if is_bare && url.host().is_some() { Ok(url) } else { Err(wrong("must be a host alone")) }
}

/// Whether no one on the way can read what is sent there.
fn is_encrypted(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_here(url))
}

/// Whether it is this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback(name),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Lets no request with a link or an event go over the network in clear text, whatever `AWS_ENDPOINT_URL` says.
#[derive(Debug)]
struct EncryptedOnly;

impl Intercept for EncryptedOnly {
    fn name(&self) -> &'static str {
        "EncryptedOnly"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let url = Url::parse(context.request().uri())?;
        if is_encrypted(&url) {
            return Ok(());
        }
        Err(format!("{} is not encrypted (https), and is not this machine; see AWS_ENDPOINT_URL", plain(url.as_str()))
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_this_machine_in_clear_text() {
        let table = [
            ("email.ap-northeast-2.amazonaws.com", true),
            ("https://email.ap-northeast-2.amazonaws.com/", true),
            ("http://127.0.0.1:4566", true),
            ("http://[::1]:4566", true),
            ("http://localhost:4566", true),
            ("http://email.ap-northeast-2.amazonaws.com", false),
            ("http://127.0.0.1.example.org", false),
            ("ftp://127.0.0.1", false),
            ("https://user:secret@example.org", false),
            ("https://", false),
            ("", false),
        ];
        for (endpoint, is_taken) in table {
            let mut settings = Settings::default();
            settings.ses.region = Some("ap-northeast-2".into());
            settings.ses.endpoint = Some(endpoint.into());
            assert_eq!(Aws::from_settings(&settings).is_ok(), is_taken, "{endpoint}");
        }
    }

    #[test]
    fn temporary_keys_are_left_to_the_sdk() {
        let mut settings = Settings::default();
        settings.ses.secret_access_key = Some(crate::config::Secret::new("secret"));
        for (id, is_ours) in [("AKIAIOSFODNN7EXAMPLE", true), ("ASIAIOSFODNN7EXAMPLE", false)] {
            settings.ses.access_key_id = Some(id.into());
            assert_eq!(Aws::from_settings(&settings).unwrap().0.keys.is_some(), is_ours, "{id}");
        }
    }
}
