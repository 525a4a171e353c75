//! Which servers are trusted: those whose certificate the system's roots or `smtp.ca_file` vouch for, and those whose
//! very certificate is in `smtp.ca_file`.
//!
//! The latter needs a rule of its own: `openssl req -x509` makes a certificate that calls itself an authority, and
//! rustls takes no authority's certificate for a server's. Such a certificate is accepted if it is, byte for byte, one
//! of the file's; its name and the server's possession of the key are verified as always, its dates are not.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Cause;
use crate::config::SettingError;
use crate::text::{Untrusted, plain};

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
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = ca_file.map(|file| read(file, &mut roots)).transpose()?.unwrap_or_default();
        let provider_too = Arc::clone(&provider);
        let by_authority = if roots.is_empty() {
            None
        } else {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider_too).build();
            Some(verifier.map_err(|error| unusable(&error))?)
        };
        let verifier = CertVerifier { by_authority, own, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Begins TLS with the server at the other end, and verifies that it is the one that was meant.
    pub(super) async fn handshake(&self, socket: TcpStream) -> Result<TlsStream<TcpStream>, Cause> {
        self.connector.connect(self.name.clone(), socket).await.map_err(|error| {
            let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            match tls {
                Some(Error::InvalidCertificate(what)) => Cause::Certificate(complaint(what)),
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

/// What is wrong with a server's certificate, in words.
fn complaint(what: &CertificateError) -> Untrusted {
    match what {
        CertificateError::UnknownIssuer => "its issuer is unknown".into(),
        _ if is_an_authority(what) => "it has signed itself".into(),
        other => Untrusted::new(other.to_string()),
    }
}

/// Whether all that is wrong is that the certificate calls itself an authority. rustls has no word of its own for it.
fn is_an_authority(what: &CertificateError) -> bool {
    matches!(what, CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

#[derive(Debug)]
struct CertVerifier {
    /// `None` if there is no root.
    by_authority: Option<Arc<WebPkiServerVerifier>>,
    /// Those of `smtp.ca_file`.
    own: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for CertVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(by_authority) = &self.by_authority else { return Err(CertificateError::UnknownIssuer.into()) };
        match by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(what))
                if is_an_authority(&what) && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
