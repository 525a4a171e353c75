//! A certificate of SNS's, and what it has signed.
//!
//! SNS shows the certificate alone, without those that vouch for it. That it is SNS's follows from where it was fetched:
//! from SNS's own host, over TLS.

use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;

use super::envelope::Version;
use crate::domain::Time;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

pub(super) struct Certificate {
    /// An `RSAPublicKey` of PKCS#1.
    key: Vec<u8>,
    /// From when until when it is valid, in seconds since 1970.
    valid: std::ops::RangeInclusive<u64>,
}

impl Certificate {
    /// The first of a PEM file; `None` if it is not one with an RSA key.
    pub(super) fn read(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let read = x509_cert::Certificate::from_der(&der).ok()?;
        let signed = read.tbs_certificate();
        let key = signed.subject_public_key_info();
        if key.algorithm.oid != RSA {
            return None;
        }
        let (from, until) = (signed.validity().not_before, signed.validity().not_after);
        Some(Self {
            key: key.subject_public_key.as_bytes()?.to_owned(),
            valid: from.to_unix_duration().as_secs()..=until.to_unix_duration().as_secs(),
        })
    }

    pub(super) fn is_valid_at(&self, now: Time) -> bool {
        u64::try_from(now.timestamp()).is_ok_and(|now| self.valid.contains(&now))
    }

    pub(super) fn has_signed(&self, text: &[u8], signature: &[u8], version: Version) -> bool {
        let algorithm = match version {
            Version::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Version::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(text, signature).is_ok()
    }
}
