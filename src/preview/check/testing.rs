//! A small template that breaks no rule, to break one in.

use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::Templates;

use super::finding::{Finding, Report, Violation};
use super::mails::{CheckContext, RenderedMail};
use super::rule::{Test, checks};
use super::run::{Options, check};

/// The English HTML of the good mail.
pub const HTML: &str = "en/verification/body.html";
/// Its English text.
pub const TEXT: &str = "en/verification/body.txt";
/// Its English subject.
pub const SUBJECT: &str = "en/verification/subject.txt";

const FILES: [(&str, &str); 6] = [
    ("en/verification/subject.txt", "Confirm your address for {{ site_name }}\n"),
    (
        "en/verification/body.txt",
        "Hello {{ name }},

open this link to confirm your address at {{ site_name }}:

{{ link }}

It works for {{ lifetime }}, until {{ expires }}.

If it was not you, ignore this mail.

{{ site_name }} {{ site_url }}
",
    ),
    (
        "en/verification/body.html",
        "<!DOCTYPE html>
<html lang=\"en\" dir=\"ltr\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"supported-color-schemes\" content=\"light dark\">
<title>Confirm your address</title>
</head>
<body style=\"margin: 0; background-color: #ffffff; color: #1c2430;\">
<div data-mail=\"preheader\" style=\"display: none; max-height: 0; overflow: hidden; mso-hide: all;\">One click until {{ expires }}. Not you? Ignore this mail.</div>
<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">
<tr><td style=\"font-size: 16px; line-height: 24px; color: #1c2430; background-color: #ffffff; padding: 16px; word-break: break-word;\">
<h1 style=\"margin: 0; font-size: 22px;\">Is this your address?</h1>
<p>Hello {{ name }}, please confirm your address at {{ site_name }}.</p>
<p><a data-mail=\"cta\" href=\"{{ link }}\" style=\"display: inline-block; padding: 14px 28px; background-color: #1d5fc4; color: #ffffff;\">Confirm my address</a></p>
<p data-mail=\"expiry\">It works for {{ lifetime }}, until {{ expires }}.</p>
<p>Or paste this address: <a href=\"{{ link }}\" style=\"color: #1d5fc4; word-break: break-all;\">{{ link }}</a></p>
<p data-mail=\"not-you\">If it was not you, ignore this mail.</p>
<p>{% if site_url %}<a href=\"{{ site_url }}\" style=\"color: #1d5fc4;\">{{ site_name }}</a>{% else %}{{ site_name }}{% endif %}</p>
</td></tr>
</table>
</body>
</html>
",
    ),
    ("ko/verification/subject.txt", "{{ site_name }} 이메일 주소를 확인해 주세요\n"),
    (
        "ko/verification/body.txt",
        "{{ name }} 님, 안녕하세요.

아래 링크를 열어 {{ site_name }} 이메일 주소를 확인해 주세요.

{{ link }}

링크는 {{ lifetime }} 동안, {{ expires }}까지 쓸 수 있습니다.

본인이 아니라면 이 메일을 무시해 주세요.

{{ site_name }} {{ site_url }}
",
    ),
    (
        "ko/verification/body.html",
        "<!DOCTYPE html>
<html lang=\"ko\" dir=\"ltr\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"supported-color-schemes\" content=\"light dark\">
<title>이메일 주소 확인</title>
</head>
<body style=\"margin: 0; background-color: #ffffff; color: #1c2430;\">
<div data-mail=\"preheader\" style=\"display: none; max-height: 0; overflow: hidden; mso-hide: all;\">{{ expires }}까지 한 번만 누르면 됩니다. 본인이 아니면 무시해 주세요.</div>
<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">
<tr><td style=\"font-size: 16px; line-height: 24px; color: #1c2430; background-color: #ffffff; padding: 16px; word-break: break-word;\">
<h1 style=\"margin: 0; font-size: 22px;\">본인의 이메일 주소인가요?</h1>
<p>{{ name }} 님, {{ site_name }} 이메일 주소를 확인해 주세요.</p>
<p><a data-mail=\"cta\" href=\"{{ link }}\" style=\"display: inline-block; padding: 14px 28px; background-color: #1d5fc4; color: #ffffff;\">이메일 주소 확인하기</a></p>
<p data-mail=\"expiry\">링크는 {{ lifetime }} 동안, {{ expires }}까지 쓸 수 있습니다.</p>
<p>또는 이 주소를 붙여 넣으세요: <a href=\"{{ link }}\" style=\"color: #1d5fc4; word-break: break-all;\">{{ link }}</a></p>
<p data-mail=\"not-you\">본인이 아니라면 이 메일을 무시해 주세요.</p>
<p>{% if site_url %}<a href=\"{{ site_url }}\" style=\"color: #1d5fc4;\">{{ site_name }}</a>{% else %}{{ site_name }}{% endif %}</p>
</td></tr>
</table>
</body>
</html>
",
    ),
];

/// A directory of templates, and settings that name it.
pub struct Bench {
    dir: tempfile::TempDir,
    pub settings: Settings,
    /// What to check.
    pub options: Options,
}

impl Bench {
    /// With the good mail.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.templates.dir = Some(dir.path().to_owned());
        settings.public_url = Some("https://example.org".to_owned());
        settings.site.name = "Example".to_owned();
        settings.site.url = Some("https://example.org".to_owned());
        settings.mail.from = Some("Example <no-reply@example.org>".to_owned());
        settings.mail.reply_to = Some("help@example.org".to_owned());
        // One that supports all there is, so that no rule on clients speaks.
        settings.templates.clients = vec!["apple-mail".to_owned()];
        let bench = Self { dir, settings, options: Options::default() };
        FILES.into_iter().fold(bench, |bench, (path, text)| bench.with(path, text))
    }

    /// With a file of this content.
    pub fn with(self, path: &str, text: &str) -> Self {
        let file = self.dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    /// With something in a file replaced, wherever it stands.
    pub fn replace(self, path: &str, from: &str, to: &str) -> Self {
        let text = std::fs::read_to_string(self.dir.path().join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.with(path, &text.replace(from, to))
    }

    /// With only the English mail looked at.
    pub fn english(mut self) -> Self {
        self.options.locales = vec![Locale::En];
        self
    }

    /// What is found, with the directory called `DIR`.
    pub fn check(&self) -> Report {
        self.check_by(&self.options)
    }

    fn check_by(&self, options: &Options) -> Report {
        let now = "2026-11-22T05:30:00Z".parse().unwrap();
        check(&Templates::gather(&self.settings), &self.settings, now, options)
    }

    pub fn breaks(&self, rule: &str) -> Vec<Finding> {
        let rule = super::find(rule).unwrap_or_else(|| panic!("there is no rule {rule}")).id;
        let mut options = self.options.clone();
        // Whether suppressions are needed shows only where all rules are tried.
        options.rules = if rule.starts_with('U') { Vec::new() } else { vec![rule] };
        self.check_by(&options).findings.into_iter().filter(|finding| finding.rule.id == rule).collect()
    }
}

/// What the test of a rule finds in the good English mail with the examples, after a change to it.
pub fn violations(rule: &str, change: impl FnOnce(&mut RenderedMail<'_>)) -> Vec<Violation> {
    let bench = Bench::new();
    let templates = Templates::gather(&bench.settings);
    let shared = CheckContext::new(&templates, &bench.settings, "2026-11-22T05:30:00Z".parse().unwrap());
    let fixture = &templates.fixtures("verification")[0];
    let mut mail = RenderedMail::new(&shared, "verification", Locale::En, fixture).unwrap();
    change(&mut mail);
    let check = checks().find(|check| check.rule.id == rule).unwrap();
    let Test::Mail(test) = check.test else { panic!("{rule} is not about single mails") };
    let mut found = Vec::new();
    test(&mail, &mut found);
    found
}

/// Asserts for each row that the good mail with `to` for `from` in a file breaks the rule, or that it does not.
pub fn try_each(rule: &str, rows: &[(&str, &str, &str, bool)]) {
    assert_eq!(Bench::new().breaks(rule), [], "the good mail");
    for (path, from, to, wanted) in rows {
        let bench = Bench::new().replace(path, from, to);
        let found = if path.starts_with("en/") { bench.english() } else { bench }.breaks(rule);
        assert_eq!(!found.is_empty(), *wanted, "{rule}: {from:?} → {to:?} in {path}: {found:#?}");
    }
}
