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
fn what_is_broken_is_reported_once_with_its_place() {
    let found = Bench::new().replace(TEXT, "{{ lifetime }}", "{{ lifetime | sparkle }}").breaks("T001");
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((finding.line, finding.part), (7, Some(Part::Text)));
    assert!(finding.file.as_ref().unwrap().path.as_ref().unwrap().ends_with(TEXT));
    assert_eq!((finding.template.as_deref(), finding.locale), (Some("verification"), Some(Locale::En)));
    let report = Bench::new().replace(TEXT, "{{ lifetime }}", "{{ lifetime | sparkle }}").check();
    assert_eq!(report.worst("verification", Locale::Ko, "example"), None, "the other language has its own files");
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
    let with = |comment: &str| Bench::new().replace(SUBJECT, "Confirm", &format!("{comment}TODO: Confirm")).check();
    let report = with("{# mail-lint: allow T007 it is the name of the site #}");
    assert!(!ids(&report).contains(&"T007") && !ids(&report).contains(&"U002"), "{:?}", ids(&report));
    assert_eq!(report.suppressed[0].suppressed.as_deref(), Some("it is the name of the site"));
    let report = with("{# mail-lint: allow T007 #}");
    assert!(ids(&report).contains(&"T007") && ids(&report).contains(&"U001"), "{:?}", ids(&report));
    for comment in ["{# mail-lint: allow Q123 because #}", "{# mail-lint: off #}"] {
        assert!(ids(&with(comment)).contains(&"U001"), "{comment}");
    }
    let unused = Bench::new().replace(HTML, "<p>Hello", "{# mail-lint: allow T007 why not #}<p>Hello");
    let report = unused.check();
    assert_eq!(ids(&report), ["U002"]);
    assert_eq!((report.findings[0].line, report.findings[0].column), (15, 1));
    assert!(report.findings[0].message.contains("T007"));
}

#[test]
fn what_keeps_a_mail_from_being_made_is_not_suppressed() {
    let table = [
        ("T001", TEXT, "{{ link }}", "{{ link | sparkle }}"),
        ("T002", TEXT, "{{ link }}", "{{ lonk }}"),
        ("S001", SUBJECT, "Confirm", "Confirm{{ \"\n\" }}now"),
    ];
    for (rule, file, from, to) in table {
        let comment = format!("{{# mail-lint: allow {rule} because #}}{to}");
        let report = Bench::new().replace(file, from, &comment).check();
        assert!(report.count(Severity::Error) > 0 && ids(&report).contains(&rule), "{rule}: {report:#?}");
        assert!(ids(&report).contains(&"U001") && report.suppressed.is_empty(), "{rule}: {report:#?}");
    }
    // Where the subject is mailed, and only long, it is the author's choice.
    let long = "{# mail-lint: allow S001 all of it is needed #}Confirm the address that you gave us this morning at";
    let report = Bench::new().english().replace(SUBJECT, "Confirm", long).check();
    assert!(report.findings.iter().all(|finding| finding.rule.id != "S001"), "{report:#?}");
}

#[test]
fn errors_are_never_hidden_by_lesser_findings() {
    let links: Vec<_> = (0..600).map(|n| format!("<a href=\"https://example.org/{n}\">p {n}</a>")).collect();
    let report = Bench::new()
        .english()
        .replace(HTML, "<p>Hello", &format!("{}\n<p>Hello", links.join("\n")))
        .replace(TEXT, "{{ link }}", "")
        .check();
    assert!(report.count(Severity::Error) > 0 && report.cut > 0, "{} cut of {:?}", report.cut, ids(&report));
    assert_eq!(ids(&report).iter().filter(|id| **id == "C002").count(), 100);
}

#[test]
fn many_findings_in_one_line_take_no_long_time() {
    let table = [
        (HTML, "<style>", format!("<style>{}", "a{".repeat(2_000))),
        (HTML, "<p>Or", "<a href=\"http://a.example/\">x</a>".repeat(400) + "<p>Or"),
        (HTML, "<p>Or", format!("<table>{}</table><p>Or", "<tr><td style=\"font-size:12px\">x".repeat(400))),
    ];
    for (file, from, to) in table {
        let mut bench = Bench::new().english().replace(HTML, "</head>", "<style></style></head>");
        bench.options.budget = std::time::Duration::from_secs(40);
        let report = bench.replace(file, from, &to).check();
        assert!(!report.unfinished, "{:?} {}", &to[..40], report.mails);
    }
}

#[test]
fn a_partial_is_reported_once_for_all_languages() {
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
fn like_elements_in_one_line_are_distinguished() {
    let links = "<p>Or <abbr>x</abbr> <a\n href=\"http://a.example/\">a</a> <a href=\"http://b.example/\">b</a> paste";
    let found = Bench::new().english().replace(HTML, "<p>Or paste", links).breaks("C006");
    let places: Vec<_> = found.iter().map(|finding| (finding.line, finding.column)).collect();
    assert_eq!(places, [(18, 22), (19, 33)], "{found:#?}");
}

#[test]
fn circles_of_includes_are_reported_where_they_are_included() {
    let bench = Bench::new()
        .replace(TEXT, "Hello", "{% include \"partials/a.txt\" %}Hello")
        .with("partials/a.txt", "\n {% include \"partials/b.txt\" %}")
        .with("partials/b.txt", "\n\n{% include \"partials/a.txt\" %}");
    let found = bench.breaks("T001");
    let [finding] = found.as_slice() else { panic!("{found:#?}") };
    assert!(finding.subject().ends_with("partials/b.txt"), "{finding:?}");
    assert_eq!((finding.line, finding.column), (3, 1));
    assert!(finding.message.contains("partials/a.txt → partials/b.txt → partials/a.txt"), "{finding:?}");
}

#[test]
fn built_in_templates_pass() {
    let mut settings = Settings::default();
    settings.site.name = "Example Shop".to_owned();
    let now = "2026-11-22T05:30:00Z".parse().unwrap();
    let report = check(&Templates::gather(&settings), &settings, now, &Options::default());
    let bad: Vec<_> = report.findings.iter().filter(|finding| finding.severity != Severity::Info).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
