//! What a service shows to those who watch over it: systemd, a load balancer, Prometheus.

mod health;
mod systemd;

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Program, Running};

/// Longest wait for anything that the tests wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a condition, not for long.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A program with all that a worker needs; its mails are captured at home.
fn program(database_url: &str) -> Program {
    let program = Program::new(database_url);
    let mails = program.home().join("mails").display().to_string();
    program
        .set("VERIFYDESK_PUBLIC_URL", "https://example.org")
        .set("VERIFYDESK_SECRET", crate::support::world::SECRET)
        .set("VERIFYDESK_MAIL__FROM", "Example <no-reply@example.org>")
        .set("VERIFYDESK_MAIL__TRANSPORT", "capture")
        .set("VERIFYDESK_CAPTURE__DIR", mails)
        .set("VERIFYDESK_METRICS__LISTEN", "127.0.0.1:0")
}

/// Starts a service; gives the URL of its listener for those who watch.
fn start(program: &Program, arguments: &[&str]) -> (Running, String) {
    let (running, line) = program.start(arguments, "showing health");
    let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
    (running, format!("http://{address}"))
}

/// Status and body.
async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
