//! Asks SNS over HTTPS: one request, one connection, no redirect followed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use http_body_util::{BodyExt as _, Limited};
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{CheckedUrl, Fetch, FetchError};
use crate::dial::Dialer;
use crate::text::plain;

/// How long all of it may take; SNS itself waits 15 seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer, and longest head of one.
const ANSWER_MAX: usize = 64 * 1024;
const HEAD_MAX: usize = 16 * 1024;

/// Asks over HTTPS.
#[derive(Clone)]
pub struct Https {
    dialer: Dialer,
    connector: TlsConnector,
}

impl Https {
    /// One that trusts the system's roots.
    pub fn new(dialer: Dialer) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with_roots(dialer, roots)
    }

    /// One that trusts these.
    pub fn with_roots(dialer: Dialer, roots: RootCertStore) -> Result<Self, rustls::Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { dialer, connector: TlsConnector::from(Arc::new(config)) })
    }

    async fn ask(self, url: CheckedUrl) -> Result<Vec<u8>, FetchError> {
        let network = |error: &dyn std::fmt::Display| FetchError::Network(plain(&error.to_string()));
        let name = ServerName::try_from(url.host().to_owned()).map_err(|error| network(&error))?;
        let socket = self.dialer.connect(url.host(), 443, PATIENCE).await.map_err(|error| network(&error))?;
        let stream = self.connector.connect(name, socket).await.map_err(|error| network(&error))?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        let handshake = builder.max_buf_size(HEAD_MAX).handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(|error| network(&error))?;
        let request = Request::get(url.path_and_query())
            .header(HOST, url.host())
            .header(USER_AGENT, "verifydesk")
            .header(CONNECTION, "close")
            .body(String::new())
            .map_err(|error| network(&error))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| network(&error))?;
            if answer.status() != StatusCode::OK {
                return Err(FetchError::Status(answer.status().as_u16()));
            }
            let whole = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            let whole = whole.map_err(|error| match error.downcast_ref::<hyper::Error>() {
                Some(error) => network(error),
                None => FetchError::TooLong,
            })?;
            Ok(whole.to_bytes().to_vec())
        };
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // Its end is no failure if the answer is complete.
            _ = connection => exchange.await,
        }
    }
}

impl Fetch for Https {
    fn fetch(&self, url: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let asked = self.clone().ask(url);
        async move { timeout(PATIENCE, asked).await.unwrap_or(Err(FetchError::TimedOut)) }.boxed()
    }
}
