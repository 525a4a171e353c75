//! Signs messages as SNS does, with openssl and a key of its own; what is signed is put together here once more.

use std::collections::HashMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use verifydesk::domain::Time;
use verifydesk::ses::sns::{CheckedUrl, Fetch, FetchError};

pub const ARN: &str = "arn:aws:sns:us-east-1:123456789012:ses-events";

/// Where the certificate lies.
pub const CERTIFICATE_URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c6465fa.pem";

/// A key and its certificate.
pub struct Signer {
    dir: TempDir,
}

impl Signer {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options =
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=sns.amazonaws.com -keyout key.pem -out sns.pem";
        let made = Command::new("openssl").args(options.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { dir }
    }

    /// One for all tests of this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Signer> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    pub fn certificate(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("sns.pem")).unwrap()
    }

    /// Signs a text as a version of SNS's signatures does.
    pub fn sign(&self, text: &str, version: &str) -> String {
        let digest = if version == "1" { "-sha1" } else { "-sha256" };
        let mut openssl = Command::new("openssl")
            .args(["dgst", digest, "-sign", "key.pem"])
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = openssl.wait_with_output().unwrap();
        assert!(done.status.success());
        STANDARD.encode(done.stdout)
    }

    /// The message with its signature.
    pub fn signed(&self, mut message: Value) -> Value {
        let version = message["SignatureVersion"].as_str().unwrap().to_owned();
        message["Signature"] = json!(self.sign(&to_sign(&message), &version));
        message
    }
}

/// What SNS signs of a message.
pub fn to_sign(message: &Value) -> String {
    let names: &[&str] = if message["Type"] == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    let there = names.iter().filter_map(|&name| Some((name, message.get(name)?.as_str()?)));
    there.flat_map(|(name, value)| [name, "\n", value, "\n"]).collect()
}

/// A message as SNS posts it, but for its signature.
pub fn message(kind: &str, version: &str, sent_at: Time) -> Value {
    let mut message = json!({
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": ARN,
        "Message": "{\"eventType\":\"Send\",\"mail\":{\"subject\":\"Grüße ✓\"}}\n",
        "Timestamp": sent_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    });
    if kind == "Notification" {
        message["UnsubscribeURL"] = json!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe");
    } else {
        message["Token"] = json!("2336412f37");
        message["SubscribeURL"] = json!(format!(
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={ARN}&Token=2336412f37"
        ));
    }
    message
}

/// Fetches nothing from anywhere: what lies at each address is given, and what was asked for counted.
#[derive(Default)]
pub struct Given {
    pub at: Mutex<HashMap<String, Result<Vec<u8>, FetchError>>>,
    pub asked: AtomicUsize,
    /// Answers only as often as this allows; at once if there is none.
    pub gate: Option<Arc<Semaphore>>,
}

impl Given {
    /// The signer's certificate where its messages say that it is.
    pub fn of(signer: &Signer) -> Self {
        let given = Self::default();
        given.put(CERTIFICATE_URL, Ok(signer.certificate()));
        given
    }

    pub fn put(&self, url: &str, answer: Result<Vec<u8>, FetchError>) {
        self.at.lock().unwrap().insert(url.to_owned(), answer);
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Fetch for Given {
    fn fetch(&self, url: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.at.lock().unwrap().get(url.as_str()).cloned().unwrap_or(Err(FetchError::Status(404)));
        let gate = self.gate.clone();
        async move {
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            answer
        }
        .boxed()
    }
}
