//! Which servers are trusted: those whose certificate the system's roots or `smtp.ca_file` vouch for, and those whose
//! very certificate is in `smtp.ca_file`.
//!
//! The latter needs a way of its own: `openssl req -x509` makes a certificate that calls itself an authority, and
//! rustls takes no authority's certificate for a server's. Such a certificate is accepted if it is, byte for byte, one
//! of the file's; its name and the server's possession of the key are verified as ever, its dates are not.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};

use super::{Cause, Failure, Stage};
use crate::config::SettingError;
use crate::text::plain;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What is wrong with a certificate that may yet be trusted by itself.
const SELF_SIGNED: &str = "it has signed itself";

/// What is wrong with a server's certificate, out of rustls's words.
pub(super) fn complaint(what: &str) -> Cause {
    let words = match what {
        "UnknownIssuer" => "its issuer is unknown",
        _ if what.contains("CaUsedAsEndEntity") => SELF_SIGNED,
        other => other,
    };
    Cause::Certificate(words.into())
}

/// Whom to trust as one server.
#[derive(Clone)]
pub(super) struct Trust {
    by_authority: TlsParameters,
    by_itself: Option<Arc<Pinned>>,
}

/// Certificates that are trusted as they are.
struct Pinned {
    parameters: TlsParameters,
    certificates: Vec<Vec<u8>>,
    /// Whether the server has been found to be of this kind, so that it is not asked twice each time.
    met: AtomicBool,
}

/// A way to begin TLS.
pub(super) enum Way<'a> {
    /// rustls verifies all of it.
    Authority(&'a TlsParameters),
    /// [`Trust::check`] has to follow before anything secret is sent.
    Pinned(&'a TlsParameters),
}

impl Trust {
    /// The system's roots and those of the file, for a server of this name.
    pub(super) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, SettingError> {
        let builder = TlsParameters::builder(host.to_owned());
        let Some(file) = ca_file else {
            let by_authority = builder.build().map_err(|error| {
                let what = format!("TLS cannot be set up: {}", plain(&error.to_string()));
                SettingError::new(what, "check the system's certificates")
            })?;
            return Ok(Self { by_authority, by_itself: None });
        };
        let refuse = |what: &dyn fmt::Display| {
            SettingError::new(
                format!("`smtp.ca_file` {}: {}", plain(&file.display().to_string()), plain(&what.to_string())),
                "give it a file of PEM certificates (-----BEGIN CERTIFICATE-----), or leave it out",
            )
        };
        let pem = std::fs::read_to_string(file).map_err(|error| refuse(&format!("cannot be read: {error}")))?;
        let certificates = der_of(&pem).ok_or_else(|| refuse(&"holds a certificate that is not base64"))?;
        if certificates.is_empty() {
            return Err(refuse(&"holds no certificate"));
        }
        let roots = Certificate::from_pem(pem.as_bytes()).map_err(|error| refuse(&error))?;
        let by_authority = builder.add_root_certificate(roots).build().map_err(|error| refuse(&error))?;
        let pinned = TlsParameters::builder(host.to_owned()).dangerous_accept_invalid_certs(true);
        let parameters = pinned.build().map_err(|error| refuse(&error))?;
        let by_itself = Some(Arc::new(Pinned { parameters, certificates, met: AtomicBool::new(false) }));
        Ok(Self { by_authority, by_itself })
    }

    /// How to begin TLS with this server, by what is known of it.
    pub(super) fn way(&self) -> Way<'_> {
        match &self.by_itself {
            Some(pinned) if pinned.met.load(Ordering::Relaxed) => Way::Pinned(&pinned.parameters),
            _ => Way::Authority(&self.by_authority),
        }
    }

    /// The other way, where this one failed by a certificate that may yet be trusted by itself. That is asked of the way
    /// that failed and not of what is known of the server: lanes that connect at once all fail before one has told.
    pub(super) fn instead_of(&self, way: &Way<'_>, failure: &Failure) -> Option<Way<'_>> {
        let pinned = self.by_itself.as_deref()?;
        let is_self_signed = matches!(&failure.cause, Cause::Certificate(what) if what.raw() == SELF_SIGNED);
        if !is_self_signed || matches!(way, Way::Pinned(_)) {
            return None;
        }
        pinned.met.store(true, Ordering::Relaxed);
        Some(Way::Pinned(&pinned.parameters))
    }

    /// Whether a connection begun with [`Way::Pinned`] is to a server of the file.
    pub(super) fn check(&self, connection: &AsyncSmtpConnection, stage: Stage) -> Result<(), Failure> {
        if let Some(pinned) = &self.by_itself {
            if connection.peer_certificate().is_ok_and(|shown| pinned.certificates.contains(&shown)) {
                return Ok(());
            }
            // The server may have got a certificate of another kind meanwhile.
            pinned.met.store(false, Ordering::Relaxed);
        }
        Err(Failure::new(stage, Cause::Certificate(SELF_SIGNED.into())))
    }
}

/// The certificates of a PEM file; nothing where one of them is broken.
fn der_of(pem: &str) -> Option<Vec<Vec<u8>>> {
    pem.split(BEGIN)
        .skip(1)
        .map(|rest| {
            let text: String = rest.split_once(END)?.0.split_ascii_whitespace().collect();
            STANDARD.decode(text).ok()
        })
        .collect()
}
