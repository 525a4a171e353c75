//! What opened a link, as far as its request shows it.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, USER_AGENT};

use crate::desk::Opener;

/// Every browser asks for a page in a language, text browsers and those inside of apps included. Programs that fetch links
/// rarely do; what they call themselves says nothing, since most take a browser's name.
pub(super) fn opener(headers: &HeaderMap) -> Opener {
    let wants_page = headers.get_all(ACCEPT).iter().any(|value| {
        let ranges = value.as_bytes().split(|byte| matches!(byte, b',' | b';'));
        ranges.map(<[u8]>::trim_ascii).any(|range| range.eq_ignore_ascii_case(b"text/html"))
    });
    let says = |name| headers.get(name).is_some_and(|value| !value.as_bytes().trim_ascii().is_empty());
    if wants_page && says(ACCEPT_LANGUAGE) && says(USER_AGENT) { Opener::Browser } else { Opener::Program }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs() {
        let firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let mozilla = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let table = [
            ("Firefox", firefox, "ko-KR,ko;q=0.8,en-US;q=0.5", mozilla, Opener::Browser),
            ("w3m", "text/html, text/*;q=0.5, image/*, application/*", "en;q=1.0", "w3m/0.5.3", Opener::Browser),
            ("curl", "*/*", "", "curl/8.5.0", Opener::Program),
            ("Go", "", "", "Go-http-client/1.1", Opener::Program),
            ("one that takes a browser's name", "*/*", "", mozilla, Opener::Program),
            ("one without a language", firefox, "", mozilla, Opener::Program),
            ("one without a name", firefox, "en", "", Opener::Program),
            ("one that takes all but HTML", "application/xhtml+xml,*/*", "en", mozilla, Opener::Program),
        ];
        for (who, accept, language, agent, is) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in [(ACCEPT, accept), (ACCEPT_LANGUAGE, language), (USER_AGENT, agent)] {
                if !value.is_empty() {
                    headers.append(name, value.parse().unwrap());
                }
            }
            assert_eq!(opener(&headers), is, "{who}");
        }
    }
}
