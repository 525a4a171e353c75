//! `verifydesk templates` as a shell runs it: without a database, and without a network.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Program, Run};

/// A machine without a database, with these files under `templates.dir`.
fn program(files: &[(&str, &str)]) -> (Program, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let program = Program::new("postgres://none@127.0.0.1:1/none");
    (program.set("VERIFYDESK_TEMPLATES__DIR", dir.path().display().to_string()), dir)
}

fn check(program: &Program, arguments: &[&str]) -> Run {
    program.run(&[&["templates", "check"], arguments].concat())
}

fn rows<'a>(run: &'a [Value], rule: &str) -> Vec<&'a Value> {
    run.iter().filter(|row| row["rule"] == rule).collect()
}

/// A text part that lacks the link, in the third line names a variable that there is not, and says a time.
const TEXT: &str = "Hello {{ name }},\nit works for 24 hours at {{ site_name }}. If it was not you, ignore this.\n";
/// An address on another line than the first.
const LINKED: &str = "\n{% if name %}\n{{ name }}\n{% endif %}\n{{ link }}.\n\nUntil {{ expires }}, at {{ site_name }}. \
                      If it was not you, ignore this.\n";

#[test]
fn the_built_in_templates_pass() {
    let program = Program::new("postgres://none@127.0.0.1:1/none");
    let run = check(&program, &["--strict"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{}", run.out);
    assert!(run.out.lines().last().unwrap().starts_with("0 errors, 0 warnings, "), "{}", run.out);
    let strangely = program
        .set("VERIFYDESK_PUBLIC_URL", "http://127.0.0.1:8080")
        .set("VERIFYDESK_SITE__NAME", "Kim & Co <서점>")
        .set("VERIFYDESK_MAIL__FROM", "Kim & Co <no-reply@example.org>")
        .set("VERIFYDESK_SITE__URL", "https://example.org/");
    let run = check(&strangely, &["--strict"]);
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn mistakes_are_reported_with_their_places() {
    let (program, dir) = program(&[("en/verification/body.txt", TEXT), ("ko/verification/body.txt", LINKED)]);
    let run = check(&program, &[]);
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{}", run.out);
    let english = dir.path().join("en/verification/body.txt").display().to_string();
    let korean = dir.path().join("ko/verification/body.txt").display().to_string();
    for wanted in [
        format!("{english}:1:1: error M002 the text lacks {{{{ link }}}}, which the HTML has"),
        format!("{english}:2:14: warning X001 "),
        format!("{korean}:5:1: warning C007 "),
    ] {
        assert!(run.out.lines().any(|line| line.starts_with(&wanted)), "{wanted} is not in\n{}", run.out);
    }
    let summary = run.out.lines().last().unwrap();
    assert!(summary.contains("errors, ") && summary.ends_with(" mails"), "{summary}");
    let groups: Vec<&str> = run.out.split("\n\n").collect();
    assert!(groups.len() >= 3 && groups.iter().all(|group| !group.is_empty()), "{}", run.out);

    let run = check(&program, &["--format", "json", "--locale", "en"]);
    assert_eq!(run.code, 1);
    let found = run.json();
    assert!(rows(&found, "C007").is_empty(), "only English was asked for");
    let lacking = rows(&found, "M002");
    assert_eq!((&lacking[0]["path"], &lacking[0]["line"]), (&Value::from(english), &Value::from(1)));
    assert_eq!((&lacking[0]["severity"], &lacking[0]["locale"]), (&Value::from("error"), &Value::from("en")));
    let tried = lacking[0]["fixtures_tried"].as_u64().unwrap();
    assert_eq!(u64::try_from(lacking[0]["fixtures"].as_array().unwrap().len()).unwrap(), tried);
}

#[test]
fn warnings_fail_only_when_asked_to() {
    let text =
        "{{ link }}\n\nUntil {{ expires }}, at {{ site_name }}. \nWait 2 hours. If it was not you, ignore this.\n";
    let (program, _dir) = program(&[("en/verification/body.txt", text)]);
    let arguments = ["--locale", "en", "--template", "verification"];
    let run = check(&program, &arguments);
    assert_eq!(run.code, 0, "{}", run.out);
    assert!(run.out.contains("warning X001"), "{}", run.out);
    assert_eq!(check(&program, &[&arguments[..], &["--strict"]].concat()).code, 1);
}

#[test]
fn suppressed_findings_are_counted_and_shown_on_request() {
    let text = TEXT.replace("Hello", "{# mail-lint: allow M002 the address is on paper #}Hello");
    let (program, _dir) = program(&[("en/verification/body.txt", &text)]);
    let run = check(&program, &["--locale", "en"]);
    assert!(!run.out.contains("M002") && run.out.trim_end().ends_with("; 2 suppressed"), "{}", run.out);
    let run = check(&program, &["--locale", "en", "--suppressed"]);
    assert!(run.out.contains("[suppressed: the address is on paper]"), "{}", run.out);
    let run = check(&program, &["--locale", "en", "--format", "json", "--suppressed"]);
    let found = run.json();
    assert_eq!(rows(&found, "M002")[0]["suppressed"], "the address is on paper");
}

#[test]
fn sarif_has_the_published_shape() {
    let text = TEXT.replace("Hello", "{# mail-lint: allow M002 the address is on paper #}Hello");
    let files = [("en/verification/body.txt", text.as_str()), ("ko/verification/body.txt", "{{ oops }}")];
    let (program, dir) = program(&files);
    let mut command = program.command(&["templates", "check", "--format", "sarif"]);
    let output = command.current_dir(dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "verifydesk");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0];
        let uri = place["physicalLocation"]["artifactLocation"]["uri"].as_str();
        assert!(uri.is_some_and(|uri| !uri.is_empty() && !uri.contains(' ')), "{result}");
    }
    let undefined = results.iter().find(|result| result["ruleId"] == "T002").unwrap();
    let place = &undefined["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "ko/verification/body.txt", "relative to the current directory");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&1.into(), &4.into()));
    let left = results.iter().find(|result| result["ruleId"] == "M002").unwrap();
    assert_eq!(left["suppressions"][0]["justification"], "the address is on paper");
    assert_eq!(left["suppressions"][0]["kind"], "inSource");
}

#[test]
fn every_sarif_result_has_a_file() {
    let nowhere = Program::new("postgres://none@127.0.0.1:1/none");
    let missing = nowhere.home().join("not there").display().to_string();
    for program in [Program::new("postgres://none@127.0.0.1:1/none"), nowhere.set("VERIFYDESK_TEMPLATES__DIR", missing)]
    {
        let program = program.set("VERIFYDESK_SITE__URL", "http://shop.example.org");
        let run = check(&program, &["--format", "sarif"]);
        let log: Value = serde_json::from_str(&run.out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(results.iter().any(|result| result["ruleId"] == "H009"), "{results:#?}");
        for result in results {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.starts_with("templates/") || uri.starts_with("file:///"), "{result}");
            assert!(place["region"]["startLine"].as_u64().unwrap() > 0, "{result}");
        }
    }
}

#[test]
fn what_is_worth_a_thought_is_shown_when_asked_for() {
    let program = Program::new("postgres://none@127.0.0.1:1/none");
    let run = check(&program, &[]);
    assert!(!run.out.contains(": info ") && run.out.contains(" more worth a thought: --all shows them"), "{}", run.out);
    let all = check(&program, &["--all"]);
    assert!(all.out.contains(": info H009 ") && !all.out.contains("--all"), "{}", all.out);
    assert!(check(&program, &["--format", "json"]).json().iter().any(|row| row["severity"] == "info"));
}

#[test]
fn nothing_checked_is_a_failure() {
    let text = "{# mail-lint: allow T002 because #}{{ nam }}";
    let (program, _dir) = program(&[("en/verification/body.txt", text)]);
    let run = check(&program, &["--locale", "en"]);
    assert!(run.code == 1 && run.out.contains("error T002 ") && run.err.contains("no mail"), "{} {}", run.out, run.err);
}

#[test]
fn rules_are_explained() {
    let program = Program::new("postgres://none@127.0.0.1:1/none");
    let run = check(&program, &["--explain", "c003"]);
    assert_eq!(run.code, 0);
    assert!(run.out.starts_with("C003 (error): ") && run.out.contains("\nSource: "), "{}", run.out);
    let all = check(&program, &["--explain", "all"]);
    assert!(all.out.lines().count() > 40 && all.out.lines().any(|line| line.starts_with("M010")), "{}", all.out);
    for wrong in
        [&["--explain", "C999"][..], &["--template", "wellcome\u{1b}"], &["--locale", "fr"], &["--format", "xml"]]
    {
        let run = check(&program, wrong);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{wrong:?}");
        assert!(run.err.starts_with("error: ") && !run.err.contains('\u{1b}'), "{}", run.err);
    }
}

#[test]
fn what_strangers_wrote_reaches_the_terminal_plain() {
    let hostile = "{{ link }} \u{1b}]0;owned\u{7} {% if \u{1b} %}";
    let (program, _dir) = program(&[("en/verification/body.txt", hostile), ("en/verification/\u{1b}[31m.txt", "x")]);
    for format in ["text", "json", "sarif"] {
        let run = check(&program, &["--format", format]);
        assert_eq!(run.code, 1, "{}", run.err);
        assert!(run.out.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", run.out);
    }
}

#[test]
fn a_template_without_an_end_is_given_up() {
    // Few enough passes, each of which takes long.
    let each = "{% if range(end=99999) | join(sep=\"\") == name %}{% endif %}";
    let endless = format!("{{% for a in range(end=99999) %}}{each}{{% endfor %}}");
    let (program, _dir) = program(&[("en/verification/body.txt", &endless)]);
    let run = check(&program, &["--seconds", "1"]);
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.starts_with("error: ") && run.err.contains("within"), "{}", run.err);
    assert!(run.out.contains(" errors, "), "what was found is printed: {}", run.out);
}

#[test]
fn ejected_templates_are_the_built_in_ones_in_files() {
    let program = Program::new("postgres://none@127.0.0.1:1/none");
    let dir = program.home().join("mails");
    let shown = dir.display().to_string();
    let run = program.run(&["templates", "eject", &shown]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.lines().any(|line| line.ends_with("mails/fixtures/verification/schema.toml")), "{}", run.out);
    assert!(run.err.contains(&format!("VERIFYDESK_TEMPLATES__DIR={shown}")), "{}", run.err);
    let written = std::fs::read_to_string(dir.join("ko/verification/body.html")).unwrap();
    assert!(written.contains("data-mail=\"cta\""));

    std::fs::remove_file(dir.join("en/verification/body.txt")).unwrap();
    std::fs::write(dir.join("ko/verification/body.txt"), "mine").unwrap();
    let run = program.run(&["templates", "eject", &shown]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("is there already; nothing was written"), "{}", run.err);
    assert_eq!(std::fs::read_to_string(dir.join("ko/verification/body.txt")).unwrap(), "mine");
    assert!(!dir.join("en/verification/body.txt").exists(), "nothing was written");

    let run = program.run(&["templates", "eject", &shown, "en/verification/body.txt"]);
    assert_eq!(
        (run.code, run.out.as_str()),
        (0, format!("{shown}/en/verification/body.txt\n").as_str()),
        "{}",
        run.err
    );
    std::fs::remove_file(dir.join("en/verification/body.txt")).unwrap();
    let run = program.run(&["templates", "eject", &shown, "en/verification/body.txt", "../body.txt"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("there is no built-in file ../body.txt"), "{}", run.err);
    assert!(!dir.join("en/verification/body.txt").exists(), "nothing was written");

    let program = program.set("VERIFYDESK_TEMPLATES__DIR", &shown);
    let run = program.run(&["templates", "list", "--json"]);
    let rows = run.json();
    let english = rows.iter().find(|row| row["locale"] == "en").unwrap();
    assert_eq!(english["files"]["body.txt"]["built_in"], true);
    assert_eq!(english["files"]["body.html"]["path"], format!("{shown}/en/verification/body.html"));
}

#[test]
fn a_new_template_passes_all_checks_and_renders() {
    let (program, dir) = program(&[]);
    let run = program.run(&["templates", "new", "password-reset"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.lines().any(|line| line.ends_with("en/password-reset/subject.txt")), "{}", run.out);
    let run = check(&program, &["--strict"]);
    assert_eq!(run.code, 0, "{}", run.out);
    let run = program.run(&["render", "password-reset", "--locale", "en", "--part", "text", "--set", "name=Mina"]);
    assert!(run.code == 0 && run.out.starts_with("Hello Mina,"), "{} {}", run.out, run.err);
    let run = program.run(&["templates", "list"]);
    let row = run.out.lines().find(|line| line.starts_with("password-reset  en")).unwrap();
    assert!(row.contains("example, long-name, no-name, 7 hostile"), "{row}");
    assert!(row.contains(&dir.path().join("en/password-reset/body.html").display().to_string()), "{row}");

    let table = [
        ("password-reset", 1, "there is a template password-reset already"),
        ("verification", 1, "there is a template verification already"),
        ("Password", 2, "cannot be a template's name"),
        ("../evil", 2, "cannot be a template's name"),
        ("partials", 2, "cannot be a template's name"),
        ("x\u{1b}", 2, "cannot be a template's name"),
    ];
    for (name, code, message) in table {
        let run = program.run(&["templates", "new", name]);
        assert_eq!(run.code, code, "{name}: {}", run.err);
        assert!(run.err.contains(message) && !run.err.contains('\u{1b}'), "{name}: {}", run.err);
    }
    let run = Program::new("postgres://none@127.0.0.1:1/none").run(&["templates", "new", "welcome"]);
    assert!(run.code == 2 && run.err.contains("`templates.dir` is not set"), "{}", run.err);
}

#[test]
fn mail_programs_are_named_in_the_settings() {
    let flex = "<p style=\"display: flex\">{{ name }} {{ link }} {{ expires }}</p>\n";
    let (program, _dir) = program(&[("en/verification/body.html", flex)]);
    let run = check(&program, &["--format", "json", "--locale", "en"]);
    let found = run.json();
    assert!(rows(&found, "H001")[0]["message"].as_str().unwrap().starts_with("display:flex does not work in Outlook"));
    assert!(rows(&found, "H009")[0]["message"].as_str().unwrap().contains("Naver Mail"), "no data is said");
    let program = program.set("VERIFYDESK_TEMPLATES__CLIENTS", "apple-mail, gmail.ios");
    let found = check(&program, &["--format", "json", "--locale", "en"]).json();
    assert!(rows(&found, "H001").is_empty() && rows(&found, "H009").is_empty(), "{found:#?}");
    let run = check(&program.set("VERIFYDESK_TEMPLATES__CLIENTS", "gmial"), &[]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.err.contains("names gmial") && run.err.contains("samsung-email"), "{}", run.err);
}

#[test]
fn a_text_part_is_suggested_where_there_is_none() {
    let (program, dir) = program(&[("en/verification/body.txt", "")]);
    let run = check(&program, &["--locale", "en"]);
    assert!(run.out.contains("error M001 ") && run.out.contains("suggest-text"), "{}", run.out);
    let suggested = program.run(&["templates", "suggest-text", "verification", "--locale", "en"]);
    assert_eq!(suggested.code, 0, "{}", suggested.err);
    assert!(suggested.out.contains("{{ link }}") && suggested.out.contains("{{ expires }}"), "{}", suggested.out);
    std::fs::write(dir.path().join("en/verification/body.txt"), &suggested.out).unwrap();
    let run = check(&program, &["--locale", "en"]);
    assert_eq!(run.code, 0, "what is suggested breaks no rule badly: {}", run.out);
    assert_eq!(program.run(&["templates", "suggest-text", "wellcome"]).code, 3);
}
