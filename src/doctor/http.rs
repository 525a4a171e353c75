//! Asks what stands behind an address of the web: one HEAD, no redirect followed.

use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::header::{CONNECTION, HOST, HeaderMap, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::Url;

use crate::dial::Dialer;
use crate::trust::{self, Check};

/// How long the connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Longest head of an answer, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// The head of an answer.
pub(super) struct Head {
    pub status: u16,
    pub headers: HeaderMap,
}

/// The head, or why there is none: from outside.
pub(super) async fn head(url: &Url) -> Result<Head, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let socket = Dialer::default().connect(host, port, CONNECT_MAX).await.map_err(|error| error.to_string())?;
    if url.scheme() != "https" {
        return exchange(socket, url).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let (roots, own) = trust::roots(None, "public_url").map_err(|error| error.what)?;
    let config = trust::client(Check::IssuerAndName, roots, own).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let stream = connector.connect(name, socket).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(what)) => {
                format!("its certificate is not trusted: {}", trust::complaint(what))
            }
            _ => format!("TLS failed: {error}"),
        }
    })?;
    exchange(stream, url).await
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, url: &Url) -> Result<Head, String> {
    let broken = |error: hyper::Error| format!("no answer in HTTP: {error}");
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(HEAD_MAX).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let request = Request::head(url.path())
        .header(HOST, host)
        .header(USER_AGENT, "verifydesk")
        .header(CONNECTION, "close")
        .body(String::new())
        .map_err(|error| error.to_string())?;
    let asked = async {
        let (head, _) = sender.send_request(request).await.map_err(broken)?.into_parts();
        Ok(Head { status: head.status.as_u16(), headers: head.headers })
    };
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        answer = &mut asked => answer,
        // Its end is no failure if the answer is complete.
        _ = connection => asked.await,
    }
}
