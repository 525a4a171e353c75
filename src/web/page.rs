//! The pages a person sees: one layout, filled by Tera, which escapes whatever is put into it.

use std::sync::LazyLock;

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use strum::IntoStaticStr;
use tera::Tera;

use super::guard::{RETRY, retry_after};
use super::{link, words};
use crate::config::Site;
use crate::domain::key::Key;
use crate::domain::locale::Locale;
use crate::metrics;
use crate::text::plain;

/// The suffix makes Tera escape.
const LAYOUT: &str = "page.html";

static TERA: LazyLock<Tera> = LazyLock::new(|| {
    let mut tera = Tera::new();
    #[expect(clippy::expect_used, reason = "built in, and parsed by every test of a page")]
    tera.add_raw_template(LAYOUT, include_str!("../../assets/pages/page.html")).expect("the layout is a template");
    tera
});

/// Inline, so that a page is one request; allowed by its hash, so that nothing else that is inline counts.
const STYLE: &str = include_str!("../../assets/pages/page.css");

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Page {
    /// The address is verified, just now or before.
    Verified,
    /// The button that verifies.
    Confirm,
    /// The link's time is over.
    Expired,
    /// The link was superseded or withdrawn.
    Revoked,
    /// No such link.
    UnknownLink,
    /// A mail was queued.
    Queued,
    /// A mail was queued a moment ago; the next is possible in so many seconds.
    CoolingDown { seconds: i64 },
    /// As many mails as a day may bring were queued; the next is possible in so many seconds.
    HadTheDaysMails { seconds: i64 },
    /// The database is away.
    Away,
    /// A fault of ours.
    Failed,
    /// No such page.
    Nowhere,
    /// A request that no page of ours makes.
    BadRequest(StatusCode),
}

/// What a page's form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Press {
    Approve,
    AskForMail,
}

impl Page {
    fn status(self) -> StatusCode {
        match self {
            Self::Verified | Self::Confirm => StatusCode::OK,
            Self::Queued => StatusCode::ACCEPTED,
            Self::Expired | Self::Revoked => StatusCode::GONE,
            Self::UnknownLink | Self::Nowhere => StatusCode::NOT_FOUND,
            Self::CoolingDown { .. } | Self::HadTheDaysMails { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadRequest(status) => status,
        }
    }

    fn tone(self) -> &'static str {
        match self {
            Self::Verified => "good",
            Self::Confirm | Self::Queued | Self::CoolingDown { .. } | Self::HadTheDaysMails { .. } => "",
            _ => "warn",
        }
    }

    fn picture(self) -> &'static str {
        match self {
            Self::Verified => "check",
            Self::Confirm | Self::Queued | Self::CoolingDown { .. } | Self::HadTheDaysMails { .. } => "mail",
            Self::Expired | Self::Revoked | Self::Away => "clock",
            _ => "mark",
        }
    }

    fn press(self) -> Option<Press> {
        match self {
            Self::Confirm => Some(Press::Approve),
            Self::Expired | Self::Revoked | Self::CoolingDown { .. } => Some(Press::AskForMail),
            _ => None,
        }
    }

    fn retry_after(self) -> Option<i64> {
        match self {
            Self::CoolingDown { seconds } | Self::HadTheDaysMails { seconds } => Some(seconds),
            Self::Away => Some(RETRY),
            _ => None,
        }
    }
}

/// Who reads a page, and from where.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    locale: Locale,
    /// From the page's own address to `/verify/`.
    here: &'static str,
    /// The form to send again if it could not be processed.
    again: Option<Press>,
    key: Option<Key>,
    /// Where the site is, for one who is to be greeted there.
    way_back: Option<String>,
}

impl Reader {
    /// A reader of whose only the request is known.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            locale: accepted.and_then(Locale::from_accept_language).unwrap_or_default(),
            here: link::way_to_view(uri.path()),
            again: None,
            key: None,
            way_back: None,
        }
    }

    /// A reader with a link.
    pub(super) fn with(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// A reader who pressed a button.
    pub(super) fn pressed(mut self, press: Press) -> Self {
        self.again = Some(press);
        self
    }

    /// A reader that the site greets at this address.
    pub(super) fn greeted(mut self, way_back: Option<String>) -> Self {
        self.way_back = way_back;
        self
    }

    /// A user's own language, once they are known, goes before their browser's.
    pub(super) fn speaking(mut self, locale: Option<Locale>) -> Self {
        self.locale = locale.unwrap_or(self.locale);
        self
    }
}

#[derive(Serialize)]
struct Button {
    action: String,
    key: String,
    label: &'static str,
}

#[derive(Serialize)]
struct Link {
    href: String,
    label: String,
}

/// All pages of one site.
pub(super) struct Pages {
    site_name: String,
    site_url: Option<String>,
    security_policy: HeaderValue,
}

impl Pages {
    pub(super) fn new(site: &Site) -> Self {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        Self {
            site_name: plain(&site.name).into_string(),
            site_url: site.url.clone(),
            // Base64 always makes a header value.
            security_policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }

    pub(super) fn security_policy(&self) -> HeaderValue {
        self.security_policy.clone()
    }

    /// The page as an answer.
    pub(super) fn response(&self, reader: &Reader, page: Page) -> Response {
        metrics::process().page(page.into());
        let html = match self.render(reader, page) {
            Ok(html) => Html(html),
            Err(error) => {
                tracing::error!(%error, "a page could not be made");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let mut response = (page.status(), html).into_response();
        let language = HeaderValue::from_static(reader.locale.as_str());
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
        if let Some(seconds) = page.retry_after() {
            retry_after(&mut response, seconds);
        }
        response
    }

    fn render(&self, reader: &Reader, page: Page) -> tera::TeraResult<String> {
        let words = words::of(page, reader.locale);
        let mut context = tera::Context::new();
        context.insert("lang", reader.locale.as_str());
        context.insert("style", STYLE);
        context.insert("site_name", &self.site_name);
        context.insert("tone", page.tone());
        context.insert("picture", page.picture());
        context.insert("heading", words.heading);
        context.insert("paragraphs", &words.paragraphs);
        let trouble = matches!(page, Page::Away | Page::Failed);
        let press = if trouble { reader.again } else { page.press() };
        let button = press.zip(reader.key.as_ref()).map(|(press, key)| Button {
            action: match press {
                Press::Approve => reader.here.to_owned(),
                Press::AskForMail => format!("{}new-mail", reader.here),
            },
            key: key.expose(),
            label: words.button,
        });
        let link = match (&self.site_url, page) {
            (Some(url), Page::Verified) => {
                let href = reader.way_back.as_ref().unwrap_or(url).clone();
                Some(Link { href, label: words::continue_to(reader.locale, &self.site_name) })
            }
            // The page's own address, key and all, without writing it down.
            _ if trouble && button.is_none() => Some(Link { href: String::new(), label: words.button.to_owned() }),
            _ => None,
        };
        context.insert("button", &button);
        context.insert("link", &link);
        TERA.render(LAYOUT, &context)
    }
}
