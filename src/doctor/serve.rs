//! The verification view: whether one is there, of which version, and whether the public URL leads to it.

use std::collections::BTreeMap;

use hyper::header::LOCATION;
use url::Url;
use uuid::Uuid;

use super::http::{self, Head};
use super::{Finding, Room, check::Examined};
use crate::domain::serve::{HEADER, ServeRow};
use crate::domain::worker::OutboxView;
use crate::store::program_version;
use crate::text::plain;

fn name(serve: &ServeRow) -> String {
    format!("{}, process {}", serve.host.plain(), serve.pid)
}

fn running(outbox: &OutboxView) -> impl Iterator<Item = &ServeRow> {
    outbox.serves.iter().filter(|serve| serve.is_alive(outbox.as_of))
}

pub(super) fn alive(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let names: Vec<String> = running(outbox).map(name).collect();
        Ok(if names.is_empty() {
            Finding::red(
                "no serve is running, or only ones older than 0.1.0+70, which do not tell: no link opens",
                "start `verifydesk serve` on the web host, and see its log if it does not stay",
            )
        } else {
            Finding::green(format!("{} running: {}", names.len(), names.join("; ")))
        })
    })
}

/// The programs beside this database, by version.
fn versions(outbox: &OutboxView) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |version: String, who: String| versions.entry(version).or_default().push(who);
    for worker in outbox.workers.iter().filter(|worker| worker.is_alive(outbox.as_of)) {
        let version = worker.version.as_ref().map_or_else(|| "an older version".into(), |it| it.plain().into_string());
        add(version, format!("worker on {}", worker.host.plain()));
    }
    for serve in running(outbox) {
        add(serve.version.plain().into_string(), format!("serve on {}", serve.host.plain()));
    }
    versions
}

pub(super) fn versions_of_all(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        let outbox = room.outbox().await?;
        let mut versions = versions(outbox);
        if versions.is_empty() {
            return Err(Finding::skipped("neither a worker nor a serve is running"));
        }
        let ours = program_version();
        versions.entry(ours.clone()).or_default().push("this program".into());
        if versions.len() == 1 {
            return Ok(Finding::green(format!("all are {ours}")));
        }
        let all: Vec<String> = versions.iter().map(|(version, who)| format!("{version}: {}", who.join(", "))).collect();
        Ok(Finding::yellow(
            format!("different versions are at work: {}", all.join("; ")),
            "upgrade those that are older: a schema goes on beside the version before it, not for ever (docs/operations.md, \
             Upgrade)",
        ))
    })
}

pub(super) fn public_url(room: &Room) -> Examined<'_> {
    Box::pin(async move {
        room.is_to_ask_others()?;
        let base = match room.settings.require_public_url() {
            Ok(base) => base,
            Err(error) if room.is_workers() => return Ok(Finding::red(&error.what, &error.hint)),
            Err(_) => return Err(Finding::of_workers("this host knows none: links are made by workers")),
        };
        let url = view(&base);
        let answer = http::head(&url).await;
        let outbox = room.outbox().await;
        Ok(judged(&base, &url, answer, outbox.ok().map(|outbox| running(outbox).collect())))
    })
}

/// Where links lead.
fn view(base: &Url) -> Url {
    let mut url = base.clone();
    let path = format!("{}/verify/", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// What its answer means; `running` are those that the database knows of, where that may be read.
fn judged(base: &Url, url: &Url, answer: Result<Head, String>, running: Option<Vec<&ServeRow>>) -> Finding {
    let proxy = "have the site's proxy hand /verify/ on to `verifydesk serve` (docs/web.md), or correct `public_url`, on \
                 every worker";
    let head = match answer {
        Ok(head) => head,
        Err(error) => {
            return Finding::red(
                format!("{} does not answer: {}", plain(base.as_str()), plain(&error)),
                "see whether its name leads to the web host, whether its proxy and `verifydesk serve` run, and whether this \
                 host may reach it",
            );
        }
    };
    let Some(id) = head.headers.get(HEADER).and_then(|id| id.to_str().ok()) else {
        let to = head.headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let redirect = to.map(|to| format!(" and leads on to {}", plain(to))).unwrap_or_default();
        return Finding::red(
            format!(
                "{} answers {}{redirect}, and it is no serve that answers, or one of an older version",
                plain(url.as_str()),
                head.status
            ),
            proxy,
        );
    };
    let known = |serve: &&&ServeRow| Uuid::parse_str(id).is_ok_and(|id| id == serve.id);
    match running {
        None => Finding::green(format!(
            "a serve answers at {}; whether it is this site's was not looked at",
            plain(base.as_str())
        )),
        Some(running) => match running.iter().find(known) {
            Some(serve) => Finding::green(format!("{} leads to the serve on {}", plain(base.as_str()), name(serve))),
            None => Finding::red(
                format!(
                    "{} leads to a serve that this database knows nothing of: another site's, or a copy's",
                    plain(base.as_str())
                ),
                "have the proxy hand /verify/ on to this site's serve, and all programs name one DATABASE_URL",
            ),
        },
    }
}
