//! The page from outside, by requests.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::{Client, Method, StatusCode};

use super::*;
use crate::domain::locale::Locale;
use crate::preview::proof::{TemplateEntry, TemplateIndex};

#[derive(Debug)]
struct One;

impl Source for One {
    fn index(&self) -> TemplateIndex {
        let fixtures = vec![("example".to_owned(), "The examples".to_owned())];
        let one = TemplateEntry { name: "hello".to_owned(), locales: vec![Locale::En], fixtures };
        TemplateIndex { templates: vec![one], mistakes: Vec::new() }
    }

    fn render(&self, template: &str, _locale: Locale, _fixture: &str) -> Result<Shown, String> {
        assert!(template != "broken", "a fixture of the test");
        if template != "hello" {
            return Err(format!("there is no template {template}"));
        }
        let html = "<p>hello</p><a href='https://elsewhere.example/?x=1'>go</a>".to_owned();
        Ok(Shown { subject: "Hello".to_owned(), text: "hello\n".to_owned(), html })
    }
}

async fn page() -> (Handle, watch::Sender<u64>) {
    let (changes, watched) = watch::channel(0);
    (start(Arc::new(One), watched, None).await.unwrap(), changes)
}

#[tokio::test]
async fn without_the_token_nothing_is_shown() {
    let (handle, _changes) = page().await;
    let origin = format!("http://{}", handle.address());
    let token = handle.url().trim_start_matches(&origin).trim_matches('/').to_owned();
    assert_eq!(token.len(), 22, "128 bits");
    let client = Client::new();
    let wrong = format!("{}{}", if token.starts_with('x') { "y" } else { "x" }, &token[1..]);
    for path in [
        "",
        "/",
        "/stock",
        "/page.js",
        "/x/",
        &format!("/{wrong}/"),
        &format!("/{wrong}/mail?template=hello"),
        &format!("/{token}"),
    ] {
        let answer = client.get(format!("{origin}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.text().await.unwrap(), "", "{path}");
    }
    for path in ["", "page.js", "page.css", "stock", "about?template=hello", "mail?template=hello"] {
        let answer = client.get(format!("{}{path}", handle.url())).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS] {
        let answer = client.request(method.clone(), handle.url()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    assert_ne!(page().await.0.url(), handle.url());
}

#[tokio::test]
async fn a_request_for_another_host_name_is_refused() {
    let (handle, _changes) = page().await;
    let port = handle.address().port();
    let client = Client::new();
    let table = [
        (format!("127.0.0.1:{port}"), StatusCode::OK),
        (format!("localhost:{port}"), StatusCode::OK),
        ("127.0.0.1".to_owned(), StatusCode::MISDIRECTED_REQUEST),
        (format!("127.0.0.1:{}", port ^ 1), StatusCode::MISDIRECTED_REQUEST),
        (format!("rebound.example:{port}"), StatusCode::MISDIRECTED_REQUEST),
        (format!("127.0.0.1:{port}.rebound.example"), StatusCode::MISDIRECTED_REQUEST),
        (format!("LOCALHOST.rebound.example:{port}"), StatusCode::MISDIRECTED_REQUEST),
    ];
    for (host, status) in table {
        let answer = client.get(handle.url()).header("host", &host).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}");
    }
}

#[tokio::test]
async fn it_listens_on_this_machine_only_and_ends_when_asked() {
    let (handle, _changes) = page().await;
    let address = handle.address();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    let port = address.port();
    // All of 127/8 is this machine, but only one address of it is listened on; so are the others not.
    let mut others = vec![SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port))];
    // Which address would be used for the world; nothing is sent.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("192.0.2.1:9").is_ok() {
        others.extend(socket.local_addr().map(|own| SocketAddr::from((own.ip(), port))));
    }
    for other in others.into_iter().filter(|other| other.ip() != Ipv4Addr::LOCALHOST) {
        assert!(tokio::net::TcpStream::connect(other).await.is_err(), "{other}");
    }
    assert!(handle.ssh_line("bastion").ends_with(&format!("-L {port}:127.0.0.1:{port} bastion")));
    let again = start(Arc::new(One), watch::channel(0).1, Some(port)).await;
    assert!(again.is_err(), "the port is taken");
    handle.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    start(Arc::new(One), watch::channel(0).1, Some(port)).await.unwrap();
}

#[tokio::test]
async fn policies_are_strict() {
    let (handle, _changes) = page().await;
    let client = Client::new();
    for (path, wanted) in [
        ("", vec!["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
        ("mail?template=hello", vec!["sandbox;", "default-src 'none'", "img-src data:", "frame-ancestors 'self'"]),
        ("mail?template=hello&images=false", vec!["sandbox;", "default-src 'none'; style-src"]),
        ("mail?template=nothing", vec!["sandbox;", "default-src 'none'"]),
    ] {
        let answer = client.get(format!("{}{path}", handle.url())).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(wanted.iter().all(|part| policy.contains(part)), "{path}: {policy}");
        assert!(path.is_empty() || !policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(answer.headers().get_all("content-security-policy").iter().count(), 1);
        assert_eq!(
            ["referrer-policy", "x-content-type-options", "cache-control", "x-dns-prefetch-control"].map(header),
            ["no-referrer", "nosniff", "no-store", "off"]
        );
    }
}

#[tokio::test]
async fn it_shows_what_is_in_a_mail_and_what_is_wrong() {
    let (handle, _changes) = page().await;
    let client = Client::new();
    let ask = async |path: &str| -> serde_json::Value {
        client.get(format!("{}{path}", handle.url())).send().await.unwrap().json().await.unwrap()
    };
    let about = ask("about?template=hello&locale=en&scheme=dark&width=320").await;
    assert_eq!((&about["subject"], &about["text"]), (&"Hello".into(), &"hello\n".into()));
    assert_eq!(about["links"], serde_json::json!(["https://elsewhere.example/?x=1"]));
    assert_eq!(ask("about?template=nothing").await["error"], "there is no template nothing");
    assert_eq!(ask("stock").await["templates"][0]["name"], "hello");
    let wrong = client.get(format!("{}about?locale=xx", handle.url())).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn changes_are_reported_as_they_happen() {
    let (handle, changes) = page().await;
    let mut answer = Client::new().get(format!("{}events", handle.url())).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.chunk().await.unwrap().unwrap(), ": listening\n\n");
    for number in [1, 2] {
        changes.send_replace(number);
        assert_eq!(answer.chunk().await.unwrap().unwrap(), format!("event: changed\ndata: {number}\n\n"));
    }
    handle.stop().await;
    assert!(answer.chunk().await.unwrap().is_none(), "it ends with the page");
}

/// The console that shows the page goes on, and the browser is answered.
#[tokio::test]
async fn what_breaks_on_a_template_is_reported() {
    let (handle, _changes) = page().await;
    let about = reqwest::get(format!("{}about?template=broken", handle.url())).await.unwrap();
    let about: serde_json::Value = about.json().await.unwrap();
    let said = about["error"].as_str().unwrap();
    assert!(said.contains("this program broke on it") && said.contains("a fixture of the test"), "{said}");
    let mail = reqwest::get(format!("{}mail?template=broken", handle.url())).await.unwrap();
    assert_eq!(mail.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(mail.text().await.unwrap().contains("a fixture of the test"));
}
