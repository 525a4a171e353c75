//! Headless Chromium, driven over its own protocol.
//!
//! The protocol is spoken over a pair of pipes, not over a port: no one else on the machine reaches the browser, and it
//! ends by itself when the test is killed. Libraries for the protocol speak to a port, and generate types for all of
//! it: chromiumoxide takes two and a half minutes of processor time to build, for the dozen calls that are made here.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, Uid};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// What Chromium is called; Debian's name first.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Chromium reads the protocol from descriptor 3 and writes it to 4; a shell puts our pipes there.
const WITH_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// A browser of its own: own profile, own processes, gone when dropped.
pub struct Browser {
    process: Child,
    wire: Arc<Wire>,
    // Dropped after the processes have ended.
    _home: TempDir,
}

/// In which colours a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Light,
    Dark,
}

impl Colours {
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// The value of `prefers-color-scheme`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Browser {
    /// Fails, and says what to do, where there is no Chromium.
    pub async fn start() -> Self {
        let home = tempfile::Builder::new().prefix("vdchromium-").tempdir().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WITH_PIPES]).arg(program()).args([
            "--headless",
            "--disable-gpu",
            // A sandboxed frame stays in its page's process, so that what it asks for is seen with the page's.
            "--disable-features=IsolateSandboxedIframes",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            // No name leads anywhere, so that nothing leaves the machine whatever a page asks for.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            "--remote-debugging-pipe",
        ]);
        if Uid::effective().is_root() {
            command.arg("--no-sandbox");
        }
        command.arg(format!("--user-data-dir={}", home.path().join("profile").display()));
        command.env("HOME", home.path()).env("LC_ALL", "C.UTF-8").process_group(0).kill_on_drop(true);
        let log = std::fs::File::create(home.path().join("log")).unwrap();
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let (heard, _) = watch::channel(Heard::default());
        let to = Mutex::new(process.stdin.take().unwrap());
        let wire = Arc::new(Wire { to, heard, calls: AtomicU64::new(0) });
        tokio::spawn(listen(process.stdout.take().unwrap(), Arc::clone(&wire)));
        let browser = Self { process, wire, _home: home };
        browser.wire.call("", "Browser.getVersion", json!({})).await;
        browser
    }

    /// A new page, with nothing of what other pages left behind.
    pub async fn page(&self) -> Page {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let context = self.wire.call("", "Target.createBrowserContext", json!({ "disposeOnDetach": true })).await;
        let target = json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = self.wire.call("", "Target.createTarget", target).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = text(&self.wire.call("", "Target.attachToTarget", attach).await["sessionId"]);
        let page = Page { wire: Arc::clone(&self.wire), session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its own group, so that the helpers of a browser that hangs go with it.
        if let Some(group) = self.process.id().and_then(|id| i32::try_from(id).ok()) {
            let group = Pid::from_raw(group);
            let _ = killpg(group, Signal::SIGKILL);
            // So that nothing is written any more where the profile is about to be removed.
            let _ = waitpid(group, None);
        }
    }
}

/// A page, as a person would use it.
pub struct Page {
    wire: Arc<Wire>,
    session: String,
}

impl Page {
    /// Sets the size of the window in CSS pixels, and the colours that the page is asked for.
    pub async fn view(&self, width: u16, height: u16, colours: Colours) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let feature = json!({ "name": "prefers-color-scheme", "value": colours.as_str() });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// Sets the languages that the page is asked for, as in `Accept-Language`.
    pub async fn languages(&self, languages: &str) {
        self.call("Network.setExtraHTTPHeaders", json!({ "headers": { "Accept-Language": languages } })).await;
    }

    /// Opens an address, and waits until the page is complete.
    pub async fn open(&self, url: &str) {
        let before = self.wire.count();
        let opened = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(opened.get("errorText").is_none(), "{url}: {}", opened["errorText"]);
        self.loaded(before).await;
    }

    /// Shows a document of which nothing comes from the network, whatever it asks for, and which runs no script.
    pub async fn show(&self, html: &str) {
        self.call(
            "Network.setBlockedURLs",
            json!({ "urls": ["http://*", "https://*", "ftp://*", "ws://*", "wss://*"] }),
        )
        .await;
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        let frame = self.call("Page.getFrameTree", json!({})).await["frameTree"]["frame"]["id"].clone();
        self.call("Page.setDocumentContent", json!({ "frameId": frame, "html": html })).await;
    }

    /// What an expression comes to; a promise is waited for.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let done = self.call("Runtime.evaluate", asked).await;
        assert!(done.get("exceptionDetails").is_none(), "{expression}: {}", done["exceptionDetails"]);
        done["result"]["value"].clone()
    }

    /// Clicks into the middle of the one element that a CSS selector finds.
    pub async fn click(&self, selector: &str) {
        let find = format!(
            "(() => {{ const all = document.querySelectorAll({}); if (all.length !== 1) return all.length;
               all[0].scrollIntoView({{ block: 'center' }}); const box = all[0].getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        );
        let at = self.evaluate(&find).await;
        assert!(at.is_array(), "there are {at} elements {selector}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Presses a key: `Tab` or `Enter`.
    pub async fn press(&self, key: &str) {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (9, "") };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Does something, and waits until the page that it leads to is complete.
    pub async fn leads_on(&self, act: impl Future<Output = ()>) {
        let before = self.wire.count();
        act.await;
        self.loaded(before).await;
    }

    /// The whole page as a PNG, in base64.
    pub async fn picture(&self) -> String {
        let size = self.call("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        self.call("Page.captureScreenshot", asked).await["data"].as_str().unwrap().to_owned()
    }

    /// Writes the whole page as a PNG.
    pub async fn photograph(&self, file: &Path) {
        std::fs::write(file, STANDARD.decode(self.picture().await).unwrap()).unwrap();
    }

    /// Every address that was asked for so far.
    pub fn requests(&self) -> Vec<String> {
        let asked = self.events("Network.requestWillBeSent");
        asked.iter().map(|event| event["request"]["url"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Errors and warnings of the console, and exceptions, so far. That the page itself came with an error's status is
    /// none: an expired link is answered so.
    pub fn complaints(&self) -> Vec<String> {
        let bad = |level: &Value| ["error", "warning", "assert"].iter().any(|bad| level == bad);
        let documents = self.events("Network.responseReceived");
        let is_document = |entry: &Value| {
            let of = |event: &&Value| event["requestId"] == entry["networkRequestId"];
            documents.iter().find(of).is_some_and(|event| event["type"] == "Document")
        };
        let mut said = self.events("Runtime.exceptionThrown");
        said.extend(self.events("Runtime.consoleAPICalled").into_iter().filter(|event| bad(&event["type"])));
        let entries = self.events("Log.entryAdded").into_iter().map(|event| event["entry"].clone());
        said.extend(entries.filter(|entry| bad(&entry["level"]) && !is_document(entry)));
        said.iter().map(ToString::to_string).collect()
    }

    /// Calls a method of the protocol for this page.
    pub async fn call(&self, method: &str, parameters: Value) -> Value {
        self.wire.call(&self.session, method, parameters).await
    }

    fn events(&self, method: &str) -> Vec<Value> {
        let heard = self.wire.heard.borrow();
        let of = |event: &&Value| event["sessionId"] == self.session.as_str() && event["method"] == method;
        heard.0.iter().filter(of).map(|event| event["params"].clone()).collect()
    }

    async fn loaded(&self, since: usize) {
        let is =
            |event: &Value| event["sessionId"] == self.session.as_str() && event["method"] == "Page.loadEventFired";
        self.wire.wait("the page to be complete", |heard| heard[since..].iter().find(|event| is(event)).cloned()).await;
    }
}

/// Both pipes.
struct Wire {
    to: Mutex<ChildStdin>,
    heard: watch::Sender<Heard>,
    calls: AtomicU64,
}

/// Everything that the browser has said; the last is null once it is gone.
#[derive(Default)]
struct Heard(Vec<Value>);

impl Wire {
    async fn call(&self, session: &str, method: &str, parameters: Value) -> Value {
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut call = json!({ "id": id, "method": method, "params": parameters });
        if !session.is_empty() {
            call["sessionId"] = session.into();
        }
        let mut bytes = call.to_string().into_bytes();
        bytes.push(0);
        self.to.lock().await.write_all(&bytes).await.unwrap_or_else(|error| panic!("{method}: {error}"));
        let answer = self.wait(method, |heard| heard.iter().rev().find(|said| said["id"] == id).cloned()).await;
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    fn count(&self) -> usize {
        self.heard.borrow().0.len()
    }

    async fn wait(&self, what: &str, find: impl Fn(&[Value]) -> Option<Value>) -> Value {
        let mut heard = self.heard.subscribe();
        let mut found = None;
        let is_over = |heard: &Heard| {
            found = find(&heard.0);
            found.is_some() || heard.0.last().is_some_and(Value::is_null)
        };
        let waited = timeout(PATIENCE, heard.wait_for(is_over)).await;
        assert!(waited.is_ok(), "waited in vain for {what}");
        drop(waited);
        found.unwrap_or_else(|| panic!("Chromium ended before {what}"))
    }
}

async fn listen(from: ChildStdout, wire: Arc<Wire>) {
    let mut from = BufReader::new(from);
    let mut message = Vec::new();
    while from.read_until(0, &mut message).await.is_ok_and(|count| count > 0) {
        if message.pop() == Some(0) {
            let said = serde_json::from_slice(&message).unwrap();
            wire.heard.send_modify(|heard| heard.0.push(said));
        }
        message.clear();
    }
    wire.heard.send_modify(|heard| heard.0.push(Value::Null));
}

/// Where Chromium is.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = || std::env::split_paths(&path);
    let mut files = NAMES.iter().flat_map(|name| places().map(move |place| place.join(name)));
    files
        .find(|file| file.is_file())
        .expect("there is no Chromium here, which this test needs: run scripts/install-test-tools.sh")
}
