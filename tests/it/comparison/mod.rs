//! The layouter beside a browser: each mail is shown by headless Chromium and laid out in cells, and run by run it is
//! compared what a reader would see. The result is `tests/mails/COMPARISON.md`; `make compare` writes it again.

mod found;
mod judge;
mod report;
mod seen;
mod tests;

use std::path::{Path, PathBuf};

use verifydesk::config::Settings;
use verifydesk::domain::locale::Locale;
use verifydesk::mail::templates::{Part, Templates};
use verifydesk::mail::verification::{TEMPLATE, VerificationMail};
use verifydesk::preview::layout::lay_out;
use verifydesk::preview::view::{Scheme, View, Width};

use crate::support::browser::Browser;
use report::{Compared, Report};

/// Set to write the report instead of comparing it with the one that is there.
const WRITE: &str = "VERIFYDESK_COMPARISON_WRITE";

/// The least share of runs of each mail that agree in everything, in percent.
const ENOUGH: f64 = 95.0;

fn mails() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails")
}

/// A mail that the program sends, with values of which none changes by itself.
fn shipped(locale: Locale) -> String {
    let mut settings = Settings::default();
    settings.site.name = "모아책방".into();
    settings.site.url = Some("https://books.example/".into());
    let mail = VerificationMail::sample(locale, &settings, "2026-11-22T05:30:00Z".parse().unwrap());
    let templates = Templates::load(None).unwrap();
    templates.render_part(TEMPLATE, locale, Part::Html, &mail.context(&settings.site)).unwrap()
}

/// Every mail, with how it is looked at.
fn cases() -> Vec<(String, String, Vec<View>)> {
    let desk = View::default();
    let phone = View { width: Width::Phone, ..desk };
    let dark = View { scheme: Scheme::Dark, ..desk };
    let mut cases: Vec<_> = Locale::ALL
        .iter()
        .map(|locale| (format!("{locale}/{TEMPLATE}"), shipped(*locale), vec![desk, phone, dark]))
        .collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(mails()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "html"));
    files.sort();
    for file in files {
        let html = std::fs::read_to_string(&file).unwrap();
        let mut views = vec![desk, phone];
        views.extend(html.contains("prefers-color-scheme").then_some(dark));
        cases.push((file.file_name().unwrap().to_string_lossy().into_owned(), html, views));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_looks_as_in_a_browser() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    let mut report = Report::default();
    for (name, html, views) in cases() {
        for view in views {
            let seen = seen::look(&page, &html, &view).await;
            assert!(seen.len() > 3, "{name}: a browser shows almost nothing");
            let laid = lay_out(&html, &view);
            report.add(Compared { name: name.clone(), view, verdicts: judge::judge(&seen, &laid) });
        }
    }
    let (text, file) = (report.to_string(), mails().join("COMPARISON.md"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let low = report.below(ENOUGH);
    assert!(low.is_empty(), "fewer than {ENOUGH} % of the runs agree with the browser in:\n{}", low.join("\n"));
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{} is not up to date: run `make compare` and look at what changed", file.display());
}
