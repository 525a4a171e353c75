//! TLS to the mail server. [`crate::trust`] has the rule; the roots are the system's and those of `smtp.ca_file`, whose
//! certificates a server may also present itself.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::Error;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Cause;
use crate::config::SettingError;
use crate::text::{Untrusted, plain};
use crate::trust::{self, Check};

/// Connects to one server by TLS, and verifies that it is that one.
#[derive(Clone)]
pub(super) struct TlsVerifier {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsVerifier {
    /// The system's roots and those of the file, for a server of this name.
    pub(super) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, SettingError> {
        let unusable = |what: &dyn fmt::Display| {
            let what = format!("TLS cannot be set up: {}", plain(&what.to_string()));
            SettingError::new(what, "check `smtp.host` and the system's certificates")
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| unusable(&error))?;
        let (roots, own) = trust::roots(ca_file, "smtp.ca_file")?;
        let config = trust::client(Check::IssuerAndName, roots, own).map_err(|error| unusable(&error))?;
        let config = config.with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Begins TLS with the server at the other end, and verifies that it is the one that was meant.
    pub(super) async fn handshake(&self, socket: TcpStream) -> Result<TlsStream<TcpStream>, Cause> {
        self.connector.connect(self.name.clone(), socket).await.map_err(|error| {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            match tls {
                Some(Error::InvalidCertificate(what)) => Cause::Certificate(Untrusted::new(trust::complaint(what))),
                _ => Cause::Network(Untrusted::new(error.to_string())),
            }
        })
    }
}
