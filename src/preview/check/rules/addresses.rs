//! What is wrong with an address in a mail. Nothing is opened: a link may be good for one opening only.

use url::{Host, ParseError, Url};

use crate::config::is_loopback;
use crate::mail::sender::Sender;
use crate::preview::check::mails::RenderedMail;
use crate::preview::check::rule::Severity;
use crate::text::plain;

/// Hosts that stand for others.
const SHORTENERS: [&str; 16] = [
    "bit.ly",
    "bit.do",
    "buff.ly",
    "goo.gl",
    "han.gl",
    "is.gd",
    "me2.do",
    "naver.me",
    "ow.ly",
    "rebrand.ly",
    "t.co",
    "t.ly",
    "tinyurl.com",
    "url.kr",
    "vo.la",
    "cutt.ly",
];

/// What is wrong with an address, as the end of a sentence.
pub(super) fn wrong_address(mail: &RenderedMail<'_>, address: &str) -> Option<(String, Severity)> {
    let error = |what: &str| Some((what.to_owned(), Severity::Error));
    let address = address.trim();
    if address.is_empty() || address == "#" {
        return error("leads nowhere");
    }
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(ParseError::RelativeUrlWithoutBase) => return error("is relative, and a mail has no page"),
        Err(_) => return error("cannot be read as an address"),
    };
    match url.scheme() {
        "mailto" | "tel" | "sms" => return None,
        "http" | "https" => {}
        other => return error(&format!("begins with {}:", plain(other))),
    }
    let host = url.host_str().unwrap_or_default();
    if is_loopback(host) {
        return None;
    }
    if url.scheme() == "http" {
        return error("is not https");
    }
    if !matches!(url.host(), Some(Host::Domain(_))) {
        return error("is a number where a name should be");
    }
    if SHORTENERS.contains(&host) {
        return error("is shortened");
    }
    // A value may be anywhere: the one who sets it knows. What the template writes out should be the site's.
    if mail.is_said_by_a_value(address) || own_hosts(mail).iter().any(|own| is_under(host, own)) {
        return None;
    }
    Some((format!("is at {}, not at the site's own domain", plain(host)), Severity::Warning))
}

/// The hosts that the settings name.
fn own_hosts(mail: &RenderedMail<'_>) -> Vec<String> {
    let settings = mail.shared.settings;
    let urls = [settings.public_url.as_deref(), settings.site.url.as_deref(), mail.link()];
    let hosts = urls.into_iter().flatten().filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
    let sender = settings.mail.from.as_deref().and_then(|from| Sender::parse(from).ok());
    hosts.chain(sender.map(|sender| sender.address().domain().to_owned())).collect()
}

/// Second names under which registries of countries give out names, as under `co.kr`.
const REGISTRIES: [&str; 24] = [
    "ac", "co", "com", "edu", "es", "go", "gob", "gov", "gv", "hs", "kg", "mil", "ms", "ne", "net", "nom", "or", "org",
    "pe", "plc", "re", "sc", "sch", "seoul",
];

/// Whether a host belongs to the same owner as another, by what is registered: the last two names, or three under `co.kr`.
fn is_under(host: &str, own: &str) -> bool {
    let names: Vec<&str> = own.split('.').collect();
    let registered = match names.as_slice() {
        [_, .., second, top] if top.len() == 2 && REGISTRIES.contains(second) => 3,
        _ => 2,
    };
    let base = names[names.len().saturating_sub(registered)..].join(".");
    host == base || host.strip_suffix(&base).is_some_and(|before| before.ends_with('.'))
}

/// The web addresses in plain text, with where they begin.
pub(super) fn in_text(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = text.match_indices("http").map(|(at, _)| at);
    starts.filter_map(|at| {
        let rest = &text[at..];
        let is_whole = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | '/' | '&' | '?'));
        let is_address = is_whole && (rest.starts_with("http://") || rest.starts_with("https://"));
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        is_address.then(|| (at, &rest[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_domain() {
        let table = [
            ("example.org", "www.example.org", true),
            ("mail.example.org", "example.org", true),
            ("badexample.org", "example.org", false),
            ("shop.example.co.kr", "example.co.kr", true),
            ("other.co.kr", "example.co.kr", false),
            ("abc.kr", "www.abc.kr", true),
            ("foo.io", "app.foo.io", true),
            ("other.kr", "www.abc.kr", false),
            ("other.ac.kr", "www.abc.ac.kr", false),
            ("example.com", "co.kr", false),
        ];
        for (host, own, wanted) in table {
            assert_eq!(is_under(host, own), wanted, "{host} {own}");
        }
    }

    #[test]
    fn addresses_in_text() {
        let text = "See https://a.example/x?u=https://b.example, or <http://c.example/> or https";
        let found: Vec<_> = in_text(text).map(|(_, address)| address).collect();
        assert_eq!(found, ["https://a.example/x?u=https://b.example,", "http://c.example/"]);
    }
}
