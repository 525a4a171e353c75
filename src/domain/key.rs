//! Verification keys: 256 bits that only the mail holds.
//!
//! The database keeps a random nonce and the SHA-256 of the key. The key itself is
//! `HMAC-SHA256(server secret, version ‖ verification id ‖ nonce)`, so a holder of the secret can mail the same link
//! again, and a thief of the database can verify no one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::id::VerificationId;

/// How keys are derived today. Part of the derivation, so that a later rule cannot make an earlier key.
pub const KEY_VERSION: u8 = 1;

/// Shortest server secret, in bytes.
pub const SECRET_MIN: usize = 32;

/// Bytes of randomness in a verification's nonce.
pub const NONCE_LENGTH: usize = 16;

/// Length of a key as text: 32 bytes in base64url without padding.
pub const KEY_LENGTH: usize = 43;

/// The secret in the link. Never shown: no `Display`, an empty `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// What the database holds in a key's place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

/// A verification's share in its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; NONCE_LENGTH]);

/// Not a key: wrong length or alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a verification key")]
pub struct MalformedKey;

impl Key {
    /// The key of a verification. `secret` should have at least [`SECRET_MIN`] bytes; settings see to that.
    #[must_use]
    pub fn derive(secret: &[u8], id: VerificationId, nonce: &Nonce) -> Self {
        let mut mac = keyed(secret);
        mac.update(&[KEY_VERSION]);
        mac.update(&id.0.to_be_bytes());
        mac.update(&nonce.0);
        Self(mac.finalize().into_bytes().into())
    }

    /// Reads the key of a link.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        if text.len() != KEY_LENGTH {
            return Err(MalformedKey);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedKey)?;
        bytes.try_into().map(Self).map_err(|_| MalformedKey)
    }

    /// The text that goes into the link, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the database looks the key up by.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl KeyDigest {
    /// First 8 hexadecimal digits: enough to distinguish keys on a screen.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&self.0[..4])
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({}…)", self.fingerprint())
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

/// Tells servers with different secrets apart and reveals nothing about the secret: 8 hexadecimal digits.
#[must_use]
pub fn secret_fingerprint(secret: &[u8]) -> String {
    let mut mac = keyed(secret);
    mac.update(b"verifydesk secret fingerprint");
    hex(&mac.finalize().into_bytes()[..4])
}

fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes any key")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        use fmt::Write as _;
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn one_key_a_verification() {
        let nonce = Nonce([7; NONCE_LENGTH]);
        let key = Key::derive(SECRET, VerificationId(1), &nonce);
        assert_eq!(key, Key::derive(SECRET, VerificationId(1), &nonce));
        assert_ne!(key, Key::derive(SECRET, VerificationId(2), &nonce));
        assert_ne!(key, Key::derive(SECRET, VerificationId(1), &Nonce([8; NONCE_LENGTH])));
        assert_ne!(key, Key::derive(b"another secret of thirty-two byte", VerificationId(1), &nonce));
    }

    /// Computed with Python's hmac and hashlib; a change here breaks every link already mailed.
    #[test]
    fn known_answer() {
        let key = Key::derive(SECRET, VerificationId(42), &Nonce([7; NONCE_LENGTH]));
        assert_eq!(key.expose(), "UaFyjGRlAqY2FuIfuc87-9wpaC6xgDzZHnGg1-Bb4rY");
        assert_eq!(key.digest().fingerprint(), "f0baf063");
    }

    #[test]
    fn text_round_trip() {
        let key = Key::derive(SECRET, VerificationId(1), &Nonce([7; NONCE_LENGTH]));
        let text = key.expose();
        assert_eq!(text.len(), KEY_LENGTH);
        assert_eq!(Key::parse(&text), Ok(key));
        let broken = ["", "x", &text[..42], &format!("{text}="), &text.replace(&text[..1], "+"), &"é".repeat(22)]
            .map(Key::parse);
        assert!(broken.iter().all(Result::is_err));
        // 43 characters hold 258 bits; the two spare ones must be zero, or one key would have four spellings.
        assert_eq!(Key::parse(&format!("{}B", "A".repeat(42))), Err(MalformedKey));
    }

    #[test]
    fn never_printed() {
        let key = Key::derive(SECRET, VerificationId(1), &Nonce([7; NONCE_LENGTH]));
        let shown = format!("{key:?} {:?} {:?}", key.digest(), Nonce([7; NONCE_LENGTH]));
        assert!(!shown.contains(&key.expose()) && !shown.contains("7, 7"));
    }
}
