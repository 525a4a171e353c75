//! The `Idempotency-Key` of a request: what the site sends again under the same key is done once
//! (draft-ietf-httpapi-idempotency-key-header).

use sha2::{Digest as _, Sha256};

/// Longest key, in bytes.
const KEY_MAX: usize = 255;

/// A key, as its digest: the key itself is nothing that this program needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey([u8; 32]);

/// Text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to {KEY_MAX} visible ASCII characters")]
pub struct NoKey;

impl IdempotencyKey {
    /// As it stands in the header: a string in quotes, as the draft has it, or bare, as many clients send it.
    pub fn parse(header: &[u8]) -> Result<Self, NoKey> {
        let text = header.trim_ascii();
        let key = match text {
            [b'"', inner @ .., b'"'] => inner,
            bare => bare,
        };
        let is_key = (1..=KEY_MAX).contains(&key.len())
            && key.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if is_key { Ok(Self(Sha256::digest(key).into())) } else { Err(NoKey) }
    }

    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_quotes_is_the_bare_one() {
        let bare = IdempotencyKey::parse(b"8e03978e-40d5-43dd-bc93-6894a57f9324");
        assert!(bare.is_ok());
        assert_eq!(IdempotencyKey::parse(b" \"8e03978e-40d5-43dd-bc93-6894a57f9324\" "), bare);
        assert_ne!(IdempotencyKey::parse(b"8e03978e-40d5-43dd-bc93-6894a57f9325"), bare);
        assert!(IdempotencyKey::parse(&[b'k'; KEY_MAX]).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = [b'k'; KEY_MAX + 1];
        let odd: [&[u8]; 9] = [b"", b"  ", b"\"\"", b"a b", b"\"a", b"a\\b", b"a\0b", "키".as_bytes(), &long];
        for text in odd {
            assert_eq!(IdempotencyKey::parse(text), Err(NoKey), "{text:?}");
        }
    }
}
