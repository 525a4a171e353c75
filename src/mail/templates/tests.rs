use super::*;
use crate::domain::locale::Locale;

const TEXT: &str = "en/verification/body.txt";
const HTML: &str = "ko/verification/body.html";
const SUBJECT: &str = "ko/verification/subject.txt";

fn dir_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    dir
}

fn error_of(files: &[(&str, &str)]) -> String {
    let dir = dir_with(files);
    let error = Templates::load(Some(dir.path())).err().expect("the template must be refused").to_string();
    assert!(!error.contains('\n'), "{error}");
    error.replace(&*dir.path().to_string_lossy(), "DIR")
}

fn sample(locale: Locale) -> (Settings, VerificationMail) {
    let settings = Settings::default();
    let mail = VerificationMail::sample(locale, &settings, "2026-11-22T05:30:00Z".parse().unwrap());
    (settings, mail)
}

#[test]
fn built_in_ones_say_what_they_must() {
    let templates = Templates::load(None).unwrap();
    for locale in Locale::ALL {
        let (settings, mail) = sample(locale);
        let context = mail.context(&settings.site);
        let rendered = templates.render("verification", locale, &context).unwrap();
        let link = mail.link.expose();
        assert!(rendered.subject.contains(&settings.site.name));
        assert!(rendered.text.lines().any(|line| line == link), "the link has a line of its own");
        assert_eq!(rendered.html.matches(&format!("href=\"{link}\"")).count(), 2);
        assert!(rendered.html.contains(&format!(">{link}</a>")), "the link is visible");
        assert!(rendered.html.contains(&format!("<html lang=\"{locale}\"")));
        for variable in ["name", "site_name", "expires", "lifetime"] {
            let value = context.get(variable).and_then(|value| value.as_str()).unwrap();
            assert!(rendered.text.contains(value) && rendered.html.contains(value), "{variable} in both parts");
        }
        assert_eq!(rendered.html.matches("<table").count(), rendered.html.matches("role=\"presentation\"").count());
        assert!(!rendered.html.contains("<img") && !rendered.html.contains("<script"));
    }
}

#[test]
fn values_are_escaped_in_html_only() {
    let templates = Templates::load(None).unwrap();
    let (settings, mut mail) = sample(Locale::En);
    mail.name = "<b>Kim</b> & {{ 7*7 }} {% raw %}".into();
    let rendered = templates.render("verification", Locale::En, &mail.context(&settings.site)).unwrap();
    assert!(rendered.html.contains("Hello &lt;b&gt;Kim&lt;/b&gt; &amp; {{ 7*7 }} {% raw %},"));
    assert!(rendered.text.contains("Hello <b>Kim</b> & {{ 7*7 }} {% raw %},"));
}

#[test]
fn a_file_replaces_its_built_in_one_only() {
    let dir = dir_with(&[(TEXT, "Go: {{ link }}\r\n"), ("README.md", "notes"), ("en/verification/.body.html.swp", "")]);
    let templates = Templates::load(Some(dir.path())).unwrap();
    let (settings, mail) = sample(Locale::En);
    let rendered = templates.render("verification", Locale::En, &mail.context(&settings.site)).unwrap();
    assert_eq!(rendered.text, format!("Go: {}\n", mail.link.expose()));
    assert!(rendered.html.contains("Confirm my email address"));
}

#[test]
fn mistakes_are_named_in_one_line() {
    let table: [(&str, &str, &str); 13] = [
        (
            TEXT,
            "a\nb {{ nmae }}",
            "template DIR/en/verification/body.txt, line 2, column 6: Variable `nmae` is not defined; did you mean `name`? Available",
        ),
        (TEXT, "가나 {{ nmae }}", "line 1, column 7: Variable `nmae`"),
        (
            TEXT,
            "{% if locale == \"xx\" %}{{ lnik }}{% endif %}",
            "`lnik` is not defined; did you mean `link`? Available",
        ),
        (HTML, "{% if name %}\n{{ link }", "template DIR/ko/verification/body.html, line 2, column "),
        (HTML, "{{ link | sparkle }}", "template DIR/ko/verification/body.html, line 1, column "),
        (HTML, "{{ link | sparkle }}", "sparkle"),
        (TEXT, "x\n{{ sparkle() }}", "template DIR/en/verification/body.txt, line 2, column "),
        (TEXT, "{% include \"footer.txt\" %}", "footer.txt"),
        (TEXT, "{% extends \"layout.txt\" %}", "layout.txt"),
        // In a branch that no sample takes.
        (
            TEXT,
            "{% if locale == \"xx\" %}\n  {{ coupon }}{% endif %}",
            "line 2, column 6: Variable `coupon` is not defined",
        ),
        (SUBJECT, "one\ntwo", "template DIR/ko/verification/subject.txt: the subject must be one line"),
        (SUBJECT, "{% if not name %}a{% endif %}", "template DIR/ko/verification/subject.txt: the subject is empty"),
        (SUBJECT, "a\u{7}b", "the subject must be one line without control characters"),
    ];
    for (path, content, message) in table {
        let error = error_of(&[(path, content)]);
        assert!(error.contains(message), "{content:?} returns {error:?}, which lacks {message:?}");
    }
}

#[test]
fn files_that_nothing_would_use_are_refused() {
    let table = [
        ("ko/verification/body.html.tera", "nothing in it is escaped"),
        ("ko/verfication/body.html", "nothing uses this file"),
        ("ko/body.txt", "nothing uses this file"),
        ("body.html", "nothing uses this file"),
        ("fr/verification/body.txt", "nothing uses this file"),
    ];
    for (path, message) in table {
        let error = error_of(&[(path, "x")]);
        assert!(error.contains(message) && error.contains(path), "{error}");
    }
}

#[test]
fn unreadable_places_are_named() {
    let error = Templates::load(Some(Path::new("/nonexistent/templates"))).err().unwrap().to_string();
    assert!(error.contains("/nonexistent/templates: the directory cannot be read"), "{error}");
    let dir = dir_with(&[(TEXT, "")]);
    std::fs::write(dir.path().join(TEXT), b"\xff").unwrap();
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("body.txt: is not UTF-8"), "{error}");
}

#[test]
fn the_settings_of_the_site_are_tried_at_start() {
    let dir = dir_with(&[(SUBJECT, "{% if site_url == \"https://example.net\" %}a\nb{% else %}a{% endif %}")]);
    let mut settings = Settings::default();
    settings.templates.dir = Some(dir.path().to_owned());
    assert!(Templates::from_settings(&settings).is_ok());
    settings.site.url = Some("https://example.net".to_owned());
    let error = Templates::from_settings(&settings).err().expect("every subject would fail").what;
    assert!(error.contains("ko/verification/subject.txt: the subject must be one line"), "{error}");
}

#[test]
fn an_unknown_name_is_said() {
    let templates = Templates::load(None).unwrap();
    let error = templates.render_part("wellcome\u{1b}", Locale::Ko, Part::Text, &Context::new()).unwrap_err();
    assert_eq!(error.to_string(), "there is no template wellcome␛; known are verification");
}

#[test]
fn an_error_never_quotes_the_link() {
    // Renders with the sample, fails with a link that has no `sample` in it, in a way that makes Tera quote it.
    let source = "{% if link is containing(pat=\"sample\") %}ok{% else %}{{ link | int }}{% endif %}";
    let dir = dir_with(&[(TEXT, source)]);
    let templates = Templates::load(Some(dir.path())).unwrap();
    let (settings, mail) = sample(Locale::En);
    let mut context = mail.context(&settings.site);
    context.insert("link", "https://example.org/verify/?key=top-secret");
    let error = templates.render_part("verification", Locale::En, Part::Text, &context).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("top-secret"), "{error}");
}

#[test]
fn everything_is_gathered_with_its_mistakes() {
    let dir = dir_with(&[
        (HTML, "<p>{{ link }</p>"),
        ("en/welcome/subject.txt", "Welcome {{ first_name }}"),
        ("en/welcome/body.txt", "{% include \"partials/foot.txt\" %}"),
        ("en/welcome/body.html", "<p>{{ first_name }} {{ count }}</p>"),
        ("ko/welcome/subject.txt", "환영"),
        ("ko/welcome/body.txt", "환영"),
        ("ko/welcome/body.html", "<p data-mail=\"cta\">{{ first_name }}</p>"),
        ("partials/foot.txt", "Yours, {{ site_name }}"),
        (
            "fixtures/welcome/schema.toml",
            "[variables.first_name]\nuntrusted = true\nexample = { ko = \"하늘\", en = \"Robin\" }\n\
             [variables.count]\ntype = \"integer\"\nexample = 3\n",
        ),
        ("fixtures/welcome/many.toml", "title = \"Many\"\n[values]\ncount = 1000\n"),
        ("fixtures/welcome/wrong.toml", "[values]\ncount = \"many\"\n"),
        ("fixtures/welcome/broken.toml", "[values]\ncount = \n"),
    ]);
    let settings = Settings {
        templates: crate::config::Templates { dir: Some(dir.path().to_owned()), ..Default::default() },
        ..Settings::default()
    };
    let templates = Templates::gather(&settings);
    assert_eq!(templates.names(), ["verification", "welcome"]);
    let mistakes: Vec<String> = templates
        .mistakes()
        .iter()
        .map(|mistake| mistake.to_string().replace(&*dir.path().to_string_lossy(), "DIR"))
        .collect();
    assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
    assert!(mistakes[0].starts_with("template DIR/ko/verification/body.html, line 1, column "), "{mistakes:#?}");
    assert!(mistakes[1].starts_with("template DIR/fixtures/welcome/broken.toml, line 2, column "), "{mistakes:#?}");
    assert!(mistakes[2].contains("wrong.toml: count is not of the type integer"), "{mistakes:#?}");

    let fixtures = templates.fixtures("welcome");
    assert_eq!(fixtures[0].id, "example");
    assert_eq!(fixtures[1].title, "Many");
    assert_eq!(fixtures.len(), 9, "seven hostile ones");
    let context = |locale, fixture| templates.context("welcome", locale, fixture, &settings, Time::UNIX_EPOCH);
    let english = templates.render("welcome", Locale::En, &context(Locale::En, &fixtures[1])).unwrap();
    assert_eq!((english.subject.as_str(), english.html.as_str()), ("Welcome Robin", "<p>Robin 1000</p>\n"));
    assert_eq!(english.text, "Yours, verifydesk\n");
    let korean = templates.render("welcome", Locale::Ko, &context(Locale::Ko, &fixtures[0])).unwrap();
    assert_eq!(korean.html, "<p>하늘</p>\n", "without its marker");
    let error = templates.render_part(
        "verification",
        Locale::Ko,
        Part::Html,
        &templates.context("verification", Locale::Ko, &fixtures[0], &settings, Time::UNIX_EPOCH),
    );
    assert_eq!(error.err().as_ref(), templates.mistakes().first(), "the broken file says why");
    assert!(templates.source("verification", Locale::Ko, Part::Html).unwrap().text.contains("{{ link }"));
    let map = templates.line_map("welcome", Locale::En, Part::Text, &context(Locale::En, &fixtures[0]));
    assert_eq!(map.place(1), Some(("partials/foot.txt", 1)));
}

#[test]
fn hostile_names_go_the_way_of_all_names() {
    let templates = Templates::gather(&Settings::default());
    assert_eq!(templates.mistakes(), []);
    for locale in Locale::ALL {
        for fixture in templates.fixtures("verification") {
            let context = templates.context("verification", locale, fixture, &Settings::default(), Time::UNIX_EPOCH);
            let name = context.get("name").and_then(|name| name.as_str()).unwrap();
            assert!(crate::domain::name::mailable(name).is_some() || name.is_empty(), "{}", fixture.id);
            let rendered = templates.render("verification", locale, &context).unwrap();
            assert!(!rendered.html.contains("<script") && !rendered.html.contains("data-mail"), "{}", fixture.id);
        }
    }
}

#[test]
fn what_is_never_mailed_keeps_no_worker_from_starting() {
    let dir = dir_with(&[
        ("en/welcome/body.html", "{{ link }"),
        ("en/welcome/notes.txt", "half done"),
        ("partials/greeting.html", "{{ first_name }"),
        ("partials/foot.txt", "{{ site_name }}"),
        (TEXT, "{{ link }} {% include \"partials/foot.txt\" %}"),
    ]);
    assert!(Templates::load(Some(dir.path())).is_ok());
    std::fs::write(dir.path().join("partials/foot.txt"), "\n{{ first_name }}").unwrap();
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("partials/foot.txt, line 2, column 4: Variable `first_name`"), "{error}");
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let doubling = "{% set a = \"x\" %}\n{% for i in range(end=60) %}{% set_global a = a ~ a %}{% endfor %}{{ a }}";
    let dir = dir_with(&[(TEXT, doubling)]);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("body.txt, line 2, column 29: `a` is made of more than one text"), "{error}");
    let settings = Settings {
        templates: crate::config::Templates { dir: Some(dir.path().to_owned()), ..Default::default() },
        ..Settings::default()
    };
    let gathered = Templates::gather(&settings);
    assert!(gathered.mistakes()[0].to_string().contains("line 2, column 29"), "{:?}", gathered.mistakes());

    let dir = dir_with(&[
        ("partials/twice.txt", "{% set a = b ~ b %}{{ a }}"),
        (TEXT, "{% set b = \"x\" %}{% include \"partials/twice.txt\" %}"),
    ]);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("partials/twice.txt, line 1, column 1: `a` is made of"), "{error}");

    let many = "{% for a in range(end=1000) %}{% for b in range(end=100000) %}MUCH{% endfor %}{% endfor %}";
    let many = many.replace("MUCH", &"too much ".repeat(10));
    let dir = dir_with(&[(TEXT, &many)]);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.ends_with("body.txt: it makes more than 4096 KiB of one part of a mail"), "{error}");
}

/// What goes into an assigned text passes no bound on its way.
#[test]
fn what_would_double_by_a_detour_is_refused() {
    let a = "{% set a = \"x\" %}";
    let partials = [
        ("partials/once.txt", "{{ a }}"),
        ("partials/deep.txt", "{% include \"partials/once.txt\" %}"),
        ("partials/twice.txt", "{% component twice(text) %}{{ text }}{{ text }}{{ body }}{% endcomponent twice %}"),
    ];
    for (source, column) in [
        ("{% set a %}{% for i in range(end=2) %}{{ a }}{% endfor %}{% endset %}", 18),
        (
            "{% for i in range(end=9) %}{% set_global a %}{{ a }}{% include \"partials/once.txt\" %}{% endset %}{% endfor %}",
            45,
        ),
        ("{% set a %}{% include \"partials/deep.txt\" %}{% include \"partials/deep.txt\" %}{% endset %}", 18),
        ("{% set a %}{% for i in range(end=2) %}{% include \"partials/deep.txt\" %}{% endfor %}{% endset %}", 18),
        ("{% set a %}{{ <twice text={a}/> }}{% endset %}", 18),
        ("{% set a = <twice text={a}/> %}", 18),
        ("{% set a %}{% <twice text=\"\"> %}{{ a }}{% </twice> %}{% endset %}", 18),
        ("{% set b = [[1 for x in range(end=9)] for y in range(end=9)] %}", 18),
    ] {
        let text = format!("{a}{source}");
        let dir = dir_with(&[&partials[..], &[(TEXT, text.as_str())]].concat());
        let error = Templates::load(Some(dir.path())).err().unwrap_or_else(|| panic!("accepted: {source}")).to_string();
        assert!(error.contains(&format!("body.txt, line 1, column {column}: `")), "{source}: {error}");
    }
}

/// What grows otherwise, or never ends and says nothing.
#[test]
fn what_a_template_does_unseen_is_bounded() {
    let grow = "{% set a = a | replace(from=\"x\", to=\"xx\") %}".repeat(22);
    for (source, said) in [
        (format!("{{% set a = \"x\" %}}{grow}"), "it assigns more than 256 KiB to `a`"),
        ("{% set a %}{% for i in range(end=100000) %}0123456789{% endfor %}{% endset %}".to_owned(), "to `a`"),
        ("{% set a = [0] %}{% for i in range(end=300) %}{% set_global a = [a] %}{% endfor %}".to_owned(), "to `a`"),
        (
            "{% for a in range(end=220) %}{% for b in range(end=1000) %}{% endfor %}{% endfor %}".to_owned(),
            "it repeats",
        ),
        (format!("{{% for a in range(end=100000) %}}{{# {} #}}{{% endfor %}}", "x".repeat(2_000)), "it repeats"),
    ] {
        let dir = dir_with(&[("partials/p.txt", &source), (TEXT, "{% include \"partials/p.txt\" %}")]);
        let error = Templates::load(Some(dir.path())).err().unwrap_or_else(|| panic!("accepted: {said}")).to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// The bounds change no word, and errors stand where they stood.
#[test]
fn bounds_leave_no_trace() {
    let source = "{%- set a = \"%}\" -%}\n  {% for i in [1, 2] -%}\n  {{ i }}{% set_global a = i %}  {%- endfor %}{{ a }}\
                  {% set b -%} {{ a }} {%- endset %} {{ b }}{% raw %}{% for x %}{% endraw %}{# {% for #}\n\
                  {% for i in [] %}{% else %}none{% endfor %}{{ \"{% set a = 1 %}\" }}";
    let dir = dir_with(&[(TEXT, source)]);
    let templates = Templates::load(Some(dir.path())).unwrap();
    let (settings, mail) = sample(Locale::En);
    let context = mail.context(&settings.site);
    let text = templates.render_part("verification", Locale::En, Part::Text, &context).unwrap();
    assert_eq!(text, "122 2{% for x %}\nnone{% set a = 1 %}\n");
    let dir = dir_with(&[(TEXT, "{% for i in [1] %}{% set a = i %}{{ a | upper }}{% endfor %}")]);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.contains("body.txt, line 1, column 37"), "{error}");
    let dir = dir_with(&[
        ("partials/base.txt", "<{% block a %}-{% endblock %}>"),
        (TEXT, "{% extends \"partials/base.txt\" %}{% block a %}{% set b = 1 %}{{ super() }}{{ b }}{% endblock %}"),
    ]);
    let templates = Templates::load(Some(dir.path())).unwrap();
    assert_eq!(templates.render_part("verification", Locale::En, Part::Text, &context).unwrap(), "<-1>\n");
}

/// The time grows with the number of files, not with its square.
#[test]
fn a_directory_of_many_templates_is_walked_once() {
    let complete = |number: usize| {
        ["ko", "en"].map(|locale| {
            ["subject.txt", "body.txt", "body.html"].map(move |file| format!("{locale}/t{number}/{file}"))
        })
    };
    let all: Vec<String> = (0..400).flat_map(|number| complete(number).concat()).collect();
    let schemas: Vec<String> = (0..400).map(|number| format!("fixtures/t{number}/schema.toml")).collect();
    let schemas = schemas.iter().map(|path| (path.as_str(), "[variables]\n"));
    let whole: Vec<(&str, &str)> = all.iter().map(|path| (path.as_str(), "text")).chain(schemas).collect();
    // A file is missing, or one is there that nothing uses, or all are broken.
    let lacking: Vec<_> = whole.iter().copied().filter(|(path, _)| !path.ends_with("subject.txt")).collect();
    let stray: Vec<String> = (0..2_000).map(|number| format!("en/t{number}/notes.txt")).collect();
    let stray: Vec<_> = stray.iter().map(|path| (path.as_str(), "text")).collect();
    let broken: Vec<_> = all.iter().map(|path| (path.as_str(), "{{ name }")).collect();
    for (what, files) in [("whole", whole), ("lacking", lacking), ("stray", stray), ("broken", broken)] {
        let dir = dir_with(&files);
        let settings = Settings {
            templates: crate::config::Templates { dir: Some(dir.path().to_owned()), ..Default::default() },
            ..Settings::default()
        };
        let started = std::time::Instant::now();
        let gathered = Templates::gather(&settings);
        let loaded = Templates::load(Some(dir.path()));
        let took = started.elapsed();
        eprintln!("{what}: {took:?}");
        assert!(took < std::time::Duration::from_secs(5), "{what}: {took:?}");
        assert!(loaded.is_ok(), "{what}: {:?}", loaded.err());
        assert_eq!(gathered.mistakes().is_empty(), what == "whole", "{what}: {:?}", gathered.mistakes().first());
    }
}

#[test]
fn a_directory_has_a_bound() {
    let files: Vec<String> = (0..3_001).map(|number| format!("en/t{number}/body.txt")).collect();
    let files: Vec<_> = files.iter().map(|path| (path.as_str(), "text")).collect();
    let dir = dir_with(&files);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.ends_with("holds more than 3000 files; the others are not read"), "{error}");
}

#[test]
fn only_files_of_a_sane_size_are_read() {
    let dir = dir_with(&[(TEXT, &"x".repeat(2 << 20))]);
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.ends_with("body.txt: is larger than 1024 KiB"), "{error}");
    std::fs::remove_file(dir.path().join(TEXT)).unwrap();
    nix::unistd::mkfifo(&dir.path().join(TEXT), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = Templates::load(Some(dir.path())).err().unwrap().to_string();
    assert!(error.ends_with("body.txt: is not a file"), "{error}");
}
