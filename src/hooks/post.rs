//! Posts a message, to the site or to who is told of alerts: one request, one connection, no redirect followed, every answer read to a limit.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::{excerpt, reach, sign};
use crate::config::{SettingError, Target};
use crate::dial::Dialer;
use crate::domain::Time;
use crate::text::plain;
use crate::trust::{self, Check};

/// How long the connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Longest head of an answer, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// The longest wait that an answer can ask for.
const WANTED_MAX: Duration = Duration::from_hours(1);

/// What is posted.
pub(crate) struct Outgoing<'a> {
    /// By what the receiver knows it: the same each time that it is posted.
    pub id: &'a str,
    pub body: &'a str,
    /// The present, by the clock that all share.
    pub now: Time,
}

/// What came of an attempt.
pub(crate) enum Answer {
    Taken {
        status: u16,
    },
    /// It answered 410: it wants nothing any more.
    Gone {
        status: u16,
        error: String,
    },
    NotTaken {
        status: Option<u16>,
        error: String,
        /// The beginning of its answer, from outside: it may name the user.
        said: String,
        /// How long it asks to be left alone.
        wanted: Option<Duration>,
        /// Whether other messages would fare no better.
        is_endpoints: bool,
    },
}

/// Posts to one endpoint.
pub(crate) struct Post {
    target: Target,
    dialer: Dialer,
    /// `None` without TLS.
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Post {
    pub(crate) fn new(target: Target, dialer: Dialer) -> Result<Self, SettingError> {
        let tls = if target.url.scheme() == "https" { Some(tls(&target)?) } else { None };
        Ok(Self { target, dialer, tls })
    }

    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }

    /// Scheme and host: the rest may be no one's to know.
    pub(crate) fn place(&self) -> String {
        self.target.url.origin().ascii_serialization().chars().take(300).collect()
    }

    /// Whether it is told of links that expired.
    pub(super) fn wants_expired(&self) -> bool {
        self.target.expired
    }

    /// How long an attempt takes at most.
    pub(crate) fn longest(&self) -> Duration {
        self.target.timeout
    }

    pub(crate) async fn attempt(&self, message: &Outgoing<'_>) -> Answer {
        match timeout(self.target.timeout, self.exchange(message)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => failure(error),
            Err(_) => failure(format!("no answer within {}", humantime::format_duration(self.target.timeout))),
        }
    }

    async fn exchange(&self, message: &Outgoing<'_>) -> Result<Answer, String> {
        let begun = Instant::now();
        let url = &self.target.url;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(443);
        let socket = self.dialer.connect_where(host, port, CONNECT_MAX, |address| self.may_be(address)).await;
        let socket = socket.map_err(|error| self.not_connected(&error))?;
        let _ = socket.set_nodelay(true);
        let Some((connector, name)) = &self.tls else { return post(socket, self.request(message, begun)?).await };
        let stream = connector.connect(name.clone(), socket).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(what)) => {
                    format!("its certificate is not trusted: {}", plain(&trust::complaint(what)))
                }
                _ => format!("TLS failed: {}", plain(&error.to_string())),
            }
        })?;
        post(stream, self.request(message, begun)?).await
    }

    fn may_be(&self, address: IpAddr) -> bool {
        match (self.target.allow_private, &self.tls) {
            (false, _) => reach::is_public(address),
            (true, Some(_)) => reach::is_of_a_host(address),
            // In the clear within a private network only.
            (true, None) => reach::is_of_a_host(address) && !reach::is_public(address),
        }
    }

    fn not_connected(&self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::PermissionDenied if self.target.allow_private => {
                format!("not connected: {error} without TLS")
            }
            io::ErrorKind::PermissionDenied => {
                format!("not connected: {error}; it is none of the internet (`{}.allow_private`)", self.target.table)
            }
            _ => format!("not connected: {}", plain(&error.to_string())),
        }
    }

    fn request(&self, message: &Outgoing<'_>, begun: Instant) -> Result<Request<String>, String> {
        let url = &self.target.url;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        // By the database's clock, which all workers share.
        let timestamp = (message.now + TimeDelta::from_std(begun.elapsed()).unwrap_or_default()).timestamp();
        let request = Request::post(path)
            .header(HOST, host)
            .header(USER_AGENT, "verifydesk")
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", timestamp);
        let request = match &*self.target.keys {
            [] => request,
            keys => request.header("webhook-signature", sign::signatures(keys, message.id, timestamp, message.body)),
        };
        request.body(message.body.to_owned()).map_err(|error| error.to_string())
    }
}

fn tls(target: &Target) -> Result<(TlsConnector, ServerName<'static>), SettingError> {
    let unusable = |what: &dyn fmt::Display| {
        let what = format!("TLS to `{}.url` cannot be set up: {}", target.table, plain(&what.to_string()));
        SettingError::new(what, "check its host and the system's certificates")
    };
    let host = target.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|error| unusable(&error))?;
    let (roots, own) = trust::roots(target.ca_file.as_deref(), &format!("{}.ca_file", target.table))?;
    let config = trust::client(Check::IssuerAndName, roots, own).map_err(|error| unusable(&error))?;
    Ok((TlsConnector::from(Arc::new(config.with_no_client_auth())), name))
}

async fn post<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, request: Request<String>) -> Result<Answer, String> {
    let broken = |error: hyper::Error| format!("no answer in HTTP: {}", plain(&error.to_string()));
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(HEAD_MAX).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(broken)?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(Answer::Taken { status: head.status.as_u16() });
        }
        let said = excerpt::read(body).await;
        Ok(judged(head.status, &head.headers, said))
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // Its end is no failure if the answer is complete.
        _ = connection => exchange.await,
    }
}

fn judged(status: StatusCode, headers: &HeaderMap, said: String) -> Answer {
    let note = if status.is_redirection() { " (redirects are not followed)" } else { "" };
    let error = format!("it answered {status}{note}");
    if status == StatusCode::GONE {
        return Answer::Gone { status: status.as_u16(), error };
    }
    // About this message, as far as HTTP has words for that.
    let is_messages = matches!(status.as_u16(), 400 | 409 | 413 | 415 | 422);
    let wanted = headers.get(RETRY_AFTER).and_then(|value| wanted(value.to_str().ok()?, chrono::Utc::now()));
    Answer::NotTaken { status: Some(status.as_u16()), error, said, wanted, is_endpoints: !is_messages }
}

/// What `Retry-After` asks for: seconds, or a date.
fn wanted(text: &str, now: Time) -> Option<Duration> {
    let seconds = text.trim().parse::<u64>().ok().map(Duration::from_secs);
    let until = || (DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc() - now).to_std().ok();
    Some(seconds.or_else(until)?.min(WANTED_MAX))
}

fn failure(error: String) -> Answer {
    Answer::NotTaken { status: None, error, said: String::new(), wanted: None, is_endpoints: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now = DateTime::parse_from_rfc2822("Fri, 27 Nov 2026 15:00:00 GMT").unwrap().to_utc();
        let table = [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("999999999", Some(3_600)),
            ("Fri, 27 Nov 2026 15:01:00 GMT", Some(60)),
            ("Fri, 27 Nov 2026 14:00:00 GMT", None),
            ("-5", None),
            ("soon", None),
        ];
        for (text, seconds) in table {
            assert_eq!(wanted(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }
}
