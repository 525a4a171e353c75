//! `verifydesk templates preview`: the templates in a browser.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::watch;

use super::Failure;
use crate::cli::{output, signals};
use crate::config::Settings;
use crate::preview::page::{self, Files};
use crate::preview::watch::{Word, watch as files};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The port of 127.0.0.1 to listen on [default: any that is free]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

pub async fn run(settings: Settings, args: &Args) -> Result<ExitCode, Failure> {
    let shutdown = signals::shutdown()?;
    let dir = settings.templates.dir.clone();
    let (news, changes) = watch::channel(0);
    let page = page::start(Arc::new(Files::new(settings)), changes, args.port).await.map_err(|error| {
        Failure::failed(format!("the preview cannot listen on this machine: {error}"), "name another port with --port")
    })?;
    output::line(page.url())?;
    output::remark(&format!(
        "from another machine: {}, then open the same address there",
        page.ssh_line(&page::host())
    ));
    output::remark("Ctrl-C ends it");
    let watching = async {
        let Some(dir) = &dir else { return };
        let heard = |word| {
            if let Word::Lost(why) = word {
                output::remark(&format!("`templates.dir` cannot be watched, and is looked for again: {why}"));
            }
            news.send_modify(|number| *number += 1);
        };
        files(dir, heard).await;
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = async { watching.await; std::future::pending().await } => {}
    }
    page.stop().await;
    Ok(ExitCode::SUCCESS)
}
