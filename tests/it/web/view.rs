//! The page of each outcome, and what opening, looking and pressing change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sha2::{Digest as _, Sha256};
use verifydesk::config::Confirm;
use verifydesk::desk::SignUp;
use verifydesk::domain::audit::{Actor, Origin};
use verifydesk::domain::id::VerificationId;
use verifydesk::domain::key::{Key, Nonce};
use verifydesk::domain::locale::Locale;

use super::{Answer, Served, button, link};
use crate::support::Log;
use crate::support::world::SECRET;

/// A key that was never mailed.
fn stray() -> Key {
    Key::derive(SECRET.as_bytes(), VerificationId(7), &Nonce([7; 16]))
}

#[tokio::test]
async fn a_link_verifies_and_does_so_for_good() {
    let site = Served::start().await;
    for (locale, heading) in
        [(Locale::Ko, "이메일 주소가 확인되었습니다"), (Locale::En, "Your email address is confirmed")]
    {
        let (_, key) = site.mailed(&format!("mina-{locale}@example.com"), locale).await;
        let first = site.server.get(&link(&key)).await;
        assert_eq!((first.status.as_u16(), first.heading()), (200, heading));
        assert_eq!(first.header("content-language"), locale.as_str());
        assert!(first.body.contains(&format!("<html lang=\"{locale}\">")) && first.body.contains("모아책방</title>"));
        assert!(first.body.contains("href=\"https://books.example/\""), "{}", first.body);
        assert!(!first.body.contains(&key.expose()), "a page without a form has no use for the key");
        let again = site.server.get(&format!("/verify?key={}&utm_source=mail", key.expose())).await;
        assert_eq!((again.status.as_u16(), again.body), (200, first.body));
    }
    assert_eq!(site.outcomes("open_link").await, ["verified", "verified"]);
}

#[tokio::test]
async fn links_that_do_not_work_say_why() {
    let site = Served::start().await;
    let (expired, expired_key) = site.mailed("a@example.com", Locale::En).await;
    site.expire(expired).await;
    let (revoked, revoked_key) = site.mailed("b@example.com", Locale::Ko).await;
    site.revoke(revoked).await;
    let (older, older_key) = site.mailed("c@example.com", Locale::En).await;
    site.revoke(older).await;
    site.run(
        "update users set verified_at = now() where id = (select user_id from verifications where id = $1)",
        older,
    )
    .await;
    let key = stray().expose();
    let table = [
        (link(&expired_key), 410, "This link has expired"),
        (link(&revoked_key), 410, "더 이상 쓸 수 없는 링크입니다"),
        (link(&older_key), 200, "Your email address is confirmed"),
        (link(&stray()), 404, "We do not know this link"),
        (format!("/verify/?key={key}&key={key}"), 404, "We do not know this link"),
        (format!("/verify/?key={}", &key[1..]), 404, "We do not know this link"),
        ("/verify/?key=".into(), 404, "We do not know this link"),
        ("/verify/".into(), 404, "We do not know this link"),
        ("/verify".into(), 404, "We do not know this link"),
        ("/verify/?KEY=x&%ff=%ff&key=%00%ff".into(), 404, "We do not know this link"),
        (format!("/verify/%3Fkey={key}"), 404, "We do not know this link"),
        ("/".into(), 404, "There is no page here"),
    ];
    for (path, status, heading) in table {
        let request = site.server.request(Method::GET, &path).header("accept-language", "en-GB,ko;q=0.5");
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.heading()), (status, heading), "{path}");
    }
    let korean = site.server.get("/verify/").await;
    assert_eq!(korean.heading(), "알 수 없는 링크입니다");
    assert_eq!(site.outcomes("open_link").await, ["expired", "revoked", "already_verified"]);
}

#[tokio::test]
async fn head_and_options_change_nothing() {
    let site = Served::start().await;
    let (_, pending) = site.mailed("a@example.com", Locale::En).await;
    let (id, expired) = site.mailed("b@example.com", Locale::En).await;
    site.expire(id).await;
    let before = site.traces().await;
    for (key, status) in [(&pending, 200), (&expired, 410), (&stray(), 404)] {
        for path in [link(key), link(key).replace("/?", "?")] {
            let head = Answer::of(site.server.request(Method::HEAD, &path)).await;
            assert_eq!((head.status.as_u16(), head.body.as_str()), (status, ""));
            let options = Answer::of(site.server.request(Method::OPTIONS, &path)).await;
            assert_eq!((options.status.as_u16(), options.header("allow")), (204, "GET, HEAD, POST, OPTIONS"));
            for method in ["PUT", "DELETE", "PATCH", "PROPFIND"] {
                let refused = Answer::of(site.server.request(method.parse().unwrap(), &path)).await;
                assert_eq!(refused.status, 405, "{method}");
                assert!(["GET", "HEAD", "POST"].iter().all(|known| refused.header("allow").contains(known)));
            }
        }
    }
    let refused = site.server.get("/verify/new-mail").await;
    assert_eq!((refused.status.as_u16(), refused.header("allow").contains("POST")), (405, true));
    assert_eq!(site.traces().await, before);
}

#[tokio::test]
async fn a_prefetch_changes_nothing() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let before = site.traces().await;
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
    ] {
        for path in [link(&key), link(&key).replace("/?", "?"), link(&key).replace("/?", "//?")] {
            let fetched = Answer::of(site.server.request(Method::GET, &path).header(name, value)).await;
            assert_eq!(
                (fetched.status.as_u16(), fetched.heading()),
                (200, "Please confirm your email address"),
                "{name}"
            );
            assert_eq!(fetched.header("cache-control"), "no-store");
        }
    }
    assert_eq!(site.traces().await, before);
    assert_eq!(site.server.get(&link(&key)).await.heading(), "Your email address is confirmed");
    let fetched = Answer::of(site.server.request(Method::GET, &link(&key)).header("sec-purpose", "prefetch")).await;
    assert_eq!(fetched.heading(), "Your email address is confirmed");
}

#[tokio::test]
async fn a_button_confirms_where_the_site_wants_one() {
    let site = Served::with(button).await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let before = site.traces().await;
    let page = site.server.get(&link(&key)).await;
    assert_eq!((page.status.as_u16(), page.heading()), (200, "Please confirm your email address"));
    assert!(page.body.contains("<form method=\"post\" action=\"./\">"), "{}", page.body);
    let bare = site.server.get(&link(&key).replace("/?", "?")).await;
    assert!(bare.body.contains("action=\"verify/\""), "relative to another directory: {}", bare.body);
    assert_eq!(site.traces().await, before);

    let pressed = site.server.post("/verify/", &key).await;
    assert_eq!((pressed.status.as_u16(), pressed.heading()), (200, "Your email address is confirmed"));
    assert!(!pressed.headers.contains_key("location"));
    assert_eq!(site.server.get(&link(&key)).await.body, pressed.body);
    assert_eq!(site.outcomes("open_link").await, ["verified"]);
}

#[tokio::test]
async fn a_form_works_without_the_button_mode_too() {
    let site = Served::start().await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    for (body, content_type, status) in [
        (String::new(), "application/x-www-form-urlencoded", 404),
        (format!("key={0}&key={0}", key.expose()), "application/x-www-form-urlencoded", 404),
        (format!("key={}", key.expose()), "text/plain", 415),
        (format!("key={}&x={}", key.expose(), "x".repeat(17_000)), "application/x-www-form-urlencoded", 413),
    ] {
        let request = site.server.request(Method::POST, "/verify/").body(body).header("content-type", content_type);
        assert_eq!(Answer::of(request).await.status, status);
    }
    // A key in the address of a POST counts for nothing.
    let request = site.server.request(Method::POST, &link(&key)).form(&[("x", "y")]);
    assert_eq!(Answer::of(request).await.status, 404);
    assert!(site.outcomes("open_link").await.is_empty());
    assert_eq!(site.server.post("/verify", &key).await.status, 200);
    assert_eq!(site.outcomes("open_link").await, ["verified"]);
}

#[tokio::test]
async fn an_old_link_can_ask_for_a_new_mail() {
    let site = Served::start().await;
    let (expired, key) = site.mailed("mina@example.com", Locale::En).await;
    site.expire(expired).await;
    let page = site.server.get(&link(&key)).await;
    assert!(page.body.contains("action=\"./new-mail\""), "{}", page.body);

    let queued = site.server.post("/verify/new-mail", &key).await;
    assert_eq!((queued.status.as_u16(), queued.heading()), (202, "A new mail is on its way"));
    assert!(!queued.headers.contains_key("location"));
    let again = site.server.post("/verify/new-mail", &key).await;
    assert_eq!((again.status.as_u16(), again.heading()), (429, "A mail is already on its way"));
    let seconds: u64 = again.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
    assert!(again.body.contains(&format!("You can ask for another one in {seconds} second")), "{}", again.body);
    assert_eq!(site.outcomes("resend").await, ["new_key"]);
    assert_eq!(site.server.get(&link(&key)).await.heading(), "This link no longer works");

    let unknown = site.server.post("/verify/new-mail", &stray()).await;
    assert_eq!(unknown.status, 404);
    site.run(
        "update users set verified_at = now() where id = (select user_id from verifications where id = $1)",
        expired,
    )
    .await;
    let done = site.server.post("/verify/new-mail", &key).await;
    assert_eq!((done.status.as_u16(), done.heading()), (200, "Your email address is confirmed"));
}

#[tokio::test]
async fn the_day_has_only_so_many_mails() {
    let site = Served::start().await;
    let (id, key) = site.mailed("mina@example.com", Locale::En).await;
    let others = "insert into sends (id, verification_id, user_id, recipient, locale, state, queued_at)
        select gen_random_uuid(), id, user_id, 'mina@example.com', 'en', 'delivered', now() - make_interval(hours => ago)
        from verifications, unnest(array[23, 20, 10, 2]) ago
        where id = $1";
    site.run(others, id).await;
    let first = "update sends set state = 'accepted', queued_at = now() - interval '1 hour'
        where verification_id = $1 and state <> 'delivered'";
    site.run(first, id).await;
    let refused = site.server.post("/verify/new-mail", &key).await;
    assert_eq!((refused.status.as_u16(), refused.heading()), (429, "We cannot send you more mails today"));
    assert!(refused.body.contains("You can ask for another one in 60 minutes."), "{}", refused.body);
    assert!(!refused.body.contains("<button"), "{}", refused.body);
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((3_590..=3_601).contains(&seconds), "{seconds}");
    let a_day = "update sends set queued_at = now() - interval '24 hours'
        where verification_id = $1 and queued_at < now() - interval '22 hours'";
    site.run(a_day, id).await;
    assert_eq!(site.server.post("/verify/new-mail", &key).await.heading(), "A new mail is on its way");
}

#[tokio::test]
async fn every_answer_keeps_keys_and_strangers_out() {
    let site = Served::with(button).await;
    let (_, key) = site.mailed("mina@example.com", Locale::En).await;
    let (revoked, revoked_key) = site.mailed("jun@example.com", Locale::En).await;
    site.revoke(revoked).await;
    let table = [
        (Method::GET, link(&key)),
        (Method::GET, link(&revoked_key)),
        (Method::HEAD, link(&key)),
        (Method::OPTIONS, link(&key)),
        (Method::DELETE, link(&key)),
        (Method::POST, "/verify/new-mail".into()),
        (Method::GET, "/nowhere".into()),
        (Method::GET, "/healthz".into()),
        (Method::GET, "/readyz".into()),
        (Method::POST, "/api/signups".into()),
        (Method::GET, "/api/nowhere".into()),
    ];
    for (method, path) in table {
        let answer = Answer::of(site.server.request(method.clone(), &path)).await;
        let what = format!("{method} {path}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex"),
        ] {
            assert_eq!(answer.header(name), value, "{what}: {name}");
        }
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'; ", "form-action 'self'; ", "base-uri 'none'; ", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(answer.headers.values().all(|value| !value.to_str().unwrap().contains(&key.expose())), "{what}");
        let Some((_, rest)) = answer.body.split_once("<style>") else { continue };
        let (style, rest) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}';")), "{what}: {policy}");
        for foreign in ["<script", "<style", "style=", "src=", "http:", "url("] {
            assert!(!rest.contains(foreign), "{what}: {foreign}");
        }
        assert_eq!(rest.matches("<h1>").count(), 1);
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[tokio::test]
async fn hostile_names_do_not_change_the_page() {
    let hostile = "\"'><script>alert(1)</script>{{ 7 * 7 }}{% include \"x\" %}\u{1b}[31m\u{202e}";
    let site = Served::with(|settings| settings.site.name = hostile.into()).await;
    let mut pages = Vec::new();
    for (email, name) in [("a@example.com", "Mina"), ("b@example.com", "<h1>{{ 7 }}</h1>\u{1b}[31m\r\n")] {
        let (_, key) = site.mailed_to(SignUp { email: email.into(), name: name.into(), locale: Locale::En }).await;
        pages.push(site.server.get(&link(&key)).await.body);
    }
    assert_eq!(pages[0], pages[1], "a user's name is nowhere on the page");
    let page = &pages[0];
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{202e}'), "{page}");
    assert!(page.contains("{{ 7 * 7 }}{% include &quot;x&quot; %}"), "{page}");
    assert_eq!(page.matches("&lt;script&gt;").count(), 3, "title, head and button: {page}");
}

#[tokio::test]
async fn no_log_line_has_a_key() {
    // The test's runtime does not leave this thread.
    let log = Log::of_this_thread(tracing::Level::TRACE);
    let site = Served::start().await;
    let (id, key) = site.mailed("mina@example.com", Locale::En).await;
    let key_text = key.expose();
    let paths = [
        link(&key),
        format!("/verify/%3Fkey={key_text}"),
        format!("/verify/{key_text}"),
        format!("/verify//?key={key_text}."),
        format!("//verify%3Fkey%3D3D{key_text}"),
        format!("/api/users?email={key_text}"),
        format!("/healthz?key={key_text}"),
    ];
    for path in &paths {
        for method in ["GET", "HEAD", "POST", &key_text.replace('-', "x")] {
            site.server.request(method.parse().unwrap(), path).bearer_auth(super::TOKEN).send().await.unwrap();
        }
    }
    site.server.post("/verify/", &key).await;
    site.server.post("/verify/new-mail", &key).await;
    // An act that fails, and says so.
    sqlx::query("alter table verifications rename to moved").execute(&site.db.pool).await.unwrap();
    assert_eq!(site.server.get(&link(&key)).await.status, 503);
    sqlx::query("alter table moved rename to verifications").execute(&site.db.pool).await.unwrap();
    site.server.desk.force_verify(&Actor::new("test", Origin::Cli), id, "they called").await.unwrap_err();

    let log = log.text();
    assert!(log.contains("GET") && log.contains("route=\"/verify/\"") && log.contains("status=200"), "{log}");
    assert!(log.contains("a link could not be processed"), "{log}");
    assert!(!log.contains(&key_text) && !log.contains(super::TOKEN), "{log}");
    assert!(!log.contains(&key_text.replace('-', "x")), "{log}");
    assert!(!log.contains("mina@example.com"), "{log}");
}

#[tokio::test]
async fn what_opens_a_link_as_no_browser_does_is_probably_a_scanner() {
    let browser = [
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "ko-KR,ko;q=0.8"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ];
    let program = [("accept", "*/*"), ("accept-language", ""), ("user-agent", "Mozilla/5.0 (compatible; scanner)")];
    for confirm in [Confirm::Get, Confirm::Button] {
        let site = Served::with(|settings| settings.verification.confirm = confirm).await;
        for (n, openers, is_marked) in [
            (1, vec![browser], false),
            (2, vec![program], true),
            // Who was first counts.
            (3, vec![browser, program], false),
            (4, vec![program, browser], true),
        ] {
            let (id, key) = site.mailed(&format!("mina{n}@example.com"), Locale::En).await;
            for headers in openers {
                let mut request = match confirm {
                    Confirm::Get => site.server.request(Method::GET, &link(&key)),
                    Confirm::Button => site.server.request(Method::POST, "/verify/").form(&[("key", key.expose())]),
                };
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                assert_eq!(Answer::of(request).await.heading(), "Your email address is confirmed", "{n} {confirm:?}");
            }
            assert_eq!(site.detail(id).await.is_probably_scanned(), is_marked, "{n} {confirm:?}");
        }
        // It goes with the user.
        assert_eq!(site.number("select count(*) from odd_openings").await, 2);
        site.execute("delete from users").await;
        assert_eq!(site.number("select count(*) from odd_openings").await, 0);
    }
}
