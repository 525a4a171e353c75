//! What a person who has just been verified carries back to the site: a short-lived, signed token in the link of the page,
//! so that the site can greet them without asking first. A JSON Web Token (RFC 7519), signed by HS256 (RFC 7518, 3.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use crate::config::{Secret, Settings};
use crate::domain::Time;
use crate::domain::id::UserId;

/// How long it holds.
const HOLDS: TimeDelta = TimeDelta::minutes(5);

/// The parameter of the site's address that it is in.
const PARAMETER: &str = "verified";

/// Makes tokens for one site.
pub(super) struct Greeting {
    secret: Secret,
    site: Url,
}

impl Greeting {
    /// None where no secret is set, or no site to go back to.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let secret = settings.serve.greeting_secret.clone().filter(|secret| !secret.expose().trim().is_empty())?;
        let site = Url::parse(settings.site.url.as_deref()?).ok()?;
        Some(Self { secret, site })
    }

    /// The site's address for this user, who was verified at this moment.
    pub(super) fn way_back(&self, user: UserId, now: Time) -> String {
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let claims = json!({
            "iss": "verifydesk",
            "aud": self.site.as_str(),
            "sub": user.to_string(),
            "iat": now.timestamp(),
            "exp": (now + HOLDS).timestamp(),
            "jti": Uuid::now_v7().to_string(),
        });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut way = self.site.clone();
        // Any length does for an HMAC.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose().trim().as_bytes()) {
            mac.update(signed.as_bytes());
            let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
            way.query_pairs_mut().append_pair(PARAMETER, &format!("{signed}.{signature}"));
        }
        way.into()
    }
}
