use super::testing::{Bench, HTML, SUBJECT, TEXT};
use super::*;
use crate::config::Settings;
use crate::domain::locale::Locale;
use crate::mail::templates::{Part, Templates};

fn ids(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn the_good_mail_breaks_no_rule() {
    let report = Bench::new().check();
    assert_eq!(report.findings, []);
    assert!(report.mails >= 18 && !report.unfinished, "{}", report.mails);
}

#[test]
fn what_is_broken_is_told_once_with_its_place() {
    let found = Bench::new().replace(TEXT, "{{ lifetime }}", "{{ lifetime | sparkle }}").breaks("T001");
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((finding.line, finding.part), (7, Some(Part::Text)));
    assert!(finding.file.as_ref().unwrap().path.as_ref().unwrap().ends_with(TEXT));
    assert_eq!(finding.template.as_deref(), Some("verification"));
}

#[test]
fn fixtures_are_joined() {
    let found =
        Bench::new().replace(SUBJECT, "{{ site_name }}", "{% if not name %}{{ oops }}{% endif %}").breaks("T002");
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert!(finding.fixtures.iter().any(|id| id == "no-name"), "{:?}", finding.fixtures);
    assert!(finding.fixtures.len() < finding.tried);
    assert_eq!((finding.line, finding.locale), (1, Some(Locale::En)));
    assert!(finding.fixtures_shown().unwrap().starts_with("with "), "{finding:?}");
    let of = |fixture| Bench::new().check().worst("verification", Locale::En, fixture);
    assert_eq!(of("example"), None);
}

#[test]
fn suppressions_need_a_reason_and_a_finding() {
    let broken = || Bench::new().replace(SUBJECT, "{{ site_name }}", "{% if not name %}{{ oops }}{% endif %}");
    let with = |comment: &str| broken().replace(SUBJECT, "Confirm", &format!("{comment}Confirm")).check();
    let report = with("{# mail-lint: allow T002 nobody is without a name #}");
    assert!(!ids(&report).contains(&"T002") && !ids(&report).contains(&"U002"), "{:?}", ids(&report));
    assert_eq!(report.suppressed[0].suppressed.as_deref(), Some("nobody is without a name"));
    let report = with("{# mail-lint: allow T002 #}");
    assert!(ids(&report).contains(&"T002") && ids(&report).contains(&"U001"), "{:?}", ids(&report));
    for comment in ["{# mail-lint: allow Q123 because #}", "{# mail-lint: off #}"] {
        assert!(ids(&with(comment)).contains(&"U001"), "{comment}");
    }
    let unused = Bench::new().replace(HTML, "<p>Hello", "{# mail-lint: allow T002 why not #}<p>Hello");
    let report = unused.check();
    assert_eq!(ids(&report), ["U002"]);
    assert_eq!((report.findings[0].line, report.findings[0].column), (15, 1));
    assert!(report.findings[0].message.contains("T002"));
}

#[test]
fn a_partial_is_told_once_for_all_languages() {
    let bench = Bench::new()
        .replace(TEXT, "Hello", "{% include \"partials/x.txt\" %}Hello")
        .replace("ko/verification/body.txt", "안녕", "{% include \"partials/x.txt\" %}안녕")
        .with("partials/x.txt", "\n\n{{ oops }}");
    let found = bench.breaks("T002");
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((finding.line, finding.locale), (3, None));
    assert!(finding.file.as_ref().unwrap().shown.ends_with("partials/x.txt"));
}

#[test]
fn time_is_bounded() {
    let mut bench = Bench::new();
    bench.options.budget = std::time::Duration::ZERO;
    let report = bench.check();
    assert!(report.unfinished && report.mails == 0);
}

#[test]
fn a_huge_mail_is_said_to_be_huge() {
    let loops = "{% for a in range(end=1100) %}{% for b in range(end=100) %}0123456789{% endfor %}{% endfor %}";
    let found = Bench::new().english().replace(TEXT, "Hello", loops).breaks("T002");
    assert!(found.iter().any(|finding| finding.message.contains("too large")), "{found:#?}");
}

#[test]
fn built_in_templates_pass() {
    let settings = Settings::default();
    let now = "2026-11-22T05:30:00Z".parse().unwrap();
    let report = check(&Templates::gather(&settings), &settings, now, &Options::default());
    let bad: Vec<_> = report.findings.iter().filter(|finding| finding.severity != Severity::Info).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
