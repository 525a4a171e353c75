//! SMTP credentials out of an IAM access key.
//!
//! The user name is the access key's id; the password is derived from its secret, for one region, as the AWS guide
//! "Obtaining Amazon SES SMTP credentials" describes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::Secret;

/// The fixed parts of the derivation; the date is a constant of AWS's, not a day.
const DATE: &str = "11111111";
const SERVICE: &str = "ses";
const TERMINAL: &str = "aws4_request";
const MESSAGE: &str = "SendRawEmail";
const VERSION: u8 = 0x04;

/// The SMTP password of an IAM secret access key in a region: 44 characters.
#[must_use]
pub fn smtp_password(secret_access_key: &Secret, region: &str) -> Secret {
    let start = format!("AWS4{}", secret_access_key.expose()).into_bytes();
    let signature = [DATE, region, SERVICE, TERMINAL, MESSAGE].iter().fold(start, |key, part| sign(&key, part));
    let mut versioned = vec![VERSION];
    versioned.extend(signature);
    Secret::new(STANDARD.encode(versioned))
}

/// Whether an access key id is of temporary credentials, which SES's SMTP endpoint does not take.
#[must_use]
pub fn is_temporary(access_key_id: &str) -> bool {
    access_key_id.starts_with("ASIA")
}

/// What an SMTP password for SES seems to be, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordKind {
    Current,
    /// From before 2019-01-10: SES sends little for such a one, and refuses the rest as throttled.
    Old,
    /// No password, but the secret access key that one is derived from.
    SecretKey,
    Other,
}

/// The secret keys' own length.
const SECRET_KEY: usize = 40;

/// What it seems to be.
#[must_use]
pub fn password_kind(password: &Secret) -> PasswordKind {
    let text = password.expose();
    let Ok(bytes) = STANDARD.decode(text) else { return PasswordKind::Other };
    match (bytes.len(), bytes.first()) {
        (33, Some(&VERSION)) => PasswordKind::Current,
        (33, Some(2)) => PasswordKind::Old,
        _ if text.len() == SECRET_KEY => PasswordKind::SecretKey,
        _ => PasswordKind::Other,
    }
}

fn sign(key: &[u8], part: &str) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(part.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of terraform-provider-aws (`TestSESSMTPPasswordFromSecretKeySigV4`), and two computed with AWS's
    /// own script for the secret of its documentation.
    #[test]
    fn known_answers() {
        let documentation = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let table = [
            ("eu-central-1", "some+secret+key", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
            ("eu-central-1", "another+secret+key", "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh"),
            ("us-west-1", "some+secret+key", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
            ("us-west-1", "another+secret+key", "BKVmjjMDFk/qqw8EROW99bjCS65PF8WKvK5bSr4Y6EqF"),
            ("us-west-2", documentation, "BF2PynzbSCAjX08zhZZnP/kW+T9P5zs/1Er0pi5vTEmd"),
            ("us-east-1", documentation, "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"),
        ];
        for (region, secret, password) in table {
            assert_eq!(smtp_password(&Secret::new(secret), region).expose(), password, "{region}");
        }
    }

    #[test]
    fn passwords_are_known_by_their_form() {
        let old = STANDARD.encode([&[2][..], &[7; 32]].concat());
        let table = [
            ("BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2", PasswordKind::Current),
            (old.as_str(), PasswordKind::Old),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", PasswordKind::SecretKey),
            ("hunter2", PasswordKind::Other),
            ("", PasswordKind::Other),
        ];
        for (password, kind) in table {
            assert_eq!(password_kind(&Secret::new(password)), kind, "{password}");
        }
        assert!(old.starts_with('A'));
    }

    #[test]
    fn temporary_keys_are_known_by_their_prefix() {
        assert!(is_temporary("ASIAIOSFODNN7EXAMPLE") && !is_temporary("AKIAIOSFODNN7EXAMPLE"));
    }
}
