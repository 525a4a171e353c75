//! Templates that cannot be made, and templates that break rules.

use super::*;

fn with(body: &str) -> (tempfile::TempDir, Settings) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("en/verification/body.html");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, body).unwrap();
    let mut settings = Settings::default();
    settings.templates.dir = Some(dir.path().to_owned());
    (dir, settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_made_and_checked() {
    let well = Settings::default();
    for (name, words) in [("templates.compile", "sample mails were made"), ("templates.rules", "no error")] {
        expect(name, &look(&well, name).await, State::Green, words);
    }
    let (_dir, broken) = with("<p>{{ link </p>");
    expect("templates.compile", &look(&broken, "templates.compile").await, State::Red, "body.html:1");
    let (_dir, useless) = with("<!doctype html><html lang=\"en\"><title>x</title><p>Hello.</p></html>");
    expect("templates.compile", &look(&useless, "templates.compile").await, State::Green, "");
    expect("templates.rules", &look(&useless, "templates.rules").await, State::Red, " error");
}
