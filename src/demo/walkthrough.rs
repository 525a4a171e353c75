//! The demo where there is no terminal: a walkthrough as text. A user signs up, their mail is captured, their link is
//! opened, and the console's own screen shows them before and after.

use std::path::PathBuf;
use std::time::Duration;

use mail_parser::MessageParser;
use ratatui::layout::Size;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::env::DemoEnv;
use crate::desk::SignUp;
use crate::domain::audit::Actor;
use crate::domain::audit::Origin;
use crate::domain::id::SendId;
use crate::domain::locale::Locale;
use crate::text::{plain, plain_lines};
use crate::tui::headless::Headless;
use crate::tui::model::Setup;
use crate::tui::widget::number::thousands;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The console's size.
const SIZE: Size = Size { width: 118, height: 28 };

/// Goes through it, one block of text at a time.
pub async fn run(
    env: &DemoEnv,
    setup: Setup,
    is_unicode: bool,
    mut say: impl FnMut(&str) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    // The demo's own mails first, or they would stand above the new one.
    let until = Instant::now() + PATIENCE;
    while env.desk.store().next_due().await?.is_some_and(|due| due.is_zero()) && Instant::now() < until {
        sleep(Duration::from_millis(50)).await;
    }

    // An address of its own each time, so that it can run again; behind the label: Robin's mails arrive.
    let local = format!("robin+{}", chrono::Utc::now().format("%H%M%S%3f"));
    let email = format!("{local}@example.com");
    let request = SignUp { email: email.clone(), name: "Robin Park".into(), locale: Locale::En };
    let done = env.desk.sign_up(&Actor::new("demo", Origin::Demo), &request).await?;
    let id = done.verification_id.ok_or_else(|| anyhow::anyhow!("the sign-up made no verification"))?;
    let send = done.send_id.ok_or_else(|| anyhow::anyhow!("the sign-up queued no mail"))?;
    say(&format!("1. {email} signs up: verification {id}, mail queued.\n"))?;

    let (file, mail) = captured(env, send).await?;
    let (text, link) = read(&mail)?;
    say(&format!("2. The worker sends the mail; captured in\n   {}:\n", plain(&file.display().to_string())))?;
    say(&text)?;

    let mut console = Headless::new(env.desk.clone(), env.settings.clone(), setup, SIZE, is_unicode);
    console.listen();
    let shows = |word: &'static str| {
        let local = local.clone();
        move |screen: &str| screen.lines().any(|line| line.contains(&local) && line.contains(word))
    };
    anyhow::ensure!(
        console.wait(PATIENCE, shows("delivered")).await,
        "the console does not show the mail as delivered"
    );
    console.settle().await;
    say("3. SES reports that the mail was delivered. The console shows the user as pending:\n")?;
    say(&console.text())?;

    let opened = Instant::now();
    let status = get(&link).await?;
    say(&format!("4. They open the link: {status}\n"))?;
    anyhow::ensure!(console.wait(PATIENCE, shows("verified")).await, "the console does not show the user as verified");
    let after = opened.elapsed();
    let verified = format!("Verified {}", thousands(env.desk.store().counts().await?.verified));
    let is_whole = |screen: &str| screen.contains(&verified) && screen.contains("verified, just now");
    anyhow::ensure!(console.wait(PATIENCE, is_whole).await, "the console does not show all about the user");
    say(&format!("5. {} ms later the console shows the user as verified:\n", after.as_millis()))?;
    say(&console.text())?;
    Ok(())
}

/// The captured mail of a send, once the worker has written it.
async fn captured(env: &DemoEnv, send: SendId) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let directory = env.settings.require_capture_dir()?;
    let until = Instant::now() + PATIENCE;
    loop {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|x| x == "eml") && path.to_string_lossy().contains(&send.to_string()) {
                let mail = std::fs::read(&path)?;
                return Ok((path, mail));
            }
        }
        anyhow::ensure!(Instant::now() < until, "no mail was captured within {} s", PATIENCE.as_secs());
        sleep(Duration::from_millis(20)).await;
    }
}

/// Headers and text of a captured mail for a person, and the link in it.
fn read(mail: &[u8]) -> anyhow::Result<(String, Url)> {
    let message = MessageParser::default().parse(mail).ok_or_else(|| anyhow::anyhow!("the captured mail is none"))?;
    let text = message.body_text(0).ok_or_else(|| anyhow::anyhow!("the captured mail has no text"))?;
    let link = text
        .split_whitespace()
        .find(|word| word.contains("/verify/?key="))
        .ok_or_else(|| anyhow::anyhow!("the captured mail has no link"))?;
    let mut out = String::new();
    let raw = String::from_utf8_lossy(mail);
    let headers = raw.split("\r\n\r\n").next().unwrap_or_default();
    for line in plain_lines(headers).iter().chain(&plain_lines("\n")).chain(&plain_lines(&text)) {
        out.push_str("   │ ");
        out.push_str(line.as_str());
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    Ok((out, Url::parse(link)?))
}

/// Opens a page of the view as `curl` would, and returns its status line and title.
async fn get(link: &Url) -> anyhow::Result<String> {
    let host = link.host_str().unwrap_or_default();
    let port = link.port_or_known_default().unwrap_or(80);
    let target = &link[url::Position::BeforePath..];
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    let exchange = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(PATIENCE, exchange).await??;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.lines().next().unwrap_or_default();
    let title = answer.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map_or("", |(t, _)| t);
    Ok(format!("{}, \"{}\"", plain(status), plain(title.trim())))
}
