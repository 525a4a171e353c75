//! What mails are made of, as fingerprints: recorded when a mail is sent, and compared when someone looks at it later.

use sha2::{Digest as _, Sha256};

use super::templates::Templates;
use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::domain::send::MadeOf;

/// Of the verification mails of a language. Of a host that lacks a setting it is another than of the workers.
#[must_use]
pub fn of(templates: &Templates, settings: &Settings, locale: Locale) -> MadeOf {
    let texts = templates.mailed_texts(locale);
    let site = &settings.site;
    let seen = [
        site.name.as_str(),
        site.url.as_deref().unwrap_or_default(),
        site.zone.of(locale).name(),
        settings.public_url.as_deref().unwrap_or_default(),
        settings.mail.from.as_deref().unwrap_or_default(),
        settings.mail.reply_to.as_deref().unwrap_or_default(),
        &settings.verification.lifetime.as_secs().to_string(),
    ];
    MadeOf {
        templates: fingerprint(texts.iter().flat_map(|(path, text)| [path.as_str(), text.as_str()])),
        settings: fingerprint(seen),
    }
}

fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> i32 {
    let mut digest = Sha256::new();
    for text in texts {
        // With its length: what ends one text must not begin the next.
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
    i32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(dir: Option<&std::path::Path>, change: impl FnOnce(&mut Settings)) -> MadeOf {
        let mut settings = Settings::default();
        settings.templates.dir = dir.map(Into::into);
        change(&mut settings);
        of(&Templates::gather(&settings), &settings, Locale::En)
    }

    #[test]
    fn is_the_same_wherever_the_same_would_be_mailed() {
        let settings = Settings::default();
        for locale in Locale::ALL {
            let [worker, console] = [Templates::from_settings(&settings).unwrap(), Templates::gather(&settings)];
            assert_eq!(of(&worker, &settings, locale), of(&console, &settings, locale));
        }
        let [ko, en] = Locale::ALL.map(|locale| of(&Templates::gather(&settings), &settings, locale));
        assert_ne!(ko.templates, en.templates);
    }

    #[test]
    fn tells_what_is_seen_in_a_mail_from_what_is_not() {
        type Change = fn(&mut Settings);
        let before = made(None, |_| {});
        let seen: [Change; 6] = [
            |settings| settings.site.name = "Another".into(),
            |settings| settings.site.url = Some("https://example.org".into()),
            |settings| settings.public_url = Some("https://example.org".into()),
            |settings| settings.mail.from = Some("a@example.org".into()),
            |settings| settings.mail.reply_to = Some("a@example.org".into()),
            |settings| settings.verification.lifetime *= 2,
        ];
        for (n, change) in seen.into_iter().enumerate() {
            let after = made(None, change);
            assert!(after.templates == before.templates && after.settings != before.settings, "{n}");
        }
        assert_eq!(made(None, |settings| settings.mail.configuration_set = Some("events".into())), before);
    }

    #[test]
    fn tells_templates_that_mails_are_made_of_from_others() {
        let before = made(None, |_| {});
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        for (path, text) in [("en/welcome/subject.txt", "Hello"), ("partials/unused.txt", "x")] {
            write(path, text);
            assert_eq!(made(Some(dir.path()), |_| {}), before, "{path}");
        }
        write("en/verification/subject.txt", "{% include \"partials/name.txt\" %}: confirm");
        write("partials/name.txt", "{{ site_name }}");
        let first = made(Some(dir.path()), |_| {});
        assert!(first.templates != before.templates && first.settings == before.settings);
        write("partials/name.txt", "{{ site_name }}!");
        assert_ne!(made(Some(dir.path()), |_| {}).templates, first.templates);
    }
}
