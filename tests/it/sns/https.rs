//! Asking SNS, over TLS, of a server of this test's that stands where SNS's name leads.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use verifydesk::dial::Dialer;
use verifydesk::ses::sns::{CheckedUrl, Fetch as _, FetchError, Https, TopicArn, Verifier};

use super::why;
use crate::support::sns::{ARN, Signer, message};

const HOST: &str = "sns.us-east-1.amazonaws.com";

/// An authority, and a certificate of its making for a name.
fn certificates(dir: &Path, name: &str) {
    std::fs::write(dir.join("ext"), format!("subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")).unwrap();
    for command in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout key.pem -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem",
    ] {
        let made = Command::new("openssl").args(command.split(' ')).current_dir(dir).output().unwrap();
        assert!(made.status.success(), "openssl {command}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

/// Answers every request with the same bytes, then closes, if it is to; reports what it was asked.
struct Server {
    at: SocketAddr,
    roots: RootCertStore,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn start(name: &str, answer: Vec<u8>, closes: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path(), name);
        let chain = vec![CertificateDer::from_pem_file(dir.path().join("server.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(dir.path().join("key.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(dir.path().join("ca.pem")).unwrap()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (report, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(socket).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                let _ = report.send(String::from_utf8(head).unwrap());
                let _ = stream.write_all(&answer).await;
                let _ = stream.flush().await;
                if closes {
                    let _ = stream.shutdown().await;
                } else {
                    // Until the client hangs up.
                    while stream.read_u8().await.is_ok() {}
                }
            }
        });
        Self { at, roots, asked }
    }

    fn client(&self) -> Https {
        let names = HashMap::from([(HOST.to_owned(), vec![self.at])]);
        Https::with_roots(Dialer::with_names(names), self.roots.clone()).unwrap()
    }
}

fn subscribe_url() -> CheckedUrl {
    let url = format!("https://{HOST}/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37");
    CheckedUrl::of_subscription(&url, &TopicArn::parse(ARN).unwrap()).unwrap()
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_message_is_verified_with_a_certificate_that_was_asked_for() {
    let (signer, now) = (Signer::shared(), Utc::now());
    let mut server = Server::start(HOST, answer("200 OK", &signer.certificate()), true).await;
    let verifier = Verifier::new(Arc::new(server.client()));
    assert_eq!(why(&verifier, &signer.signed(message("Notification", "1", now)), now).await, None);
    let asked = server.asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /SimpleNotificationService-9c6465fa.pem HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {HOST}\r\n")), "{asked}");
}

#[tokio::test]
async fn a_subscription_is_confirmed_where_it_says() {
    let answered = answer("200 OK", b"<ConfirmSubscriptionResponse/>");
    let mut server = Server::start(HOST, answered, false).await;
    Verifier::new(Arc::new(server.client())).confirm(&subscribe_url()).await.unwrap();
    let asked = server.asked.recv().await.unwrap();
    let line = format!("GET /?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37 HTTP/1.1\r\n");
    assert!(asked.starts_with(&line), "{asked}");
}

#[tokio::test]
async fn only_a_whole_and_direct_answer_counts() {
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: https://attacker.com/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), b"1000\r\n"].concat();
    let endless = [endless, vec![b'x'; 0x1000], b"\r\n10000\r\n".to_vec(), vec![b'x'; 0x10000]].concat();
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let wide = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'x'; 100_000]].concat();
    let table = [
        ("redirect", redirect, Some(FetchError::Status(302))),
        ("error", answer("403 Forbidden", b"<Error/>"), Some(FetchError::Status(403))),
        ("nothing new", answer("204 No Content", b""), Some(FetchError::Status(204))),
        ("long", answer("200 OK", &vec![b'x'; 64 * 1024 + 1]), Some(FetchError::TooLong)),
        ("chunks", endless, Some(FetchError::TooLong)),
        ("cut", cut, None),
        ("wide head", wide, None),
        ("no HTTP", b"SSH-2.0-OpenSSH\r\n".to_vec(), None),
        ("nothing", Vec::new(), None),
    ];
    for (what, answered, error) in table {
        let server = Server::start(HOST, answered, true).await;
        let found = server.client().fetch(subscribe_url()).await.unwrap_err();
        match error {
            Some(error) => assert_eq!(found, error, "{what}"),
            None => assert!(matches!(found, FetchError::Network(_)), "{what}: {found:?}"),
        }
    }
    let server = Server::start(HOST, answer("200 OK", &vec![b'x'; 64 * 1024]), true).await;
    assert_eq!(server.client().fetch(subscribe_url()).await.map(|body| body.len()), Ok(64 * 1024));
}

#[tokio::test]
async fn a_server_that_is_not_sns_is_asked_nothing() {
    let mut other = Server::start("attacker.com", answer("200 OK", b"x"), true).await;
    let found = other.client().fetch(subscribe_url()).await.unwrap_err();
    assert!(matches!(&found, FetchError::Network(what) if what.as_str().contains("certificate")), "{found:?}");
    let mut unknown = Server::start(HOST, answer("200 OK", b"x"), true).await;
    let names = HashMap::from([(HOST.to_owned(), vec![unknown.at])]);
    let strict = Https::with_roots(Dialer::with_names(names), other.roots.clone()).unwrap();
    let found = strict.fetch(subscribe_url()).await.unwrap_err();
    assert!(matches!(&found, FetchError::Network(what) if what.as_str().contains("certificate")), "{found:?}");
    assert!(other.asked.try_recv().is_err() && unknown.asked.try_recv().is_err());
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let server = Server::start(HOST, Vec::new(), false).await;
    let start = Instant::now();
    assert_eq!(server.client().fetch(subscribe_url()).await, Err(FetchError::TimedOut));
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}
