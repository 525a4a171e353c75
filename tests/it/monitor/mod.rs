//! What a service shows to those who watch over it: systemd, a load balancer, Prometheus.

mod assets;
mod health;
pub mod metrics;
mod prometheus;
mod systemd;

use crate::mail_servers::PATIENCE;
use crate::support::{Program, Running, address_in, until};

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
    let address = address_in(&line);
    (running, format!("http://{address}"))
}

/// Starts `serve`; gives the URL of that listener, and the one of its pages.
fn start_serve(program: &Program) -> (Running, String, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (running, shown) = start(program, &["serve", "--listen", &format!("127.0.0.1:{port}")]);
    (running, shown, format!("http://127.0.0.1:{port}"))
}

/// Status and body.
async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
