//! Which servers are trusted in TLS: those whose certificate a root vouches for, and those whose very certificate was
//! named by the operator.
//!
//! The latter needs a rule of its own: `openssl req -x509` makes a certificate that calls itself an authority, and
//! rustls takes no authority's certificate for a server's. Such a certificate is accepted if it is, byte for byte, one
//! of those that were named; its name and the server's possession of the key are verified as always, its dates are not.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::config::SettingError;
use crate::text::plain;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// How much of a certificate is verified. The server's possession of its key always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// For `sslmode=require` and below: encrypted, by anyone.
    Nothing,
    Issuer,
    IssuerAndName,
}

/// Begins a configuration that trusts servers by these roots. A server may present one of `own` itself; the caller adds
/// them to the roots as well. Without any root, no issuer is known.
pub fn client(
    check: Check,
    roots: RootCertStore,
    own: Vec<CertificateDer<'static>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Box<dyn StdError + Send + Sync>> {
    let provider = Arc::new(ring::default_provider());
    let by_authority = if roots.is_empty() {
        None
    } else {
        Some(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?)
    };
    let verifier = Verifier { check, by_authority, own, provider: Arc::clone(&provider) };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier)))
}

/// The system's roots and the certificates of a file, which are also returned: servers may present them themselves. The
/// setting that names the file is what an error speaks of.
pub fn roots(
    ca_file: Option<&Path>,
    setting: &str,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), SettingError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let own = ca_file.map(|file| read(file, setting, &mut roots)).transpose()?.unwrap_or_default();
    Ok((roots, own))
}

/// The certificates of a file, which become roots as well.
fn read(file: &Path, setting: &str, roots: &mut RootCertStore) -> Result<Vec<CertificateDer<'static>>, SettingError> {
    let refuse = |what: &dyn fmt::Display| {
        SettingError::new(
            format!("`{setting}` {}: {}", plain(&file.display().to_string()), plain(&what.to_string())),
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

/// What is wrong with a server's certificate, in words. Some of them are the server's: untrusted.
#[must_use]
pub fn complaint(what: &CertificateError) -> String {
    match what {
        CertificateError::UnknownIssuer => "its issuer is unknown".into(),
        _ if is_an_authority(what) => "it has signed itself".into(),
        other => other.to_string(),
    }
}

/// Whether all that is wrong is that the certificate calls itself an authority. rustls has no word of its own for it.
fn is_an_authority(what: &CertificateError) -> bool {
    matches!(what, CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

#[derive(Debug)]
struct Verifier {
    check: Check,
    /// `None` if there is no root.
    by_authority: Option<Arc<WebPkiServerVerifier>>,
    own: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.check == Check::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(by_authority) = &self.by_authority else { return Err(CertificateError::UnknownIssuer.into()) };
        match by_authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(what))
                if is_an_authority(&what) && self.own.iter().any(|own| own == end_entity) =>
            {
                if self.check == Check::IssuerAndName {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            // The name is what is looked at last: all else is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Issuer => Ok(ServerCertVerified::assertion()),
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
