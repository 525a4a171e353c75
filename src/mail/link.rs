//! The link in the mail: the public URL, `/verify/`, and the key.

use std::fmt;

use url::Url;

use crate::domain::key::Key;

/// A link that verifies anyone who opens it: as secret as its key, so it is never shown; `Debug` leaves the key out.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    page: Url,
    key: String,
}

/// What previews have for a key: one character short of a key, so nothing takes it for one.
const SAMPLE_KEY: &str = "sample-key-of-a-preview-that-opens-nothing";

impl Link {
    /// The link under the site's public URL. A path there is kept, its query and fragment are not.
    #[must_use]
    pub fn new(public_url: &Url, key: &Key) -> Self {
        Self::with(public_url, key.expose())
    }

    /// A link that looks like one and verifies no one, for previews.
    #[must_use]
    pub fn sample(public_url: &Url) -> Self {
        Self::with(public_url, SAMPLE_KEY.to_owned())
    }

    fn with(public_url: &Url, key: String) -> Self {
        let mut page = public_url.clone();
        page.set_query(None);
        page.set_fragment(None);
        page.set_path(&format!("{}/verify/", public_url.path().trim_end_matches('/')));
        Self { page, key }
    }

    /// The whole URL, for the mail and nothing else.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}?key={}", self.page, self.key)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}?key=…)", self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::VerificationId;
    use crate::domain::key::Nonce;

    fn key() -> Key {
        Key::derive(b"0123456789abcdef0123456789abcdef", VerificationId(42), &Nonce([7; 16]))
    }

    #[test]
    fn keeps_the_path_of_the_public_url() {
        let table = [
            ("https://example.org", "https://example.org/verify/"),
            ("https://example.org/", "https://example.org/verify/"),
            ("https://example.org/app", "https://example.org/app/verify/"),
            ("https://example.org/app/", "https://example.org/app/verify/"),
            ("http://127.0.0.1:8080/?a=b#c", "http://127.0.0.1:8080/verify/"),
        ];
        for (public, page) in table {
            let link = Link::new(&Url::parse(public).unwrap(), &key());
            assert_eq!(link.expose(), format!("{page}?key={}", key().expose()), "{public}");
        }
    }

    #[test]
    fn a_sample_opens_nothing() {
        assert!(Key::parse(SAMPLE_KEY).is_err());
        let link = Link::sample(&Url::parse("https://example.org").unwrap());
        assert!(link.expose().ends_with("/verify/?key=sample-key-of-a-preview-that-opens-nothing"));
    }

    #[test]
    fn never_printed() {
        let link = Link::new(&Url::parse("https://example.org").unwrap(), &key());
        assert_eq!(format!("{link:?}"), "Link(https://example.org/verify/?key=…)");
    }
}
