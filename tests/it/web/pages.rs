//! The pages as people see them: in a browser, on a phone and on a desk, light and dark, Korean and English.

use std::path::Path;

use mail_parser::MessageParser;
use serde_json::{Value, json};
use url::Url;
use verifydesk::config::Settings;
use verifydesk::desk::SignUp;
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::locale::Locale;

use super::{Served, button, nothing};
use crate::support::Program;
use crate::support::browser::{Browser, Colours, Page};
use crate::support::world::{SECRET, captured_in};

/// Finds what is wrong with the page that is shown.
const AUDIT: &str = include_str!("audit.js");

/// A directory for pictures of all pages, for people to look at.
const PICTURES: &str = "VERIFYDESK_TEST_PICTURES";

/// A site, and a user's browser.
struct Visit {
    site: Served,
    page: Page,
    browser: Browser,
    locale: Locale,
}

impl Visit {
    async fn new(locale: Locale, change: fn(&mut Settings)) -> Self {
        let site = Served::with(change).await;
        let browser = Browser::start().await;
        let page = browser.page().await;
        // The user who opens a link may have a browser in another language: the user's own is known.
        let (here, other) = if locale == Locale::Ko { ("ko", "en") } else { ("en", "ko") };
        page.languages(&format!("{here}, {other};q=0.5")).await;
        page.view(360, 800, Colours::Light).await;
        Self { site, page, browser, locale }
    }

    /// Signs a user up, and returns the link that the button of the mail has.
    async fn link_of(&self, email: &str) -> (VerificationId, String) {
        let who = SignUp { email: email.into(), name: "김민아".into(), locale: self.locale };
        let done = self.site.server.desk.sign_up(&Actor::new("test", Origin::Cli), &who).await.unwrap();
        let worker = Program::new(&self.site.db.url)
            .set("VERIFYDESK_PUBLIC_URL", &self.site.server.url)
            .set("VERIFYDESK_SECRET", SECRET)
            .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
            .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
            .set("VERIFYDESK_PACE__RATE", "1000");
        let mails = worker.home().join("mail");
        let worker = worker.set("VERIFYDESK_CAPTURE__DIR", mails.to_string_lossy());
        let drained = worker.run(&["worker", "--drain"]);
        assert_eq!(drained.code, 0, "{}", drained.err);
        let bytes = std::fs::read(&captured_in(&mails)[0]).unwrap();
        let html = MessageParser::default().parse(&bytes).unwrap().body_html(0).unwrap().into_owned();
        let mail = self.browser.page().await;
        mail.show(&html).await;
        let link = mail.evaluate("document.querySelector('a.button').href").await;
        (done.verification_id.unwrap(), link.as_str().unwrap().to_owned())
    }

    async fn open(&self, url: &str) {
        self.page.open(url).await;
    }

    /// Looks at the page in every way.
    async fn shows(&self, name: &str, heading: &str, button: Option<&str>) {
        for width in [360, 1280] {
            for colours in Colours::ALL {
                self.page.view(width, 800, colours).await;
                let what = format!("{name}-{}-{width}-{}", self.locale, colours.as_str());
                self.photograph(&what).await;
                let wrong = self.page.evaluate(AUDIT).await;
                assert_eq!(wrong, json!([]), "{what}");
                let lang = self.page.evaluate("[document.documentElement.lang, document.title]").await;
                assert_eq!(lang, json!([self.locale.as_str(), format!("{heading} · 모아책방")]), "{what}");
                assert_eq!(self.spoken("heading").await, [heading], "{what}");
                let pressed = [self.spoken("button").await, self.spoken("link").await].concat();
                assert_eq!(pressed, button.into_iter().collect::<Vec<_>>(), "{what}");
            }
        }
        let stray = self.page.requests().into_iter().filter(|url| !url.starts_with(&self.site.server.url));
        assert_eq!(stray.collect::<Vec<_>>(), [""; 0], "{name}: nothing is asked of anybody else");
        assert_eq!(self.page.complaints(), [""; 0], "{name}: the console has nothing to say");
    }

    async fn photograph(&self, name: &str) {
        if let Some(pictures) = std::env::var_os(PICTURES) {
            self.page.photograph(&Path::new(&pictures).join(format!("{name}.png"))).await;
        }
    }

    /// What a screen reader calls everything of a role.
    async fn spoken(&self, role: &str) -> Vec<String> {
        let tree = self.page.call("Accessibility.getFullAXTree", json!({})).await;
        let is = |node: &&Value| node["role"]["value"] == role && node["ignored"] == false;
        let nodes = tree["nodes"].as_array().unwrap().iter().filter(is);
        nodes.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Goes to the one button by the keyboard, sees that it shows, and presses it.
    async fn press_by_keyboard(&self) {
        self.page.press("Tab").await;
        assert_eq!(self.page.evaluate("document.activeElement.matches('button:focus-visible')").await, true);
        for colours in Colours::ALL {
            self.page.view(360, 800, colours).await;
            self.photograph(&format!("focus-{}", colours.as_str())).await;
            assert_eq!(self.page.evaluate(AUDIT).await, json!([]), "the focus, {}", colours.as_str());
        }
        self.page.leads_on(self.page.press("Enter")).await;
    }
}

fn by_locale<T>(locale: Locale, korean: T, english: T) -> T {
    match locale {
        Locale::Ko => korean,
        Locale::En => english,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_mail_to_the_page() {
    for locale in Locale::ALL {
        let visit = Visit::new(locale, nothing).await;
        let (id, link) = visit.link_of("mina@example.com").await;
        assert_eq!(Url::parse(&link).unwrap().path(), "/verify/");
        let done = by_locale(locale, "이메일 주소가 확인되었습니다", "Your email address is confirmed");
        let on = by_locale(locale, "모아책방 바로가기", "Continue to 모아책방");
        visit.open(&link).await;
        visit.shows("verified", done, Some(on)).await;
        assert_eq!(visit.site.outcomes("open_link").await, ["verified"], "of verification {}", id.0);
        // Already used.
        visit.open(&link).await;
        visit.shows("used", done, Some(on)).await;
        // A letter is missing at the end.
        visit.open(&link[..link.len() - 1]).await;
        visit.shows("unknown", by_locale(locale, "알 수 없는 링크입니다", "We do not know this link"), None).await;
        visit.open(&format!("{}/nowhere", visit.site.server.url)).await;
        visit.shows("nowhere", by_locale(locale, "페이지를 찾을 수 없습니다", "There is no page here"), None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_expired_link_to_a_new_mail() {
    for locale in Locale::ALL {
        let visit = Visit::new(locale, nothing).await;
        let (id, link) = visit.link_of("mina@example.com").await;
        visit.site.expire(id).await;
        let long_ago = "update sends set queued_at = queued_at - interval '1 day' where verification_id = $1";
        visit.site.run(long_ago, id).await;
        let ask = by_locale(locale, "새 메일 받기", "Send me a new mail");
        visit.open(&link).await;
        visit
            .shows("expired", by_locale(locale, "링크의 유효 기간이 지났습니다", "This link has expired"), Some(ask))
            .await;
        visit.page.leads_on(visit.page.click("button")).await;
        let queued = by_locale(locale, "새 메일을 곧 보내 드립니다", "A new mail is on its way");
        visit.shows("queued", queued, None).await;
        assert_eq!(visit.site.outcomes("resend").await, ["new_key"]);
        // The old link again, and the button at once again.
        visit.open(&link).await;
        let revoked = by_locale(locale, "더 이상 쓸 수 없는 링크입니다", "This link no longer works");
        visit.shows("revoked", revoked, Some(ask)).await;
        visit.press_by_keyboard().await;
        let cooling = by_locale(locale, "메일을 이미 보내 드리는 중입니다", "A mail is already on its way");
        visit.shows("cooling", cooling, Some(ask)).await;
        assert_eq!(visit.site.outcomes("resend").await, ["new_key"], "and no second mail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_confirms() {
    for locale in Locale::ALL {
        let visit = Visit::new(locale, button).await;
        let (_, link) = visit.link_of("mina@example.com").await;
        let before = visit.site.traces().await;
        visit.open(&link).await;
        let heading = by_locale(locale, "이메일 주소를 확인해 주세요", "Please confirm your email address");
        let label = by_locale(locale, "이메일 주소 확인하기", "Confirm my email address");
        visit.shows("confirm", heading, Some(label)).await;
        assert_eq!(visit.site.traces().await, before, "looking changes nothing");
        visit.press_by_keyboard().await;
        let done = by_locale(locale, "이메일 주소가 확인되었습니다", "Your email address is confirmed");
        let on = by_locale(locale, "모아책방 바로가기", "Continue to 모아책방");
        visit.shows("confirmed", done, Some(on)).await;
        assert_eq!(visit.site.outcomes("open_link").await, ["verified"]);
    }
}

/// Words that cannot be broken nicely, and much of it.
fn a_long_name(settings: &mut Settings) {
    settings.site.name =
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenhandlung 그리고 아주 오래된 동네 책방".into();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_may_have_a_long_name_and_a_bad_day() {
    let visit = Visit::new(Locale::En, a_long_name).await;
    let (_, link) = visit.link_of("mina@example.com").await;
    visit.open(&link).await;
    for width in [320, 360, 1280] {
        visit.page.view(width, 800, Colours::Light).await;
        visit.photograph(&format!("long-name-{width}")).await;
        assert_eq!(visit.page.evaluate(AUDIT).await, json!([]), "{width}");
    }
    // The database is not as it should be, and then it is.
    sqlx::query("alter table verifications rename to moved").execute(&visit.site.db.pool).await.unwrap();
    visit.open(&link).await;
    assert_eq!(visit.spoken("heading").await, ["Please try again in a moment"]);
    for colours in Colours::ALL {
        visit.page.view(360, 800, colours).await;
        visit.photograph(&format!("away-{}", colours.as_str())).await;
        assert_eq!(visit.page.evaluate(AUDIT).await, json!([]), "{}", colours.as_str());
    }
    sqlx::query("alter table moved rename to verifications").execute(&visit.site.db.pool).await.unwrap();
    assert_eq!(visit.spoken("link").await, ["Try again"]);
    visit.page.leads_on(visit.page.click("a.button")).await;
    assert_eq!(visit.spoken("heading").await, ["Your email address is confirmed"]);
    assert_eq!(visit.page.complaints(), [""; 0]);
}
