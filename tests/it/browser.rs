//! That the browser of the tests sees what tests rely on it to see.

use std::path::Path;

use serde_json::json;

use crate::support::browser::{Browser, Colours};

const PAGE: &str = r#"data:text/html,<!doctype html><title>A page</title>
<style>body{color:rgb(1,2,3)}@media(prefers-color-scheme:dark){body{color:rgb(4,5,6)}}</style>
<img src="https://elsewhere.example/picture.png"><a href="about:blank">Away</a>
<script>console.log("fine");console.error("not fine");setTimeout(()=>{throw new Error("worse")})</script>"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_page_does_goes_unseen() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    for (width, colours, colour) in [(360, Colours::Light, "rgb(1, 2, 3)"), (1280, Colours::Dark, "rgb(4, 5, 6)")] {
        page.view(width, 800, colours).await;
        page.open(PAGE).await;
        let seen = page.evaluate("[innerWidth, getComputedStyle(document.body).color, document.title]").await;
        assert_eq!(seen, json!([width, colour, "A page"]));
    }
    assert!(page.requests().iter().any(|url| url == "https://elsewhere.example/picture.png"), "{:?}", page.requests());
    let complaints = page.complaints();
    for said in ["not fine", "worse", "ERR_NAME_NOT_RESOLVED"] {
        assert!(complaints.iter().any(|complaint| complaint.contains(said)), "{said}: {complaints:#?}");
    }
    assert!(!complaints.iter().any(|complaint| complaint.contains("\"fine\"")), "{complaints:#?}");

    page.press("Tab").await;
    assert_eq!(page.evaluate("document.activeElement.textContent").await, "Away");
    page.leads_on(page.click("a")).await;
    assert_eq!(page.evaluate("location.href").await, "about:blank");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_shown_without_scripts_and_without_the_network() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    page.view(640, 400, Colours::Light).await;
    page.show(
        "<!doctype html><title>before</title><link rel=stylesheet href='http://127.0.0.1:9/x.css'>
        <p style='font:16px/18px NanumGothicCoding'><span>Mm</span><span>가나</span><script>document.title='after'</script>",
    )
    .await;
    let widths = "[document.title, ...[...document.querySelectorAll('span')].map(span => Math.round(span.getBoundingClientRect().width))]";
    let seen = page.evaluate(widths).await;
    assert_eq!(
        seen,
        json!(["before", 16, 32]),
        "this needs the font NanumGothicCoding: run scripts/install-test-tools.sh"
    );
    let complaints = page.complaints();
    assert!(complaints.iter().all(|complaint| complaint.contains("ERR_BLOCKED")), "{complaints:#?}");
    let file = tempfile::tempdir().unwrap();
    let file: &Path = &file.path().join("page.png");
    page.photograph(file).await;
    assert!(std::fs::read(file).unwrap().starts_with(b"\x89PNG"));
}
