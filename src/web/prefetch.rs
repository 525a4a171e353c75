//! Requests that no one asked for: browsers and mail programs fetch a link before it is opened, in case it is, or to
//! draw a picture of where it leads. They say so, and must not use the link up.

use axum::http::HeaderMap;

/// Who says it where: `Sec-Purpose` today's browsers (Fetch, 2.2.7), `Purpose` the Chrome and Safari before, `X-Purpose`
/// Safari's pictures and Facebook's, `X-Moz` the Firefox before.
const HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// What they say, on its own or among other words: `prefetch;prerender`.
const PURPOSES: [&str; 4] = ["prefetch", "prerender", "preview", "instant"];

/// Whether a request says of itself that no one has opened the link yet.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    let values = HEADERS.iter().flat_map(|name| headers.get_all(*name));
    let words = values.flat_map(|value| value.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()));
    { words }.any(|word| PURPOSES.iter().any(|purpose| word.eq_ignore_ascii_case(purpose.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    #[test]
    fn who_says_so() {
        let table = [
            ("Sec-Purpose", "prefetch", true),
            ("Sec-Purpose", "prefetch;prerender", true),
            ("Sec-Purpose", "prefetch; anonymous-client-ip", true),
            ("Purpose", "Prefetch", true),
            ("Purpose", "preview", true),
            ("X-Purpose", "preview", true),
            ("X-Purpose", ": preview", true),
            ("X-Moz", "prefetch", true),
            ("Sec-Purpose", "", false),
            ("Sec-Purpose", "prefetching", false),
            ("Purpose", "navigate", false),
            ("User-Agent", "prefetch", false),
        ];
        for (name, value, is) in table {
            let mut headers = HeaderMap::new();
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            assert_eq!(is_prefetch(&headers), is, "{name}: {value}");
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), "PREFETCH".parse().unwrap());
            assert_eq!(is_prefetch(&headers), name != "User-Agent", "{name}: {value}, and another");
        }
    }
}
