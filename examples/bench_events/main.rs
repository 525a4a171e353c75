//! What `make bench-events` needs beside the program: `verifydesk serve` with a certificate that is not fetched from AWS,
//! and a queue that is fast enough to be none of what is measured.
//!
//! Each prints its port once it listens, and serves until it is killed.

mod queue;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use verifydesk::config;
use verifydesk::desk::Desk;
use verifydesk::ses::sns::{CheckedUrl, Fetch, FetchError};
use verifydesk::web;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["serve", certificate] => serve(certificate).await,
        ["queue", messages] => queue::serve(messages).await,
        _ => bail!("usage: bench_events serve CERTIFICATE | bench_events queue MESSAGES"),
    }
}

/// The certificate, whatever is asked for.
struct Given(Vec<u8>);

impl Fetch for Given {
    fn fetch(&self, _: CheckedUrl) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let certificate = self.0.clone();
        async move { Ok(certificate) }.boxed()
    }
}

async fn serve(certificate: &str) -> anyhow::Result<()> {
    let settings = config::load(None, std::env::vars())?;
    let desk = Desk::open_to_strangers(&settings)?;
    let certificate = std::fs::read(certificate).context("the certificate")?;
    let context = web::Context::with_webhook(desk, &settings, Arc::new(Given(certificate)));
    let listener = listen_on_loopback().await?;
    web::serve(listener, context, CancellationToken::new()).await?;
    Ok(())
}

async fn listen_on_loopback() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    Ok(listener)
}
