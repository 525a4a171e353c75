//! A flood of forged posts: SNS's own and visitors are served as if it were not there, and memory stays bounded.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Body, Method};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use verifydesk::domain::locale::Locale;

use super::{Hook, delivery, outcome, signed, unsigned};
use crate::support::sns::CERTIFICATE_URL;
use crate::web::link;

/// How many post at the same time.
const FORGERS: usize = 50;

/// How many hold a connection with a body that does not end.
const STALLERS: usize = 600;

/// How many posts of SNS's go on in the meantime.
const REAL: usize = 40;

/// The largest that this process ever was, in MiB.
fn largest() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Forged in every way, as long as they may be.
fn forged() -> Vec<&'static str> {
    let long = "x".repeat(200_000);
    let mut altered = signed("2", "altered", &delivery("m-0"));
    altered["Message"] = json!(long);
    let mut foreign = altered.clone();
    foreign["TopicArn"] = json!("arn:aws:sns:us-east-1:123456789012:another");
    let mut elsewhere = altered.clone();
    elsewhere["SigningCertURL"] = json!("https://attacker.example/SimpleNotificationService-0.pem");
    let mut unknown = unsigned("1", "unknown", &delivery("m-0"));
    unknown["Signature"] = json!("AAAA");
    unknown["SigningCertURL"] = json!(CERTIFICATE_URL.replace("9c6465fa", "00000000"));
    let nested = format!("{}{}", "[".repeat(120_000), "]".repeat(120_000));
    let all = [altered.to_string(), foreign.to_string(), elsewhere.to_string(), unknown.to_string(), nested, long];
    all.map(|body| &*body.leak()).to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_posts_neither_grow_memory_nor_delay_real_ones() {
    let hook = Hook::start().await;
    let (_, key) = hook.site.mailed("mina@example.com", Locale::En).await;
    let real: Vec<String> = (0..REAL)
        .map(|number| signed("2", &format!("r-{number}"), &delivery(&format!("m-{number}"))).to_string())
        .collect();
    let forged = forged();
    // Once each, so that what is loaded and cached once does not count.
    for body in &forged {
        assert_ne!(super::post(&hook.site.server, body).await.status, 200);
    }
    let before = largest();

    let mut stalled = Vec::new();
    for _ in 0..STALLERS {
        let mut stream = TcpStream::connect(hook.site.server.address()).await.unwrap();
        stream.write_all(b"POST /ses/events HTTP/1.1\r\nHost: x\r\nContent-Length: 262144\r\n\r\n").await.unwrap();
        stalled.push(stream);
    }
    let (is_over, posted) = (AtomicBool::new(false), AtomicUsize::new(0));
    // As much of each as goes: 150 MB, were they all taken.
    let piece = vec![b'x'; 260_000];
    let stall = futures_util::future::join_all(stalled.iter_mut().map(|stream| async {
        let _ = tokio::time::timeout(Duration::from_secs(5), stream.write_all(&piece)).await;
    }));
    let flood = futures_util::future::join_all((0..FORGERS).map(|number| {
        let (hook, forged, is_over, posted) = (&hook, &forged, &is_over, &posted);
        async move {
            for body in forged.iter().cycle().skip(number) {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let request = hook.site.server.request(Method::POST, "/ses/events").body(Body::from(*body));
                // Some give way, and may be cut off.
                if let Ok(response) = request.send().await {
                    assert!(matches!(response.status().as_u16(), 400 | 403 | 413 | 503), "{}", response.status());
                    posted.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }));
    let serve = async {
        // The stalled ones and the forgers are at it by now.
        while posted.load(Ordering::Relaxed) < FORGERS {
            tokio::task::yield_now().await;
        }
        let (mut slowest_post, mut slowest_page) = (Duration::ZERO, Duration::ZERO);
        for body in &real {
            let asked = Instant::now();
            let answer = super::post(&hook.site.server, body).await;
            slowest_post = slowest_post.max(asked.elapsed());
            assert_eq!(outcome(&answer), (200, "stored".into()));
            let asked = Instant::now();
            assert_eq!(hook.site.server.get(&link(&key)).await.status, 200);
            slowest_page = slowest_page.max(asked.elapsed());
        }
        is_over.store(true, Ordering::Relaxed);
        (slowest_post, slowest_page)
    };
    let (_, _, (slowest_post, slowest_page)) = tokio::join!(stall, flood, serve);
    let (grown, posted) = (largest() - before, posted.load(Ordering::Relaxed));
    eprintln!("{posted} forged; slowest post {slowest_post:?}, slowest page {slowest_page:?}; {grown} MiB more");
    assert_eq!(hook.events().await, i64::try_from(REAL).unwrap());
    // Far below what SNS waits (15 s), and a visitor notices. The budget is 16 MiB; the clients are in this process too.
    assert!(slowest_post < Duration::from_secs(3) && slowest_page < Duration::from_secs(3));
    assert!(grown < 96, "{grown} MiB");
    for mut stream in stalled {
        let mut rest = Vec::new();
        let _ =
            tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await.expect("it is cut off");
    }
}
