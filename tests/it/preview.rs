//! The preview page, in a browser.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use verifydesk::config::Settings;
use verifydesk::domain::locale::Locale;
use verifydesk::preview::page::{self, Files, Handle, Shown, Source};
use verifydesk::preview::proof::{TemplateEntry, TemplateIndex};

use crate::mail_servers::PATIENCE;
use crate::support::Program;
use crate::support::browser::{Browser, Colours, Page};

/// A mail that tries what it can.
const HOSTILE: &str = r#"<!doctype html><html><head><meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="0;url=https://refresh.example/">
<link rel="stylesheet" href="https://style.example/x.css">
<link rel="preconnect" href="https://preconnect.example"><LINK/rel='preconnect dns-prefetch' href='https://look-up.example'>
<link rel="prefetch" href="https://prefetch.example/"><link rel="preload" as="image" href="https://preload.example/x.png">
<link rel="prerender" href="https://prerender.example/">
<style>p{color:rgb(1,2,3);font-family:x}@media (prefers-color-scheme: dark){p{color:rgb(4,5,6)}}
@media (max-width:400px){p{color:rgb(7,8,9)}}@font-face{font-family:x;src:url(https://font.example/x.woff2)}</style>
</head><body onload="parent.document.title='loaded'"><p style="background:url(https://background.example/x.png)">seen</p>
<script>parent.document.title='run'; fetch('https://script.example/')</script>
<img id="own" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" width="20" height="20">
<img src="https://image.example/x.png" alt="a picture" onerror="parent.document.title='error'">
<!--[if mso]><b id="outlook">Outlook</b><![endif]-->
<a id="plain" href="https://plain.example/">plain</a> <a id="self" target="_self" href="https://self.example/">self</a>
<a id="top" target="_top" href="https://top.example/">top</a> <a id="code" href="javascript:parent.document.title='code'">code</a>
<form action="https://form.example/"><button id="form">form</button></form>
<iframe srcdoc="&lt;link rel=preconnect href=https://within.example>"></iframe>
<iframe src="https://frame.example/"></iframe><object data="https://object.example/"></object><embed src="https://embed.example/" type="text/html">
</body></html>"#;

/// One template whose HTML the test changes.
#[derive(Debug)]
struct Changing(Mutex<Result<String, String>>);

impl Source for Changing {
    fn index(&self) -> TemplateIndex {
        let fixtures = ["example", "other"].map(|id| (id.to_owned(), id.to_owned())).to_vec();
        let one = TemplateEntry { name: "hello".to_owned(), locales: vec![Locale::Ko, Locale::En], fixtures };
        TemplateIndex { templates: vec![one], mistakes: vec!["nothing uses <this> file".to_owned()] }
    }

    fn render(&self, _template: &str, locale: Locale, fixture: &str) -> Result<Shown, String> {
        let html = self.0.lock().unwrap().clone()?.replace("seen", &format!("seen {} {fixture}", locale.as_str()));
        Ok(Shown { subject: "Hello <b>".to_owned(), text: "the text <b>".to_owned(), html })
    }
}

struct Visit {
    handle: Handle,
    source: Arc<Changing>,
    changes: watch::Sender<u64>,
    page: Page,
    _browser: Browser,
}

impl Visit {
    async fn new(html: &str) -> Self {
        let source = Arc::new(Changing(Mutex::new(Ok(html.to_owned()))));
        let (changes, watched) = watch::channel(0);
        let handle = page::start(Arc::clone(&source) as Arc<dyn Source>, watched, None).await.unwrap();
        let browser = Browser::start().await;
        let page = browser.page().await;
        page.view(1280, 900, Colours::Light).await;
        page.open(handle.url()).await;
        let visit = Self { handle, source, changes, page, _browser: browser };
        visit.until("document.body.dataset.shown === '1' && document.body.dataset.listening").await;
        visit
    }

    /// Waits until an expression of the page holds.
    async fn until(&self, expression: &str) {
        until(&self.page, expression).await;
    }

    /// Sets a control as a person does, and waits until the mail is shown so.
    async fn set(&self, name: &str, value: &str) {
        let set = format!(
            "(() => {{ const before = Number(document.body.dataset.shown);
               const one = document.querySelector('[name={name}][type=radio][value=\"{value}\"], [name={name}]:not([type=radio])');
               if (one.type === 'radio' || one.type === 'checkbox') one.click();
               else {{ one.value = '{value}'; one.dispatchEvent(new Event('change', {{ bubbles: true }})); }}
               return before; }})()"
        );
        let before = self.page.evaluate(&set).await;
        self.until(&format!("Number(document.body.dataset.shown) > {before}")).await;
    }

    /// What an expression comes to within the mail. The browser's own tool may look into the frame; the page may not.
    async fn inside(&self, expression: &str) -> Value {
        inside(&self.page, expression).await
    }

    fn strays(&self) -> Vec<String> {
        let own = |url: &String| url.starts_with(self.handle.url()) || url.starts_with("data:");
        self.page.requests().into_iter().filter(|url| !own(url)).collect()
    }
}

async fn until(page: &Page, expression: &str) {
    let wait = format!(
        "new Promise((done, failed) => {{ const late = setTimeout(() => failed(new Error('in vain')), {});
           const look = () => {{ if ({expression}) {{ clearTimeout(late); done(true); }} else requestAnimationFrame(look); }};
           look(); }})",
        PATIENCE.as_millis()
    );
    assert_eq!(page.evaluate(&wait).await, true, "{expression}");
}

async fn inside(page: &Page, expression: &str) -> Value {
    let tree = page.call("Page.getFrameTree", json!({})).await;
    let frame = tree["frameTree"]["childFrames"][0]["frame"]["id"].clone();
    assert!(frame.is_string(), "the mail's frame is there: {tree}");
    let world = page.call("Page.createIsolatedWorld", json!({ "frameId": frame })).await;
    let asked = json!({
        "expression": expression, "returnByValue": true, "contextId": world["executionContextId"]
    });
    let done = page.call("Runtime.evaluate", asked).await;
    assert!(done.get("exceptionDetails").is_none(), "{expression}: {}", done["exceptionDetails"]);
    done["result"]["value"].clone()
}

const COLOUR: &str = "getComputedStyle(document.querySelector('p')).color";

/// A server that notes what it is asked for.
struct Witness {
    address: std::net::SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Witness {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let noted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let mut stream = BufReader::new(listener.accept().await.unwrap().0);
                // A connection alone is reported as well.
                noted.lock().unwrap().push("a connection".to_owned());
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    noted.lock().unwrap().push(line.split(' ').nth(1).unwrap_or_default().to_owned());
                    let answer =
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { address, asked }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_mail_may_look_and_nothing_else() {
    let witness = Witness::new().await;
    let elsewhere = format!("http://{}/", witness.address);
    let visit = Visit::new(&HOSTILE.replace("https://", &elsewhere)).await;
    assert_eq!(visit.inside("document.querySelector('p').textContent").await, "seen ko example");
    assert_eq!(visit.inside("document.querySelector('#own').naturalWidth").await, 1, "what it brings along is shown");
    visit.set("fixture", "other").await;
    // A click may connect somewhere, which is the browser's own foresight; looking may not.
    assert_eq!(*witness.asked.lock().unwrap(), [""; 0]);
    for (id, fixture) in
        [("plain", "example"), ("self", "other"), ("top", "example"), ("code", "other"), ("form", "example")]
    {
        let at = "(() => { const mail = document.querySelector('iframe'); mail.scrollIntoView();
            const box = mail.getBoundingClientRect(); return [box.x + mail.clientLeft, box.y + mail.clientTop]; })()";
        let frame = visit.page.evaluate(at).await;
        let within = format!(
            "(() => {{ const box = document.querySelector('#{id}').getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let own = visit.inside(&within).await;
        let sum = |n: usize| frame[n].as_f64().unwrap() + own[n].as_f64().unwrap();
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": sum(0), "y": sum(1), "button": "left", "clickCount": 1 });
            visit.page.call("Input.dispatchMouseEvent", event).await;
        }
        // The mail is asked for again, should the click have led the frame away to nowhere.
        visit.set("fixture", fixture).await;
        assert_eq!(visit.inside("document.querySelector('p').textContent").await, format!("seen ko {fixture}"), "{id}");
    }
    let page = visit.page.evaluate("[document.title, location.href]").await;
    assert_eq!(page[0], "Mail preview", "no script of the mail has run");
    assert!(page[1].as_str().unwrap().starts_with(visit.handle.url()), "{page}");
    let links = "[...document.querySelectorAll('#links li')].map(item => item.textContent)";
    let links = visit.page.evaluate(links).await;
    assert!(links.as_array().unwrap().contains(&json!(format!("{elsewhere}plain.example/"))), "{links}");
    // Another server that is asked later is asked: so would the mail's addresses have been.
    visit.page.open(&format!("{elsewhere}at-last")).await;
    let asked = witness.asked.lock().unwrap().clone();
    let request = asked.iter().find(|what| what.starts_with('/'));
    assert_eq!(request.map(String::as_str), Some("/at-last"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn toggles_change_what_is_seen() {
    let html = HOSTILE.split("<script>").next().unwrap().replace("https://", "data:,").replace("onload", "data-x");
    let html = html
        + "<!--[if mso]><b id=\"outlook\">Outlook</b><![endif]--><img id=own alt=x src='data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'>";
    let html = html.replace("<link", "<meta").replace("http-equiv", "data-y").replace("@font-face", "@x");
    let visit = Visit::new(&html).await;
    assert_eq!(visit.inside(&format!("[{COLOUR}, innerWidth]")).await, json!(["rgb(1, 2, 3)", 640]));
    // The browser's own preference changes the page, not the mail.
    visit.page.view(1280, 900, Colours::Dark).await;
    visit.set("fixture", "other").await;
    assert_eq!(visit.inside(COLOUR).await, "rgb(1, 2, 3)");
    visit.set("scheme", "dark").await;
    assert_eq!(visit.inside(COLOUR).await, "rgb(4, 5, 6)");
    let canvas = "getComputedStyle(document.documentElement).colorScheme";
    assert_eq!(visit.inside(canvas).await, "dark");
    visit.page.view(1280, 900, Colours::Light).await;
    assert_eq!(visit.inside(COLOUR).await, "rgb(4, 5, 6)");
    visit.set("scheme", "inverted").await;
    assert_eq!(visit.inside(&format!("[{COLOUR}, {canvas}]")).await, json!(["rgb(1, 2, 3)", "light"]));
    let filter = "getComputedStyle(document.querySelector('iframe')).filter";
    assert_eq!(visit.page.evaluate(filter).await, "invert(1) hue-rotate(180deg)");
    assert_eq!(
        visit.inside("getComputedStyle(document.querySelector('#own')).filter").await,
        "invert(1) hue-rotate(180deg)"
    );
    visit.set("scheme", "light").await;
    assert_eq!(visit.page.evaluate(filter).await, "none");
    for (width, colour) in [("480", "rgb(1, 2, 3)"), ("375", "rgb(7, 8, 9)"), ("320", "rgb(7, 8, 9)")] {
        visit.set("width", width).await;
        assert_eq!(visit.inside(&format!("[{COLOUR}, String(innerWidth)]")).await, json!([colour, width]));
    }
    visit.set("styles", "").await;
    assert_eq!(visit.inside(COLOUR).await, "rgb(0, 0, 0)");
    assert_eq!(visit.inside("document.querySelector('#outlook')").await, Value::Null);
    visit.set("outlook", "").await;
    assert_eq!(visit.inside("document.querySelector('#outlook').textContent").await, "Outlook");
    visit.set("locale", "en").await;
    assert_eq!(visit.inside("document.querySelector('p').textContent").await, "seen en other");
    let strays = visit.strays();
    assert_eq!(strays, [""; 0]);
    assert_eq!(visit.page.complaints(), [""; 0]);
    visit.set("images", "").await;
    assert_eq!(visit.inside("document.querySelector('#own').naturalWidth").await, 0);
    visit.set("plain", "").await;
    let shown = "[document.querySelector('#text').hidden, document.querySelector('#text').textContent, document.querySelector('#subject').textContent]";
    assert_eq!(visit.page.evaluate(shown).await, json!([false, "the text <b>", "Hello <b>"]));
    // All of it comes back with the page.
    visit.page.leads_on(async { drop(visit.page.call("Page.reload", json!({})).await) }).await;
    visit.until("document.body.dataset.shown === '1'").await;
    let kept = "[controls.width.value, controls.locale.value, controls.fixture.value, controls.styles.checked, controls.outlook.checked]";
    assert_eq!(visit.page.evaluate(kept).await, json!(["320", "en", "other", false, true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_shows_by_itself_and_a_mistake_leaves_the_last_mail() {
    let visit = Visit::new("<p>seen</p>").await;
    let change = |to: Result<&str, &str>| {
        *visit.source.0.lock().unwrap() = to.map(ToOwned::to_owned).map_err(ToOwned::to_owned);
        visit.changes.send_modify(|number| *number += 1);
    };
    change(Ok("<p>changed seen</p>"));
    visit.until("document.body.dataset.shown === '2'").await;
    assert_eq!(visit.inside("document.querySelector('p').textContent").await, "changed seen ko example");
    change(Err("line 3: <b> is wrong"));
    visit.until("document.querySelector('#trouble').textContent === 'line 3: <b> is wrong'").await;
    let stale = "[document.querySelector('#trouble').hidden, document.querySelector('iframe').className]";
    assert_eq!(visit.page.evaluate(stale).await, json!([false, "stale"]));
    assert_eq!(visit.inside("document.querySelector('p').textContent").await, "changed seen ko example");
    change(Ok("<p>fixed seen</p>"));
    visit.until("document.body.dataset.shown === '4'").await;
    assert_eq!(visit.inside("document.querySelector('p').textContent").await, "fixed seen ko example");
    assert_eq!(visit.page.evaluate(stale).await, json!([true, ""]));
    assert_eq!((visit.strays(), visit.page.complaints()), (Vec::new(), Vec::new()));
    visit.handle.stop().await;
    until(&visit.page, "document.querySelector('#status').textContent.includes('ended')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_no_mail_and_answers_in_words_are_shown() {
    let visit = Visit::new("<p>seen</p>").await;
    let listed = "[...document.querySelectorAll('#mistakes:not([hidden]) li')].map(item => item.textContent)";
    assert_eq!(visit.page.evaluate(listed).await, json!(["nothing uses <this> file"]));
    let stale = "document.querySelector('iframe').className";
    assert_eq!(visit.page.evaluate(stale).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_mails_are_shown_without_a_complaint() {
    let (_changes, watched) = watch::channel(0);
    let handle = page::start(Arc::new(Files::new(Settings::default())), watched, None).await.unwrap();
    let browser = Browser::start().await;
    let page = browser.page().await;
    for (width, colours) in [(1280, Colours::Light), (360, Colours::Dark)] {
        page.view(width, 800, colours).await;
        page.open(handle.url()).await;
        until(&page, "document.body.dataset.shown === '1'").await;
        let link = inside(&page, "document.querySelector('a').href").await;
        assert!(link.as_str().unwrap().contains("sample-key"), "{link}");
        if let Some(pictures) = std::env::var_os("VERIFYDESK_TEST_PICTURES") {
            page.photograph(&Path::new(&pictures).join(format!("preview-page-{width}-{}.png", colours.as_str()))).await;
        }
    }
    let strays: Vec<String> =
        page.requests().into_iter().filter(|url| !url.starts_with(handle.url()) && !url.starts_with("data:")).collect();
    assert_eq!((strays, page.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_it_until_it_is_ended() {
    let templates = tempfile::tempdir().unwrap();
    let place = templates.path().join("en/verification");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("subject.txt"), "First of {{ site_name }}\n").unwrap();
    let program = Program::new("")
        .set("VERIFYDESK_TEMPLATES__DIR", templates.path().display().to_string())
        .set("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
    let (mut running, line) = program.start(&["templates", "preview"], "ssh -N -L");
    let mut url = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(running.0.stdout.take().unwrap()), &mut url).unwrap();
    let url = url.trim();
    let port = url.trim_start_matches("http://127.0.0.1:").split('/').next().unwrap();
    assert!(line.contains(&format!("ssh -N -L {port}:127.0.0.1:{port} 192.0.2.2")), "{line}");
    let client = reqwest::Client::new();
    let subject = async || -> Value {
        let about = client.get(format!("{url}about?template=verification&locale=en")).send().await.unwrap();
        about.json::<Value>().await.unwrap()["subject"].clone()
    };
    assert_eq!(subject().await, "First of verifydesk");
    let mut events = client.get(format!("{url}events")).send().await.unwrap();
    assert_eq!(events.chunk().await.unwrap().unwrap(), ": listening\n\n");
    // The watch may begin a moment after the address is printed.
    let reported = async {
        for n in 0.. {
            std::fs::write(place.join("subject.txt"), format!("Number {n} of {{{{ site_name }}}}\n")).unwrap();
            let wait = tokio::time::timeout(std::time::Duration::from_millis(500), events.chunk());
            if let Ok(event) = wait.await {
                return (n, event.unwrap().unwrap());
            }
        }
        unreachable!()
    };
    let (n, event) = tokio::time::timeout(PATIENCE, reported).await.unwrap();
    assert!(event.starts_with(b"event: changed\n"), "{event:?}");
    assert_eq!(subject().await, format!("Number {n} of verifydesk"));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(running.0.id().cast_signed()), nix::sys::signal::SIGTERM)
        .unwrap();
    let ended = tokio::task::spawn_blocking(move || running.0.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(client.get(url).send().await.is_err());
}
