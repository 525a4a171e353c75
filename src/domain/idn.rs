//! International domain names: how people read what the database holds in Punycode, and the other way round.

use unicode_security::{RestrictionLevel, RestrictionLevelDetection as _};

use super::address::EmailAddress;
use crate::text::{Plain, Untrusted, plain};

/// An address as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// Its domain in its own script. A label that mixes scripts stays in Punycode: it may look like another.
    pub text: String,
    /// The domain in which a label mixes scripts, as it would look.
    pub mixed: Option<String>,
}

/// How to show an address, or a domain alone.
#[must_use]
pub fn readable(address: &str) -> Readable {
    let (local, domain) = match address.rfind('@') {
        Some(at) => address.split_at(at + 1),
        None => ("", address),
    };
    let mut is_mixed = false;
    let mut as_it_looks = Vec::new();
    let mut shown = Vec::new();
    for label in domain.split('.') {
        let own = own_script(label);
        let fits = own.as_ref().is_none_or(|own| !is_mixed_up(own));
        is_mixed |= !fits;
        let own = own.unwrap_or_else(|| label.to_owned());
        shown.push(if fits { own.clone() } else { label.to_owned() });
        as_it_looks.push(own);
    }
    Readable { text: format!("{local}{}", shown.join(".")), mixed: is_mixed.then(|| as_it_looks.join(".")) }
}

/// An address as people read it, safe to show.
#[must_use]
pub fn shown(address: &Untrusted) -> Plain {
    plain(&readable(address.raw()).text)
}

impl EmailAddress {
    /// As people read it, safe to show.
    #[must_use]
    pub fn shown(&self) -> Plain {
        plain(&readable(self.as_str()).text)
    }
}

/// How the database holds an address, a domain, or a part of one, that is typed in its own script; `None` where that is the
/// same, or where no address is like it.
#[must_use]
pub fn stored(typed: &str) -> Option<String> {
    let (local, domain) = typed.rsplit_once('@').map_or(("", typed), |(local, domain)| (local, domain));
    let at = if typed.contains('@') { "@" } else { "" };
    let coded = idna::domain_to_ascii(domain).ok().filter(|coded| coded != domain && local.is_ascii())?;
    Some(format!("{local}{at}{coded}"))
}

/// What Punycode stands for; `None` where it is none, or a wrong one.
fn own_script(label: &str) -> Option<String> {
    let is_encoded = label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"));
    let (own, result) = if is_encoded { idna::domain_to_unicode(label) } else { return None };
    result.ok().map(|()| own)
}

/// Whether a label has letters of several scripts that are not written together: beyond one script, and Latin beside those
/// of Chinese, Japanese or Korean, which browsers show too ("highly restrictive" of UTS 39).
fn is_mixed_up(label: &str) -> bool {
    !label.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_shown_in_their_own_script() {
        let table = [
            ("mina@xn--3e0b707e.example", "mina@한국.example"),
            ("mina@XN--3E0B707E.example", "mina@한국.example"),
            ("mina@mail.xn--bcher-kva.example", "mina@mail.bücher.example"),
            ("mina@xn--p1ai.xn--p1ai", "mina@рф.рф"),
            ("xn--3e0b707e", "한국"),
            ("mina@example.com", "mina@example.com"),
            // In the part before it, it means nothing.
            ("xn--3e0b707e@example.com", "xn--3e0b707e@example.com"),
            ("", ""),
            ("@", "@"),
            // Wrong ones stay.
            ("mina@xn--.example", "mina@xn--.example"),
            ("mina@xn--a-.example", "mina@xn--a-.example"),
            ("mina@xn--zzzzzzzzzzzz.example", "mina@xn--zzzzzzzzzzzz.example"),
        ];
        for (stored, text) in table {
            assert_eq!(readable(stored), Readable { text: text.into(), mixed: None }, "{stored}");
        }
    }

    #[test]
    fn what_is_typed_in_its_own_script_is_found_in_punycode() {
        let table = [
            ("mina@한국.example", Some("mina@xn--3e0b707e.example")),
            ("@한국", Some("@xn--3e0b707e")),
            ("한국.example", Some("xn--3e0b707e.example")),
            ("BÜCHER", Some("xn--bcher-kva")),
            ("mina@example.com", None),
            ("미나@한국.example", None),
            ("xn--3e0b707e", None),
            ("", None),
        ];
        for (typed, coded) in table {
            assert_eq!(stored(typed).as_deref(), coded, "{typed}");
        }
    }

    #[test]
    fn scripts_that_are_mixed_in_a_label_are_not_taken_for_another() {
        // Written as they are entered: the first letter of the first, and the second one of the next, are Cyrillic.
        for (domain, is_mixed) in [
            ("\u{430}pple.example", true),
            ("p\u{430}ypal.example", true),
            ("\u{3b1}lpha.example", true),
            ("한국shop.example", false),
            ("東京tower.example", false),
            ("日本ひらカタ.example", false),
            ("яндекс.example", false),
            ("bücher2.example", false),
            // Each label for itself.
            ("яндекс.한국.example", false),
        ] {
            let stored = EmailAddress::parse(&format!("mina@{domain}")).unwrap();
            let shown = readable(stored.as_str());
            let (text, mixed) =
                if is_mixed { (stored.to_string(), Some(domain.to_owned())) } else { (format!("mina@{domain}"), None) };
            assert_eq!(shown, Readable { text, mixed }, "{stored}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_names_the_same(text in "\\PC*|[a-z]{1,3}@(\\PC{1,4}\\.)?[a-zа-я가-힣]{1,4}\\.example") {
            let _ = readable(&text);
            if let Ok(address) = EmailAddress::parse(&text) {
                let shown = readable(address.as_str());
                proptest::prop_assert_eq!(EmailAddress::parse(&shown.text), Ok(address));
            }
        }
    }
}
