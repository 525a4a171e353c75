//! TLS to the mail server. [`crate::trust`] has the rule; the roots are the system's and those of `smtp.ca_file`, whose
//! certificates a server may also present itself.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{Error, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Cause;
use crate::config::SettingError;
use crate::text::{Untrusted, plain};
use crate::trust::{self, Check};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

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
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = ca_file.map(|file| read(file, &mut roots)).transpose()?.unwrap_or_default();
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

/// The certificates of a file, which become roots as well.
fn read(file: &Path, roots: &mut RootCertStore) -> Result<Vec<CertificateDer<'static>>, SettingError> {
    let refuse = |what: &dyn fmt::Display| {
        SettingError::new(
            format!("`smtp.ca_file` {}: {}", plain(&file.display().to_string()), plain(&what.to_string())),
            "set it to a file of PEM certificates (-----BEGIN CERTIFICATE-----), or leave it out",
        )
    };
    let pem = std::fs::read_to_string(file).map_err(|error| refuse(&format!("cannot be read: {error}")))?;
    let certificates = der_of(&pem).ok_or_else(|| refuse(&"holds a certificate that is not base64"))?;
    if certificates.is_empty() {
        return Err(refuse(&"holds no certificate"));
    }
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|error| refuse(&error))?;
    }
    Ok(certificates)
}

/// The certificates of a PEM file; `None` if one of them is broken.
fn der_of(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    pem.split(BEGIN)
        .skip(1)
        .map(|rest| {
            let text: String = rest.split_once(END)?.0.split_ascii_whitespace().collect();
            STANDARD.decode(text).ok().map(CertificateDer::from)
        })
        .collect()
}
